#pragma once
// Work inside another network namespace, on a thread of its own, so that the caller's threads never leave theirs.
#include <functional>
#include <string>

#include "base/result.h"

namespace egret::sensor {

// `path`: such as /run/netns/NAME or /proc/PID/ns/net. Needs CAP_SYS_ADMIN, and CAP_SYS_PTRACE for the second of other users' processes.
Result<void> inside_netns(const std::string& path, const std::function<void()>& work);

}  // namespace egret::sensor
