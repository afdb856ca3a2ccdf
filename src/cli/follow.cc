#include "cli/follow.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <map>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "ingest/follow.h"
#include "store/engine.h"

namespace egret::cli {
namespace {

volatile sig_atomic_t stop_requested = 0;

void request_stop(int) { stop_requested = 1; }

// What came so far, and how it is told.
class Progress {
 public:
  explicit Progress(const FollowArguments& a) : arguments_(a), terminal_(isatty(STDERR_FILENO) != 0) {}

  void committed(const ingest::Summary& round, uint64_t left_out) {
    rows_ += round.row_count();
    errors_ += round.error_count();
    left_out_ += left_out;
    for (const auto& f : round.files) bytes_ += f.bytes;
    for (const auto& f : round.files)
      for (const auto& [reason, n] : f.errors) reasons_[reason] += n;
    if (arguments_.json) {
      JsonWriter w;
      w.begin_object()
          .key("rows")
          .number(static_cast<int64_t>(round.row_count()))
          .key("errors")
          .number(static_cast<int64_t>(round.error_count()));
      w.key("left_out").number(static_cast<int64_t>(left_out)).key("tables").begin_object();
      for (const auto& [table, n] : round.rows)
        if (table != "EgretIngestErrors") w.key(table).number(static_cast<int64_t>(n));
      w.end_object().end_object();
      fmt::print("{}\n", std::move(w).take());
      std::fflush(stdout);
    } else if (!arguments_.quiet) {
      std::string line = fmt::format("{} taken, {}", count_of(rows_, "row"), format_bytes(bytes_));
      if (errors_) line += fmt::format(", {} unreadable", with_thousands(errors_));
      // A terminal keeps one line; a log gets one for each commit.
      fmt::print(stderr, "{}{}{}", terminal_ ? "\r\x1b[K" : "", line, terminal_ ? "" : "\n");
      std::fflush(stderr);
    }
  }

  void waiting(const Error& e) const { fmt::print(stderr, "{}egret: {}; waiting\n", terminal_ ? "\r\x1b[K" : "", e.message); }

  void end() const {
    if (arguments_.json) return;
    if (terminal_ && !arguments_.quiet) fmt::print(stderr, "\r\x1b[K");
    fmt::print("{} taken from {}", count_of(rows_, "row"), terminal_safe(arguments_.folder));
    if (left_out_) fmt::print("; {} had been taken before", count_of(left_out_, "row"));
    fmt::print("\n");
    if (reasons_.empty()) return;
    fmt::print("\n{} could not be read (rows of EgretIngestErrors):\n", count_of(errors_, "piece of input", "pieces of input"));
    for (const auto& [reason, n] : reasons_) fmt::print("  {:>7}  {}\n", with_thousands(n), terminal_safe(reason));
  }

 private:
  const FollowArguments& arguments_;
  bool terminal_;
  uint64_t rows_ = 0, errors_ = 0, left_out_ = 0, bytes_ = 0;
  std::map<std::string, uint64_t> reasons_;
};

}  // namespace

int follow_folder(const FollowArguments& a) {
  std::error_code ec;
  if (!std::filesystem::is_directory(a.folder, ec))
    return report(
        Error{ErrorKind::kUsage, fmt::format("{} is no folder", a.folder), "egret ingest --follow FOLDER waits for what comes into it"});
  struct sigaction action{};
  action.sa_handler = request_stop;  // without SA_RESTART: a pause ends at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  Progress progress(a);
  ingest::FollowOptions options;
  options.now = [] { return now_from({}).value_or(0); };
  options.stop = [] { return stop_requested != 0; };
  options.format = a.kind;
  options.time_zone = a.time_zone;
  options.poll_milliseconds = static_cast<int>(a.poll_milliseconds);
  options.once = a.once;
  options.keep = a.keep;
  options.committed = [&](const ingest::Summary& round, uint64_t left_out) { progress.committed(round, left_out); };
  options.waiting = [&](const Error& e) { progress.waiting(e); };
  const auto folder = data_folder(a.data);
  const auto done = ingest::follow([&] { return store::Engine::open({.folder = folder}); }, a.folder, options);
  progress.end();
  return done ? kDone : report(done.error());
}

}  // namespace egret::cli
