#pragma once
// The path of every cgroup, by hierarchy and id (the kernel's kernfs id, which is the folder's inode number). Filled once by a walk, then
// by the kernel's events, so that a cgroup that is gone is still known for a while.
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace egret::sensor {

struct CgroupKey {
  uint32_t hierarchy = 0;  // as in /proc/cgroups; 0 is the unified one
  uint64_t id = 0;
  auto operator<=>(const CgroupKey&) const = default;
};

struct CgroupKeyHash {
  size_t operator()(const CgroupKey& k) const { return std::hash<uint64_t>()(k.id * 31 + k.hierarchy); }
};

class Cgroups {
 public:
  // Finds the mounts (unified, and the memory or pids controller's own) and walks them. An error when no unified hierarchy is mounted.
  static Result<Cgroups> open();

  const std::string& unified_mount() const { return unified_mount_; }
  // The path below the hierarchy's root ("/kubepods/…"); null when unknown even to the kernel.
  const std::string* path(CgroupKey key);
  void made(CgroupKey key, std::string path);
  void removed(CgroupKey key, uint64_t now_ns);
  void forget_before(uint64_t now_ns);  // those that were removed before
  // The key of a path below a hierarchy's root; id 0 when there is no such folder here.
  CgroupKey key_at(uint32_t hierarchy, std::string_view path);
  // The key of a folder below the unified mount.
  static Result<CgroupKey> key_of(const std::string& folder);
  size_t size() const { return paths_.size(); }

 private:
  struct Mount {
    uint32_t hierarchy;
    std::string folder;
    std::string root;  // of the mount within the hierarchy
  };
  void walk(const Mount& mount);

  std::string unified_mount_;
  std::vector<Mount> mounts_;
  std::unordered_map<CgroupKey, std::string, CgroupKeyHash> paths_;
  std::vector<std::pair<uint64_t, CgroupKey>> removed_;
};

}  // namespace egret::sensor
