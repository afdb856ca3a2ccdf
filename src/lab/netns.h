#pragma once
// Network namespaces kept by a mounted file, set up with ip and nft, and the proof that none of them is joined to the machine's own.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace egret::lab {

// Mounts a new, empty namespace at `path`. Forwarding is off and nothing is up in it.
Result<void> make_netns(const std::string& path);

// How a namespace is set up: values below /proc/sys/net (without "net/"), lines for `ip -batch`, text for `nft -f`.
struct Setup {
  std::vector<std::pair<std::string, std::string>> values;
  std::string links, rules;
};
Result<void> set_up(const std::string& netns, const Setup& setup);

// Refuses where a link of the namespace leads to the machine's own network (namespace of this process or of process 1), or is of a
// kind that could: only loopback, veth and bridge are allowed. `outermost`: also no default route, no forwarding.
Result<void> check_isolated(const std::string& netns, bool outermost);

}  // namespace egret::lab
