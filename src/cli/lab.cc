// egret lab: a small real network of nodes and pods on this machine.
#include "lab/lab.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "lab/cgroups.h"

namespace egret::cli {
namespace {

using lab::Lab;

// `text` is NAME, NAMESPACE/NAME or CLUSTER/NAMESPACE/NAME, or enough of NAME's beginning to be the only one.
struct Found {
  uint32_t cluster = 0, index = 0;
  bool node = false;
};

// Pods that have ended are found only where their logs are asked for.
Result<Found> find_place(const Lab& lab, const std::string& text, bool ended = false) {
  const std::vector<std::string> parts = split(text, '/');
  const std::string& name = parts.back();
  std::vector<Found> exact, beginning;
  std::vector<std::string> names;
  const auto consider = [&](const Found& f, const std::string& candidate, const std::string& ns) {
    const std::string& cluster = lab.world().clusters[f.cluster].name;
    if (parts.size() >= 2 && parts[parts.size() - 2] != ns) return;
    if (parts.size() >= 3 && parts[0] != cluster) return;
    names.push_back(fmt::format("{}/{}/{}", cluster, ns, candidate));
    if (candidate == name) exact.push_back(f);
    if (candidate.starts_with(name)) beginning.push_back(f);
  };
  for (uint32_t c = 0; c < lab.world().clusters.size(); ++c) {
    const drill::Cluster& cluster = lab.world().clusters[c];
    for (uint32_t p = 0; p < cluster.pods.size(); ++p)
      if (ended || cluster.pods[p].ended == drill::kNever)
        consider({c, p, false}, cluster.pods[p].name, lab.world().workload_of(cluster, cluster.pods[p]).ns);
    for (uint32_t n = 0; n < cluster.nodes.size(); ++n) consider({c, n, true}, cluster.nodes[n].name, "node");
  }
  const std::vector<Found>& found = exact.empty() ? beginning : exact;
  if (found.size() == 1) return found.front();
  if (!found.empty())
    return usage_error(fmt::format("'{}' is {} of the lab", text, count_of(found.size(), "pod", "pods")),
                       "write CLUSTER/NAMESPACE/NAME; egret lab status lists them");
  const std::string near = near_name(text, names);
  return not_found(fmt::format("there is no pod or node '{}'", text),
                   near.empty() ? "egret lab status lists them" : "did you mean " + near + "?");
}

void print_status(const Lab& lab, std::string_view format) {
  const drill::World& w = lab.world();
  if (format == "json") {
    JsonWriter j(2);
    j.begin_object().key("id").string(lab.options().id).key("scenario").string(lab.options().fleet.scenario);
    j.key("folder").string(lab.home().string()).key("cgroup2").string(lab::cgroup2_mount()).key("clusters").begin_array();
    for (uint32_t c = 0; c < w.clusters.size(); ++c) {
      const drill::Cluster& cluster = w.clusters[c];
      j.begin_object().key("name").string(cluster.name).key("region").string(cluster.region).key("nodes").begin_array();
      for (uint32_t n = 0; n < cluster.nodes.size(); ++n) {
        const drill::Node& node = cluster.nodes[n];
        j.begin_object()
            .key("name")
            .string(node.name)
            .key("address")
            .string(drill::ip_text(node.ip))
            .key("netns")
            .string(lab.node_netns(c, n));
        j.key("cgroup")
            .string(lab.node_cgroup(c, n))
            .key("created")
            .string(drill::iso(node.created, 6))
            .key("ready")
            .string(drill::iso(node.ready, 6));
        j.end_object();
      }
      j.end_array().key("pods").begin_array();
      for (uint32_t p = 0; p < cluster.pods.size(); ++p) {
        const drill::Pod& pod = cluster.pods[p];
        if (pod.ended != drill::kNever) continue;
        const drill::Workload& x = w.workload_of(cluster, pod);
        j.begin_object().key("namespace").string(x.ns).key("name").string(pod.name).key("workload").string(x.kind + '/' + x.name);
        j.key("address")
            .string(drill::ip_text(pod.ip))
            .key("node")
            .string(cluster.nodes[pod.node].name)
            .key("hostNetwork")
            .boolean(x.host_network);
        j.key("uid").string(pod.uid).key("container").string(pod.container_id).key("netns").string(lab.pod_netns(c, p));
        j.key("started").string(pod.started == drill::kNever ? "" : drill::iso(pod.started, 6)).end_object();
      }
      j.end_array().end_object();
    }
    j.end_array().end_object();
    fmt::print("{}\n", std::move(j).take());
    return;
  }
  fmt::print("lab {} ({}), {}\n", lab.options().id, lab.options().fleet.scenario, lab.home().string());
  for (const drill::Cluster& cluster : w.clusters) {
    fmt::print("\n{} ({})\n", cluster.name, cluster.region);
    for (uint32_t n = 0; n < cluster.nodes.size(); ++n) {
      fmt::print("  {:<44} {}\n", cluster.nodes[n].name, drill::ip_text(cluster.nodes[n].ip));
      for (const drill::Pod& pod : cluster.pods) {
        if (pod.node != n || pod.ended != drill::kNever) continue;
        const drill::Workload& x = w.workload_of(cluster, pod);
        fmt::print("    {:<42} {:<15} {}{}\n", x.ns + '/' + pod.name, drill::ip_text(pod.ip), x.kind,
                   x.host_network ? ", hostNetwork" : "");
      }
    }
  }
}

int up(const std::vector<std::string>& args) {
  lab::LabOptions o;
  std::string format = "table";
  bool no_sidecar = false;
  int64_t seed = 1, clusters = 2, nodes = 2, apps = 3, daemons = 4;
  Options options(
      "lab up", "brings up a scenario's fleet as namespaces and processes of this machine, joined to nothing else",
      "Example: egret lab up monitoring-agent\n         egret lab exec payments -- curl -s http://ifconfig.co\n         egret lab down");
  options.argument("SCENARIO", o.fleet.scenario, "whose fleet (default: monitoring-agent); nothing of its timeline happens", false)
      .value("--id", o.id, "ID", "name of this lab, where there are several")
      .value("--seed", seed, "N", "which of the scenario's worlds")
      .value("--clusters", clusters, "N", "how many")
      .value("--nodes", nodes, "N", "of each cluster")
      .value("--apps", apps, "N", "applications of each cluster that are not the scenario's own")
      .value("--daemons", daemons, "N", "daemonsets of each cluster that are not the scenario's own")
      .flag("--no-sidecar", no_sidecar, "no Envoy, also where the fleet has a mesh")
      .flag("--sensor", o.sensors, "egret-sensor on every node; its rows are in the lab's folder, logs/CLUSTER/sensor")
      .choice("--format", format, {"table", "json"}, "how to print what came up");
  if (const auto code = options.parse(args)) return *code;
  for (const auto& [name, value, least, most] :
       {std::tuple{"--clusters", clusters, 1, 6}, {"--nodes", nodes, 1, 20}, {"--apps", apps, 0, 30}, {"--daemons", daemons, 0, 20}})
    if (value < least || value > most)
      return report(Error{ErrorKind::kUsage, fmt::format("{} {} is not between {} and {}", name, value, least, most), {}});
  o.fleet.sidecars = !no_sidecar;
  o.fleet.seed = static_cast<uint64_t>(seed);
  o.fleet.clusters = static_cast<int>(clusters);
  o.fleet.nodes = static_cast<int>(nodes);
  o.fleet.apps = static_cast<int>(apps);
  o.fleet.daemons = static_cast<int>(daemons);
  const auto lab = Lab::up(o);
  if (!lab) return report(lab.error());
  print_status(**lab, format);
  return kDone;
}

int status(const std::vector<std::string>& args) {
  std::string id = "lab", format = "table";
  Options options("lab status", "nodes, pods and addresses");
  options.value("--id", id, "ID", "which lab").choice("--format", format, {"table", "json"}, "how to print");
  if (const auto code = options.parse(args)) return *code;
  const auto lab = Lab::open(id);
  if (!lab) return report(lab.error());
  print_status(**lab, format);
  return kDone;
}

int add_node(const std::vector<std::string>& args) {
  std::string id = "lab", cluster;
  bool restless = false;
  Options options("lab add-node", "a node joins a cluster and its daemons start on it");
  options.argument("CLUSTER", cluster, "its name", true)
      .value("--id", id, "ID", "which lab")
      .flag("--unreachable", restless,
            "agents cannot reach their own endpoint from it until egret lab exec NODE -- nft delete table inet boot");
  if (const auto code = options.parse(args)) return *code;
  const auto lab = Lab::open(id);
  if (!lab) return report(lab.error());
  std::vector<std::string> names;
  for (uint32_t c = 0; c < (*lab)->world().clusters.size(); ++c) {
    names.push_back((*lab)->world().clusters[c].name);
    if (names.back() != cluster) continue;
    const auto node = (*lab)->add_node(c, restless);
    if (!node) return report(node.error());
    fmt::print("{}\n", (*lab)->world().clusters[c].nodes[*node].name);
    return kDone;
  }
  return report(Error{ErrorKind::kNotFound, fmt::format("there is no cluster '{}'", cluster), "there are " + join(names, ", ")});
}

int exec(const std::vector<std::string>& args) {
  const auto dashes = std::find(args.begin(), args.end(), "--");
  std::string id = "lab", place;
  Options options("lab exec", "runs a command in a pod or on a node, in its network and its cgroups",
                  "Example: egret lab exec kube-system/coredns -- ss -tunap");
  options.argument("POD", place, "NAME, NAMESPACE/NAME or CLUSTER/NAMESPACE/NAME; of a node: its name", true)
      .value("--id", id, "ID", "which lab");
  if (const auto code = options.parse(std::vector<std::string>(args.begin(), dashes))) return *code;
  if (dashes == args.end() || dashes + 1 == args.end())
    return report(Error{ErrorKind::kUsage, "no command", "egret lab exec POD -- CMD ARGUMENTS…"});
  lab::Where where;
  {
    const auto lab = Lab::open(id);
    if (!lab) return report(lab.error());
    const auto found = find_place(**lab, place);
    if (!found) return report(found.error());
    where = found->node ? (*lab)->in_node(found->cluster, found->index) : (*lab)->in_pod(found->cluster, found->index);
  }
  const auto code = lab::attach(lab::Words(dashes + 1, args.end()), where);
  return code ? *code : report(code.error());
}

// Everything that programs of a pod or node printed or wrote down there: NAME, its kind of log, its lines.
struct Printed {
  std::string title;
  std::filesystem::path file;
};

std::vector<Printed> printed_by(const Lab& lab, const Found& f) {
  const drill::Cluster& cluster = lab.world().clusters[f.cluster];
  const std::string& name = f.node ? cluster.nodes[f.index].name : cluster.pods[f.index].name;
  const std::filesystem::path all = lab.home() / "logs", own = lab.log_folder(f.cluster);
  std::vector<Printed> found;
  std::error_code ec;
  const auto take = [&](const std::filesystem::path& folder, const std::string& beginning, std::string_view end, const std::string& kind) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ec)) {
      const std::string file = entry.path().filename().string();
      if (entry.is_regular_file(ec) && entry.file_size(ec) > 0 && file.starts_with(beginning) && file.ends_with(end))
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
      std::string part = file.filename().string().substr(beginning.size());
      part.resize(part.size() - std::min(part.size(), end.size()));
      found.push_back({kind + part, file});
    }
  };
  if (f.node) {
    take(all, "node-" + name + "-", ".out", "");
    take(lab.home() / "truth" / cluster.name, name + "-", ".jsonl", "connections of ");
    return found;
  }
  take(own, name + "-", ".out", "");
  take(own / "envoy", name, ".log", "access log of istio-proxy");
  take(lab.home() / "truth" / cluster.name, name, ".jsonl", "connections");
  take(lab.home() / "truth" / cluster.name, name, ".requests", "requests");
  if (lab.world().workload_of(cluster, cluster.pods[f.index]).name == "coredns") take(own, "coredns", ".log", "questions");
  return found;
}

