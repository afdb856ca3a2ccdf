#pragma once
// The engine as the scheduler sees it: a rule's query with its tables cut to the window.
#include <map>
#include <memory>
#include <string>

#include "detect/run.h"

namespace egret::detect {

class EngineData final : public RuleData {
 public:
  EngineData(store::Engine& engine, Ticks now, bool replay_arrival);

  Result<Span> span(const Rule& rule) override;
  Result<std::vector<Bin>> bins(const Rule& rule, Ticks width, Ticks from, Ticks to) override;
  Result<model::Batch> run(const Rule& rule, const Window& window) override;

 private:
  // Stored tables with rows that the rule's window cuts; when it reads state only, those.
  Result<std::vector<std::string>> event_tables(const Rule& rule);
  bool is_cut(const Rule& rule, const std::string& table) const;

  store::Engine& engine_;
  Ticks now_;
  bool replay_arrival_;
  std::map<std::string, bool> timed_;                                      // stored tables with rows → do they have TimeGenerated
  std::map<std::string, std::vector<std::string>> events_of_;              // by rule id
  std::map<std::pair<std::string, bool>, Span> spans_;                     // by table and clock
  std::map<std::tuple<std::string, bool, Ticks>, std::vector<Bin>> bins_;  // and width
};

// SQL of a compiled query whose named tables show only rows with start < time <= end (and arrived by `arrived`, when not 0).
std::string cut_tables(std::string_view sql, const std::vector<std::string>& tables, std::string_view time_column, Ticks start, Ticks end,
                       Ticks arrived);

}  // namespace egret::detect
