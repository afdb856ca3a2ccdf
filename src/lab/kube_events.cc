#include "lab/kube_events.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "drill/writers.h"

namespace egret::lab {

using namespace drill;

namespace {

struct Event {
  Micros at;
  std::string kind, ns, name, uid, reason, message, component, host;
};

std::vector<Event> happened(const World& w, const Cluster& c) {
  std::vector<Event> all;
  for (const Node& n : c.nodes) {
    all.push_back({n.created, "Node", "", n.name, n.uid, "Starting", "Starting kubelet.", "kubelet", n.name});
    if (n.ready == 0) continue;
    all.push_back(
        {n.ready, "Node", "", n.name, n.uid, "NodeReady", fmt::format("Node {} status is now: NodeReady", n.name), "kubelet", n.name});
    all.push_back({n.ready, "Node", "", n.name, n.uid, "RegisteredNode",
                   fmt::format("Node {0} event: Registered Node {0} in Controller", n.name), "node-controller", ""});
  }
  for (const Pod& p : c.pods) {
    const Workload& x = w.workload_of(c, p);
    const Node& n = c.nodes[p.node];
    const auto pod = [&](Micros at, std::string reason, std::string message, std::string component) {
      all.push_back(
          {at, "Pod", x.ns, p.name, p.uid, std::move(reason), std::move(message), component, component == "kubelet" ? n.name : ""});
    };
    pod(p.created, "Scheduled", fmt::format("Successfully assigned {}/{} to {}", x.ns, p.name, n.name), "default-scheduler");
    if (p.started != kNever) pod(p.started, "Started", fmt::format("Started container {}", x.container), "kubelet");
    for (const Micros again : p.restarts) pod(again, "Started", fmt::format("Started container {}", x.container), "kubelet");
    if (p.ended != kNever) pod(p.ended, "Killing", fmt::format("Stopping container {}", x.container), "kubelet");
  }
  for (const Change& change : c.changes) {
    if (change.what != Change::What::kRollout) continue;
    const Placement& place = c.placements[change.placement];
    const Workload& x = w.workloads[place.workload];
    if (x.kind == "Deployment")
      all.push_back({change.at, "Deployment", x.ns, x.name, place.uid, "ScalingReplicaSet",
                     fmt::format("Scaled up replica set {} to {}", replica_set_name(x, place.revisions[change.revision]), place.replicas),
                     "deployment-controller", ""});
  }
  std::stable_sort(all.begin(), all.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
  return all;
}

}  // namespace

std::string kube_events(const World& world, uint32_t cluster) {
  const Cluster& c = world.clusters[cluster];
  Random random = Random(world.seed).fork("events " + c.name);
  JsonWriter w(4);
  w.begin_object().key("apiVersion").string("v1").key("items").begin_array();
  for (const Event& e : happened(world, c)) {
    const auto text = [&](std::string_view k, std::string_view v) { w.key(k).string(v); };
    const std::string ns = e.ns.empty() ? "default" : e.ns, when = iso(e.at);
    w.begin_object();
    text("apiVersion", "v1");
    w.key("count").number(int64_t{1});
    w.key("eventTime").null();
    text("firstTimestamp", when);
    w.key("involvedObject").begin_object();
    text("apiVersion", api_version(e.kind));
    text("kind", e.kind);
    text("name", e.name);
    if (!e.ns.empty()) text("namespace", e.ns);
    text("uid", e.uid);
    w.end_object();
    text("kind", "Event");
    text("lastTimestamp", when);
    text("message", e.message);
    w.key("metadata").begin_object();
    text("creationTimestamp", when);
    text("name", fmt::format("{}.{}", e.name, random.hex(16)));
    text("namespace", ns);
    text("uid", random.uuid());
    w.end_object();
    text("reason", e.reason);
    text("reportingComponent", e.component);
    text("reportingInstance", e.host);
    w.key("source").begin_object();
    text("component", e.component);
    if (!e.host.empty()) text("host", e.host);
    w.end_object();
    text("type", "Normal");
    w.end_object();
  }
  w.end_array().key("kind").string("List").key("metadata").raw(R"({"resourceVersion":""})").end_object();
  return std::move(w).take() + '\n';
}

}  // namespace egret::lab
