#include "detect/engine_data.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace egret::detect {

std::string cut_tables(std::string_view sql, const std::vector<std::string>& tables, std::string_view time_column, Ticks start, Ticks end,
                       Ticks arrived) {
  if (tables.empty()) return std::string(sql);
  // A common table expression of the table's own name hides its view; inside of it, the qualified name still means the view.
  std::string out;
  for (const std::string& t : tables) {
    out += fmt::format("{}\"{}\" AS NOT MATERIALIZED (SELECT * FROM temp.main.\"{}\" WHERE \"{}\" > {} AND \"{}\" <= {}",
                       out.empty() ? "WITH " : ", ", t, t, time_column, start, time_column, end);
    if (arrived != 0) out += fmt::format(" AND \"_IngestionTime\" <= {}", arrived);
    out += ")";
  }
  return fmt::format("{} SELECT * FROM ({})", out, sql);
}

EngineData::EngineData(store::Engine& engine, Ticks now, bool replay_arrival)
    : engine_(engine), now_(now), replay_arrival_(replay_arrival) {
  for (const std::string& name : engine.stored_tables()) {
    if (engine.row_count(name) == 0) continue;
    const model::Table* table = engine.catalogue().table(name);
    timed_[name] = table && table->find("TimeGenerated") >= 0;
  }
}

bool EngineData::is_cut(const Rule& rule, const std::string& table) const {
  const auto it = timed_.find(table);
  if (it == timed_.end() || !it->second) return false;
  // Egret's own tables are state: what is known of objects, releases, ranges, coverage.
  if (table.starts_with("Egret")) return false;
  return std::find(rule.egret.whole_history.begin(), rule.egret.whole_history.end(), table) == rule.egret.whole_history.end();
}

Result<std::vector<std::string>> EngineData::event_tables(const Rule& rule) {
  if (const auto it = events_of_.find(rule.id); it != events_of_.end()) return it->second;
  TRY(const kql::Query query, engine_.compile(rule.query, now_, rule.file.empty() ? rule.name : rule.file));
  std::vector<std::string> cut, all;
  for (const std::string& t : query.tables) {
    if (is_cut(rule, t)) cut.push_back(t);
    if (const auto it = timed_.find(t); it != timed_.end() && it->second) all.push_back(t);
  }
  return events_of_[rule.id] = cut.empty() && rule.egret.whole_history.empty() ? all : cut;
}

Result<RuleData::Span> EngineData::span(const Rule& rule) {
  TRY(const std::vector<std::string> tables, event_tables(rule));
  const bool arrival = rule.egret.clock == Extension::Clock::kIngestion;
  Span span;
  for (const std::string& t : tables) {
    auto it = spans_.find({t, arrival});
    if (it == spans_.end()) {
      TRY(const model::Batch rows,
          engine_.query(
              fmt::format("['{0}'] | summarize From = min({1}), To = max({1})", t, arrival ? "ingestion_time()" : "TimeGenerated"), now_));
      Span found;
      if (rows.rows() == 1 && !rows.is_null(0, 0)) found = {rows.number(0, 0), rows.number(1, 0), false};
      it = spans_.emplace(std::pair(t, arrival), found).first;
    }
    if (it->second.empty) continue;
    span.from = span.empty ? it->second.from : std::min(span.from, it->second.from);
    span.to = span.empty ? it->second.to : std::max(span.to, it->second.to);
    span.empty = false;
  }
  return span;
}

Result<std::vector<Bin>> EngineData::bins(const Rule& rule, Ticks width, Ticks, Ticks) {
  TRY(const std::vector<std::string> tables, event_tables(rule));
  const bool arrival = rule.egret.clock == Extension::Clock::kIngestion;
  std::map<Ticks, int64_t> sum;
  for (const std::string& t : tables) {
    const auto key = std::tuple(t, arrival, width);
    auto it = bins_.find(key);
    if (it == bins_.end()) {
      const std::string time = arrival ? "ingestion_time()" : "TimeGenerated";
      TRY(const model::Batch rows,
          engine_.query(fmt::format("['{}'] | extend Bin = bin({}, {}s) | where isnotnull(Bin) | summarize Rows = count() by Bin", t, time,
                                    width / kTicksPerSecond),
                        now_));
      std::vector<Bin> found;
      for (size_t i = 0; i < rows.rows(); ++i)
        found.push_back({rows.number(rows.find_column("Bin"), i), rows.number(rows.find_column("Rows"), i)});
      it = bins_.emplace(key, std::move(found)).first;
    }
    for (const Bin& b : it->second) sum[b.start] += b.rows;
  }
  std::vector<Bin> bins;
  for (const auto& [start, rows] : sum) bins.push_back({start, rows});
  return bins;
}

Result<model::Batch> EngineData::run(const Rule& rule, const Window& window) {
  TRY(kql::Query query, engine_.compile(rule.query, window.end, rule.file.empty() ? rule.name : rule.file));
  std::vector<std::string> cut;
  for (const std::string& t : query.tables)
    if (is_cut(rule, t)) cut.push_back(t);
  const bool arrival = rule.egret.clock == Extension::Clock::kIngestion;
  query.sql = cut_tables(query.sql, cut, arrival ? "_IngestionTime" : "TimeGenerated", window.start, window.end,
                         replay_arrival_ ? window.run_at : 0);
  return engine_.run(query);
}

}  // namespace egret::detect
