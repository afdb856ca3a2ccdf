// egret investigate: logs in, answer out. Loads a folder, looks for an alert (or raises one by the rules), and prints.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/drill_run.h"
#include "cli/options.h"
#include "detect/alert.h"
#include "detect/run.h"
#include "incident/cases.h"
#include "incident/incident_row.h"
#include "ingest/load.h"
#include "investigate/answer_json.h"
#include "investigate/investigate.h"
#include "investigate/page.h"
#include "store/engine.h"

namespace egret::cli {
namespace {

constexpr std::string_view kMore =
    "The folder holds exported logs of any format that `egret ingest --formats` lists; its sub-folders name the clusters. Without --data\n"
    "the rows live in memory for this one question; with it they are kept, and the folder may be left out next time.\n\n"
    "  egret investigate incident/\n"
    "  egret investigate incident/ --alert 2518298467986649999 --evidence\n"
    "  egret investigate incident/ --address 172.64.80.1 --time 2022-04-01T06:14:00Z --format json";

int width_of_terminal() {
  winsize size{};
  if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60) return std::min<int>(size.ws_col, 120);
  return 100;
}

void note(std::string_view text) { fmt::print(stderr, "egret: {}\n", terminal_safe(text)); }

Result<void> load(store::Engine& engine, const std::string& folder, Ticks now) {
  ingest::LoadOptions options;
  options.now = now;
  const bool terminal = isatty(STDERR_FILENO);
  if (terminal)
    options.progress = [](size_t done, size_t of, const std::string& path) {
      fmt::print(stderr, "\r\x1b[Kreading {}/{} {}", done + 1, of, terminal_safe(path));
    };
  const auto summary = ingest::load_folder(engine, folder, options);
  if (terminal) fmt::print(stderr, "\r\x1b[K");
  if (!summary) {
    Error e = summary.error();
    if (e.hint.empty()) e.hint = "`egret collect --print` prints the commands that export what an investigation needs";
    return std::unexpected(std::move(e));
  }
  if (summary->row_count() == 0)
    return usage_error(fmt::format("no file in {} could be read as a log", folder),
                       "`egret ingest --formats` lists the formats; `egret collect --print` prints the commands that export them");
  if (summary->unknown_files())
    note(fmt::format("{} of unknown format; see EgretIngestErrors", count_of(summary->unknown_files(), "file is", "files are")));
  if (summary->error_count()) note(fmt::format("{} could not be read; see EgretIngestErrors", count_of(summary->error_count(), "line")));
  for (const auto& [text, n] : summary->notes) note(n > 1 ? fmt::format("{} ({} times)", text, n) : text);
  return {};
}

// Where no product raised an alert, the rules look for one over the data's own time.
Result<void> detect_alerts(store::Engine& engine, Ticks now) {
  std::vector<std::string> problems;
  const auto rules = detect::builtin_rules(engine.catalogue(), now, &problems);
  for (const std::string& p : problems) note(p);
  detect::RunOptions options;
  options.now = now;
  TRY(const detect::RunResult found, detect::run_rules(engine, rules, options));
  if (found.alerts.empty()) return {};
  note(fmt::format("no alert in the logs; the rules raised {}", count_of(found.alerts.size(), "alert")));
  TRY_VOID(engine.append(detect::to_security_alerts(found.alerts), now));
  return engine.commit();
}

// The answer becomes an incident of the data folder (the user's own without --data), and where rows are kept a row of SecurityIncident.
Result<int64_t> keep(store::Engine& engine, const std::string& data, const investigate::Answer& answer, Ticks now) {
  TRY(const auto cases, incident::Cases::open(data_folder(data)));
  TRY(const int64_t number, cases->keep(answer, "egret", now));
  if (data.empty()) return number;
  TRY(const auto stored, cases->get(number));
  TRY_VOID(engine.append(incident::incident_row(stored, now), now));
  TRY_VOID(engine.commit());
  return number;
}

// Where the time went, for --timings.
class Steps {
 public:
  explicit Steps(bool wanted) : wanted_(wanted) {}
  void done(std::string_view step) {
    const auto now = std::chrono::steady_clock::now();
    if (wanted_) fmt::print(stderr, "{:<10} {:8.2f} s\n", step, std::chrono::duration<double>(now - since_).count());
    since_ = now;
  }

