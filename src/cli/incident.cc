// egret incident: what was found is kept, talked about, closed, opened again and reported.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "incident/cases.h"
#include "incident/incident_row.h"
#include "incident/report.h"
#include "investigate/answer_json.h"
#include "investigate/page.h"
#include "store/engine.h"

namespace egret::cli {
namespace {

std::string author() {
  if (const char* name = std::getenv("EGRET_AUTHOR"); name && *name) return name;
  const passwd* p = getpwuid(geteuid());
  return p ? p->pw_name : "unknown";
}

Result<int64_t> number_of(incident::Cases& cases, const std::string& text) {
  if (text.empty() || text == "last") return cases.last();
  char* end = nullptr;
  const long long n = std::strtoll(text.c_str(), &end, 10);
  if (n > 0 && end && *end == '\0') return static_cast<int64_t>(n);
  return usage_error("'" + text + "' is not the number of an incident",
                     "egret incident list shows those that are stored; 'last' is the one that changed last");
}

// The change as a row of SecurityIncident, where the data folder has rows at all; the incident itself is stored already.
void append_row(const std::string& folder, const incident::Case& c, Ticks now) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::path(folder) / "FORMAT", error) &&
      !std::filesystem::exists(std::filesystem::path(folder) / "hot.duckdb", error))
    return;
  const auto engine = store::Engine::open({.folder = folder, .memory_bytes = 0, .threads = 0, .read_only = false});
  Result<void> done;
  if (engine) {
    done = (*engine)->append(incident::incident_row(c, now), now);
    if (done) done = (*engine)->commit();
  } else {
    done = std::unexpected(engine.error());
  }
  if (!done) fmt::print(stderr, "egret: the incident is stored, but has no new row in SecurityIncident: {}\n", done.error().message);
}

int list(const std::vector<std::string>& args) {
  std::string data, format = "table";
  Options o("incident list", "the stored incidents, newest first");
  o.value("--data", data, "DIR", "the data folder (default: yours)").choice("--format", format, {"table", "json"}, "how to print");
  if (const auto code = o.parse(args)) return *code;
  const auto cases = incident::Cases::open(data_folder(data));
  if (!cases) return report(cases.error());
  const auto all = (*cases)->list();
  if (!all) return report(all.error());
  if (format == "json") {
    JsonWriter w(2);
    w.begin_array();
    for (const auto& c : *all) {
      w.begin_object()
          .key("number")
          .number(c.number)
          .key("status")
          .string(incident::status_name(c.status))
          .key("classification")
          .string(investigate::classification_name(c.classification));
      w.key("severity")
          .string(c.severity)
          .key("title")
          .string(c.title)
          .key("created")
          .string(format_datetime(c.created))
          .key("modified")
          .string(format_datetime(c.modified))
          .end_object();
    }
    w.end_array();
    fmt::print("{}\n", std::move(w).take());
    return kDone;
  }
  if (all->empty()) fmt::print("no incident is stored; egret investigate FOLDER makes one\n");
  for (const auto& c : *all)
    fmt::print("{:>4}  {:<7} {:<15} {:<11} {}  {}\n", c.number, incident::status_name(c.status),
               investigate::classification_name(c.classification), terminal_safe(c.severity), format_datetime_short(c.modified),
               terminal_safe(c.title));
  return kDone;
}

