#pragma once
// egret ingest --follow: rows as they come into a folder.
#include <string>

#include "base/time.h"

namespace egret::cli {

struct FollowArguments {
  std::string folder, data, kind, time_zone;
  bool json = false, quiet = false, once = false, keep = false;
  int64_t poll_milliseconds = 1000;
};

// Runs until SIGINT or SIGTERM; the exit code.
int follow_folder(const FollowArguments& arguments);

}  // namespace egret::cli
