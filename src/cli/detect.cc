// egret detect: the rules over a data folder's own time.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "detect/check.h"
#include "detect/group.h"
#include "detect/rule_reader.h"
#include "detect/run.h"
#include "store/engine.h"

namespace egret::cli {
namespace {

using detect::Alert;

// Rules of a folder or file; a file with a mistake is shown and left out.
Result<std::vector<detect::Rule>> rules_at(const std::string& path, const kql::Catalogue& catalogue, Ticks now) {
  TRY(const auto files, detect::files_at(path));
  std::vector<detect::Rule> rules;
  for (const ContentFile& f : files) {
    if (!detect::looks_like_rule(f.text)) continue;
    detect::RuleFile file = detect::read_rule(f.text, f.origin);
    detect::check_query(file, catalogue, now);
    if (detect::has_errors(file.diagnostics)) {
      fmt::print(stderr, "{}", detect::format_diagnostics(f.text, f.origin, file.diagnostics, colours(STDERR_FILENO)));
    } else {
      rules.push_back(*std::move(file.rule));
    }
  }
  if (rules.empty()) return not_found(fmt::format("there is no rule that can run in {}", path), "`egret check rules` explains each file");
  return rules;
}

void print_json(const detect::RunResult& result, const std::vector<detect::AlertGroup>& groups) {
  JsonWriter w(2);
  w.begin_object().key("alerts").begin_array();
  for (const Alert& a : result.alerts) {
    w.begin_object();
    w.key("id")
        .string(a.id)
        .key("rule")
        .string(a.rule_id)
        .key("name")
        .string(a.name)
        .key("severity")
        .string(detect::severity_name(a.severity));
    w.key("time").string(format_datetime(a.time)).key("start").string(format_datetime(a.start)).key("end").string(format_datetime(a.end));
    w.key("cluster")
        .string(a.cluster)
        .key("node")
        .string(a.node)
        .key("namespace")
        .string(a.ns)
        .key("pod")
        .string(a.pod)
        .key("workload")
        .string(a.workload);
    w.key("criticality").string(a.criticality).key("windows").number(a.windows).key("entities").raw(detect::entities_json(a));
    w.key("techniques").begin_array();
    for (const std::string& t : a.techniques) w.string(t);
    w.end_array().end_object();
  }
  w.end_array().key("incidents").begin_array();
  for (const detect::AlertGroup& g : groups) {
    w.begin_object().key("id").string(g.id).key("title").string(g.title).key("severity").string(detect::severity_name(g.severity));
    w.key("start")
        .string(format_datetime(g.start))
        .key("end")
        .string(format_datetime(g.end))
        .key("cluster")
        .string(g.cluster)
        .key("workload")
        .string(g.workload)
        .key("alerts")
        .begin_array();
    for (const size_t i : g.alerts) w.string(result.alerts[i].id);
    w.end_array().end_object();
  }
  w.end_array().key("rules").begin_array();
  for (const detect::RuleOutcome& r : result.rules) {
    w.begin_object()
        .key("id")
        .string(r.rule_id)
        .key("name")
        .string(r.name)
        .key("windows")
        .number(static_cast<int64_t>(r.windows))
        .key("evaluated")
        .number(static_cast<int64_t>(r.evaluated));
    w.key("alerts")
        .number(static_cast<int64_t>(r.alerts))
        .key("repeated")
        .number(static_cast<int64_t>(r.repeated))
        .key("suppressed")
        .number(static_cast<int64_t>(r.suppressed))
        .key("error")
        .string(r.error);
    w.end_object();
  }
  w.end_array().end_object();
  fmt::print("{}\n", std::move(w).take());
}

void print_table(const detect::RunResult& result, const std::vector<detect::AlertGroup>& groups) {
  for (const detect::AlertGroup& g : groups) {
    fmt::print("{}  {:<13} {}\n", format_datetime_short(g.start), detect::severity_name(g.severity), terminal_safe(g.title));
    for (const size_t i : g.alerts) {
      const Alert& a = result.alerts[i];
      fmt::print("    {:.8}  {}  {}{}\n", a.id, format_datetime_short(a.start), terminal_safe(a.name),
                 a.criticality.empty() ? "" : fmt::format("  [{} is {}]", terminal_safe(a.workload), to_lower(a.criticality)));
    }
  }
  size_t windows = 0, evaluated = 0;
  for (const detect::RuleOutcome& r : result.rules) {
    windows += r.windows;
    evaluated += r.evaluated;
  }
  fmt::print("{}{} in {}; {} over {}, {} of them run\n", groups.empty() ? "" : "\n", count_of(result.alerts.size(), "alert"),
             count_of(groups.size(), "incident"), count_of(result.rules.size(), "rule"), count_of(windows, "window"), evaluated);
}

int run(const std::vector<std::string>& args) {
  std::string data, rules_path, format = "table", now_option, from_option, to_option;
  bool save = false, verbose = false;
  Options options("detect", "Run the rules over a data folder's own time, as if it were then.",
                  "  egret ingest LOGS --data DIR && egret detect --data DIR\n"
                  "  egret detect --data DIR --rules my-rules/ --from 2022-04-01T00:00:00Z\n\n"
                  "Alerts that share a workload, pod, node or public address and lie near in time are one incident.");
  options.value("--data", data, "DIR", "data folder")
      .value("--rules", rules_path, "PATH", "rules of this file or folder in place of the built-in ones");
  options.value("--from", from_option, "TIME", "not before")
      .value("--to", to_option, "TIME", "not after")
      .value("--now", now_option, "TIME", "nothing later is seen");
  options.choice("--format", format, {"table", "json"}, "how to print them")
      .flag("--save", save, "append the alerts to SecurityAlert")
      .flag("--verbose", verbose, "show each rule's windows and time");
  if (const auto code = options.parse(args)) return *code;
  const auto now = now_from(now_option);
  if (!now) return report(now.error());
  detect::RunOptions how;
  how.now = *now;
  for (const auto& [text, into, name] : {std::tuple(&from_option, &how.from, "--from"), std::tuple(&to_option, &how.to, "--to")}) {
    if (text->empty()) continue;
    const auto t = parse_iso_datetime(*text);
    if (!t) return report({ErrorKind::kUsage, fmt::format("{} {} is not a time", name, *text), "write it as 2022-04-01T06:14:00Z"});
    *into = *t;
  }
  store::EngineOptions where;
  where.folder = data_folder(data);
  where.read_only = !save;
  const auto engine = store::Engine::open(where);
  if (!engine) return report(engine.error());
  std::vector<detect::Rule> rules;
  if (rules_path.empty()) {
    std::vector<std::string> problems;
    rules = detect::builtin_rules((*engine)->catalogue(), *now, &problems);
    for (const std::string& p : problems) fmt::print(stderr, "{}", p);
  } else {
    auto found = rules_at(rules_path, (*engine)->catalogue(), *now);
    if (!found) return report(found.error());
    rules = *std::move(found);
  }
  if (isatty(STDERR_FILENO) == 1 && format == "table")
    how.progress = [](const detect::Rule& r, size_t done, size_t of) { fmt::print(stderr, "\r\x1b[K{} {} of {}", r.name, done, of); };
  auto result = detect::run_rules(**engine, rules, how);
  if (how.progress) fmt::print(stderr, "\r\x1b[K");
  if (!result) return report(result.error());
  for (const detect::RuleOutcome& r : result->rules) {
    if (!r.error.empty()) fmt::print(stderr, "egret: rule '{}': {}\n", terminal_safe(r.name), r.error);
    if (verbose)
      fmt::print(stderr, "{:<52.52} {:>6} windows {:>6} run {:>5} alerts {:8.2f} s\n", r.name, r.windows, r.evaluated, r.alerts, r.seconds);
  }
  const auto groups = detect::group(result->alerts);
  if (save && !result->alerts.empty()) {
    if (auto done = (*engine)->append(detect::to_security_alerts(result->alerts), *now); !done) return report(done.error());
    if (auto done = (*engine)->commit(); !done) return report(done.error());
  }
  if (format == "json")
    print_json(*result, groups);
  else
    print_table(*result, groups);
  return kDone;
}

}  // namespace

extern const Command kDetect;
const Command kDetect{"detect", "run the rules over a data folder's own time", run};

}  // namespace egret::cli
