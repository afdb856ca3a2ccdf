#pragma once
// Who had an address when: nodes and pods of the fleet, read once and asked many times.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/batch.h"

namespace egret::investigate {

struct PodPlace {
  std::string cluster, ns, pod, kind, name, workload, node, ip, images;
  bool host_network = false, sidecar = false;
  Ticks from = 0, started = 0, to = 0;  // to = 0: still there
};

struct NodePlace {
  std::string cluster, node, ip;
  Ticks created = 0, ready = 0, deleted = 0;
};

class Places {
 public:
  // Results of EgretPods and EgretNodes.
  Places(const model::Batch& pods, const model::Batch& nodes);

  // The node that had the address at the time; an empty cluster means any, if only one fits. Null when none or several do.
  const NodePlace* node_at(std::string_view cluster, std::string_view ip, Ticks time) const;
  // The pod with an address of its own (not its node's).
  const PodPlace* pod_at(std::string_view cluster, std::string_view ip, Ticks time) const;
  const PodPlace* pod_named(std::string_view cluster, std::string_view ns, std::string_view pod, Ticks time) const;
  const NodePlace* node_named(std::string_view node) const;
  const std::vector<PodPlace>& pods() const { return pods_; }
  const std::vector<NodePlace>& nodes() const { return nodes_; }

 private:
  std::vector<PodPlace> pods_;
  std::vector<NodePlace> nodes_;
  std::multimap<std::string, size_t, std::less<>> node_by_ip_, pod_by_ip_, pod_by_name_;
};

}  // namespace egret::investigate
