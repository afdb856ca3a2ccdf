#include "lab/evidence.h"

#include <fmt/format.h>

#include "drill/writers.h"
#include "lab/border_rows.h"
#include "lab/kube_events.h"
#include "lab/programs.h"

namespace egret::lab {

using namespace drill;
namespace fs = std::filesystem;

namespace {

Result<void> take(const fs::path& from, const fs::path& to) {
  std::error_code ec;
  if (!fs::exists(from, ec)) return {};
  fs::create_directories(to.parent_path(), ec);
  fs::copy(from, to, fs::copy_options::recursive, ec);
  if (ec) return unavailable(fmt::format("{} cannot be copied to {}: {}", from.string(), to.string(), ec.message()));
  return {};
}

// The pod of the scenario's actor that ran on the node then. The alert of a workload's own metrics names it.
uint32_t actor_on(const World& w, const Cluster& c, uint32_t node, Micros at) {
  for (uint32_t p = 0; p < c.pods.size(); ++p)
    if (c.pods[p].node == node && !w.workload_of(c, c.pods[p]).actor.empty() && c.pods[p].started <= at && c.pods[p].ended >= at) return p;
  return kHostProcess;
}

}  // namespace

Result<Evidence> write_evidence(const Lab& lab, const fs::path& folder) {
  std::error_code ec;
  if (fs::exists(folder, ec) && !fs::is_empty(folder, ec))
    return usage_error(fmt::format("{} is not empty", folder.string()), "choose another --out");
  fs::create_directories(folder, ec);
  if (ec) return unavailable(fmt::format("{} cannot be made: {}", folder.string(), ec.message()));
  World w = lab.world();
  w.to = now_micros();
  Evidence e;
  std::vector<std::map<uint32_t, NodeFlows>> flows;
  Ledger ledger;
  for (uint32_t i = 0; i < w.clusters.size(); ++i) {
    Cluster& c = w.clusters[i];
    flows.push_back(read_border(lab.log_folder(i) / "border.tsv", c, i));
    for (const auto& [node, f] : flows.back()) e.flows += f.out.size() + f.in.size();
    c.contacts = contacts_with(flows.back(), w.accused);
    for (Contact& k : c.contacts) {
      k.pod = actor_on(w, c, k.node, k.at);
      k.endpoint = w.target;
      e.contacts_from.push_back(c.nodes[k.node].name);
    }
    ledger.contacts.emplace_back(c.contacts.size(), uint8_t{0});
    ledger.pods.emplace_back(c.pods.size(), uint8_t{0});
  }
  Output out(folder, false);
  const Profile profile{"live", 2};
  Pen pen{w, out, ledger, profile, Random(w.seed).fork("lab"), {}};
  if (!w.clusters[w.affected].contacts.empty()) write_alerts(pen);
  write_intel(pen);
  if (w.bad_release != 0) write_releases(pen);
  for (uint32_t i = 0; i < w.clusters.size(); ++i) {
    const Cluster& c = w.clusters[i];
    write_objects(pen, i);
    for (const auto& [node, f] : flows[i]) write_node_flows(pen, c, c.nodes[node], f, std::min(w.from, c.nodes[node].created), w.to, w.to);
    TRY_VOID(write_file(folder / c.name / "kubectl" / "events.json", kube_events(w, i)));
    for (const char* log : {"coredns.log", "envoy", "sensor"}) TRY_VOID(take(lab.log_folder(i) / log, folder / c.name / log));
  }
  TRY_VOID(out.finish());
  return e;
}

}  // namespace egret::lab
