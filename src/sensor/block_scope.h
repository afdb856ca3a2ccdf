#pragma once
// Whom a block is for: from what a person names (the node, a pod, a cgroup, a network namespace) to what the kernel can tell apart, and
// where the target's established connections are to be looked for.
#include <string>
#include <vector>

#include "base/result.h"
#include "sensor/block_table.h"

namespace egret::sensor {

struct BlockTarget {
  enum class Kind { kNode, kPod, kCgroup, kNetns } kind = Kind::kNode;
  std::string name;  // "NS/NAME" or a pod's UID; a path

  static Result<BlockTarget> parse(std::string_view text);  // as to_string() writes it
  std::string to_string() const;                            // "node", "pod NS/NAME", "cgroup PATH", "netns PATH"
};

struct BlockPlaces {
  std::string cgroup_root = "/sys/fs/cgroup";  // the node's part of the unified hierarchy
  std::string pod_logs = "/var/log/pods";      // kubelet's folders NAMESPACE_NAME_UID
  std::string netns;                           // the node's own network namespace, as a path; empty: this process's
};

struct BlockResolved {
  std::vector<BlockScope> scopes;
  std::vector<std::string> cgroups;  // folders whose processes are the target; all below counts
  std::string netns;                 // the target is this whole network namespace
  bool own_netns = false;            // the target shares its network namespace with nobody else: all sockets in it are its own
  bool in_flight = true;             // see BlockEntry
};

// An error names what was looked for and where. `netns_in_flight`: BlockKernel's.
Result<BlockResolved> resolve_block_target(const BlockTarget& target, const BlockPlaces& places, bool netns_in_flight);

// As /proc/self/mountinfo has them: the unified hierarchy and the v1 one of the memory controller (without it: of pids). Empty: none.
struct CgroupMounts {
  std::string unified, v1;
};
CgroupMounts cgroup_mounts();
std::vector<int> processes_below(const std::string& cgroup_folder);
std::vector<uint64_t> cgroup_ids_below(const std::string& cgroup_folder);  // with its own

}  // namespace egret::sensor
