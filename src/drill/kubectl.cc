// `kubectl get KIND -A -o json`, taken when the investigation began.
#include <fmt/format.h>

#include <algorithm>

#include "drill/writers.h"

namespace egret::drill {
namespace {

template <typename Items>
void list(Pen& pen, const Cluster& c, std::string_view name, Items items) {
  Output::File file(pen.out, "kubectl", fmt::format("{}/kubectl/{}.json", c.name, name));
  JsonWriter w(4);
  w.begin_object().key("apiVersion").string("v1").key("items").begin_array();
  items(w, file);
  w.end_array().key("kind").string("List").key("metadata").begin_object().key("resourceVersion").string("").end_object().end_object();
  file.text() = std::move(w).take();
  file.text() += '\n';
}

}  // namespace

void write_objects(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  const Micros now = world.to;
  list(pen, c, "pods", [&](JsonWriter& w, Output::File& f) {
    for (size_t i = 0; i < c.pods.size(); ++i) {
      const Pod& p = c.pods[i];
      if (p.started > now || p.removed <= now) continue;
      pod_json(w, world, c, p, now, true, true);
      pen.ledger.pods[index][i] = 1;
      f.row();
    }
  });
  // A finished Job that is not kept is gone with its pod.
  const auto swept = [&](const Placement& p) {
    return world.workloads[p.workload].kind == "Job" && std::any_of(c.pods.begin(), c.pods.end(), [&](const Pod& pod) {
             return &c.placements[pod.placement] == &p && pod.removed <= now;
           });
  };
  list(pen, c, "nodes", [&](JsonWriter& w, Output::File& f) {
    for (const Node& n : c.nodes)
      if (n.created < now && n.deleted > now) node_json(w, world, c, n, now, true), f.row();
  });
  for (const auto& [kind, name] : {std::pair{"Deployment", "deployments"},
                                   {"StatefulSet", "statefulsets"},
                                   {"DaemonSet", "daemonsets"},
                                   {"CronJob", "cronjobs"},
                                   {"Job", "jobs"}}) {
    bool any = false;
    for (const Placement& p : c.placements) any = any || world.workloads[p.workload].kind == kind;
    if (!any) continue;
    list(pen, c, name, [&](JsonWriter& w, Output::File& f) {
      for (const Placement& p : c.placements)
        if (world.workloads[p.workload].kind == kind && p.deployed <= now && !swept(p))
          workload_json(w, world, c, p, revision_at(p, now), true, true), f.row();
    });
  }
  list(pen, c, "replicasets", [&](JsonWriter& w, Output::File& f) {
    for (const Placement& p : c.placements) {
      if (world.workloads[p.workload].kind != "Deployment") continue;
      const Revision& now_runs = revision_at(p, now);
      for (const Revision& r : p.revisions)
        if (!r.silent) replica_set_json(w, world, c, p, r, r.rs_uid == now_runs.rs_uid ? p.replicas : 0, true), f.row();
    }
  });
  list(pen, c, "controllerrevisions", [&](JsonWriter& w, Output::File& f) {
    for (const Placement& p : c.placements) {
      const Workload& x = world.workloads[p.workload];
      if (x.kind != "DaemonSet" && x.kind != "StatefulSet") continue;
      for (const Revision& r : p.revisions) {
        if (r.silent) continue;
        w.begin_object().key("apiVersion").string("apps/v1");
        w.key("data").raw(
            fmt::format(R"({{"spec":{{"template":{{"$patch":"replace","spec":{{"containers":[{{"image":"{}","name":"{}"}}]}}}}}}}})",
                        image_of(x, r), x.container));
        w.key("kind").string("ControllerRevision");
        w.key("metadata")
            .raw(fmt::format(
                R"({{"creationTimestamp":"{}","name":"{}-{}","namespace":"{}","ownerReferences":[{{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,"kind":"{}","name":"{}","uid":"{}"}}],"uid":"{}"}})",
                iso(r.at), x.name, r.hash, x.ns, x.kind, x.name, p.uid, r.rs_uid));
        w.key("revision").number(static_cast<int64_t>(r.number)).end_object();
        f.row();
      }
    }
  });
  list(pen, c, "configmaps", [&](JsonWriter& w, Output::File& f) {
    for (const Placement& p : c.placements)
      for (const auto& m : world.workloads[p.workload].config_maps)
        if (const Actor* a = world.scenario->actor(world.workloads[p.workload].actor); a == nullptr || a->config_of.empty())
          config_map_json(w, world, c, p, m, now, true), f.row();
  });
  pen.ledger.names_in_objects = true;
  pen.ledger.sources.insert("kubectl");
}

}  // namespace egret::drill
