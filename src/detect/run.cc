#include "detect/run.h"

#include <algorithm>
#include <chrono>

#include "detect/findings.h"

namespace egret::detect {
namespace {

// The finest bin of the count that lets windows be skipped: fine enough for the shortest schedule, few enough for years of data.
Ticks bin_width(const Rule& rule, Ticks span) {
  Ticks width = std::min(rule.frequency, kTicksPerHour);
  while (span / width > 200'000) width *= 2;
  return width;
}

constexpr int kMostFailures = 5;  // in a row

struct RuleRun {
  RuleData& data;
  const Rule& rule;
  const RunOptions& options;
  RuleOutcome& outcome;

  Result<std::vector<Alert>> run() {
    Findings findings(rule);
    TRY(const RuleData::Span span, data.span(rule));
    if (span.empty) return std::vector<Alert>{};
    outcome.from = std::max(span.from, options.from);
    outcome.to = std::min(options.to ? std::min(span.to, options.to) : span.to, options.now);
    const std::vector<Window> all = windows(rule, outcome.from, outcome.to, options.now);
    outcome.windows = all.size();
    if (all.empty()) return std::vector<Alert>{};
    const Ticks width = bin_width(rule, outcome.to - outcome.from);
    TRY(const std::vector<Bin> bins, data.bins(rule, width, outcome.from, outcome.to));

    // Whether an empty window finds something does not depend on which one it is, as far as a query over the window's rows goes:
    // it is tried once.
    bool empty_known = false, empty_finds = false;
    Ticks quiet_until = 0;
    int failures = 0;
    size_t done = 0;
    for (const Window& w : all) {
      if (options.progress && done % 16 == 0) options.progress(rule, done, all.size());
      ++done;
      if (rule.suppress && w.end < quiet_until) {
        ++outcome.suppressed;
        continue;
      }
      // What has come since the window before can raise something new; what has only left cannot, unless the rule looks for it.
      const bool news = any_rows(bins, width, std::max(w.start, w.end - rule.frequency), w.end);
      const bool rows_in_window = news || any_rows(bins, width, w.start, w.end);
      const bool asks_for_absence =
          rule.egret.on_absence || rule.trigger == TriggerOperator::kLess || rule.trigger == TriggerOperator::kEqual;
      if (!news && !asks_for_absence && (rows_in_window || (empty_known && !empty_finds))) continue;
      const auto found = data.run(rule, w);
      ++outcome.evaluated;
      if (!found) {
        // The rows of this window may be what it cannot do; when it fails again and again, it is the rule.
        outcome.error = found.error().message;
        if (++failures >= kMostFailures) break;
        continue;
      }
      failures = 0;
      const model::Batch& rows = *found;
      if (!rows_in_window) {
        empty_known = true;
        empty_finds = rows.rows() > 0;
      }
      if (!findings.triggered(rows.rows())) continue;
      switch (findings.take(w, rows)) {
        case Findings::Outcome::kRaised: quiet_until = w.end + rule.suppression; break;
        case Findings::Outcome::kRepeated: ++outcome.repeated; break;
        case Findings::Outcome::kNothing: break;
      }
    }
    return std::move(findings).alerts();
  }
};

}  // namespace

RunResult run_rules(RuleData& data, const std::vector<Rule>& rules, const RunOptions& options) {
  RunResult result;
  for (const Rule& rule : rules) {
    if (!rule.enabled) continue;
    RuleOutcome& outcome = result.rules.emplace_back();
    outcome.rule_id = rule.id;
    outcome.name = rule.name;
    outcome.file = rule.file;
    const auto began = std::chrono::steady_clock::now();
    auto alerts = RuleRun{data, rule, options, outcome}.run();
    outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (!alerts) {
      outcome.error = alerts.error().message;
      continue;
    }
    outcome.alerts = alerts->size();
    std::move(alerts->begin(), alerts->end(), std::back_inserter(result.alerts));
  }
  std::stable_sort(result.alerts.begin(), result.alerts.end(),
                   [](const Alert& a, const Alert& b) { return std::pair(a.start, a.time) < std::pair(b.start, b.time); });
  return result;
}

}  // namespace egret::detect
