// Published queries as bodies of rules: each survives the way into YAML and back, and is compiled at its place.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "detect/rule_reader.h"
#include "detect/run.h"
#include "model/catalogue.h"

namespace egret::detect {
namespace {

constexpr Ticks kNow = 637'844'544'000'000'000;  // 2022-04-01

std::string shared_file(const std::string& name) {
  const char* root = std::getenv("EGRET_SHARED");
  return (root ? std::string(root) : std::string(EGRET_SOURCE_DIR "/../shared")) + "/" + name;
}

std::string wrap(const std::string& query, size_t i) {
  std::string yaml = fmt::format(
      "id: 00000000-0000-4000-8000-{:012}\nname: Published {}\ndescription: x\nseverity: Medium\nkind: Scheduled\nqueryFrequency: "
      "1h\nqueryPeriod: 1d\n"
      "triggerOperator: gt\ntriggerThreshold: 0\ntactics:\n  - CommandAndControl\nrelevantTechniques:\n  - T1071\nquery: |2\n",
      i, i);
  for (const std::string& line : split(query, '\n')) yaml += line.empty() ? "\n" : "  " + line + "\n";
  return yaml + "version: 1.0.0\n";
}

struct Published {
  std::string id, query;
};

std::vector<Published> published() {
  std::vector<Published> found;
  simdjson::dom::parser parser;
  simdjson::padded_string text;
  if (simdjson::padded_string::load(shared_file("kql/published-dev.jsonl")).get(text)) return found;
  simdjson::dom::document_stream lines;
  if (parser.parse_many(text, 4 << 20).get(lines)) return found;
  for (auto line : lines) {
    std::string_view id, query;
    if (line["id"].get(id) == simdjson::SUCCESS && line["query"].get(query) == simdjson::SUCCESS)
      found.push_back({std::string(id), std::string(query)});
  }
  return found;
}

bool in_ci() { return std::getenv("CI") != nullptr; }

TEST(Published, QueriesAreRuleBodies) {
  const auto queries = published();
  if (queries.empty() && !in_ci()) GTEST_SKIP() << "no " << shared_file("kql/published-dev.jsonl");
  ASSERT_GT(queries.size(), 1000u);
  size_t read = 0;
  for (size_t i = 0; i < queries.size(); ++i) {
    // Tabs and control characters cannot stand in a YAML block; carriage returns are line ends there.
    if (queries[i].query.find_first_of("\t\r\x01\x02\x03") != std::string::npos) continue;
    const RuleFile file = read_rule(wrap(queries[i].query, i), queries[i].id);
    ASSERT_TRUE(file.rule) << queries[i].id << "\n" << format_diagnostics(file.text, queries[i].id, file.diagnostics);
    EXPECT_EQ(trim(file.rule->query), trim(queries[i].query)) << queries[i].id;
    ++read;
  }
  EXPECT_GT(read, queries.size() * 7 / 10);
}

TEST(Published, RulesRunOverAnEmptyStoreAndOverRows) {
  const auto queries = published();
  if (queries.empty() && !in_ci()) GTEST_SKIP() << "no " << shared_file("kql/published-dev.jsonl");
  auto engine = store::Engine::open({.folder = {}, .memory_bytes = 512ULL << 20, .threads = 1, .read_only = false});
  ASSERT_TRUE(engine) << engine.error().message;
  // Rules over tables that have a row as well, so that windows are really run.
  std::vector<Rule> rules;
  std::vector<std::string> refused;
  for (size_t i = 0; i < queries.size() && rules.size() < 200; ++i) {
    if (queries[i].id.find("/Detections/") == std::string::npos) continue;
    RuleFile file = read_rule(wrap(queries[i].query, i), queries[i].id);
    if (!file.rule) continue;
    // Columns that depend on the rows (an empty row gives none), and files and networks, which a query does not read.
    const auto has = [&](std::string_view word) { return file.rule->query.find(word) != std::string::npos; };
    if (has("bag_unpack") || has("pivot") || has("externaldata")) continue;
    check_query(file, (*engine)->catalogue(), kNow);
    if (has_errors(file.diagnostics)) {
      refused.push_back(queries[i].id);
      continue;
    }
    rules.push_back(*file.rule);
  }
  ASSERT_GE(rules.size(), 20u) << refused.size() << " were refused";
  auto empty = run_rules(**engine, rules, {.now = kNow});
  ASSERT_TRUE(empty) << empty.error().message;
  EXPECT_TRUE(empty->alerts.empty());
  for (const RuleOutcome& r : empty->rules) EXPECT_EQ(r.error, "") << r.file;

  for (const char* name : {"SigninLogs", "SecurityEvent", "AzureActivity", "OfficeActivity", "CommonSecurityLog", "AuditLogs",
                           "DeviceProcessEvents", "AWSCloudTrail", "DnsEvents"}) {
    const model::Table* table = model::find_table(name);
    ASSERT_TRUE(table) << name;
    model::Batch rows(*table);
    rows.add_row();
    rows.set_datetime(rows.column("TimeGenerated"), kNow - kTicksPerHour);
    ASSERT_TRUE((*engine)->append(rows, kNow));
  }
  ASSERT_TRUE((*engine)->commit());
  auto with_rows = run_rules(**engine, rules, {.now = kNow});
  ASSERT_TRUE(with_rows);
  size_t evaluated = 0, unsupported = 0;
  for (const RuleOutcome& r : with_rows->rules) {
    evaluated += r.evaluated;
    if (r.error.find("is not supported") != std::string::npos) {
      ++unsupported;  // refused by name
    } else {
      EXPECT_EQ(r.error, "") << r.file;
    }
  }
  EXPECT_GT(evaluated, 0u);
  EXPECT_LE(unsupported, rules.size() / 50);
}

}  // namespace
}  // namespace egret::detect
