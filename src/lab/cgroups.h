#pragma once
// Cgroups in kubelet's layout, in every hierarchy that this machine has mounted: version 2 alone, version 1 alone or both at once.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace egret::lab {

// Mount points. Left out of version 1: cpuset, which takes no process before it is configured, and memory and blkio, whose
// limits belong to whoever runs this machine.
std::vector<std::string> cgroup_hierarchies();
// Where version 2 is mounted; empty where it is not.
std::string cgroup2_mount();
// The folder `below` of every hierarchy, made with its parents.
Result<std::vector<std::string>> make_cgroups(std::string_view below);
// SIGKILL to every process at and below the folder until none is left. A folder that is not there is fine.
Result<void> end_processes(const std::string& folder);
// SIGTERM, and ten seconds of time to end in.
Result<void> ask_to_end(const std::string& folder);
Result<void> remove_cgroup(const std::string& folder);  // with everything below

}  // namespace egret::lab
