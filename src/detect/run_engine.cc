#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/embedded.h"
#include "detect/criticality.h"
#include "detect/engine_data.h"
#include "detect/rule_reader.h"
#include "detect/run.h"

namespace egret::detect {
namespace {

// A view that every window would compute anew though it does not depend on it, and what stands for it while the rules run. Each is
// worked out with those before it already kept.
struct KeptView {
  std::string_view name, stand_in;
  Ticks grain;  // a rule that uses it must run at multiples of this, or the view would show it rows that are yet to come
};
constexpr KeptView kKeptViews[] = {
    {"EgretPods", "() { ['EgretPodsKept'] }", 0},
    {"EgretNodes", "() { ['EgretNodesKept'] }", 0},
    {"EgretIndicatorsAll", "() { ['EgretIndicatorsAllKept'] }", 0},
    {"EgretEgressHourly", "() { ['EgretEgressHourlyKept'] | where Hour < now() | extend HoursAgo = toint((now() - Hour - 1tick) / 1h) }",
     kTicksPerHour},
};

class KeptViews {
 public:
  KeptViews(store::Engine& engine, Ticks now, const std::vector<Rule>& rules) : engine_(engine) {
    if (std::none_of(rules.begin(), rules.end(), [](const Rule& r) { return r.enabled && r.query.find("Egret") != std::string::npos; }))
      return;
    for (const KeptView& view : kKeptViews) {
      const auto file = content_file(fmt::format("functions/{}.kql", view.name));
      const bool coarse = std::all_of(rules.begin(), rules.end(), [&](const Rule& r) {
        return !r.enabled || view.grain == 0 || r.query.find(view.name) == std::string::npos || r.frequency % view.grain == 0;
      });
      if (!file || !coarse) continue;
      auto rows = engine.query(view.name, now);
      if (!rows || !engine.put_temporary(fmt::format("{}Kept", view.name), *rows)) continue;  // slower, not wrong
      engine.define_function(std::string(view.name), std::string(view.stand_in));
      restore_.emplace_back(view.name, file->text);
    }
  }
  ~KeptViews() {
    for (auto& [name, text] : restore_) engine_.define_function(name, text);
  }
  KeptViews(const KeptViews&) = delete;
  KeptViews& operator=(const KeptViews&) = delete;

 private:
  store::Engine& engine_;
  std::vector<std::pair<std::string, std::string>> restore_;
};

}  // namespace

Result<RunResult> run_rules(store::Engine& engine, const std::vector<Rule>& rules, const RunOptions& options) {
  EngineData data(engine, options.now, options.replay_arrival);
  // Which tables a rule reads is asked before views are kept: a kept one would hide them. A failure shows again when the rule runs.
  for (const Rule& rule : rules)
    if (rule.enabled) (void)data.span(rule);
  std::optional<KeptViews> kept;
  if (!options.replay_arrival) kept.emplace(engine, options.now, rules);
  RunResult result = run_rules(static_cast<RuleData&>(data), rules, options);
  TRY_VOID(add_criticality(engine, options.now, result.alerts));
  return result;
}

std::vector<Rule> builtin_rules(const kql::Catalogue& catalogue, Ticks now, std::vector<std::string>* problems) {
  std::vector<Rule> rules;
  for (const ContentFile& f : content_files("rules")) {
    if (!f.path.ends_with(".yaml") || f.path.ends_with(".test.yaml")) continue;
    RuleFile file = read_rule(f.text, f.path);
    check_query(file, catalogue, now);
    if (has_errors(file.diagnostics)) {
      if (problems) problems->push_back(format_diagnostics(file.text, f.origin == "built in" ? f.path : f.origin, file.diagnostics));
      continue;
    }
    rules.push_back(*std::move(file.rule));
  }
  return rules;
}

}  // namespace egret::detect
