#include <fmt/format.h>

#include "base/embedded.h"
#include "detect/criticality.h"
#include "detect/engine_data.h"
#include "detect/rule_reader.h"
#include "detect/run.h"

namespace egret::detect {
namespace {

// Views that every window would compute anew though they do not depend on it: kept as tables while the rules run.
class KeptViews {
 public:
  KeptViews(store::Engine& engine, Ticks now, const std::vector<Rule>& rules) : engine_(engine) {
    for (const std::string_view name : {"EgretPods", "EgretNodes"}) {
      const auto file = content_file(fmt::format("functions/{}.kql", name));
      if (!file || !any_rule_reads_objects(rules)) continue;
      auto rows = engine.query(name, now);
      const std::string table = fmt::format("{}Kept", name);
      if (!rows || !engine.put_temporary(table, *rows)) continue;  // slower, not wrong
      engine.define_function(std::string(name), fmt::format("() {{ ['{}'] }}", table));
      restore_.emplace_back(name, file->text);
    }
  }
  ~KeptViews() {
    for (auto& [name, text] : restore_) engine_.define_function(name, text);
  }
  KeptViews(const KeptViews&) = delete;
  KeptViews& operator=(const KeptViews&) = delete;

 private:
  static bool any_rule_reads_objects(const std::vector<Rule>& rules) {
    for (const Rule& r : rules)
      if (r.enabled && r.query.find("Egret") != std::string::npos) return true;
    return false;
  }
  store::Engine& engine_;
  std::vector<std::pair<std::string, std::string>> restore_;
};

}  // namespace

Result<RunResult> run_rules(store::Engine& engine, const std::vector<Rule>& rules, const RunOptions& options) {
  const KeptViews kept(engine, options.now, rules);
  EngineData data(engine, options.now, options.replay_arrival);
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
