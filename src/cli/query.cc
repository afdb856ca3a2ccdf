// egret query: KQL from an argument, a file, standard input, or a prompt.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/prompt.h"
#include "kql/function.h"
#include "kql/parser.h"
#include "store/engine.h"
#include "store/output.h"

namespace egret::cli {
namespace {

constexpr std::string_view kMore =
    "The query is the argument, the file, or what standard input says; at a terminal without any of them there is a prompt. Without --data "
    "and without a data folder of your own\n"
    "all tables are empty.\n\n"
    "  egret query 'SecurityAlert | summarize count() by AlertName'\n"
    "  egret query --data incident/ --format csv --file hunt.kql\n"
    "  egret query 'print now()' --now 2022-04-01T06:14:00Z";

Result<std::string> read_all(std::FILE* file, const std::string& name) {
  std::string text;
  char buffer[1 << 14];
  while (!std::feof(file) && !std::ferror(file)) text.append(buffer, std::fread(buffer, 1, sizeof buffer, file));
  if (std::ferror(file)) return unavailable(fmt::format("{} could not be read", name));
  return text;
}

Result<std::string> query_text(const std::vector<std::string>& words, const std::string& file) {
  if (!file.empty() && !words.empty()) return usage_error("both a query and --file were given", "give one of them");
  if (!file.empty() && file != "-") {
    std::FILE* f = std::fopen(file.c_str(), "rb");
    if (!f) return not_found(fmt::format("{} cannot be opened", file));
    auto text = read_all(f, file);
    std::fclose(f);
    return text;
  }
  if (!words.empty()) return join(words, " ");
  return read_all(stdin, "standard input");
}

size_t terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) return size.ws_col;
  return 0;
}

// One query, from its text to its printed result; the exit code.
struct Runner {
  store::Engine& engine;
  std::string format, now_option;
  int64_t max_rows;

  int run(const std::string& text, const std::string& name) const {
    const auto now = now_from(now_option);
    if (!now) return report(now.error());
    const auto query = engine.compile(text, *now, name);
    if (!query) return report(query.error());
    if (!query->warnings.empty()) fmt::print(stderr, "{}", kql::format_diagnostics(text, name, query->warnings, colours(STDERR_FILENO)));
    store::Output output(*query->shape,
                         {.format = *store::format_from_name(format),
                          .width = terminal_width(),
                          .max_rows = static_cast<size_t>(std::max<int64_t>(max_rows, 0)),
                          .colours = colours(STDOUT_FILENO)},
                         [](std::string_view s) { std::fwrite(s.data(), 1, s.size(), stdout); });
    const auto done = engine.stream(*query, [&](const model::Batch& rows) {
      output.rows(rows);
      return true;
    });
    if (!done) {
      std::fflush(stdout);
      return report(done.error());
    }
    output.end();
    if (std::fflush(stdout) != 0) return report(Error{ErrorKind::kUnavailable, "the result could not be written"});
    return kDone;
  }
};

volatile std::sig_atomic_t stop_query = 0;
void on_interrupt(int) { stop_query = 1; }

// Runs with Ctrl-C stopping the query rather than the prompt.
void run_interruptibly(const Runner& runner, const std::string& text) {
  struct sigaction act{}, before{};
  act.sa_handler = on_interrupt;
  stop_query = 0;
  sigaction(SIGINT, &act, &before);
  {
    std::jthread watch([&](const std::stop_token& end) {
      for (; !end.stop_requested(); std::this_thread::sleep_for(std::chrono::milliseconds(20)))
        if (stop_query) return runner.engine.interrupt();
    });
    runner.run(text, "query");
  }
  sigaction(SIGINT, &before, nullptr);
}

constexpr std::string_view kPromptHelp =
    "A query may have many lines; it runs at an empty line, or where a line ends with ';'.\n"
    "Ctrl-C drops what is typed or stops the query, Tab completes, Ctrl-R searches what was typed before, Ctrl-D ends.\n\n"
    "  .tables [PART]    tables with rows; with a part of a name, all tables that have it\n"
    "  .schema NAME      columns of a table, or the text of a function\n"
    "  .functions [PART] functions of views and of the language\n"
    "  .format [FORMAT]  how results are written\n"
    "  .quit             ends\n";

class PromptCommands {
 public:
  explicit PromptCommands(Runner& runner) : runner_(runner) {}

  // False: the prompt ends.
  bool run(const std::vector<std::string>& words) {
    const std::string_view part = words.size() > 1 ? std::string_view(words[1]) : std::string_view();
    if (words[0] == "quit" || words[0] == "exit") return false;
    if (words[0] == "help") {
      fmt::print("{}", kPromptHelp);
    } else if (words[0] == "tables") {
      tables(part);
    } else if (words[0] == "functions") {
      functions(part);
    } else if (words[0] == "schema" && !part.empty()) {
      schema(part);
    } else if (words[0] == "schema") {
      fmt::print(stderr, "egret: .schema needs a table's or function's name\n  .tables lists those with rows\n");
    } else if (words[0] == "format") {
      if (!part.empty() && !store::format_from_name(part))
        fmt::print(stderr, "egret: there is no format {}\n  {}\n", part, join(store::format_names(), ", "));
      else if (!part.empty())
        runner_.format = part;
      else
        fmt::print("{} (of {})\n", runner_.format, join(store::format_names(), ", "));
    } else {
      fmt::print(stderr, "egret: .{} is no command of the prompt\n  .help lists them\n", words[0]);
    }
    std::fflush(stdout);
    return true;
  }

