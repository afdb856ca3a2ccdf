// egret query: KQL from an argument, a file or standard input.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "store/engine.h"
#include "store/output.h"

namespace egret::cli {
namespace {

constexpr std::string_view kMore =
    "The query is the argument, the file, or what standard input says. Without --data and without a data folder of your own\n"
    "all tables are empty.\n\n"
    "  egret query 'SecurityAlert | summarize count() by AlertName'\n"
    "  egret query --data incident/ --format csv --file hunt.kql\n"
    "  egret query 'print now()' --now 2022-04-01T06:14:00Z";

Result<std::string> read_all(std::FILE* file, const std::string& name) {
  std::string text;
  char buffer[1 << 14];
  while (const size_t n = std::fread(buffer, 1, sizeof buffer, file)) text.append(buffer, n);
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
  if (file.empty() && isatty(STDIN_FILENO))
    return usage_error("no query was given", "egret query 'print 1', --file FILE, or a query on standard input");
  return read_all(stdin, "standard input");
}

size_t terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) return size.ws_col;
  return 0;
}

int run(const std::vector<std::string>& args) {
  std::vector<std::string> words;
  std::string file, data, format = "table", now_option;
  int64_t max_rows = 1000;
  Options options("query", "Runs a KQL query.", kMore);
  options.arguments("QUERY", words, "the query", false)
      .value("-f,--file", file, "FILE", "read the query from a file (- is standard input)")
      .value("--data", data, "DIR", "the data folder")
      .choice("--format", format, store::format_names(), "how the result is written")
      .value("--now", now_option, "TIME", "what now() and ago() mean")
      .value("--max-rows", max_rows, "N", "rows that a table shows; 0 shows all");
  if (const auto code = options.parse(args)) return *code;

  const auto text = query_text(words, file);
  if (!text) return report(text.error());
  const auto now = now_from(now_option);
  if (!now) return report(now.error());

  store::EngineOptions engine_options;
  engine_options.read_only = true;
  const std::string folder = data_folder(data);
  // Somebody's first query runs before there is any data.
  if (!data.empty() || std::filesystem::exists(std::filesystem::path(folder) / "FORMAT")) engine_options.folder = folder;
  const auto engine = store::Engine::open(engine_options);
  if (!engine) return report(engine.error());
  const std::string name = file.empty() || file == "-" ? "query" : file;
  const auto query = (*engine)->compile(*text, *now, name);
  if (!query) return report(query.error());
  if (!query->warnings.empty()) fmt::print(stderr, "{}", kql::format_diagnostics(*text, name, query->warnings, colours(STDERR_FILENO)));

  store::Output output(*query->shape,
                       {.format = *store::format_from_name(format),
                        .width = terminal_width(),
                        .max_rows = static_cast<size_t>(std::max<int64_t>(max_rows, 0)),
                        .colours = colours(STDOUT_FILENO)},
                       [](std::string_view s) { std::fwrite(s.data(), 1, s.size(), stdout); });
  const auto done = (*engine)->stream(*query, [&](const model::Batch& rows) {
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

}  // namespace

extern const Command kQuery;
const Command kQuery{"query", "run a KQL query: an argument, a file, or standard input", run};

}  // namespace egret::cli
