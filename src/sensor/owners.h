#pragma once
// Whose a cgroup is: the answer that every row carries. Kept as long as the cgroup is known, so that what is gone still has a name.
#include <string>
#include <unordered_map>

#include "sensor/cgroups.h"
#include "sensor/events.h"
#include "sensor/pods.h"

namespace egret::sensor {

struct Identity {
  enum class Kind { kUnknown, kPod, kHostProcess };
  Kind kind = Kind::kUnknown;
  bool ours = true;       // false: outside of this node's part of the cgroup tree
  bool complete = false;  // nothing more is to be learnt
  bool host_network = false;
  std::string ns, pod, pod_uid, container, container_id, image, digest, workload, labels, unit;
  std::string reason;  // why it is unknown, or not fully known
};

class Owners {
 public:
  // root: the node's part of the unified tree ("" for all of it); host_netns: inode number of the node's network namespace, 0: unknown.
  Owners(Cgroups& cgroups, Pods& pods, std::string root, uint32_t host_netns)
      : cgroups_(cgroups), pods_(pods), root_(std::move(root)), host_netns_(host_netns) {}

  // Valid until the next call. Looks again while the answer is not complete.
  const Identity& of(const Owner& owner);
  const Identity& of_cgroup(CgroupKey key, uint32_t netns = 0);  // as a cgroup appears
  void names_changed() { ++generation_; }                        // Pods learnt something
  void forget(CgroupKey key) { known_.erase(key); }

 private:
  struct Entry {
    Identity identity;
    uint64_t generation = 0;
  };
  void resolve(Identity& i, const std::string* path, uint32_t netns);

  Cgroups& cgroups_;
  Pods& pods_;
  std::string root_;
  uint32_t host_netns_;
  uint64_t generation_ = 1;
  std::unordered_map<CgroupKey, Entry, CgroupKeyHash> known_;
};

std::string_view kind_name(const Identity& i);  // Pod, HostNetworkPod, HostProcess, unknown

}  // namespace egret::sensor
