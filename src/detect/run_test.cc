#include "detect/run.h"

#include <gtest/gtest.h>

#include "detect/engine_data.h"
#include "detect/findings.h"

namespace egret::detect {
namespace {

constexpr Ticks kDay0 = 637'844'544'000'000'000;  // 2022-04-01T00:00:00Z

// Rows of a made-up table with a time and an address; a window finds those inside.
class FakeData final : public RuleData {
 public:
  std::vector<std::pair<Ticks, std::string>> rows;
  std::vector<Window> ran;

  Result<Span> span(const Rule&) override {
    Span s;
    for (const auto& [t, a] : rows) {
      s.from = s.empty ? t : std::min(s.from, t);
      s.to = s.empty ? t : std::max(s.to, t);
      s.empty = false;
    }
    return s;
  }
  Result<std::vector<Bin>> bins(const Rule&, Ticks width, Ticks, Ticks) override {
    std::map<Ticks, int64_t> n;
    for (const auto& [t, a] : rows) ++n[t / width * width];
    std::vector<Bin> found;
    for (const auto& [t, c] : n) found.push_back({t, c});
    return found;
  }
  Result<model::Batch> run(const Rule&, const Window& w) override {
    ran.push_back(w);
    auto shape = std::make_shared<model::Table>();
    shape->columns = {{.name = "TimeGenerated", .type = model::Type::kDatetime}, {.name = "DstIp"}, {.name = "Workload"}};
    shape->build_index();
    model::Batch out(shape);
    for (const auto& [t, a] : rows)
      if (t > w.start && t <= w.end) {
        out.add_row();
        out.set_datetime(0, t);
        out.set_string(1, a);
        out.set_string(2, "payments/Deployment/api");
      }
    return out;
  }
};

Rule rule_of(Ticks frequency, Ticks period) {
  Rule r;
  r.id = "5f0e3c1a-3f2b-4d51-9a11-0c8a5a1b2c3d";
  r.name = "Contact";
  r.frequency = frequency;
  r.period = period;
  r.grouping = Grouping::kAlertPerResult;
  r.entities = {{"IP", {{"Address", "DstIp"}}}};
  r.egret.workload = "Workload";
  r.name_format = "{{Workload}} talks to {{ DstIp }}";
  r.techniques = {"T1071.001"};
  return r;
}

constexpr Ticks m(int minutes) { return kDay0 + minutes * kTicksPerMinute; }

TEST(Run, SkipsWindowsWithoutRowsAndRaisesOnce) {
  FakeData data;
  data.rows = {{m(7), "192.0.2.1"}, {m(9), "192.0.2.1"}, {m(600), "192.0.2.2"}};
  const RunResult r = run_rules(data, {rule_of(5 * kTicksPerMinute, 5 * kTicksPerMinute)}, {.now = m(10'000)});
  ASSERT_EQ(r.alerts.size(), 2u);
  EXPECT_EQ(r.alerts[0].name, "payments/Deployment/api talks to 192.0.2.1");
  EXPECT_EQ(r.alerts[0].start, m(7));
  EXPECT_EQ(r.alerts[0].end, m(9));
  EXPECT_EQ(r.alerts[0].time, m(15));  // the window's end, and five minutes for late rows
  EXPECT_EQ(r.alerts[0].ns, "payments");
  EXPECT_EQ(r.rules[0].windows, 119u);
  EXPECT_LE(r.rules[0].evaluated, 3u) << "of 119 windows only those with rows are run";
}

TEST(Run, OverlappingWindowsContinueAnAlert) {
  FakeData data;
  data.rows = {{m(2), "192.0.2.1"}, {m(50), "192.0.2.1"}, {m(100), "192.0.2.1"}};
  // A look back of an hour every five minutes sees each row twelve times.
  const RunResult r = run_rules(data, {rule_of(5 * kTicksPerMinute, kTicksPerHour)}, {.now = m(10'000)});
  ASSERT_EQ(r.alerts.size(), 1u);
  EXPECT_EQ(r.alerts[0].end, m(100));
  EXPECT_GT(r.alerts[0].windows, 1);
}

TEST(Run, SuppressionKeepsARuleQuiet) {
  FakeData data;
  for (int i = 0; i < 12; ++i) data.rows.emplace_back(m(i * 60 + 1), "192.0.2." + std::to_string(i));
  Rule rule = rule_of(kTicksPerHour, kTicksPerHour);
  EXPECT_EQ(run_rules(data, {rule}, {.now = m(10'000)}).alerts.size(), 12u);
  rule.suppress = true;
  rule.suppression = 5 * kTicksPerHour;
  const RunResult r = run_rules(data, {rule}, {.now = m(10'000)});
  EXPECT_EQ(r.alerts.size(), 3u);
  EXPECT_EQ(r.rules[0].suppressed, 9u);
}

TEST(Run, NothingAfterNowIsSeen) {
  FakeData data;
  data.rows = {{m(1), "192.0.2.1"}, {m(200), "192.0.2.2"}};
  const RunResult r = run_rules(data, {rule_of(kTicksPerHour, kTicksPerHour)}, {.now = m(90)});
  ASSERT_EQ(r.alerts.size(), 1u);
  for (const Window& w : data.ran) EXPECT_LE(w.end, m(90));
}

TEST(Run, SingleAlertHoldsAllResultsAndTriggerCounts) {
  FakeData data;
  data.rows = {{m(1), "192.0.2.1"}, {m(2), "192.0.2.2"}, {m(61), "192.0.2.3"}};
  Rule rule = rule_of(kTicksPerHour, kTicksPerHour);
  rule.grouping = Grouping::kSingleAlert;
  rule.threshold = 1;
  const RunResult r = run_rules(data, {rule}, {.now = m(10'000)});
  ASSERT_EQ(r.alerts.size(), 1u);
  EXPECT_EQ(r.alerts[0].entities.size(), 2u);
  EXPECT_EQ(r.alerts[0].results, 2);
}

TEST(Run, AbsenceIsAnAlertToo) {
  FakeData data;
  data.rows = {{m(1), "192.0.2.1"}, {m(301), "192.0.2.1"}};
  Rule rule = rule_of(kTicksPerHour, kTicksPerHour);
  rule.trigger = TriggerOperator::kLess;
  rule.threshold = 1;
  const RunResult r = run_rules(data, {rule}, {.now = m(10'000)});
  ASSERT_EQ(r.alerts.size(), 1u);
  EXPECT_EQ(r.alerts[0].windows, 4);  // four hours without a row
}

TEST(Run, TheSameDataGivesTheSameIds) {
  FakeData data;
  data.rows = {{m(1), "192.0.2.1"}};
  const Rule rule = rule_of(kTicksPerHour, kTicksPerHour);
  const auto a = run_rules(data, {rule}, {.now = m(100)}), b = run_rules(data, {rule}, {.now = m(100)});
  ASSERT_EQ(a.alerts.size(), 1u);
  EXPECT_EQ(a.alerts[0].id, b.alerts[0].id);
  EXPECT_EQ(a.alerts[0].id.size(), 36u);
}

TEST(Run, AlertsBecomeRowsOfSecurityAlert) {
  FakeData data;
  data.rows = {{m(1), "192.0.2.1"}};
  auto result = run_rules(data, {rule_of(kTicksPerHour, kTicksPerHour)}, {.now = m(100)});
  result.alerts[0].pod = "api-1";
  result.alerts[0].cluster = "cc";
  result.alerts[0].criticality = "Critical";
  const model::Batch rows = to_security_alerts(result.alerts);
  ASSERT_EQ(rows.rows(), 1u);
  EXPECT_EQ(rows.text(rows.column("ProviderName"), 0), "egret");
  EXPECT_EQ(rows.text(rows.column("Techniques"), 0), "[\"T1071\"]");
  EXPECT_EQ(rows.text(rows.column("SubTechniques"), 0), "[\"T1071.001\"]");
  EXPECT_EQ(rows.text(rows.column("Entities"), 0),
            R"([{"$id":"2","Address":"192.0.2.1","Type":"ip"},{"$id":"3","Name":"cc","Type":"K8s-cluster"},)"
            R"({"$id":"4","Name":"payments","Type":"K8s-namespace","Cluster":{"$ref":"3"}},)"
            R"({"$id":"5","Name":"api","Type":"K8s-deployment","Namespace":{"$ref":"4"}},)"
            R"({"$id":"6","Name":"api-1","Type":"K8s-pod","Namespace":{"$ref":"4"}}])");
  const std::string_view more = rows.text(rows.column("ExtendedProperties"), 0);
  EXPECT_NE(more.find("\"Workload\":\"payments/Deployment/api\""), std::string_view::npos);
  EXPECT_NE(more.find("\"Criticality\":\"Critical\""), std::string_view::npos);
}

TEST(Windows, EndAtWholeMultiplesOfTheFrequency) {
  Rule r = rule_of(kTicksPerHour, kTicksPerDay);
  const auto w = windows(r, m(10), m(130), m(10'000));
  ASSERT_EQ(w.size(), 3u);
  EXPECT_EQ(w[0].end, m(60));
  EXPECT_EQ(w[0].start, m(60) - kTicksPerDay);
  EXPECT_EQ(w[2].end, m(180));
  const auto cut = windows(r, m(10), m(130), m(131));
  EXPECT_EQ(cut.back().end, m(131));
  EXPECT_TRUE(windows(r, m(10), m(5), m(100)).empty());
}

TEST(Windows, BinsTellWhetherAWindowMayHaveRows) {
  const Bin bins[] = {{0, 3}, {100, 0}, {300, 1}};
  EXPECT_TRUE(any_rows(bins, 100, 50, 60));
  EXPECT_FALSE(any_rows(bins, 100, 100, 250));
  EXPECT_TRUE(any_rows(bins, 100, 250, 300));
  EXPECT_FALSE(any_rows(bins, 100, 400, 500));
}

TEST(EngineData, CutsTablesByAnExpressionOfTheirName) {
  EXPECT_EQ(cut_tables("SELECT 1", {}, "TimeGenerated", 1, 2, 0), "SELECT 1");
  EXPECT_EQ(cut_tables("SELECT * FROM \"T\"", {"T"}, "TimeGenerated", 1, 2, 3),
            "WITH \"T\" AS NOT MATERIALIZED (SELECT * FROM temp.main.\"T\" WHERE \"TimeGenerated\" > 1 AND \"TimeGenerated\" <= 2 AND "
            "\"_IngestionTime\" <= 3) SELECT * FROM (SELECT * FROM \"T\")");
}

}  // namespace
}  // namespace egret::detect