int show(const std::vector<std::string>& args) {
  std::string data, number, format = "page";
  bool evidence = false, plan = false;
  Options o("incident show", "one incident as it stands",
            "  egret incident show 1 --evidence     every test with its query, which runs as printed\n  egret incident show 1 --plan       "
            "  every command: apply, verify, undo");
  o.argument("NUMBER", number, "of egret incident list; default: the last one", false)
      .value("--data", data, "DIR", "the data folder (default: yours)")
      .flag("--evidence", evidence, "the whole ledger, with queries")
      .flag("--plan", plan, "every command of the plan")
      .choice("--format", format, {"page", "json"}, "a page to read, or the object of docs/answer.schema.json");
  if (const auto code = o.parse(args)) return *code;
  const auto cases = incident::Cases::open(data_folder(data));
  if (!cases) return report(cases.error());
  const auto n = number_of(**cases, number);
  if (!n) return report(n.error());
  const auto c = (*cases)->get(*n);
  if (!c) return report(c.error());
  if (format == "json") {
    fmt::print("{}\n", investigate::answer_json(c->answer));
    return kDone;
  }
  fmt::print("Incident {}, {}{}\n", c->number, incident::status_name(c->status),
             c->status == incident::Status::kClosed
                 ? fmt::format(" as {}: {}", investigate::classification_name(c->classification), terminal_safe(c->reason))
                 : "");
  fmt::print("{}", investigate::render_page(c->answer, {.colours = colours(STDOUT_FILENO),
                                                        .evidence = evidence,
                                                        .all_steps = plan,
                                                        .width = 100,
                                                        .incident = std::to_string(c->number)}));
  fmt::print("\nLog\n");
  for (const auto& l : c->log)
    fmt::print("  {}  {}  {}: {}\n", format_datetime_short(l.time), terminal_safe(l.author), l.kind, terminal_safe(l.text));
  return kDone;
}

// comment, close: a change, then the row of it.
template <class F>
int change(const std::string& data, const std::string& number, F body, const char* done) {
  const auto now = now_from({});
  const std::string folder = data_folder(data);
  const auto cases = incident::Cases::open(folder);
  if (!cases) return report(cases.error());
  const auto n = number_of(**cases, number);
  if (!n) return report(n.error());
  if (const auto result = body(**cases, *n, *now); !result) return report(result.error());
  const auto c = (*cases)->get(*n);
  if (!c) return report(c.error());
  append_row(folder, *c, *now);
  fmt::print("incident {} {}\n", *n, done);
  return kDone;
}

int comment(const std::vector<std::string>& args) {
  std::string data, number;
  std::vector<std::string> words;
  bool reopen = false;
  Options o("incident comment", "adds to the communication log", "  egret incident comment 1 \"asked the cloud provider, ticket 123\"");
  o.argument("NUMBER", number, "of egret incident list", true)
      .arguments("TEXT", words, "what to say", true)
      .value("--data", data, "DIR", "the data folder (default: yours)")
      .flag("--reopen", reopen, "and open it again");
  if (const auto code = o.parse(args)) return *code;
  const std::string text = join(words, " ");
  return change(
      data, number,
      [&](incident::Cases& cases, int64_t n, Ticks now) {
        return reopen ? cases.reopen(n, text, author(), now) : cases.comment(n, text, author(), now);
      },
      reopen ? "is open again" : "has a comment more");
}

int close(const std::vector<std::string>& args) {
  std::string data, number, as, reason;
  Options o("incident close", "closes an incident");
  o.argument("NUMBER", number, "of egret incident list", true)
      .choice("--as", as, {"TruePositive", "BenignPositive", "FalsePositive", "Undetermined"},
              "the classification; default: that of the answer")
      .value("--reason", reason, "TEXT", "why, for those who read it later")
      .value("--data", data, "DIR", "the data folder (default: yours)");
  if (const auto code = o.parse(args)) return *code;
  if (reason.empty())
    return egret::cli::report(Error{ErrorKind::kUsage, "--reason is missing", "say why it is closed: --reason \"agreed with security\""});
  return change(
      data, number,
      [&](incident::Cases& cases, int64_t n, Ticks now) -> Result<void> {
        using enum investigate::Classification;
        TRY(const auto c, cases.get(n));
        auto classification = c.answer.verdict.classification;
        for (const auto k : {kTruePositive, kBenignPositive, kFalsePositive, kUndetermined}) {
          if (as == investigate::classification_name(k)) classification = k;
        }
        return cases.close(n, classification, reason, author(), now);
      },
      "is closed");
}

