#pragma once
// Taking in what comes into a folder, for as long as it comes. A round is one commit: the rows and how far each file was read become
// durable together, so that a crash at any moment loses no row and doubles none, whatever the writer repeats.
//
// Between rounds the store is closed, so that others can query it.
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "ingest/load.h"

namespace egret::store {
class Engine;
}

namespace egret::ingest {

struct FollowOptions {
  std::function<Ticks()> now;  // stamps the rows
  std::function<bool()> stop;  // asked between rounds, and while waiting
  std::string format;          // as LoadOptions::format
  std::string time_zone;       // as LoadOptions::time_zone
  int poll_milliseconds = 1000;
  bool once = false;  // take what is there and end
  bool keep = false;  // leave segments that are committed in the folder; else they are removed
  // After each commit; `left_out`: rows of segments that were there already. May be empty.
  std::function<void(const Summary& round, uint64_t left_out)> committed;
  // The store is not to be had just now (somebody queries it); said once until it is. May be empty.
  std::function<void(const Error&)> waiting;
};

using OpenEngine = std::function<Result<std::unique_ptr<store::Engine>>()>;

// Returns when told to stop, or after one pass. Errors: the folder cannot be read, the store fails; what is committed stays.
Result<void> follow(const OpenEngine& open, const std::filesystem::path& folder, const FollowOptions& options);

}  // namespace egret::ingest