 private:
  bool wanted_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

int run(const std::vector<std::string>& args) {
  std::string folder, data, format = "page", now_option, time_option;
  investigate::Question question;
  bool evidence = false, all_steps = false, no_keep = false, timings = false;
  Options options("investigate", "From an alert, or a folder of exported logs, to owner, cause, verdict and plan.", kMore);
  options.argument("FOLDER", folder, "exported logs", false)
      .value("--alert", question.alert, "ID", "this alert of those in the logs (the beginning of its id is enough)")
      .value("--address", question.address, "ADDRESS", "ask about this destination, alert or not")
      .value("--name", question.name, "NAME", "ask about this destination name")
      .value("--time", time_option, "TIME", "about when it was")
      .value("--cluster", question.cluster, "NAME", "in this cluster")
      .value("--data", data, "DIR", "keep the rows in this data folder")
      .choice("--format", format, {"page", "table", "json"}, "a page to read, or the object of docs/answer.schema.json")
      .flag("--evidence", evidence, "show every test with its query")
      .flag("--all-steps", all_steps, "show every command of the plan")
      .flag("--no-keep", no_keep, "do not store the answer as an incident")
      .flag("--timings", timings, "say on standard error how long each step took")
      .value("--now", now_option, "TIME", "when the judgement is made");
  if (const auto code = options.parse(args)) return *code;
  if (folder.empty() && data.empty())
    return report(Error{ErrorKind::kUsage, "a folder of logs or --data is needed", "egret investigate FOLDER"});
  const auto now = now_from(now_option);
  if (!now) return report(now.error());
  if (!time_option.empty()) {
    const auto t = parse_iso_datetime(time_option);
    if (!t) return report(Error{ErrorKind::kUsage, fmt::format("'{}' is not a time", time_option), "as in 2022-04-01T06:14:00Z"});
    question.time = *t;
  }

  Steps steps(timings);
  store::EngineOptions where;
  where.folder = data;
  const auto engine = store::Engine::open(where);
  if (!engine) return report(engine.error());
  if (!folder.empty())
    if (const auto done = load(**engine, folder, *now); !done) return report(done.error());
  steps.done("ingest");
  if (question.address.empty() && question.name.empty() && question.alert.empty() && (*engine)->row_count("SecurityAlert") == 0)
    if (const auto done = detect_alerts(**engine, *now); !done) return report(done.error());

  steps.done("detect");
  const auto result = investigate::investigate(**engine, question, *now);
  if (!result) return report(result.error());
  if (!result->others.empty()) {
    note(fmt::format("this is about alert {}; {} not part of it:", result->answer.alert.id,
                     count_of(result->others.size(), "other alert is", "other alerts are")));
    for (size_t i = 0; i < result->others.size() && i < 5; ++i) {
      const investigate::Alert& a = result->others[i];
      note(fmt::format("  --alert {}  {} {} {}", a.id, a.severity, a.rule, a.address.empty() ? a.name : a.address));
    }
  }
  steps.done("judge");
  investigate::Answer answer = result->answer;
  std::string incident;
  if (!no_keep) {
    const auto number = keep(**engine, data, answer, *now);
    if (number) {
      investigate::name_incident(answer, *number);
      incident = std::to_string(*number);
    } else {
      note("the answer is not stored as an incident: " + number.error().message);  // it is printed all the same
    }
  }
  steps.done("keep");
  if (format == "json") {
    fmt::print("{}\n", investigate::answer_json(answer));
  } else {
    investigate::PageOptions page;
    page.colours = colours(STDOUT_FILENO);
    page.evidence = evidence;
    page.all_steps = all_steps;
    page.width = width_of_terminal();
    page.incident = incident;
    fmt::print("{}", investigate::render_page(answer, page));
  }
  return kDone;
}

}  // namespace

Result<investigate::Answer> answer_folder(const std::string& folder, Ticks now) {
  TRY(const auto engine, store::Engine::open({}));
  TRY_VOID(load(*engine, folder, now));
  if (engine->row_count("SecurityAlert") == 0) TRY_VOID(detect_alerts(*engine, now));
  TRY(auto result, investigate::investigate(*engine, {}, now));
  return std::move(result.answer);
}

extern const Command kInvestigate;
const Command kInvestigate{"investigate", "from an alert, or a folder of exported logs, to owner, cause, verdict and plan", run};

}  // namespace egret::cli