int make_report(const std::vector<std::string>& args) {
  std::string data, number, out, format, now_option;
  bool unmask = false;
  Options o("incident report", "the report: one HTML or Markdown file",
            "  egret incident report 1 --out report.html\n  egret incident report 1 --out report.md --unmask");
  o.argument("NUMBER", number, "of egret incident list; default: the last one", false)
      .value("--out", out, "FILE", "where to write; its ending decides the format; - is standard output")
      .choice("--format", format, {"html", "markdown"}, "where the ending does not say")
      .flag("--unmask", unmask, "secrets and personal data as they stand in the logs")
      .value("--data", data, "DIR", "the data folder (default: yours)")
      .value("--now", now_option, "TIME", "the time that the report names as its own");
  if (const auto code = o.parse(args)) return *code;
  const auto now = now_from(now_option);
  if (!now) return report(now.error());
  if (out.empty()) return report(Error{ErrorKind::kUsage, "--out is missing", "egret incident report 1 --out report.html"});
  if (format.empty()) {
    if (out.ends_with(".md") || out.ends_with(".markdown"))
      format = "markdown";
    else if (out.ends_with(".html") || out.ends_with(".htm"))
      format = "html";
    else
      return report(
          Error{ErrorKind::kUsage, "the ending of " + out + " does not say which format", "end it in .html or .md, or give --format"});
  }
  const auto cases = incident::Cases::open(data_folder(data));
  if (!cases) return report(cases.error());
  const auto n = number_of(**cases, number);
  if (!n) return report(n.error());
  const auto c = (*cases)->get(*n);
  if (!c) return report(c.error());
  const incident::ReportOptions options{.unmask = unmask, .now = *now};
  const std::string text = format == "html" ? incident::report_html(*c, options) : incident::report_markdown(*c, options);
  if (out == "-") {
    fmt::print("{}", text);
    return kDone;
  }
  std::ofstream file(out, std::ios::binary);
  file << text;
  file.close();
  if (!file) return report(Error{ErrorKind::kUnavailable, out + " cannot be written", ""});
  fmt::print("{} of incident {} written to {} ({})\n", format == "html" ? "HTML report" : "Markdown report", *n, out,
             format_bytes(text.size()));
  return kDone;
}

struct Verb {
  const char* name;
  const char* summary;
  int (*run)(const std::vector<std::string>&);
};

constexpr Verb kVerbs[] = {
    {"list", "the stored incidents", list},
    {"show", "one incident as it stands: --evidence, --plan", show},
    {"comment", "adds to the communication log; --reopen", comment},
    {"close", "closes it with a classification and a reason", close},
    {"report", "writes report.html or report.md", make_report},
};

int run(const std::vector<std::string>& args) {
  const bool help = !args.empty() && (args[0] == "--help" || args[0] == "-h");
  if (args.empty() || help) {
    fmt::print(help ? stdout : stderr, "Usage: egret incident VERB\n\n");
    for (const auto& v : kVerbs) fmt::print(help ? stdout : stderr, "  {:<8} {}\n", v.name, v.summary);
    fmt::print(help ? stdout : stderr, "\nIncidents lie in control.sqlite of the data folder. Each verb has --help.\n");
    return help ? kDone : kWrongUsage;
  }
  std::vector<std::string> names;
  for (const auto& v : kVerbs) {
    if (args[0] == v.name) return v.run({args.begin() + 1, args.end()});
    names.emplace_back(v.name);
  }
  const std::string near = near_name(args[0], names);
  return report(Error{ErrorKind::kUsage, "egret incident knows no '" + terminal_safe(args[0]) + "'",
                      near.empty() ? "see egret incident --help" : "did you mean 'egret incident " + near + "'?"});
}

}  // namespace

extern const Command kIncident;
const Command kIncident{"incident", "list, show, comment, close, report", run};

}  // namespace egret::cli
