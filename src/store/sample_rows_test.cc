#include "store/sample_rows.h"

#include <gtest/gtest.h>

namespace egret::store {
namespace {

constexpr std::string_view kCases = R"(
id: x
tests:
  - name: repeated
    given:
      ASimDnsActivityLogs:
        - {TimeGenerated: 2022-04-01T00:00:00Z, DnsQuery: example.org, repeat: 3, every: 1h, vary: {SrcPortNumber: [1, 2]}, Answers: [192.0.2.1]}
      Made: [{A: 1, B: "2", C: 1.5, D: true, E: 2022-04-01T00:00:00Z, F: {k: v}}, {A: 2.5}]
    expect:
      - {DnsQuery: example.org}
)";

TEST(SampleRows, ReadsRepeatedAndVariedRows) {
  const auto cases = read_sample_cases(kCases, "x.yaml");
  ASSERT_TRUE(cases) << cases.error().message;
  ASSERT_EQ(cases->size(), 1u);
  const SampleCase& c = cases->front();
  EXPECT_EQ(c.name, "repeated");
  const model::Batch& dns = c.given[0];
  ASSERT_EQ(dns.rows(), 3u);
  EXPECT_EQ(dns.number(dns.column("TimeGenerated"), 2) - dns.number(dns.column("TimeGenerated"), 0), 2 * kTicksPerHour);
  EXPECT_EQ(dns.number(dns.column("SrcPortNumber"), 1), 2);
  EXPECT_EQ(dns.number(dns.column("SrcPortNumber"), 2), 1);
  EXPECT_EQ(dns.text(dns.column("Answers"), 0), "[\"192.0.2.1\"]");
  EXPECT_EQ(c.now, dns.number(dns.column("TimeGenerated"), 2) + kTicksPerSecond);
  const model::Batch& made = c.given[1];
  EXPECT_EQ(made.table().columns[0].type, model::Type::kReal);
  EXPECT_EQ(made.table().columns[1].type, model::Type::kString);
  EXPECT_EQ(made.table().columns[4].type, model::Type::kDatetime);
  EXPECT_EQ(made.text(made.column("F"), 0), "{\"k\":\"v\"}");
}

TEST(SampleRows, SaysWhereTheMistakeIs) {
  const auto wrong =
      read_sample_cases("tests:\n  - name: a\n    given:\n      ASimDnsActivityLogs:\n        - {DnsQery: x}\n    expect: []\n", "f.yaml");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "f.yaml:5:12: error: ASimDnsActivityLogs has no column 'DnsQery'");
  EXPECT_EQ(wrong.error().hint, "did you mean 'DnsQuery'?");
  EXPECT_FALSE(read_sample_cases("tests:\n  - name: a\n    given: {}\n", "f.yaml"));
  EXPECT_FALSE(read_sample_cases("tests: [", "f.yaml"));
}

TEST(SampleRows, ComparesRowsWithExpectations) {
  auto table = std::make_shared<model::Table>();
  table->columns = {{.name = "W", .type = model::Type::kString}, {.name = "N", .type = model::Type::kLong}};
  table->build_index();
  model::Batch result(table);
  for (int i = 0; i < 2; ++i) {
    result.add_row();
    result.set_string(0, i == 0 ? "payments/Deployment/api" : "kube-system/DaemonSet/agent");
    result.set_int(1, 10 * i);
  }
  SampleCase sample;
  // The first expectation matches both rows: it must not take the only one that the second can have.
  sample.expect = {{{"W", "*"}}, {{"W", "payments/Deployment/api"}, {"N", "<=0"}}};
  EXPECT_TRUE(compare_rows(sample, result).empty());
  sample.expect = {{{"W", "~agent"}, {"N", ">9"}}};
  EXPECT_EQ(compare_rows(sample, result).size(), 1u);  // the other row is unexpected
  sample.other_rows = true;
  EXPECT_TRUE(compare_rows(sample, result).empty());
  sample.expect = {{{"W", "!~agent"}, {"N", ">9"}}};
  ASSERT_EQ(compare_rows(sample, result).size(), 1u);
  EXPECT_NE(compare_rows(sample, result)[0].find("no row matches {W: !~agent, N: >9}; the nearest is"), std::string::npos);
  sample.expect = {{{"Nn", "1"}}};
  ASSERT_EQ(compare_rows(sample, result).size(), 1u);
}

}  // namespace
}  // namespace egret::store
