// egret ingest: files and folders into a data folder.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/follow.h"
#include "cli/options.h"
#include "ingest/decoders.h"
#include "ingest/load.h"
#include "store/engine.h"

namespace egret::cli {
namespace {

void print_formats() {
  fmt::print("Formats are recognised by content, packed with gzip or zstd or not; a tar or zip archive is read as its files.\n\n");
  size_t width = 0;
  for (const ingest::Decoder* d : ingest::decoders()) width = std::max(width, d->name.size());
  for (const ingest::Decoder* d : ingest::decoders())
    fmt::print("  {:<{}}  {}\n  {:<{}}  fills {}\n", d->name, width, d->summary, "", width, d->tables);
  fmt::print("\nNot recognised? Name it with --kind, or under `files` in evidence.yaml (kind: a format above, or a table's name).\n");
}

std::string tables_of(const ingest::FileSummary& f) {
  std::vector<std::string> parts;
  for (const auto& [table, n] : f.rows)
    if (table != "EgretIngestErrors") parts.push_back(fmt::format("{} {}", table, with_thousands(n)));
  return join(parts, ", ");
}

void print_summary(const ingest::Summary& s, double seconds, bool quiet) {
  size_t width = 4, format_width = 6;
  for (const auto& f : s.files) {
    width = std::max(width, std::min<size_t>(60, f.path.size()));
    format_width = std::max(format_width, f.format.size());
  }
  // A folder of thousands of blobs is shown by format; what went wrong always by file.
  const bool by_format = s.files.size() > 60 || quiet;
  if (!by_format) {
    fmt::print("{:<{}}  {:<{}}  {:>7}  {}\n", "file", width, "format", format_width, "errors", "rows");
    for (const auto& f : s.files)
      fmt::print("{:<{}}  {:<{}}  {:>7}  {}\n", terminal_safe(f.path), width, f.format, format_width,
                 f.error_count() ? with_thousands(f.error_count()) : "", tables_of(f));
  } else {
    std::map<std::string, std::pair<uint64_t, std::map<std::string, uint64_t>>> formats;
    for (const auto& f : s.files) {
      auto& [files, rows] = formats[f.format];
      ++files;
      for (const auto& [table, n] : f.rows) rows[table] += n;
    }
    fmt::print("{:<{}}  {:>7}  {}\n", "format", format_width, "files", "rows");
    for (const auto& [format, entry] : formats) {
      ingest::FileSummary all;
      all.rows = entry.second;
      fmt::print("{:<{}}  {:>7}  {}\n", format, format_width, with_thousands(entry.first), tables_of(all));
    }
  }
  fmt::print("\n{} from {} in {:.1f} s", count_of(s.row_count(), "row"), count_of(s.files.size(), "file"), seconds);
  if (!s.clusters.empty()) fmt::print("; clusters: {}", terminal_safe(join(s.clusters, ", ")));
  fmt::print("\n");
  if (s.error_count()) {
    struct Entry {
      uint64_t n = 0, files = 0;
      std::string first;
    };
    std::map<std::string, Entry> reasons;
    for (const auto& f : s.files)
      for (const auto& [reason, n] : f.errors) {
        Entry& e = reasons[reason];
        e.n += n;
        if (++e.files == 1) e.first = f.path;
      }
    fmt::print("\n{} could not be read (rows of EgretIngestErrors; everything else was taken):\n",
               count_of(s.error_count(), "piece of input", "pieces of input"));
    for (const auto& [reason, e] : reasons) {
      fmt::print("  {:>7}  {}: {}{}\n", with_thousands(e.n), terminal_safe(reason), terminal_safe(e.first),
                 e.files > 1 ? fmt::format(" and {}", count_of(e.files - 1, "other file")) : "");
      if (const auto h = s.hints.find(reason); h != s.hints.end()) fmt::print("           {}\n", h->second);
    }
  }
  const auto repeated = std::count_if(s.files.begin(), s.files.end(), [](const auto& f) { return f.format == "repeated"; });
  if (repeated)
    fmt::print("\n{} already in the data folder, byte by byte, and left out.\n",
               repeated == 1 ? "1 file was" : fmt::format("{} files were", repeated));
  if (!s.notes.empty()) {
    fmt::print("\nWorth knowing:\n");
    for (const auto& [note, n] : s.notes) fmt::print("  {}{}\n", note, n > 1 ? fmt::format(" ({} times)", with_thousands(n)) : "");
  }
}

void print_json(const ingest::Summary& s, double seconds) {
  JsonWriter w(2);
  const auto counts = [&](const std::map<std::string, uint64_t>& m) {
    w.begin_object();
    for (const auto& [name, n] : m)
      if (name != "EgretIngestErrors") w.key(name).number(static_cast<int64_t>(n));
    w.end_object();
  };
  w.begin_object()
      .key("rows")
      .number(static_cast<int64_t>(s.row_count()))
      .key("errors")
      .number(static_cast<int64_t>(s.error_count()))
      .key("seconds")
      .number(seconds);
  w.key("clusters").begin_array();
  for (const auto& c : s.clusters) w.string(c);
  w.end_array().key("files").begin_array();
  for (const auto& f : s.files) {
    w.begin_object()
        .key("file")
        .string(f.path)
        .key("format")
        .string(f.format)
        .key("cluster")
        .string(f.cluster)
        .key("bytes")
        .number(static_cast<int64_t>(f.bytes))
        .key("sha256")
        .string(f.sha256)
        .key("rows");
    counts(f.rows);
    w.key("errors");
    counts(f.errors);
    w.end_object();
  }
  w.end_array().key("notes");
  counts(s.notes);
  w.end_object();
  fmt::print("{}\n", std::move(w).take());
}

int run(const std::vector<std::string>& args) {
  std::vector<std::string> paths;
  std::string data, kind, output = "table", now_text, time_zone;
  bool formats = false, quiet = false, follow = false, once = false, keep = false;
  int64_t poll = 1000;
  Options o(
      "ingest", "reads files and folders of exported logs into a data folder; formats are recognised by content",
      "The folder under PATH names the cluster unless the rows do; evidence.yaml in PATH says what neither does (docs/evidence.md).\n"
      "What cannot be read becomes a row of EgretIngestErrors with the reason; the exit code stays 0.\n\n"
      "With --follow, PATH is one folder, and what comes into it is taken in until SIGINT or SIGTERM: segments of sensors (removed when\n"
      "they are committed), lines that are added to logs, and other files once they rest. A restart, also after a crash, goes on where\n"
      "the last commit was: no row is lost or doubled. The data folder is free for queries between commits.\n\n"
      "Example: egret ingest ./evidence --data ./case && egret query --data ./case 'EgretFlows | take 5'");
  o.arguments("PATH", paths, "files or folders", false);
  o.value("--data", data, "DIR", "the data folder (default: the user's own)");
  o.value("--kind", kind, "FORMAT", "read everything as this format or table, whatever it looks like");
  o.value("--time-zone", time_zone, "ZONE",
          "of local times that say no zone and of which evidence.yaml says nothing: Europe/Berlin, +02:00");
  o.choice("--format", output, {"table", "json"}, "how to print the summary");
  o.value("--now", now_text, "TIME", "the time that is stamped on the rows as their ingestion");
  o.flag("--formats", formats, "list the formats");
  o.flag("-q,--quiet", quiet, "sums only, not each file");
  o.flag("--follow", follow, "take in what comes into the folder PATH, until stopped");
  o.flag("--once", once, "with --follow: take what is new since the last time, and end");
  o.flag("--keep", keep, "with --follow: leave segments of sensors in the folder when they are committed");
  o.value("--poll", poll, "MS", "with --follow: milliseconds between looks (1000)");
  if (const auto code = o.parse(args)) return *code;
  if (formats) {
    print_formats();
    return kDone;
  }
  if (paths.empty())
    return report(Error{ErrorKind::kUsage, "no PATH was given", "egret ingest FOLDER; egret ingest --formats lists what is understood"});
  if (follow) {
    if (paths.size() != 1) return report(Error{ErrorKind::kUsage, "--follow takes one folder", "egret ingest --follow FOLDER"});
    if (poll < 10 || poll > 3'600'000) return report(Error{ErrorKind::kUsage, "--poll is between 10 and 3600000 milliseconds", {}});
    if (!now_text.empty())
      return report(Error{ErrorKind::kUsage, "--follow stamps rows with the time at which they come; leave --now out", {}});
    return follow_folder({.folder = paths[0],
                          .data = data,
                          .kind = kind,
                          .time_zone = time_zone,
                          .json = output == "json",
                          .quiet = quiet,
                          .once = once,
                          .keep = keep,
                          .poll_milliseconds = poll});
  }
  if (once || keep) return report(Error{ErrorKind::kUsage, "--once and --keep belong to --follow", {}});
  const auto now = now_from(now_text);
  if (!now) return report(now.error());
  // The paths are looked at first: a mistyped one must not leave an empty data folder behind.
  for (const std::string& p : paths)
    if (std::error_code ec; !std::filesystem::exists(p, ec))
      return report(Error{ErrorKind::kUsage, fmt::format("there is no file or folder {}", p), {}});
  auto engine = store::Engine::open({.folder = data_folder(data)});
  if (!engine) return report(engine.error());
  ingest::LoadOptions options{.now = *now, .format = kind, .time_zone = time_zone};
  const bool terminal = isatty(STDERR_FILENO) && !quiet;
  if (terminal)
    options.progress = [](size_t done, size_t of, const std::string& path) {
      if (path.empty())
        fmt::print(stderr, "\r\x1b[K");
      else
        fmt::print(stderr, "\r\x1b[K{}/{} {}", done + 1, of, terminal_safe(path.size() > 60 ? path.substr(path.size() - 60) : path));
      std::fflush(stderr);
    };
  const auto started = std::chrono::steady_clock::now();
  const auto summary = ingest::load_paths(**engine, {paths.begin(), paths.end()}, options);
  if (!summary) return report(summary.error());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (output == "json")
    print_json(*summary, seconds);
  else
    print_summary(*summary, seconds, quiet);
  return kDone;
}

}  // namespace

extern const Command kIngest;
const Command kIngest{"ingest", "read files or folders of logs into a data folder", run};

}  // namespace egret::cli
