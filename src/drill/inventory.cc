// Container Insights: KubePodInventory, KubeNodeInventory and KubeEvents.
#include <fmt/format.h>

#include <algorithm>

#include "drill/writers.h"

namespace egret::drill {
namespace {

struct Event {
  Micros at;
  std::string kind, ns, name, reason, message, component, computer;
  bool warning;
};

std::vector<Event> events_of(const World& world, const Cluster& c, bool normal, Random r) {
  std::vector<Event> all;
  for (const Pod& p : c.pods) {
    const Workload& x = world.workload_of(c, p);
    const Node& n = c.nodes[p.node];
    const std::string& node = n.name;
    if (p.created >= world.from && normal) {
      all.push_back({p.created + 20'000, "Pod", x.ns, p.name, "Scheduled",
                     fmt::format("Successfully assigned {}/{} to {}", x.ns, p.name, node), "default-scheduler", "", false});
      all.push_back({p.started - 1200'000, "Pod", x.ns, p.name, "Pulled", image_pulled(x, c.placements[p.placement].revisions[p.revision]),
                     "kubelet", node, false});
      all.push_back(
          {p.started - 200'000, "Pod", x.ns, p.name, "Created", fmt::format("Created container {}", x.container), "kubelet", node, false});
      all.push_back({p.started, "Pod", x.ns, p.name, "Started", fmt::format("Started container {}", x.container), "kubelet", node, false});
      if (x.kind == "DaemonSet")
        all.push_back({p.created, "DaemonSet", x.ns, x.name, "SuccessfulCreate", fmt::format("Created pod: {}", p.name),
                       "daemonset-controller", "", false});
    }
    for (const Micros again : p.restarts) {
      if (again < world.from) continue;
      all.push_back({again - 12 * kSecond, "Pod", x.ns, p.name, "Unhealthy",
                     "Liveness probe failed: HTTP probe failed with statuscode: 503", "kubelet", node, true});
      if (normal)
        all.push_back({again, "Pod", x.ns, p.name, "Started", fmt::format("Started container {}", x.container), "kubelet", node, false});
    }
    if (p.ended < world.to && p.ended > world.from && normal && !p.succeeded)
      all.push_back(
          {p.ended - kSecond, "Pod", x.ns, p.name, "Killing", fmt::format("Stopping container {}", x.container), "kubelet", node, false});
    if (p.created >= world.from && r.chance(0.04))
      all.push_back({p.started + r.between(2, 9) * kSecond, "Pod", x.ns, p.name, "Unhealthy",
                     "Readiness probe failed: Get \"http://" + ip_text(p.ip) + ":8080/healthz\": dial tcp: connect: connection refused",
                     "kubelet", node, true});
    if (p.created >= world.from && p.created < n.created + 10 * kMinute && x.kind == "DaemonSet" && r.chance(0.3))
      all.push_back(
          {p.created + 1500'000, "Pod", x.ns, p.name, "FailedMount",
           fmt::format("MountVolume.SetUp failed for volume \"{}\" : object \"{}\"/\"{}\" not registered", "config", x.ns, "config"),
           "kubelet", node, true});
  }
  for (const Change& ch : c.changes) {
    if (ch.what == Change::What::kScale) {
      const Pod& p = c.pods[ch.pod];
      const Workload& x = world.workload_of(c, p);
      all.push_back(
          {p.created + 300'000, "Pod", x.ns, p.name, "FailedScheduling",
           fmt::format("0/{} nodes are available: {} Insufficient cpu. preemption: not eligible due to a lack of lower priority pods.",
                       c.nodes.size(), c.nodes.size()),
           "default-scheduler", "", true});
      if (normal)
        all.push_back({p.created + 11 * kSecond, "Pod", x.ns, p.name, "TriggeredScaleUp",
                       fmt::format("pod triggered scale-up: [{{{} {}->{} (max: 10)}}]", c.vmss, c.nodes.size() - 1, c.nodes.size()),
                       "cluster-autoscaler", "", false});
    }
    if (ch.what == Change::What::kRollout && normal) {
      const Workload& x = world.workloads[c.placements[ch.placement].workload];
      if (x.kind == "Deployment")
        all.push_back({ch.at + 200'000, "Deployment", x.ns, x.name, "ScalingReplicaSet",
                       fmt::format("Scaled up replica set {} to 1", replica_set_name(x, c.placements[ch.placement].revisions[ch.revision])),
                       "deployment-controller", "", false});
    }
  }
  for (const Node& n : c.nodes) {
    if (n.created >= world.from) {
      if (normal) {
        all.push_back({n.created - kSecond, "Node", "", n.name, "Starting", "Starting kubelet.", "kubelet", n.name, false});
        all.push_back({n.created + 2 * kSecond, "Node", "", n.name, "RegisteredNode",
                       fmt::format("Node {0} event: Registered Node {0} in Controller", n.name), "node-controller", "", false});
        all.push_back(
            {n.ready, "Node", "", n.name, "NodeReady", fmt::format("Node {} status is now: NodeReady", n.name), "kubelet", n.name, false});
      }
      if (r.chance(0.6))
        all.push_back(
            {n.created, "Node", "", n.name, "InvalidDiskCapacity", "invalid capacity 0 on image filesystem", "kubelet", n.name, true});
    }
    if (normal && n.deleted < world.to)
      all.push_back({n.deleted + 2 * kSecond, "Node", "", n.name, "RemovingNode",
                     fmt::format("Node {0} event: Removing Node {0} from Controller", n.name), "node-controller", "", false});
  }
  std::stable_sort(all.begin(), all.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
  return all;
}

}  // namespace

void write_inventory(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  const auto [gap_from, gap_to] = pen.gap(c, "inventory");
  {
    TableFile t(pen, c, "KubePodInventory");
    for (Micros at = world.from + pen.random.between(0, 59) * kSecond; at < world.to; at += c.inventory_minutes * kMinute) {
      if (at >= gap_from && at < gap_to) continue;
      for (size_t i = 0; i < c.pods.size(); ++i) {
        const Pod& p = c.pods[i];
        if (p.created > at || p.removed <= at) continue;
        const Placement& place = c.placements[p.placement];
        const Workload& x = world.workload_of(c, p);
        const Revision& r = place.revisions[p.revision];
        const bool running = p.started <= at, over = p.succeeded && p.ended <= at;
        const auto restarts = std::count_if(p.restarts.begin(), p.restarts.end(), [&](Micros k) { return k <= at; });
        pen.ledger.pods[index][i] = 1;
        for (const std::string& name : containers_of(x, &r)) {
          const bool main = name == x.container;
          t.begin(at);
          t.text("Computer", c.nodes[p.node].name).text("ClusterId", c.resource_id).text("ClusterName", c.name);
          t.time("ContainerCreationTimeStamp", running ? (main ? p.start_of(at) : p.started) : p.created)
              .text("PodUid", p.uid)
              .time("PodCreationTimeStamp", p.created);
          t.number("ContainerRestartCount", main ? static_cast<double>(restarts) : 0)
              .number("PodRestartCount", static_cast<double>(restarts));
          t.time("PodStartTime", std::max(p.created, c.nodes[p.node].created));
          if (running) t.time("ContainerStartTime", main ? p.start_of(at) : p.started);
          t.text("ServiceName", x.kind == "Deployment" && !x.system ? x.name : "");
          t.text("ControllerKind", x.kind == "Deployment"  ? "ReplicaSet"
                                   : x.kind == "CronJob"   ? "Job"
                                   : x.kind == "StaticPod" ? "Node"
                                   : x.kind == "Pod"       ? ""
                                                           : x.kind);
          t.text("ControllerName", x.kind == "Deployment"                   ? replica_set_name(x, r)
                                   : x.kind == "CronJob" || x.kind == "Job" ? p.job
                                   : x.kind == "StaticPod"                  ? c.nodes[p.node].name
                                   : x.kind == "Pod"                        ? ""
                                                                            : x.name);
          t.text("ContainerStatus", over      ? "terminated"
                                    : running ? "running"
                                              : "waiting")
              .text("ContainerStatusReason", over      ? "Completed"
                                             : running ? ""
                                                       : "ContainerCreating");
          t.text("ContainerID", running ? container_id(x, p, name) : "").text("ContainerName", p.uid + '/' + name).text("Name", p.name);
          t.text("PodLabel", x.kind == "DaemonSet" || x.kind == "StatefulSet"
                                 ? fmt::format(R"([{{"controller-revision-hash":"{}","{}":"{}"}}])", r.hash, x.app_label_key, x.app_label)
                             : x.kind == "Deployment"
                                 ? fmt::format(R"([{{"{}":"{}","pod-template-hash":"{}"}}])", x.app_label_key, x.app_label, r.hash)
                                 : fmt::format(R"([{{"{}":"{}"}}])", x.app_label_key, x.app_label));
          t.text("Namespace", x.ns)
              .text("PodStatus", over      ? "Succeeded"
                                 : running ? "Running"
                                           : "Pending")
              .text("PodIp", running ? ip_text(p.ip) : "")
              .text("SourceSystem", "Containers");
          t.end();
        }
      }
    }
  }
  {
    TableFile t(pen, c, "KubeNodeInventory");
    for (Micros at = world.from + pen.random.between(0, 59) * kSecond; at < world.to; at += c.inventory_minutes * kMinute) {
      if (at >= gap_from && at < gap_to) continue;
      for (const Node& n : c.nodes) {
        if (n.created > at || n.deleted <= at) continue;
        t.begin(at)
            .text("Computer", n.name)
            .text("ClusterName", c.name)
            .text("ClusterId", c.resource_id)
            .time("LastTransitionTimeReady", n.ready);
        t.text(
            "Labels",
            fmt::format(
                R"([{{"kubernetes.io/hostname":"{}","topology.kubernetes.io/region":"{}","kubernetes.azure.com/cluster":"{}","agentpool":"{}"}}])",
                n.name, c.region, c.node_group, c.vmss.substr(4, c.vmss.find('-', 4) - 4)));
        t.text("Status", at >= n.ready ? "Ready" : "Unknown")
            .text("KubernetesProviderID", n.provider_id)
            .time("CreationTimeStamp", n.created);
        t.text("KubeletVersion", "v" + c.version)
            .text("KubeProxyVersion", "v" + c.version)
            .text("OperatingSystem", "Ubuntu 22.04.5 LTS")
            .text("SourceSystem", "Containers");
        t.end();
      }
    }
  }
  TableFile t(pen, c, "KubeEvents");
  for (const Event& e : events_of(world, c, pen.profile.level >= 1, pen.random.fork("events"))) {
    if (e.at < world.from || e.at >= world.to || (e.at >= gap_from && e.at < gap_to)) continue;
    t.begin(e.at + 30 * kSecond)
        .text("Computer", e.computer)
        .text("ObjectKind", e.kind)
        .text("Namespace", e.ns)
        .text("Name", e.name)
        .text("Reason", e.reason)
        .text("Message", e.message);
    t.text("KubeEventType", e.warning ? "Warning" : "Normal").time("FirstSeen", e.at).time("LastSeen", e.at).number("Count", 1);
    t.text("SourceComponent", e.component).text("ClusterName", c.name).text("ClusterId", c.resource_id).text("SourceSystem", "Containers");
    t.end();
  }
  pen.ledger.sources.insert("container-insights");
}

}  // namespace egret::drill
