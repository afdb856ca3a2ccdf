// egret check: rules and other content compile and do what their own samples say.
#include "detect/check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "investigate/case_tables.h"
#include "investigate/evidence_tables.h"
#include "store/engine.h"

namespace egret::cli {
namespace {

constexpr std::string_view kKinds[] = {"rules", "functions", "evidence", "verdict", "playbooks"};

// Shapes of the tables that an investigation puts before its queries, which exist only while one runs.
Result<std::vector<model::Table>> case_shapes() {
  std::vector<model::Table> shapes;
  for (const model::Table* t : investigate::evidence_shapes()) shapes.push_back(*t);
  TRY(const auto engine, store::Engine::open({.folder = {}, .memory_bytes = 256ULL << 20, .threads = 1, .read_only = false}));
  const investigate::Answer answer;
  investigate::CaseTables tables(answer, 0, 0);
  TRY_VOID(tables.put(*engine, answer));
  for (const char* name : {"CaseAlert", "CaseContacts", "CaseOwners", "CaseNames"})
    if (const model::Table* t = engine->catalogue().table(name)) shapes.push_back(*t);
  return shapes;
}

void print_json(const std::vector<detect::CheckResult>& results, size_t failed) {
  JsonWriter w(2);
  w.begin_object();
  w.key("files").begin_array();
  for (const auto& r : results) {
    w.begin_object();
    w.key("file").string(r.file).key("title").string(r.title).key("passed").boolean(r.passed());
    w.key("errors").number(static_cast<int64_t>(r.errors)).key("warnings").number(static_cast<int64_t>(r.warnings));
    w.key("tests").number(static_cast<int64_t>(r.tests)).key("failed_tests").number(static_cast<int64_t>(r.failed_tests));
    w.key("messages").begin_array();
    for (const std::string& m : r.messages) w.string(m);
    w.end_array().end_object();
  }
  w.end_array();
  w.key("checked").number(static_cast<int64_t>(results.size())).key("failed").number(static_cast<int64_t>(failed));
  w.end_object();
  fmt::print("{}\n", std::move(w).take());
}

int run(const std::vector<std::string>& args) {
  std::string kind, format = "table", now_option;
  std::vector<std::string> paths;
  bool quiet = false;
  Options options("check [KIND [PATH...]]", "Check content: it reads, its queries compile, and its own sample rows give what it promises.",
                  "KIND is rules, functions, evidence, verdict or playbooks; without it, everything that is built in is checked.\n"
                  "PATH is a file or folder; without it, the built-in content of that kind.\n\n"
                  "  egret check rules my-rules/           rules in Microsoft Sentinel's YAML, with every mistake at its line\n"
                  "  egret check rules rule.yaml --format json\n\n"
                  "Samples of rule.yaml stand in rule.test.yaml beside it. Exit code 1 when something fails.");
  options.argument("KIND", kind, "what to check", false).arguments("PATH", paths, "files or folders", false);
  options.choice("--format", format, {"table", "json"}, "how to print the result")
      .value("--now", now_option, "TIME", "what now() means while compiling");
  options.flag("--quiet", quiet, "print only what fails");
  if (const auto code = options.parse(args)) return *code;

  const std::vector<std::string> kinds(std::begin(kKinds), std::end(kKinds));
  if (!kind.empty() && std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    const std::string near = near_name(kind, kinds);
    return report({ErrorKind::kUsage, fmt::format("there is no kind of content '{}'", kind),
                   near.empty() ? "one of " + join(kinds, ", ") : fmt::format("did you mean '{}'?", near)});
  }
  auto now = now_from(now_option);
  if (!now) return report(now.error());

  const auto shapes = case_shapes();
  if (!shapes) return report(shapes.error());
  std::vector<const model::Table*> shape_list;
  for (const model::Table& t : *shapes) shape_list.push_back(&t);

  std::vector<detect::CheckResult> results;
  for (const std::string& k : kinds) {
    if (!kind.empty() && k != kind) continue;
    std::vector<ContentFile> files;
    if (paths.empty()) files = content_files(k);
    for (const std::string& p : paths) {
      auto found = detect::files_at(p);
      if (!found) return report(found.error());
      std::move(found->begin(), found->end(), std::back_inserter(files));
    }
    detect::CheckOptions how{.now = *now,
                             .colours = format == "table" && colours(STDOUT_FILENO),
                             .need_tests = paths.empty() && (k == "rules" || k == "evidence")};
    if (k != "rules" && k != "functions") how.shapes = shape_list;
    auto checked = k == "rules" ? detect::check_rules(files, how) : detect::check_queries(files, how);
    if (!checked) return report(checked.error());
    if (!paths.empty() && checked->empty())
      return report({ErrorKind::kNotFound, fmt::format("there is nothing of the kind {} in {}", k, join(paths, ", ")),
                     k == "rules" ? "a rule is a YAML file with the keys query and severity, queryFrequency or kind" : ""});
    std::move(checked->begin(), checked->end(), std::back_inserter(results));
  }

  size_t failed = 0, tests = 0, failed_tests = 0, warnings = 0;
  for (const auto& r : results) {
    failed += !r.passed();
    tests += r.tests;
    failed_tests += r.failed_tests;
    warnings += r.warnings;
  }
  if (format == "json") {
    print_json(results, failed);
    return failed ? kAnswerIsNo : kDone;
  }
  for (const auto& r : results) {
    for (const std::string& m : r.messages)
      if (!quiet || !r.passed()) fmt::print("{}{}", m, m.ends_with('\n') ? "" : "\n");
    if (!quiet || !r.passed())
      fmt::print("{:<6} {}{}{}\n", r.passed() ? "ok" : "FAILED", terminal_safe(r.file),
                 r.title.empty() ? "" : "  " + terminal_safe(r.title), r.tests ? fmt::format("  ({})", count_of(r.tests, "test")) : "");
  }
  fmt::print("\n{} checked, {} failed; {}, {} failed{}\n", count_of(results.size(), "file"), failed, count_of(tests, "test"), failed_tests,
             warnings ? "; " + count_of(warnings, "warning") : "");
  return failed ? kAnswerIsNo : kDone;
}

}  // namespace

extern const Command kCheck;
const Command kCheck{"check", "check rules and other content, with their own samples", run};

}  // namespace egret::cli
