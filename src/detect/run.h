#pragma once
// Rules over the data's own time: a back-test that raises what the rules would have raised, as if it were then.
//
// Each rule runs at its schedule's windows over the span of the rows that it reads. A window sees rows of (end − queryPeriod, end],
// and now() is its end. Windows that cannot find anything are skipped by a count of rows per bin. What an overlapping or the next
// window finds again continues the alert instead of raising it once more.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "detect/alert.h"
#include "detect/rule.h"
#include "detect/window.h"
#include "store/engine.h"

namespace egret::detect {

struct RunOptions {
  Ticks from = 0, to = 0;  // cut of the data's time; 0: all there is
  Ticks now = 0;           // nothing is seen that is later; required
  // Also hide rows whose _IngestionTime is later than the moment a window runs: a replay of late arrival. Only for data that
  // came in as it happened; a folder that was loaded at once is all late.
  bool replay_arrival = false;
  std::function<void(const Rule&, size_t done, size_t of)> progress = {};  // may be empty
};

struct RuleOutcome {
  std::string rule_id, name, file;
  size_t windows = 0, evaluated = 0;
  size_t alerts = 0, repeated = 0, suppressed = 0;  // windows whose results only repeated; windows not run while suppressed
  Ticks from = 0, to = 0;                           // of the rows that it could see
  double seconds = 0;
  std::string error;  // why it, or its last window that failed, could not run; empty: all did
};

struct RunResult {
  std::vector<Alert> alerts;  // by time
  std::vector<RuleOutcome> rules;
};

// What the scheduler asks of the data; the engine in life, a fake in tests.
class RuleData {
 public:
  virtual ~RuleData() = default;
  struct Span {
    Ticks from = 0, to = 0;
    bool empty = true;
  };
  // First and last time of the rows of the rule's event tables, and their number per bin.
  virtual Result<Span> span(const Rule& rule) = 0;
  virtual Result<std::vector<Bin>> bins(const Rule& rule, Ticks width, Ticks from, Ticks to) = 0;
  virtual Result<model::Batch> run(const Rule& rule, const Window& window) = 0;
};

RunResult run_rules(RuleData& data, const std::vector<Rule>& rules, const RunOptions& options);

// Over the engine: names pods, workloads and criticality as well. Nothing is appended; see to_security_alerts().
Result<RunResult> run_rules(store::Engine& engine, const std::vector<Rule>& rules, const RunOptions& options);

// Rules that are built in (content/rules, overridden by the user's content folder). A file with errors is skipped: `problems` gets
// its diagnostics as text.
std::vector<Rule> builtin_rules(const kql::Catalogue& catalogue, Ticks now, std::vector<std::string>* problems = nullptr);

}  // namespace egret::detect
