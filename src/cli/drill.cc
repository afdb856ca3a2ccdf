// egret drill: scenarios, worlds rendered from them, and running them for real (drill_run.cc).
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/drill_run.h"
#include "cli/options.h"
#include "drill/render.h"
#include "lab/fleet.h"

namespace egret::cli {
namespace {

// Why a scenario cannot run in a lab; empty where it can.
std::string not_live(const drill::Scenario& s) {
  const auto can = lab::can_run_live(s);
  return can ? std::string() : can.error().message;
}

int list(const std::vector<std::string>& args) {
  std::string format = "table";
  Options o("drill list", "the scenarios; each can be rendered, and runs live unless it says why not");
  o.choice("--format", format, {"table", "json"}, "how to print");
  if (const auto code = o.parse(args)) return *code;
  const auto all = drill::all_scenarios();
  if (!all) return report(all.error());
  if (format == "json") {
    JsonWriter w(2);
    w.begin_array();
    for (const auto& s : *all)
      w.begin_object()
          .key("id")
          .string(s.id)
          .key("title")
          .string(s.title)
          .key("story")
          .string(s.story)
          .key("classification")
          .string(s.classification)
          .key("trigger")
          .string(s.triggers.front())
          .key("held_out")
          .boolean(s.held_out)
          .key("live")
          .string(not_live(s))
          .end_object();
    w.end_array();
    fmt::print("{}\n", std::move(w).take());
    return kDone;
  }
  for (const auto& s : *all) {
    fmt::print("{:<24} {}\n", s.id, s.title);
    if (const std::string why = not_live(s); !why.empty()) fmt::print("{:<24} ({})\n", "", terminal_safe(why));
  }
  return kDone;
}

int render(const std::vector<std::string>& args) {
  std::string scenario, profile = "default", out, format = "table", hours;
  int64_t seed = 1, clusters = 0, flows = 0;
  bool gzip = false;
  Options o("drill render", "renders a scenario into raw logs (DIR/evidence) and the truth about them (DIR/truth.json)",
            "Example: egret drill render monitoring-agent --seed 7 --out /tmp/world --profile everything\n"
            "         egret investigate /tmp/world/evidence");
  o.argument("SCENARIO", scenario, "one of egret drill list", true);
  o.value("--seed", seed, "N", "same seed, same bytes");
  o.value("--out", out, "DIR", "where to write; evidence/ in it must be empty");
  o.choice("--profile", profile, {"default", "recommended", "everything"}, "what this fleet logs");
  o.value("--hours", hours, "H", "length of the window (default: the scenario's)");
  o.value("--clusters", clusters, "N", "how many clusters (default: the scenario's)");
  o.value("--flows", flows, "N", "at least about so many outbound connections (each is two rows or more of a flow log)");
  o.flag("--gzip", gzip, "compress every file");
  o.choice("--format", format, {"table", "json"}, "how to print the summary");
  if (const auto code = o.parse(args)) return *code;
  if (out.empty()) return report(Error{ErrorKind::kUsage, "--out is missing", "say where to write: --out DIR"});
  drill::RenderOptions options;
  options.seed = static_cast<uint64_t>(seed);
  options.profile = profile;
  options.out = out;
  options.gzip = gzip;
  if (!hours.empty()) {
    char* end = nullptr;
    options.scale.hours = std::strtod(hours.c_str(), &end);
    if (*end || options.scale.hours < 1 || options.scale.hours > 24 * 60)
      return report(Error{ErrorKind::kUsage, "--hours " + hours + " is not between 1 and 1440", {}});
  }
  if (clusters < 0 || clusters > 200)
    return report(Error{ErrorKind::kUsage, fmt::format("--clusters {} is not between 1 and 200", clusters), {}});
  if (flows < 0 || flows > 100'000'000)
    return report(Error{ErrorKind::kUsage, fmt::format("--flows {} is not between 0 and 100,000,000", flows), {}});
  options.scale.clusters = static_cast<int>(clusters);
  options.scale.flows = flows;
  const auto found = drill::find_scenario(scenario);
  if (!found) return report(found.error());
  const auto started = std::chrono::steady_clock::now();
  const auto rendered = drill::render(*found, options);
  if (!rendered) return report(rendered.error());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  uint64_t rows = 0, bytes = 0, files = 0;
  for (const auto& [kind, t] : rendered->totals) rows += t.rows, bytes += t.bytes, files += t.files;
  if (format == "json") {
    JsonWriter w(2);
    w.begin_object().key("scenario").string(scenario).key("seed").number(seed).key("profile").string(profile);
    w.key("evidence").string(rendered->evidence.string()).key("truth").string(rendered->truth.string());
    w.key("connections")
        .number(static_cast<int64_t>(rendered->connections))
        .key("files")
        .number(static_cast<int64_t>(files))
        .key("rows")
        .number(static_cast<int64_t>(rows))
        .key("bytes")
        .number(static_cast<int64_t>(bytes))
        .key("seconds")
        .number(seconds);
    w.key("logs").begin_array();
    for (const auto& [kind, t] : rendered->totals)
      w.begin_object()
          .key("kind")
          .string(kind)
          .key("files")
          .number(static_cast<int64_t>(t.files))
          .key("rows")
          .number(static_cast<int64_t>(t.rows))
          .key("bytes")
          .number(static_cast<int64_t>(t.bytes))
          .end_object();
    w.end_array().end_object();
    fmt::print("{}\n", std::move(w).take());
    return kDone;
  }
  for (const auto& [kind, t] : rendered->totals)
    fmt::print("  {:<22} {:>6} files {:>10} rows {:>10}\n", kind, t.files, with_thousands(t.rows), format_bytes(t.bytes));
  fmt::print("{}: {} in {}, {}, {:.1f} s\n", rendered->evidence.string(), count_of(rows, "row"), count_of(files, "file"),
             format_bytes(bytes), seconds);
  fmt::print("what really happened is in {}\n", rendered->truth.string());
  return kDone;
}

int run(const std::vector<std::string>& args) {
  if (!args.empty() && args[0] == "list") return list({args.begin() + 1, args.end()});
  if (!args.empty() && args[0] == "render") return render({args.begin() + 1, args.end()});
  if (!args.empty() && args[0] == "run") return drill_run({args.begin() + 1, args.end()});
  const bool help = !args.empty() && (args[0] == "--help" || args[0] == "-h");
  fmt::print(help ? stdout : stderr,
             "egret drill: incidents to practise and to measure on, rendered into raw logs or played for real\n\n"
             "Usage: egret drill list | render SCENARIO --out DIR | run SCENARIO --live [OPTIONS]\n\n"
             "  list      the scenarios\n  render    write the logs of one\n"
             "  run       play one in a lab on this machine, investigate, and compare the answer with what happened\n");
  return help ? kDone : kWrongUsage;
}

}  // namespace

extern const Command kDrill;
const Command kDrill{"drill", "incidents to practise and to measure on, rendered into raw logs or played for real", run};

}  // namespace egret::cli
