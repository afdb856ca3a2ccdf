#include "lab/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/ip.h"

namespace egret::lab {

using namespace drill;

Micros now_micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

bool is_on_every_node(const Workload& x) { return x.kind == "DaemonSet" || x.kind == "StaticPod"; }
bool is_deployed_later(const Scenario& s, const Workload& x) {
  return !x.actor.empty() &&
         std::ranges::any_of(s.timeline, [&](const Happening& h) { return h.what == "deploy" && s.concerns(h, x.actor); });
}
bool is_run_to_its_end(const Workload& x) { return x.kind == "CronJob" || x.kind == "Job"; }

Result<void> can_run_live(const Scenario& s) {
  const auto no = [&](std::string_view what) {
    return usage_error(fmt::format("{} does not run live: {}", s.id, what), "egret drill render renders it to logs");
  };
  constexpr std::string_view kKinds[] = {"Deployment", "StatefulSet", "DaemonSet", "StaticPod", "Pod", "CronJob", "Job", "HostProcess"};
  constexpr std::string_view kHappenings[] = {"scale-up", "release", "restart", "config-change", "deploy"};
  for (const Actor& a : s.actors) {
    if (a.copies.high > 1) return no("its " + a.kind + " has copies by other names, which the lab does not start");
    if (!a.injected.empty()) return no("its container is put into others' pods by a webhook, and the lab has no admission");
    if (a.shell) return no("somebody steers a shell in its pod, which no program of the lab gives");
    if (std::ranges::find(kKinds, a.kind) == std::end(kKinds))
      return no("its actor is a " + a.kind + ", which no program of the lab plays");
    if (a.kind == "CronJob" && std::atoi(a.schedule.c_str()) > 120)
      return no(fmt::format("its CronJob runs every {} min, too seldom for the eight hours that a lab plays", a.schedule));
    for (const Act& act : a.acts) {
      if (act.after_break_in) return no("its actor acts from a pod that was broken into, which the lab cannot do");
      if (act.only_asks) return no("its actor asks for a name and goes nowhere, which no program of the lab does");
      if (act.on == Act::On::kNodeJoins) return no("its actor acts on nodes that join, which no program of the lab watches");
      if (act.on == Act::On::kImagePull) return no("images are pulled in it, and the lab has none");
    }
  }
  for (const Happening& h : s.timeline)
    if (std::ranges::find(kHappenings, h.what) == std::end(kHappenings))
      return no(fmt::format("its timeline has a {}, which the lab cannot bring about", h.what));
  return {};
}

namespace {

bool wanted(const Workload& x, const FleetOptions& o, int& daemons, int& apps) {
  if (!x.actor.empty() || x.name == "coredns") return true;
  if (x.kind != "Deployment" && x.kind != "StatefulSet" && x.kind != "DaemonSet") return false;
  if (x.kind == "DaemonSet") return daemons++ < o.daemons;
  return !x.system && apps++ < o.apps;
}

// A proxy takes much memory: one workload has it, an actor first, another's sidecar is as good as any.
void limit_sidecars(World& w, bool wanted) {
  Workload* chosen = nullptr;
  for (const Placement& p : w.clusters[w.affected].placements) {
    Workload& x = w.workloads[p.workload];
    if (x.sidecar && (chosen == nullptr || (chosen->actor.empty() && !x.actor.empty()))) chosen = &x;
  }
  for (Workload& x : w.workloads) x.sidecar = wanted && &x == chosen;
}

}  // namespace

Result<Fleet> make_fleet(const FleetOptions& o) {
  TRY(Scenario found, find_scenario(o.scenario));
  TRY_VOID(can_run_live(found));
  Fleet f;
  f.scenario = std::make_unique<Scenario>(std::move(found));
  Scenario small = *f.scenario;
  small.clusters = {static_cast<double>(o.clusters), static_cast<double>(o.clusters)};
  small.nodes = {static_cast<double>(o.nodes), static_cast<double>(o.nodes)};
  small.apps = {static_cast<double>(o.apps) + 4, static_cast<double>(o.apps) + 4};  // some will be of kinds that are left out
  small.firewall = 0;
  f.world = simulate(small, o.seed, {});
  World& w = f.world;
  w.scenario = f.scenario.get();
  w.from = w.to = now_micros();
  w.bad_release = w.config_change = 0;
  for (Workload& x : w.workloads) {
    x.replicas = std::min(x.replicas, 2);
    if (x.name == "coredns") x.replicas = 1;
    x.images_side.clear();  // a container is a process here; those beside the main one would only idle
  }
  for (Cluster& c : w.clusters) {
    c.nodes.clear();
    c.pods.clear();
    c.contacts.clear();
    c.inbound.clear();
    c.changes.clear();
    c.skew = 0;
    int daemons = 0, apps = 0;
    std::erase_if(c.placements, [&](const Placement& p) { return !wanted(w.workloads[p.workload], o, daemons, apps); });
    f.coming.emplace_back();
    for (Placement& p : c.placements) {
      const Workload& x = w.workloads[p.workload];
      p.replicas = std::min(p.replicas, x.replicas);
      std::vector<Revision> later;
      // Only what the scenario's timeline releases will be released.
      if (!x.actor.empty()) later.assign(p.revisions.begin() + 1, p.revisions.end());
      p.revisions.resize(1);
      p.revisions[0].at = w.from;
      f.coming.back().push_back(std::move(later));
    }
  }
  limit_sidecars(w, o.sidecars);
  return f;
}

Node next_node(const Fleet& f, uint32_t cluster, Random& random, Micros now) {
  const Cluster& c = f.world.clusters[cluster];
  const auto index = static_cast<uint32_t>(c.nodes.size());
  Node n;
  n.vmss = c.vmss;
  n.instance = fmt::format("{:06x}", index);
  n.name = c.vmss + n.instance;
  n.uid = random.uuid();
  n.mac = fmt::format("00224{:07X}", random.below(1U << 28));
  n.pod_block = static_cast<int>(index);
  n.ip = c.vnet_base + 4 + index;
  n.provider_id =
      fmt::format("azure:///subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{}/virtualMachines/{}",
                  c.subscription, c.node_group, c.vmss, index);
  n.created = now;
  return n;
}

Pod next_pod(const Fleet& f, uint32_t cluster, uint32_t placement, uint32_t node, Random& random, Micros now) {
  const Cluster& c = f.world.clusters[cluster];
  const Placement& place = c.placements[placement];
  const Workload& x = f.world.workloads[place.workload];
  Pod p;
  p.placement = placement;
  p.revision = static_cast<uint32_t>(place.revisions.size() - 1);
  p.node = node;
  const Revision& r = place.revisions[p.revision];
  if (x.kind == "Deployment") {
    p.name = fmt::format("{}-{}-{}", x.name, r.hash, random.kube_suffix(5));
  } else if (x.kind == "StatefulSet") {
    int slot = 0;
    for (const Pod& other : c.pods) slot += other.placement == placement && other.ended == kNever ? 1 : 0;
    p.name = fmt::format("{}-{}", x.name, slot);
  } else {
    p.name = fmt::format("{}-{}", x.name, random.kube_suffix(5));
  }
  p.uid = random.uuid();
  p.container_id = random.hex(64);
  Ip last = 9;  // addresses of a node's block are given once
  for (const Pod& other : c.pods)
    if (other.node == node && !f.world.workload_of(c, other).host_network) last = std::max(last, other.ip & 0xff);
  p.ip = x.host_network ? c.nodes[node].ip : c.pod_base + (static_cast<Ip>(c.nodes[node].pod_block) << 8) + last + 1;
  p.created = now;
  p.started = kNever;
  if (x.kind == "StaticPod") p.name = fmt::format("{}-{}", x.name, c.nodes[node].name);
  if (x.kind == "Pod") p.name = x.name;
  if (x.kind == "Job") p.job = x.name, p.job_uid = place.uid;
  return p;
}

std::string six_of(Ip ip) { return IpAddress{(uint128{0x20010db8} << 96) | ip}.to_string(); }
std::string node_six(uint32_t cluster, Ip node) {
  return IpAddress{(uint128{0xfd00} << 112) | (uint128{0xe} << 96) | (uint128{cluster} << 80) | (node & 0xff)}.to_string();
}
std::string pod_six(const Cluster& c, Ip pod) {
  return IpAddress{(uint128{0xfd00} << 112) | (uint128{0x244} << 96) | (pod - c.pod_base)}.to_string();
}

}  // namespace egret::lab
