#include "ingest/follow.h"

#include <time.h>

#include <optional>

#include "ingest/followed_folder.h"
#include "store/engine.h"

namespace egret::ingest {
namespace {

namespace fs = std::filesystem;

void pause(int milliseconds) {
  timespec t{milliseconds / 1000, (milliseconds % 1000) * 1'000'000L};
  nanosleep(&t, nullptr);  // a signal ends it early, which is wanted
}

class Follower {
 public:
  Follower(const OpenEngine& open, const fs::path& folder, const FollowOptions& options)
      : open_(open), folder_(folder), options_(options) {}

  Result<void> run() {
    while (!options_.stop()) {
      TRY(const bool again, pass());
      if (again) continue;
      if (options_.once) break;
      pause(options_.poll_milliseconds);
    }
    return {};
  }

 private:
  // Looks, and takes what there is. True when there is more to take at once.
  Result<bool> pass() {
    if (!state_) {
      TRY(auto engine, acquire());
      if (!engine) return false;
      TRY(const auto facts, engine->remembered(FollowedFolder::kPrefix));
      FollowedFolder::Options o{.format = options_.format};
      if (options_.once) o.rest_seconds = o.line_seconds = 0;
      state_.emplace(folder_, facts, o);
    }
    TRY(FollowedFolder::Round round, state_->look(unix_millis(options_.now()) / 1000));
    if (round.empty()) return false;
    if (!round.pieces.empty() || !round.whole.empty()) {
      TRY(auto engine, acquire());
      if (!engine) return false;
      TRY_VOID(take(*engine, round));
    }
    state_->settle(round);
    if (!options_.keep) {
      std::error_code gone;
      for (const fs::path& file : round.segments) fs::remove(file, gone);
    }
    return round.more;
  }

  Result<void> take(store::Engine& engine, FollowedFolder::Round& round) {
    const Ticks now = options_.now();
    TRY(RowStore rows, row_store(engine, now));
    rows.rows_per_commit = UINT64_MAX;  // rows and facts belong into one
    rows.commit = [&]() -> Result<void> {
      for (const auto& [name, value] : state_->facts(round)) TRY_VOID(engine.remember(name, value));
      return engine.commit();
    };
    TRY(const Summary summary,
        load_pieces(rows, folder_, round.pieces, round.whole, {.now = now, .format = options_.format, .time_zone = options_.time_zone}));
    if (options_.committed) options_.committed(summary, round.repeated);
    TRY_VOID(engine.roll());
    return {};
  }

  // Null while somebody else has it. A folder that cannot be opened for another reason is an error.
  Result<std::unique_ptr<store::Engine>> acquire() {
    for (;;) {
      auto engine = open_();
      if (engine) {
        waiting_ = false;
        return engine;
      }
      if (!store::is_in_use(engine.error())) return engine;
      if (!waiting_ && options_.waiting) options_.waiting(engine.error());
      waiting_ = true;
      if (options_.stop()) return std::unique_ptr<store::Engine>();
      pause(200);
    }
  }

  const OpenEngine& open_;
  const fs::path& folder_;
  const FollowOptions& options_;
  std::optional<FollowedFolder> state_;
  bool waiting_ = false;
};

}  // namespace

Result<void> follow(const OpenEngine& open, const fs::path& folder, const FollowOptions& options) {
  TRY_VOID(check_format(options.format));
  return Follower(open, folder, options).run();
}

}  // namespace egret::ingest
