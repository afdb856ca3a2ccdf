#include "investigate/candidates.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "investigate/rows.h"

namespace egret::investigate {
namespace {

// A pod's times come from other clocks than the contact's; one that began just after or ended just before stays in question.
constexpr Ticks kSlack = 2 * kTicksPerMinute;

bool there(const PodPlace& p, Ticks time, Ticks precision) {
  return p.from <= time + precision + kSlack && (p.to == 0 || p.to >= time - precision - kSlack);
}

// Workloads that stand as objects, and whether something watched their cluster's pods at the time.
struct Standing {
  std::vector<PodPlace> workloads;
  std::map<std::string, std::pair<Ticks, Ticks>> watched;  // cluster in lower case → from, to

  bool watches(const std::string& cluster, Ticks time) const {
    const auto it = watched.find(to_lower(cluster));
    return it != watched.end() && it->second.first <= time && time <= it->second.second;
  }
};

Result<Standing> standing(store::Engine& engine, Ticks now) {
  Standing out;
  TRY(const model::Batch objects, engine.query(R"(EgretKubeObjects
| where Kind in ("CronJob", "Deployment", "StatefulSet", "DaemonSet") and isnotempty(Name) and Verb != "delete"
| summarize Created = min(coalesce(Created, TimeGenerated)), Images = max(tostring(Images)), HostNetwork = max(toint(HostNetwork)) by Cluster, Namespace, Kind, Name)",
                                               now));
  const Rows o(objects);
  for (size_t i = 0; i < o.size(); ++i) {
    PodPlace p;
    p.cluster = o.text("Cluster", i), p.ns = o.text("Namespace", i), p.kind = o.text("Kind", i), p.name = o.text("Name", i);
    p.workload = p.ns + "/" + p.kind + "/" + p.name;
    p.images = o.text("Images", i);
    p.host_network = o.number("HostNetwork", i) == 1;
    p.from = o.number("Created", i);
    out.workloads.push_back(std::move(p));
  }
  TRY(const model::Batch coverage, engine.query(R"(EgretCoverage
| where Source in ("pod-inventory", "kube-audit", "kube-audit-admin", "sensor") and isnotnull(StartTime)
| summarize From = min(StartTime), To = max(EndTime) by Cluster)",
                                                now));
  const Rows w(coverage);
  for (size_t i = 0; i < w.size(); ++i) out.watched[to_lower(w.text("Cluster", i))] = {w.number("From", i), w.number("To", i)};
  return out;
}

}  // namespace

Result<void> find_candidates(store::Engine& engine, const Places& places, Ticks now, LedgerInput& in) {
  std::set<std::string> clusters;
  for (const SeenContact& c : in.contacts) clusters.insert(to_lower(c.contact.cluster));
  std::map<std::string, size_t> known;
  const auto add = [&](const PodPlace& p) {
    const auto [it, fresh] = known.try_emplace(p.workload, in.candidates.size());
    if (fresh) {
      Candidate c;
      c.cluster = p.cluster;
      c.ns = p.ns;
      c.kind = p.kind;
      c.name = p.name;
      in.candidates.push_back(std::move(c));
      in.pods.push_back(p);
      return;
    }
    PodPlace& merged = in.pods[it->second];
    merged.host_network = merged.host_network || p.host_network;
    merged.sidecar = merged.sidecar || p.sidecar;
    if (merged.images.empty()) merged.images = p.images;
  };
  TRY(const Standing objects, standing(engine, now));
  const auto unwatched = [&](const PodPlace& p) {
    return std::any_of(in.contacts.begin(), in.contacts.end(),
                       [&](const SeenContact& c) { return !objects.watches(p.cluster, c.contact.time); });
  };
  for (const PodPlace& p : places.pods()) {
    if (!clusters.contains("") && !clusters.contains(to_lower(p.cluster))) continue;
    const bool then =
        std::any_of(in.contacts.begin(), in.contacts.end(), [&](const SeenContact& c) { return there(p, c.contact.time, c.precision); });
    if (then || (p.to == 0 && unwatched(p))) add(p);
  }
  for (const PodPlace& p : objects.workloads) {
    if (!clusters.contains("") && !clusters.contains(to_lower(p.cluster))) continue;
    const bool existed = std::any_of(in.contacts.begin(), in.contacts.end(),
                                     [&](const SeenContact& c) { return p.from <= c.contact.time + c.precision + kSlack; });
    if (existed && (p.kind == "CronJob" || unwatched(p))) add(p);
  }
  // A pod that a row names but no inventory shows is as real as the others.
  for (const SeenContact& c : in.contacts) {
    if (c.workload.empty() || known.contains(c.workload)) continue;
    const auto parts = split(c.workload, '/');
    if (parts.size() != 3) continue;
    PodPlace p;
    p.cluster = c.contact.cluster, p.ns = parts[0], p.kind = parts[1], p.name = parts[2], p.workload = c.workload, p.pod = c.pod;
    add(p);
  }
  TRY(const model::Batch batch, engine.query("EgretHostProcesses | project Cluster, Node, Process", now));
  const Rows rows(batch);
  for (size_t i = 0; i < rows.size(); ++i) {
    PodPlace p;
    p.cluster = rows.text("Cluster", i);
    if (!clusters.contains("") && !p.cluster.empty() && !clusters.contains(to_lower(p.cluster))) continue;
    p.ns = "node", p.kind = "HostProcess", p.name = rows.text("Process", i), p.host_network = true;
    p.workload = "node/HostProcess/" + p.name;
    if (p.cluster.empty() && !in.contacts.empty()) p.cluster = in.contacts[0].contact.cluster;
    if (!p.name.empty()) add(p);
  }
  return {};
}

}  // namespace egret::investigate