 private:
  static bool has(std::string_view name, std::string_view part) { return to_lower(name).find(to_lower(part)) != std::string::npos; }

  void tables(std::string_view part) const {
    auto names = part.empty() ? runner_.engine.stored_tables() : runner_.engine.catalogue().names();
    std::sort(names.begin(), names.end());
    size_t shown = 0;
    for (const std::string& name : names) {
      if (!runner_.engine.catalogue().table(name) || !has(name, part)) continue;
      const uint64_t rows = runner_.engine.row_count(name);
      if (part.empty() && rows == 0) continue;
      fmt::print("{:<32} {:>12} {}\n", name, rows, rows == 1 ? "row" : "rows");
      ++shown;
    }
    if (shown == 0)
      fmt::print("{}\n", part.empty() ? "no table has rows yet: egret ingest FOLDER brings some in" : "no table has that in its name");
  }

  void functions(std::string_view part) const {
    for (const std::string& name : runner_.engine.catalogue().names())
      if (!runner_.engine.catalogue().table(name) && has(name, part)) fmt::print("{}\n", name);
    for (const std::string& name : kql::scalar_names())
      if (const kql::ScalarFunction* f = kql::find_scalar(name); f && !part.empty() && has(name, part))
        fmt::print("{:<40} {}\n", f->syntax, f->doc);
  }

  void schema(std::string_view name) const {
    if (const model::Table* table = runner_.engine.catalogue().table(name)) {
      for (const auto& c : table->columns) fmt::print("{:<32} {:<10} {}\n", c.name, model::type_name(c.type), c.doc);
    } else if (const auto body = runner_.engine.catalogue().function(name)) {
      fmt::print("{}{}\n", name, *body);
    } else {
      fmt::print(stderr, "egret: no table or function is named {}\n  .tables {} lists those with that in their name\n", name, name);
    }
  }

  Runner& runner_;
};

// Where the lines are kept: the state of a user, not the data of an investigation.
std::string history_file() {
  if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg && *xdg) return std::string(xdg) + "/egret/query_history";
  if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.local/state/egret/query_history";
  return {};
}

int run_prompt(Runner& runner) {
  PromptCommands commands(runner);
  PromptCalls calls{.run = [&](const std::string& text) { run_interruptibly(runner, text); },
                    .command = [&](const std::vector<std::string>& words) { return commands.run(words); },
                    .words = runner.engine.catalogue().names()};
  for (const std::string_view name : kql::operator_names()) calls.words.emplace_back(name);
  for (const std::string& name : kql::scalar_names()) calls.words.push_back(name);
  for (const char* name : {".help", ".tables", ".schema", ".functions", ".format", ".quit"}) calls.words.emplace_back(name);
  // Columns of what is there.
  for (const std::string& table : runner.engine.stored_tables())
    if (const model::Table* t = runner.engine.catalogue().table(table))
      for (const auto& c : t->columns) calls.words.push_back(c.name);
  std::sort(calls.words.begin(), calls.words.end());
  calls.words.erase(std::unique(calls.words.begin(), calls.words.end()), calls.words.end());
  fmt::print("KQL; .help says what else there is.\n");
  std::fflush(stdout);
  prompt(calls, history_file());
  return kDone;
}

int run(const std::vector<std::string>& args) {
  std::vector<std::string> words;
  std::string file, data, format = "table", now_option;
  int64_t max_rows = 1000;
  Options options("query", "Runs a KQL query, or a prompt for many.", kMore);
  options.arguments("QUERY", words, "the query", false)
      .value("-f,--file", file, "FILE", "read the query from a file (- is standard input)")
      .value("--data", data, "DIR", "the data folder")
      .choice("--format", format, store::format_names(), "how the result is written")
      .value("--now", now_option, "TIME", "what now() and ago() mean")
      .value("--max-rows", max_rows, "N", "rows that a table shows; 0 shows all");
  if (const auto code = options.parse(args)) return *code;

  const bool interactive = words.empty() && file.empty() && isatty(STDIN_FILENO);
  const auto text = interactive ? Result<std::string>(std::string()) : query_text(words, file);
  if (!text) return report(text.error());
  if (const auto now = now_from(now_option); !now) return report(now.error());

  store::EngineOptions engine_options;
  engine_options.read_only = true;
  const std::string folder = data_folder(data);
  // Somebody's first query runs before there is any data.
  if (!data.empty() || std::filesystem::exists(std::filesystem::path(folder) / "FORMAT")) engine_options.folder = folder;
  const auto engine = store::Engine::open(engine_options);
  if (!engine) return report(engine.error());
  Runner runner{**engine, format, now_option, max_rows};
  return interactive ? run_prompt(runner) : runner.run(*text, file.empty() || file == "-" ? "query" : file);
}

}  // namespace

extern const Command kQuery;
const Command kQuery{"query", "run a KQL query: an argument, a file, standard input, or at a prompt", run};

}  // namespace egret::cli
