// egret drill run: an incident from its beginning to the answer, and whether the answer is the right one.
#include "cli/drill_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "drill/render.h"
#include "drill/scenario.h"
#include "investigate/answer_json.h"
#include "investigate/page.h"
#include "lab/live.h"

namespace egret::cli {
namespace {

struct Expected {
  std::vector<std::string> owners;           // any of them is right
  std::vector<std::string> classifications;  // here too
  std::vector<std::string> triggers;
};

struct Check {
  std::string what, expected, found;
  bool passed = false;
};

bool contains(const std::vector<std::string>& all, const std::string& one) { return std::find(all.begin(), all.end(), one) != all.end(); }

std::vector<Check> compare(const investigate::Answer& a, const Expected& e) {
  const std::string owner = a.candidates.empty() ? "nobody" : a.candidates.front().id();
  const std::string classification = investigate::classification_name(a.verdict.classification);
  const std::string& trigger = a.cause.trigger.kind;
  return {{"owner", join(e.owners, " or "), owner, contains(e.owners, owner)},
          {"classification", join(e.classifications, " or "), classification, contains(e.classifications, classification)},
          {"trigger", join(e.triggers, " or "), trigger, contains(e.triggers, trigger)}};
}

int judge(const std::string& scenario, const std::filesystem::path& evidence, const Expected& expected, const std::string& format) {
  const auto now = now_from("");
  if (!now) return report(now.error());
  const auto answer = answer_folder(evidence.string(), *now);
  if (!answer) return report(answer.error());
  const std::vector<Check> checks = compare(*answer, expected);
  const bool passed = std::all_of(checks.begin(), checks.end(), [](const Check& c) { return c.passed; });
  if (format == "json") {
    JsonWriter w(2);
    w.begin_object().key("scenario").string(scenario).key("passed").boolean(passed).key("evidence").string(evidence.string());
    w.key("checks").begin_array();
    for (const Check& c : checks)
      w.begin_object()
          .key("what")
          .string(c.what)
          .key("expected")
          .string(c.expected)
          .key("found")
          .string(c.found)
          .key("passed")
          .boolean(c.passed)
          .end_object();
    w.end_array().key("answer").raw(investigate::answer_json(*answer)).end_object();
    fmt::print("{}\n", std::move(w).take());
  } else {
    investigate::PageOptions page;
    page.colours = colours(STDOUT_FILENO);
    fmt::print("{}\n", investigate::render_page(*answer, page));
    for (const Check& c : checks)
      fmt::print("  {:<5} {:<15} {}{}\n", c.passed ? "right" : "WRONG", c.what, terminal_safe(c.found),
                 c.passed ? "" : fmt::format(", but it is {}", terminal_safe(c.expected)));
    fmt::print("{}: {}\n", scenario, passed ? "passed" : "FAILED");
  }
  return passed ? kDone : kAnswerIsNo;
}

int live(const std::string& scenario, lab::LiveOptions& o, bool keep, const std::string& format) {
  o.lab.fleet.scenario = scenario;
  o.tell = [](const std::string& text) { fmt::print(stderr, "egret: {}\n", terminal_safe(text)); };
  auto played = lab::play(o);
  if (!played) return report(played.error());
  played->lab.reset();
  if (!keep) {
    if (const auto gone = lab::Lab::down(o.lab.id); !gone) return report(gone.error());
  } else {
    fmt::print(stderr, "egret: the lab is still up; egret lab down --id {} removes it\n", o.lab.id);
  }
  return judge(scenario, played->folder, {played->owners, played->classifications, played->triggers}, format);
}

}  // namespace

int drill_run(const std::vector<std::string>& args) {
  std::string scenario, out, format = "page", id, seconds = "10";
  int64_t seed = 1, clusters = 2, nodes = 2, apps = 3, quiet = 12;
  bool is_live = false, keep = false;
  lab::LiveOptions o;
  Options options("drill run", "plays a scenario, investigates what it left in the logs, and compares the answer with what happened",
                  "Example: egret drill run canada-central --live\n"
                  "Exit code 0: the answer is right; 1: it is not.");
  options.argument("SCENARIO", scenario, "one of egret drill list", true)
      .flag("--live", is_live, "for real, in a lab on this machine (root only)")
      .flag("--sensor", o.lab.sensors, "with egret-sensor on every node; without, the logs have to tell")
      .flag("--keep", keep, "leave the lab up")
      .value("--out", out, "DIR", "keep the evidence and the truth there")
      .value("--seed", seed, "N", "which of the scenario's worlds")
      .value("--seconds", seconds, "S", "really lived after each moment of the timeline; the hours between are skipped")
      .value("--quiet", quiet, "N", "stretches of two seconds in between, in which the fleet just lives")
      .value("--clusters", clusters, "N", "how many")
      .value("--nodes", nodes, "N", "of each cluster, before any joins")
      .value("--apps", apps, "N", "applications of each cluster that are not the scenario's own")
      .value("--id", id, "ID", "name of the lab (default: drill and the process id)")
      .choice("--format", format, {"page", "json"}, "how to print");
  if (const auto code = options.parse(args)) return *code;
  if (!is_live)
    return report(Error{ErrorKind::kUsage, "only --live runs a scenario from beginning to end",
                        "without a lab: egret drill render " + scenario + " --out DIR, then egret investigate DIR/evidence"});
  char* end = nullptr;
  o.seconds = std::strtod(seconds.c_str(), &end);
  if (*end != '\0' || !(o.seconds >= 8 && o.seconds <= 600))
    return report(Error{ErrorKind::kUsage, fmt::format("--seconds {} is not between 8 and 600", seconds), {}});
  for (const auto& [name, value, least, most] :
       {std::tuple{"--clusters", clusters, 2, 6}, {"--nodes", nodes, 1, 10}, {"--apps", apps, 0, 20}, {"--quiet", quiet, 2, 60}})
    if (value < least || value > most)
      return report(Error{ErrorKind::kUsage, fmt::format("{} {} is not between {} and {}", name, value, least, most), {}});
  o.lab.fleet.seed = static_cast<uint64_t>(seed);
  o.lab.fleet.clusters = static_cast<int>(clusters);
  o.lab.fleet.nodes = static_cast<int>(nodes);
  o.quiet = static_cast<int>(quiet);
  o.lab.fleet.apps = static_cast<int>(apps);
  o.lab.id = id.empty() ? fmt::format("drill-{}", ::getpid()) : id;
  o.out = out;
  if (!out.empty()) return live(scenario, o, keep, format);
  o.out = std::filesystem::temp_directory_path() / fmt::format("egret-drill-{}", ::getpid());
  const int code = live(scenario, o, keep, format);
  std::error_code ec;
  std::filesystem::remove_all(o.out, ec);
  return code;
}

}  // namespace egret::cli
