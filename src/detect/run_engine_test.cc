// Rules over the real engine: windows cut by time, both clocks, naming and criticality.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "detect/group.h"
#include "detect/rule_reader.h"
#include "detect/run.h"
#include "model/catalogue.h"

namespace egret::detect {
namespace {

constexpr Ticks kDay0 = 637'844'544'000'000'000;  // 2022-04-01T00:00:00Z
constexpr Ticks m(int64_t minutes) { return kDay0 + minutes * kTicksPerMinute; }

Rule rule(std::string_view query, std::string_view more = {}) {
  std::string yaml =
      "id: 5f0e3c1a-3f2b-4d51-9a11-0c8a5a1b2c3d\nname: Asked\nseverity: Low\nkind: Scheduled\nqueryFrequency: 1h\nqueryPeriod: "
      "1h\ntriggerOperator: gt\ntriggerThreshold: 0\n";
  yaml += fmt::format("{}query: |\n  {}\n", more, query);
  const RuleFile file = read_rule(yaml, "r.yaml");
  EXPECT_TRUE(file.rule) << format_diagnostics(yaml, "r.yaml", file.diagnostics);
  return file.rule.value_or(Rule{});
}

class RunEngine : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = store::Engine::open({.folder = {}, .memory_bytes = 512ULL << 20, .threads = 1, .read_only = false});
    ASSERT_TRUE(opened) << opened.error().message;
    engine = *std::move(opened);
  }
  void ask(std::initializer_list<std::pair<int64_t, const char*>> questions, Ticks ingested) {
    model::Batch rows(*model::find_table("ASimDnsActivityLogs"));
    for (const auto& [minute, name] : questions) {
      rows.add_row();
      rows.set_datetime(rows.column("TimeGenerated"), m(minute));
      rows.set_string(rows.column("DnsQuery"), name);
      rows.set_string(rows.column("SrcIpAddr"), "10.1.0.7");
      rows.set_string(rows.column("Cluster"), "cc");
      rows.set_string(rows.column("SrcWorkload"), "payments/Deployment/api");
    }
    ASSERT_TRUE(engine->append(rows, ingested));
    ASSERT_TRUE(engine->commit());
  }
  std::unique_ptr<store::Engine> engine;
};

TEST_F(RunEngine, AWindowSeesItsRowsOnly) {
  ask({{10, "a.example"}, {20, "a.example"}, {70, "b.example"}, {60 * 24 * 30, "a.example"}}, m(1'000'000));
  const auto r = run_rules(*engine, {rule("ASimDnsActivityLogs | summarize Times = count(), StartTime = min(TimeGenerated) by DnsQuery")},
                           {.now = m(1'000'000)});
  ASSERT_TRUE(r) << r.error().message;
  ASSERT_EQ(r->rules[0].error, "");
  ASSERT_EQ(r->alerts.size(), 3u);
  EXPECT_EQ(r->alerts[0].start, m(10));
  EXPECT_EQ(r->rules[0].windows, 720u);
  EXPECT_EQ(r->rules[0].evaluated, 4u);  // and one of the empty ones, to know that they find nothing
}

TEST_F(RunEngine, TablesOfStateAreNotCut) {
  ask({{10, "a.example"}, {90, "b.example"}}, m(200));
  const std::string query = "ASimDnsActivityLogs | summarize Names = dcount(DnsQuery) by Cluster";
  const auto cut = run_rules(*engine, {rule(query + " | where Names == 2")}, {.now = m(200)});
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->alerts.size(), 0u);
  // EgretKubeObjects is state: an export made later is seen by every window.
  model::Batch pods(*model::find_table("EgretKubeObjects"));
  pods.add_row();
  pods.set_datetime(pods.column("TimeGenerated"), m(150));
  pods.set_string(pods.column("Name"), "api-1");
  pods.set_string(pods.column("Cluster"), "cc");
  ASSERT_TRUE(engine->append(pods, m(200)));
  ASSERT_TRUE(engine->commit());
  const auto joined = run_rules(
      *engine, {rule("ASimDnsActivityLogs | join kind=inner EgretKubeObjects on Cluster | project TimeGenerated, DnsQuery, Name")},
      {.now = m(200)});
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->rules[0].error, "");
  EXPECT_EQ(joined->alerts.size(), 2u);
}

TEST_F(RunEngine, LateRowsAreSeenByTheClockThatTheRuleNames) {
  ask({{10, "on.time"}}, m(12));
  ask({{20, "late"}}, m(130));  // two hours late
  const std::string query = "ASimDnsActivityLogs | project TimeGenerated, DnsQuery";
  const auto names = [&](const Rule& r, bool replay) {
    const auto result = run_rules(*engine, {r}, {.now = m(1000), .replay_arrival = replay});
    EXPECT_TRUE(result);
    int64_t rows = 0;
    for (const Alert& a : result->alerts) rows += a.results;
    return rows;
  };
  EXPECT_EQ(names(rule(query), false), 2);
  EXPECT_EQ(names(rule(query), true), 1) << "the window of its time had run before the late row came";
  EXPECT_EQ(names(rule(query, "egret:\n  time: ingestion\n"), true), 2);
}

TEST_F(RunEngine, AlertsNameHowCriticalTheWorkloadIs) {
  ask({{10, "a.example"}}, m(12));
  const auto r = run_rules(*engine,
                           {rule("ASimDnsActivityLogs | project TimeGenerated, DnsQuery, Cluster, SrcWorkload",
                                 "egret:\n  cluster: Cluster\n  workload: SrcWorkload\n")},
                           {.now = m(100)});
  ASSERT_TRUE(r) << r.error().message;
  ASSERT_EQ(r->alerts.size(), 1u);
  EXPECT_EQ(r->alerts[0].workload, "payments/Deployment/api");
  EXPECT_EQ(r->alerts[0].criticality, "Critical");
  EXPECT_EQ(r->alerts[0].criticality_source, "criticality.yaml: payment data");
  // The rows can be appended and asked for.
  ASSERT_TRUE(engine->append(to_security_alerts(r->alerts), m(100)));
  ASSERT_TRUE(engine->commit());
  const auto rows = engine->query("SecurityAlert | where ProviderName == 'egret' | project AlertName, CompromisedEntity, Cluster", m(100));
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->rows(), 1u);
  EXPECT_EQ(rows->text(1, 0), "payments/Deployment/api");
}

TEST_F(RunEngine, ARuleThatFailsDoesNotStopTheOthers) {
  ask({{10, "a.example"}}, m(12));
  const auto r = run_rules(*engine, {rule("NoSuchTable | take 1"), rule("ASimDnsActivityLogs")}, {.now = m(100)});
  ASSERT_TRUE(r);
  EXPECT_NE(r->rules[0].error, "");
  EXPECT_EQ(r->alerts.size(), 1u);
}

}  // namespace
}  // namespace egret::detect
