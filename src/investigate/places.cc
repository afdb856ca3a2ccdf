#include "investigate/places.h"

#include <set>

#include "base/text.h"
#include "investigate/rows.h"

namespace egret::investigate {
namespace {

// Clocks differ, and a node talks before its object exists.
constexpr Ticks kSlack = 15 * kTicksPerSecond, kBoot = 3 * kTicksPerMinute;

}  // namespace

Places::Places(const model::Batch& pods, const model::Batch& nodes) {
  const Rows p(pods), n(nodes);
  std::set<std::string> node_addresses;
  for (size_t i = 0; i < n.size(); ++i) {
    nodes_.push_back(
        {n.text("Cluster", i), n.text("Node", i), n.text("Ip", i), n.number("Created", i), n.number("Ready", i), n.number("Deleted", i)});
    if (!nodes_.back().ip.empty()) {
      node_by_ip_.emplace(nodes_.back().ip, i);
      node_addresses.insert(nodes_.back().cluster + "|" + nodes_.back().ip);
    }
  }
  for (size_t i = 0; i < p.size(); ++i) {
    PodPlace x{p.text("Cluster", i),  p.text("Namespace", i), p.text("Pod", i),       p.text("Kind", i),   p.text("Name", i),
               p.text("Workload", i), p.text("Node", i),      p.text("Ip", i),        p.text("Images", i), p.flag("HostNetwork", i),
               p.flag("Sidecar", i),  p.number("From", i),    p.number("Started", i), p.number("To", i)};
    x.host_network = x.host_network || node_addresses.contains(x.cluster + "|" + x.ip);
    pods_.push_back(std::move(x));
  }
  for (size_t i = 0; i < pods_.size(); ++i) {
    if (!pods_[i].ip.empty() && !pods_[i].host_network) pod_by_ip_.emplace(pods_[i].ip, i);
    pod_by_name_.emplace(pods_[i].pod, i);
  }
}

const NodePlace* Places::node_at(std::string_view cluster, std::string_view ip, Ticks time) const {
  const NodePlace* best = nullptr;
  bool several = false;
  const auto [begin, end] = node_by_ip_.equal_range(ip);
  for (auto it = begin; it != end; ++it) {
    const NodePlace& n = nodes_[it->second];
    if (!cluster.empty() && !iequals(n.cluster, cluster)) continue;
    if (time && n.deleted && time > n.deleted + kBoot) continue;
    if (time && n.created && time < n.created - kBoot) continue;
    if (best && best->cluster != n.cluster) several = true;
    // An address passes to a newer node when the older one is gone: the youngest that existed is meant.
    if (!best || n.created > best->created) best = &n;
  }
  return several ? nullptr : best;
}

const PodPlace* Places::pod_at(std::string_view cluster, std::string_view ip, Ticks time) const {
  const PodPlace* best = nullptr;
  bool several = false;
  const auto [begin, end] = pod_by_ip_.equal_range(ip);
  for (auto it = begin; it != end; ++it) {
    const PodPlace& p = pods_[it->second];
    if (!cluster.empty() && !iequals(p.cluster, cluster)) continue;
    if (time && ((p.to && time > p.to + kSlack) || time < p.from - kSlack)) continue;
    if (best && best->cluster != p.cluster) several = true;
    if (!best || p.from > best->from) best = &p;
  }
  return several ? nullptr : best;
}

const PodPlace* Places::pod_named(std::string_view cluster, std::string_view ns, std::string_view pod, Ticks time) const {
  const PodPlace* best = nullptr;
  const auto [begin, end] = pod_by_name_.equal_range(pod);
  for (auto it = begin; it != end; ++it) {
    const PodPlace& p = pods_[it->second];
    if ((!cluster.empty() && !iequals(p.cluster, cluster)) || (!ns.empty() && p.ns != ns)) continue;
    if (time && p.from > time + kSlack) continue;
    if (!best || p.from > best->from) best = &p;
  }
  return best;
}

const NodePlace* Places::node_named(std::string_view node) const {
  for (const NodePlace& n : nodes_)
    if (iequals(n.node, node)) return &n;
  return nullptr;
}

}  // namespace egret::investigate
