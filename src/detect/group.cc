#include "detect/group.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "base/ip.h"
#include "base/text.h"

namespace egret::detect {
namespace {

// What joins alerts. Values of different clusters that may repeat there (private addresses, names of pods) carry the cluster.
std::vector<std::string> joints(const Alert& a) {
  std::vector<std::string> keys;
  if (!a.workload.empty()) keys.push_back("workload\x1f" + a.cluster + "\x1f" + a.workload);
  if (!a.pod.empty()) keys.push_back("pod\x1f" + a.cluster + "\x1f" + a.ns + "\x1f" + a.pod);
  if (!a.node.empty()) keys.push_back("node\x1f" + a.cluster + "\x1f" + a.node);
  const auto& only = a.incident.group_by_entities;
  for (const Entity& e : a.entities) {
    if (a.incident.group && a.incident.matching == IncidentConfiguration::Matching::kSelected && !only.empty() &&
        std::none_of(only.begin(), only.end(), [&](const std::string& t) { return iequals(t, e.type); }))
      continue;
    if (e.type == "AzureResource" || e.type == "FileHash" || e.type == "RegistryValue") continue;  // a cluster is not what happened there
    if (e.type == "IP") {
      const auto address = IpAddress::parse(e.field("Address"));
      if (!address) continue;
      keys.push_back("IP\x1f" + (address->is_private() ? a.cluster : "") + "\x1f" + address->to_string());
    } else {
      keys.push_back(e.key() + "\x1f" + (e.type == "Host" ? a.cluster : ""));
    }
  }
  if (a.incident.group && a.incident.matching == IncidentConfiguration::Matching::kAnyAlert) keys.push_back("rule\x1f" + a.rule_id);
  return keys;
}

class Union {
 public:
  explicit Union(size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), 0); }
  size_t find(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(size_t a, size_t b) { parent_[find(a)] = find(b); }

 private:
  std::vector<size_t> parent_;
};

}  // namespace

std::vector<AlertGroup> group(const std::vector<Alert>& alerts, const GroupOptions& options) {
  std::vector<size_t> order(alerts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return alerts[a].start < alerts[b].start; });

  Union sets(alerts.size());
  std::map<std::string, std::pair<size_t, Ticks>> latest;  // joint → the last alert with it, and the latest end among them
  for (const size_t i : order) {
    const Alert& a = alerts[i];
    const Ticks within = a.incident.group ? std::max(a.incident.lookback, Ticks{0}) : options.within;
    for (const std::string& key : joints(a)) {
      const auto it = latest.find(key);
      if (it == latest.end()) {
        latest.emplace(key, std::pair(i, a.end));
        continue;
      }
      if (a.start - it->second.second <= within) sets.join(i, it->second.first);
      it->second = {i, std::max(it->second.second, a.end)};
    }
  }

  std::map<size_t, AlertGroup> groups;
  std::vector<size_t> first_seen;
  for (const size_t i : order) {
    const size_t root = sets.find(i);
    if (!groups.contains(root)) first_seen.push_back(root);
    groups[root].alerts.push_back(i);
  }
  std::vector<AlertGroup> found;
  for (const size_t root : first_seen) {
    AlertGroup& g = groups[root];
    if (std::none_of(g.alerts.begin(), g.alerts.end(), [&](size_t i) { return alerts[i].incident.create; })) continue;
    const Alert& first = alerts[g.alerts.front()];
    g.id = guid_of("incident\x1f" + first.id);
    g.start = first.start;
    g.end = first.end;
    g.cluster = first.cluster;
    g.workload = first.workload;
    g.title = first.name;
    g.severity = first.severity;
    std::map<Entity, size_t> times;
    for (const size_t i : g.alerts) {
      const Alert& a = alerts[i];
      if (a.severity > g.severity) {
        g.severity = a.severity;
        g.title = a.name;
      }
      g.start = std::min(g.start, a.start);
      g.end = std::max(g.end, a.end);
      if (g.cluster != a.cluster) g.cluster.clear();
      // An alert that names no workload does not contradict one that does.
      if (g.workload.empty())
        g.workload = a.workload;
      else if (!a.workload.empty() && a.workload != g.workload)
        g.workload = "\x1f";
      for (const Entity& e : std::set<Entity>(a.entities.begin(), a.entities.end())) ++times[e];
    }
    if (g.workload == "\x1f") g.workload.clear();
    for (const auto& [entity, n] : times)
      if (n > 1 || g.alerts.size() == 1) g.entities.push_back(entity);
    found.push_back(std::move(g));
  }
  return found;
}

}  // namespace egret::detect