int logs(const std::vector<std::string>& args) {
  std::string id = "lab", place;
  int64_t tail = 0;
  Options options("lab logs", "what the programs of a pod or a node printed and wrote down",
                  "Example: egret lab logs payments --tail 20\n"
                  "A pod's are those of its containers, its proxy's access log, and the connections that it made, each with its result.");
  options.argument("POD", place, "NAME, NAMESPACE/NAME or CLUSTER/NAMESPACE/NAME; of a node: its name. Without: what has any", false)
      .value("--id", id, "ID", "which lab")
      .value("--tail", tail, "N", "the last N lines of each (default: all)");
  if (const auto code = options.parse(args)) return *code;
  if (tail < 0) return report(Error{ErrorKind::kUsage, fmt::format("--tail {} is below 0", tail), {}});
  const auto lab = Lab::open(id);
  if (!lab) return report(lab.error());
  if (place.empty()) {
    for (uint32_t c = 0; c < (*lab)->world().clusters.size(); ++c) {
      const drill::Cluster& cluster = (*lab)->world().clusters[c];
      const auto line = [&](const Found& f, const std::string& name) {
        std::string kinds;
        for (const Printed& p : printed_by(**lab, f)) kinds += (kinds.empty() ? "" : ", ") + p.title;
        if (!kinds.empty()) fmt::print("{:<60} {}\n", name, kinds);
      };
      for (uint32_t n = 0; n < cluster.nodes.size(); ++n) line({c, n, true}, cluster.name + "/node/" + cluster.nodes[n].name);
      for (uint32_t p = 0; p < cluster.pods.size(); ++p)
        line({c, p, false},
             fmt::format("{}/{}/{}", cluster.name, (*lab)->world().workload_of(cluster, cluster.pods[p]).ns, cluster.pods[p].name));
    }
    return kDone;
  }
  const auto found = find_place(**lab, place, true);
  if (!found) return report(found.error());
  const std::vector<Printed> all = printed_by(**lab, *found);
  for (const Printed& p : all) {
    if (all.size() > 1) fmt::print("==> {}\n", terminal_safe(p.title));
    std::ifstream file(p.file);
    std::deque<std::string> lines;
    for (std::string line; std::getline(file, line);) {
      lines.push_back(std::move(line));
      if (tail > 0 && lines.size() > static_cast<size_t>(tail)) lines.pop_front();
    }
    for (const std::string& line : lines) fmt::print("{}\n", terminal_safe(line));
  }
  if (all.empty()) fmt::print(stderr, "egret: nothing was printed there yet\n");
  return kDone;
}

