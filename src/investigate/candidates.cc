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
  for (const PodPlace& p : places.pods()) {
    if (!clusters.contains("") && !clusters.contains(to_lower(p.cluster))) continue;
    const bool then =
        std::any_of(in.contacts.begin(), in.contacts.end(), [&](const SeenContact& c) { return there(p, c.contact.time, c.precision); });
    if (then) add(p);
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
