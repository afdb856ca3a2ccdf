#include "lab/state.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json.h"

namespace egret::lab {

using namespace drill;

std::string state_text(const LabOptions& o, const Fleet& f, const Lapse& lapse, Micros began) {
  JsonWriter w(1);
  w.begin_object().key("id").string(o.id).key("scenario").string(o.fleet.scenario);
  const auto number = [&](std::string_view key, int64_t value) { w.key(key).number(value); };
  number("seed", static_cast<int64_t>(o.fleet.seed));
  number("clusters", o.fleet.clusters);
  number("nodes", o.fleet.nodes);
  number("apps", o.fleet.apps);
  number("daemons", o.fleet.daemons);
  w.key("compress").number(o.compress).key("boot_seconds").number(o.boot_seconds).key("unreachable").number(o.unreachable);
  w.key("sidecars").boolean(o.fleet.sidecars).key("sensors").boolean(o.sensors);
  number("from", f.world.from);
  number("bad_release", f.world.bad_release);
  number("began", began);
  w.key("skips").begin_array();
  for (const auto& [at, by] : lapse.skips()) w.begin_array().number(at).number(by).end_array();
  w.end_array().key("fleet").begin_array();
  for (const Cluster& c : f.world.clusters) {
    w.begin_object().key("name").string(c.name).key("region").string(c.region).key("nodes").begin_array();
    for (const Node& n : c.nodes) {
      w.begin_object().key("name").string(n.name).key("address").string(ip_text(n.ip)).key("uid").string(n.uid).key("mac").string(n.mac);
      number("created", n.created);
      number("ready", n.ready);
      w.key("autoscaled").boolean(n.autoscaled).end_object();
    }
    w.end_array().key("pods").begin_array();
    for (const Pod& p : c.pods) {
      const Workload& x = f.world.workload_of(c, p);
      w.begin_object().key("namespace").string(x.ns).key("name").string(p.name).key("workload").string(x.kind + '/' + x.name);
      w.key("address").string(ip_text(p.ip)).key("uid").string(p.uid).key("container_id").string(p.container_id);
      number("placement", p.placement);
      number("revision", p.revision);
      number("node", p.node);
      number("created", p.created);
      number("started", p.started);
      number("ended", p.ended);
      number("removed", p.removed);
      w.key("job").string(p.job).key("job_uid").string(p.job_uid).key("succeeded").boolean(p.succeeded);
      w.key("restarts").begin_array();
      for (const Micros r : p.restarts) w.number(r);
      w.end_array().end_object();
    }
    w.end_array().key("released").begin_array();  // when each version of each placement came
    for (const Placement& p : c.placements) {
      w.begin_array();
      for (const Revision& r : p.revisions) w.number(r.at);
      w.end_array();
    }
    w.end_array().end_object();
  }
  w.end_array().end_object();
  return std::move(w).take() + '\n';
}

namespace {

void read(simdjson::dom::element e, Fleet& f) {
  const auto text = [](simdjson::dom::element of, const char* key) { return std::string(std::string_view(of[key])); };
  const auto number = [](simdjson::dom::element of, const char* key) { return int64_t(of[key]); };
  World& w = f.world;
  w.from = number(e, "from");
  w.bad_release = number(e, "bad_release");
  size_t index = 0;
  for (simdjson::dom::element cluster : e["fleet"]) {
    Cluster& c = w.clusters.at(index);
    size_t placement = 0;
    for (simdjson::dom::array released : cluster["released"]) {
      Placement& p = c.placements.at(placement);
      std::vector<Revision>& coming = f.coming.at(index).at(placement++);
      size_t n = 0;
      for (simdjson::dom::element at : released) {
        if (n++ > 0) {
          p.revisions.push_back(coming.at(0));
          coming.erase(coming.begin());
        }
        p.revisions.back().at = int64_t(at);
      }
    }
    for (simdjson::dom::element node : cluster["nodes"]) {
      Random unused(1);
      Node n = next_node(f, static_cast<uint32_t>(index), unused, number(node, "created"));
      n.uid = text(node, "uid");
      n.mac = text(node, "mac");
      n.ready = number(node, "ready");
      n.autoscaled = bool(node["autoscaled"]);
      c.nodes.push_back(std::move(n));
    }
    for (simdjson::dom::element pod : cluster["pods"]) {
      Random unused(1);
      Pod p = next_pod(f, static_cast<uint32_t>(index), static_cast<uint32_t>(number(pod, "placement")),
                       static_cast<uint32_t>(number(pod, "node")), unused, number(pod, "created"));
      p.name = text(pod, "name");
      p.uid = text(pod, "uid");
      p.container_id = text(pod, "container_id");
      p.revision = static_cast<uint32_t>(number(pod, "revision"));
      p.started = number(pod, "started");
      p.ended = number(pod, "ended");
      p.removed = number(pod, "removed");
      p.job = text(pod, "job");
      p.job_uid = text(pod, "job_uid");
      p.succeeded = bool(pod["succeeded"]);
      for (simdjson::dom::element r : pod["restarts"]) p.restarts.push_back(int64_t(r));
      c.pods.push_back(std::move(p));
    }
    ++index;
  }
}

}  // namespace

Result<void> read_state(const std::string& json, LabOptions& o, Fleet& f, Lapse& lapse, Micros& began) {
  try {  // simdjson's accessors throw on a missing member; nothing of that leaves this function
    simdjson::dom::parser parser;
    const simdjson::dom::element e = parser.parse(json);
    o.fleet.scenario = std::string(std::string_view(e["scenario"]));
    o.fleet.seed = static_cast<uint64_t>(int64_t(e["seed"]));
    o.fleet.clusters = static_cast<int>(int64_t(e["clusters"]));
    o.fleet.nodes = static_cast<int>(int64_t(e["nodes"]));
    o.fleet.apps = static_cast<int>(int64_t(e["apps"]));
    o.fleet.daemons = static_cast<int>(int64_t(e["daemons"]));
    o.fleet.sidecars = bool(e["sidecars"]);
    o.sensors = bool(e["sensors"]);
    o.compress = double(e["compress"]);
    o.boot_seconds = double(e["boot_seconds"]);
    o.unreachable = double(e["unreachable"]);
    TRY(f, make_fleet(o.fleet));
    read(e, f);
    began = int64_t(e["began"]);
    for (simdjson::dom::element skip : e["skips"]) lapse.skip(int64_t(skip.at(0)), int64_t(skip.at(1)));
  } catch (const std::exception& broken) {
    return unavailable(fmt::format("the lab's state cannot be read: {}", broken.what()), "egret lab down removes it");
  }
  return {};
}

}  // namespace egret::lab