int down(const std::vector<std::string>& args) {
  std::string id = "lab";
  bool all = false;
  Options options("lab down", "ends and removes everything of a lab, also of one that was left behind half built");
  options.value("--id", id, "ID", "which lab").flag("--all", all, "every lab of this machine");
  if (const auto code = options.parse(args)) return *code;
  for (const std::string& which : all ? lab::lab_ids() : std::vector{id})
    if (const auto gone = Lab::down(which); !gone) return report(gone.error());
  return kDone;
}

int run(const std::vector<std::string>& args) {
  const std::string_view what = args.empty() ? "" : std::string_view(args[0]);
  const std::vector<std::string> rest = args.empty() ? args : std::vector<std::string>(args.begin() + 1, args.end());
  if (what == "up") return up(rest);
  if (what == "status") return status(rest);
  if (what == "add-node") return add_node(rest);
  if (what == "exec") return exec(rest);
  if (what == "logs") return logs(rest);
  if (what == "down") return down(rest);
  const bool help = what == "--help" || what == "-h";
  fmt::print(help ? stdout : stderr,
             "egret lab: a small real network of nodes and pods on this machine (root only), joined to nothing else\n\n"
             "Usage: egret lab up | status | add-node CLUSTER | exec POD -- CMD | logs [POD] | down [OPTIONS]\n\n"
             "  up        clusters, nodes, pods, a resolver for each region, an internet\n"
             "  status    what there is, with addresses\n"
             "  add-node  a node joins\n"
             "  exec      a command in a pod or on a node\n"
             "  logs      what programs of a pod or a node printed\n"
             "  down      removes everything, whatever state it is in\n");
  return help ? kDone : kWrongUsage;
}

}  // namespace

extern const Command kLab;
const Command kLab{"lab", "a small real network of nodes and pods on this machine", run};

}  // namespace egret::cli
