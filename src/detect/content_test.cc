// The rules that ship: each compiles, has samples on both sides, and does what they say. The same check as `egret check`.
#include <gtest/gtest.h>

#include "detect/check.h"
#include "detect/criticality.h"
#include "detect/rule_reader.h"
#include "store/sample_rows.h"

namespace egret::detect {
namespace {

constexpr Ticks kNow = 637'844'544'000'000'000;  // 2022-04-01

TEST(Content, RulesDoWhatTheirSamplesSay) {
  const auto files = content_files("rules");
  const auto results = check_rules(files, {.now = kNow, .need_tests = true});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_GE(results->size(), 9u);
  for (const CheckResult& r : *results) {
    std::string all;
    for (const std::string& m : r.messages) all += m;
    EXPECT_TRUE(r.passed()) << r.file << "\n" << all;
    EXPECT_EQ(r.warnings, 0u) << all;
  }
  // A rule must be shown to alert and shown to keep quiet.
  for (const ContentFile& f : files) {
    if (!f.path.ends_with(".test.yaml")) continue;
    const auto cases = store::read_sample_cases(f.text, f.path);
    ASSERT_TRUE(cases) << cases.error().message;
    size_t positive = 0, negative = 0;
    for (const auto& c : *cases) ++(c.expect.empty() ? negative : positive);
    EXPECT_GE(positive, 1u) << f.path;
    EXPECT_GE(negative, 1u) << f.path;
  }
}

TEST(Content, FunctionsCompile) {
  const auto results = check_queries(content_files("functions"), {.now = kNow});
  ASSERT_TRUE(results) << results.error().message;
  EXPECT_GE(results->size(), 10u);
  for (const CheckResult& r : *results) {
    std::string all;
    for (const std::string& m : r.messages) all += m;
    EXPECT_TRUE(r.passed()) << r.file << "\n" << all;
  }
}

TEST(Content, CriticalityListIsRead) {
  const auto list = read_criticality(content_file("criticality.yaml")->text, "criticality.yaml");
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_GE(list->size(), 5u);
}

TEST(Check, ShowsMistakesOfTheQueryAtTheirPlaceInTheFile) {
  const std::string yaml =
      "id: 5f0e3c1a-3f2b-4d51-9a11-0c8a5a1b2c3d\nname: x\nseverity: Lo\nkind: NRT\nquery: |\n  ASimDnsActivityLogs\n  | where DnsQery == "
      "'a'\nentityMappings:\n"
      "  - entityType: DNS\n    fieldMappings:\n      - identifier: DomainName\n        columnName: DnsQuery\n";
  const auto results = check_rules({{"x.yaml", yaml, "x.yaml"}}, {.now = kNow});
  ASSERT_TRUE(results);
  ASSERT_EQ(results->size(), 1u);
  EXPECT_EQ(results->front().errors, 2u) << "the severity, and the column: both at once";
  const std::string& text = results->front().messages.at(0);
  EXPECT_NE(text.find("x.yaml:7:11: error:"), std::string::npos) << text;
  EXPECT_NE(text.find("      |           ^~~~~~~\n"), std::string::npos) << text;
  EXPECT_NE(text.find("did you mean 'DnsQuery'?"), std::string::npos) << text;
}

TEST(Check, ColumnsThatARuleNamesMustBeInTheResult) {
  const std::string yaml =
      "id: 5f0e3c1a-3f2b-4d51-9a11-0c8a5a1b2c3d\nname: x\nseverity: Low\nkind: NRT\nquery: |\n  ASimDnsActivityLogs\n  | project "
      "TimeGenerated, DnsQuery\nentityMappings:\n"
      "  - entityType: DNS\n    fieldMappings:\n      - identifier: DomainName\n        columnName: DnsQuer\n";
  const auto results = check_rules({{"x.yaml", yaml, "x.yaml"}}, {.now = kNow});
  ASSERT_TRUE(results);
  const std::string& text = results->front().messages.at(0);
  EXPECT_NE(text.find("x.yaml:12:21: error: columnName: the query's result has no column 'DnsQuer'"), std::string::npos) << text;
}

TEST(Check, AFailingSampleSaysWhatWasFound) {
  const std::string yaml =
      "id: 5f0e3c1a-3f2b-4d51-9a11-0c8a5a1b2c3d\nname: x\nseverity: Low\nkind: NRT\nquery: |\n  ASimDnsActivityLogs\n  | project DnsQuery\n"
      "tests:\n  - name: one\n    given:\n      ASimDnsActivityLogs: [{TimeGenerated: 2022-04-01T00:00:00Z, DnsQuery: a.example}]\n    "
      "expect: [{DnsQuery: b.example}]\n";
  const auto results = check_rules({{"x.yaml", yaml, "x.yaml"}}, {.now = kNow});
  ASSERT_TRUE(results);
  EXPECT_EQ(results->front().failed_tests, 1u);
  const std::string& text = results->front().messages.at(0);
  EXPECT_NE(text.find("x.yaml:9: test 'one' failed"), std::string::npos) << text;
  EXPECT_NE(text.find("no row matches {DnsQuery: b.example}; the nearest is {DnsQuery: a.example}"), std::string::npos) << text;
}

}  // namespace
}  // namespace egret::detect
