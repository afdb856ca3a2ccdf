#include "lab/lab.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "base/json.h"
#include "drill/writers.h"
#include "lab/cgroups.h"
#include "lab/envoy.h"
#include "lab/netns.h"
#include "lab/network.h"
#include "lab/state.h"

namespace egret::lab {

using namespace drill;
namespace fs = std::filesystem;

namespace {

bool good_id(std::string_view id) {
  return !id.empty() && id.size() <= 24 &&
         std::all_of(id.begin(), id.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

// A program of ours: where the environment says, or beside this one.
Result<std::string> program_beside(const char* variable, const std::string& name) {
  std::error_code ec;
  const char* chosen = std::getenv(variable);
  std::string path = chosen != nullptr ? chosen : fs::read_symlink("/proc/self/exe", ec).parent_path() / name;
  if (::access(path.c_str(), X_OK) != 0)
    return unavailable(fmt::format("{} is not there", path), fmt::format("it is built beside egret; {} names another place", variable));
  return path;
}

Result<void> check_id(std::string_view id) {
  if (good_id(id)) return {};
  return usage_error(fmt::format("'{}' cannot be a lab's id", id), "1 to 24 lower-case letters, digits and hyphens");
}

}  // namespace

Result<std::unique_ptr<Lab>> Lab::up(const LabOptions& options) {
  TRY_VOID(check_id(options.id));
  if (::geteuid() != 0) return unavailable("a lab needs root: it makes network namespaces and cgroups", "sudo egret lab up");
  std::unique_ptr<Lab> lab(new Lab);
  lab->options_ = options;
  TRY(lab->fleet_, make_fleet(options.fleet));
  TRY_VOID(lab->prepare());
  std::error_code ec;
  if (fs::exists(lab->home_, ec))
    return usage_error(fmt::format("a lab '{}' is there already", options.id),
                       fmt::format("egret lab down --id {0}, or another --id", options.id));
  fs::create_directories(lab->home_ / "net", ec);
  if (ec) return unavailable(fmt::format("{} cannot be made: {}", lab->home_.string(), ec.message()));
  TRY(Lock lock, Lock::take(lab->home_));
  lab->lock_ = std::make_unique<Lock>(std::move(lock));
  if (const auto built = lab->build(); !built) {
    Error e = built.error();
    if (const auto gone = remove_lab(lab->home_); !gone) e.hint += (e.hint.empty() ? "" : "; ") + gone.error().message;
    return std::unexpected(std::move(e));
  }
  return lab;
}

Result<std::unique_ptr<Lab>> Lab::open(const std::string& id) {
  TRY_VOID(check_id(id));
  std::unique_ptr<Lab> lab(new Lab);
  lab->options_.id = id;
  TRY_VOID(lab->prepare());
  std::ifstream file(lab->home_ / "lab.json");
  if (!file) return not_found(fmt::format("there is no lab '{}'", id), "egret lab up");
  std::stringstream text;
  text << file.rdbuf();
  TRY_VOID(lab->restore(text.str()));
  TRY(Lock lock, Lock::take(lab->home_));
  lab->lock_ = std::make_unique<Lock>(std::move(lock));
  return lab;
}

Result<void> Lab::down(const std::string& id) {
  TRY_VOID(check_id(id));
  const fs::path home = home_of(id);
  std::error_code ec;
  if (!fs::exists(home, ec)) return {};
  if (::geteuid() != 0) return unavailable("taking a lab down needs root");
  TRY(const Lock lock, Lock::take(home));
  return remove_lab(home);
}

Result<void> Lab::prepare() {
  home_ = home_of(options_.id);
  random_ = Random(static_cast<uint64_t>(now_micros())).fork(options_.id);
  TRY(program_, program_beside("EGRET_LAB_POD", "egret-lab-pod"));
  return {};
}

Result<void> Lab::namespace_at(const std::string& path) {
  TRY_VOID(note_made(home_, {Thing::Kind::kNetns, path}));
  return make_netns(path);
}

std::string Lab::internet_netns() const { return home_ / "net" / "internet"; }
std::string Lab::node_netns(uint32_t c, uint32_t n) const { return home_ / "net" / fmt::format("node-{}-{}", c, n); }
std::string Lab::pod_netns(uint32_t c, uint32_t p) const {
  const Pod& pod = world().clusters[c].pods[p];
  return world().workload_of(world().clusters[c], pod).host_network ? node_netns(c, pod.node)
                                                                    : std::string(home_ / "net" / fmt::format("pod-{}-{}", c, p));
}
std::string Lab::node_cgroup(uint32_t c, uint32_t n) const {
  return fmt::format("egret-lab-{}/{}", options_.id, world().clusters[c].nodes[n].name);
}
fs::path Lab::log_folder(uint32_t c) const { return home_ / "logs" / world().clusters[c].name; }

std::string Lab::resolv_conf(uint32_t c, bool of_node) const {
  return home_ / "scripts" / world().clusters[c].name / (of_node ? "resolv.node" : "resolv.pod");
}

Where Lab::in_node(uint32_t c, uint32_t n) const {
  Where w{node_netns(c, n), {}, resolv_conf(c, true), 0};
  for (const std::string& h : cgroup_hierarchies())
    w.cgroups.push_back(fmt::format("{}/{}/system.slice/lab.service", h, node_cgroup(c, n)));
  return w;
}

Where Lab::in_pod(uint32_t c, uint32_t p) const {
  const Pod& pod = world().clusters[c].pods[p];
  const Workload& x = world().workload_of(world().clusters[c], pod);
  Where w{pod_netns(c, p), {}, resolv_conf(c, x.dns_default), 0};
  for (const std::string& h : cgroup_hierarchies())
    w.cgroups.push_back(fmt::format("{}/{}/kubepods/burstable/pod{}/{}", h, node_cgroup(c, pod.node), pod.uid, pod.container_id));
  return w;
}

Result<void> Lab::build() {
  began_ = now_micros();
  TRY_VOID(save());
  for (const std::string& h : cgroup_hierarchies())
    TRY_VOID(note_made(home_, {Thing::Kind::kCgroup, fmt::format("{}/egret-lab-{}", h, options_.id)}));
  std::error_code ec;
  for (uint32_t c = 0; c < world().clusters.size(); ++c) {
    const Cluster& cluster = world().clusters[c];
    for (const char* folder : {"logs", "truth", "scripts"}) fs::create_directories(home_ / folder / cluster.name, ec);
    const fs::path scripts = home_ / "scripts" / cluster.name;
    TRY_VOID(write_file(scripts / "zone", zone_text(world(), c)));
    TRY_VOID(write_file(resolv_conf(c, false), fmt::format("nameserver {}\n", ip_text(cluster.dns_service))));
    TRY_VOID(write_file(resolv_conf(c, true), fmt::format("nameserver {}\n", kPlatformResolver)));
  }
  TRY_VOID(build_internet());
  TRY_VOID(check_isolated(internet_netns(), true));
  TRY_VOID(start_internet());
  for (uint32_t c = 0; c < world().clusters.size(); ++c) {
    Cluster& cluster = fleet_.world.clusters[c];
    for (int n = 0; n < options_.fleet.nodes; ++n) {
      cluster.nodes.push_back(next_node(fleet_, c, random_, now_micros()));
      TRY_VOID(build_node(c, static_cast<uint32_t>(n)));
      TRY_VOID(start_host_processes(c, static_cast<uint32_t>(n), false));  // it has booted long ago
      cluster.nodes.back().ready = now_micros();
    }
    // The resolver first: everybody asks it.
    for (const bool resolver : {true, false})
      for (uint32_t p = 0; p < cluster.placements.size(); ++p) {
        const Workload& x = world().workloads[cluster.placements[p].workload];
        if ((x.name == "coredns") != resolver) continue;
        if (is_run_to_its_end(x) || is_deployed_later(*fleet_.scenario, x)) continue;  // they come when their time has come
        const int replicas = x.on_nodes > 0        ? std::min(x.on_nodes, options_.fleet.nodes)
                             : is_on_every_node(x) ? options_.fleet.nodes
                                                   : cluster.placements[p].replicas;
        for (int r = 0; r < replicas; ++r) {
          const auto node = static_cast<uint32_t>((r + (is_on_every_node(x) || resolver ? 0 : static_cast<int>(p))) % options_.fleet.nodes);
          TRY_VOID(start_pod(c, p, node));
        }
      }
  }
  for (const auto& [pid, log] : started_) TRY_VOID(still_runs(pid, log));
  TRY_VOID(skip(static_cast<Micros>(options_.age_days * kDay)));
  fleet_.world.from = now_micros();
  return save();
}

Result<void> Lab::build_internet() {
  TRY_VOID(namespace_at(internet_netns()));
  return set_up(internet_netns(), internet_setup(world()));
}

Result<void> Lab::start_internet() {
  const std::string certificate = home_ / "certificate.pem", key = home_ / "key.pem";
  TRY_VOID(run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                "/CN=egret lab", "-keyout", key, "-out", certificate}));
  std::set<uint16_t> plain = {80}, secure = {443, 8443};
  Words c2;
  for (const Endpoint& e : world().endpoints) {
    if (!secure.contains(e.port)) plain.insert(e.port);
    if (e.listed == "c2") c2 = {ip_text(e.pools[0][0]), std::to_string(e.port)};
  }
  Words web = {program_, "web", "--certificate", certificate, "--key", key, "--udp", "4500", "--log", home_ / "logs" / "internet.log"};
  for (const uint16_t port : plain) web.insert(web.end(), {"--http", std::to_string(port)});
  for (const uint16_t port : secure) web.insert(web.end(), {"--tls", std::to_string(port)});
  TRY_VOID(start_on_internet("web", web));
  TRY_VOID(start_on_internet("metadata", {program_, "metadata", "--bind", std::string(kMetadataAddress), "--http", "80"}));
  if (!c2.empty())
    TRY_VOID(start_on_internet("c2", {program_, "c2", "--bind", c2[0], c2[1] == "443" || c2[1] == "8443" ? "--tls" : "--http", c2[1],
                                      "--certificate", certificate, "--key", key, "--log", home_ / "logs" / "c2.log"}));
  for (uint32_t c = 0; c < world().clusters.size(); ++c) {
    const std::string bridge = fmt::format("br{}", c);
    TRY_VOID(start_on_internet("resolver-" + bridge, {program_, "resolver", "--bind", std::string(kPlatformResolver), "--device", bridge,
                                                      "--zone", home_ / "scripts" / world().clusters[c].name / "zone"}));
    TRY_VOID(start_on_internet("border-" + bridge, {program_, "border", "--device", bridge, "--out", log_folder(c) / "border.tsv"}));
  }
  return {};
}

Result<pid_t> Lab::start_on_internet(const std::string& name, const Words& command) {
  TRY(std::vector<std::string> cgroups, make_cgroups(fmt::format("egret-lab-{}/internet/{}", options_.id, name)));
  const std::string log = home_ / "logs" / ("internet-" + name + ".out");
  TRY(const pid_t pid, start(command, {internet_netns(), std::move(cgroups), {}, 0}, log));
  started_.emplace_back(pid, log);
  return pid;
}

Result<pid_t> Lab::start_on_node(uint32_t c, uint32_t n, const std::string& name, const Words& command) {
  Where where = in_node(c, n);
  TRY(where.cgroups, make_cgroups(fmt::format("{}/system.slice/{}.service", node_cgroup(c, n), name)));
  return start(command, where, home_ / "logs" / fmt::format("node-{}-{}.out", world().clusters[c].nodes[n].name, name));
}

Result<void> Lab::build_node(uint32_t c, uint32_t n) {
  TRY_VOID(save());  // its name is known before it is there
  TRY_VOID(namespace_at(node_netns(c, n)));
  TRY_VOID(make_cgroups(node_cgroup(c, n) + "/kubepods/burstable"));
  TRY_VOID(make_cgroups(node_cgroup(c, n) + "/system.slice/lab.service"));
  TRY_VOID(set_up(internet_netns(), node_uplink(c, n, node_netns(c, n))));
  TRY_VOID(set_up(node_netns(c, n), node_setup(world(), c, n)));
  for (uint32_t other = 0; other < world().clusters[c].nodes.size(); ++other)
    if (other != n) TRY_VOID(set_up(node_netns(c, other), neighbour_route(world(), c, n)));
  TRY_VOID(check_isolated(internet_netns(), true));
  TRY_VOID(check_isolated(node_netns(c, n), false));
  return options_.sensors ? start_sensor(c, n) : Result<void>();
}

Result<void> Lab::start_sensor(uint32_t c, uint32_t n) {
  TRY(const std::string program, program_beside("EGRET_SENSOR", "egret-sensor"));
  const std::string& name = world().clusters[c].nodes[n].name;
  const fs::path out = log_folder(c) / "sensor" / name;
  std::error_code ec;
  fs::create_directories(out, ec);
  TRY(const std::string pods, write_pods(c, n));
  TRY(const pid_t pid, start_on_node(c, n, "egret-sensor",
                                     {program, "--out", out, "--cluster", world().clusters[c].name, "--node", name, "--cgroup-root",
                                      cgroup2_mount() + '/' + node_cgroup(c, n), "--netns", node_netns(c, n), "--pods", pods, "--window",
                                      "5s", "--segment-time", "1s"}));
  // It says on standard error when it sees everything; until then a contact could be missed.
  const std::string log = home_ / "logs" / fmt::format("node-{}-egret-sensor.out", name);
  for (int tries = 0; tries < 200; ++tries, ::usleep(50'000)) {
    TRY_VOID(still_runs(pid, log));
    if (fs::exists(log, ec) && fs::file_size(log, ec) > 0) return {};
  }
  return unavailable(fmt::format("the sensor of {} does not become ready", name), "see " + log);
}

Result<std::string> Lab::write_pods(uint32_t c, uint32_t n) const {
  const Cluster& cluster = world().clusters[c];
  JsonWriter w;
  w.begin_object().key("apiVersion").string("v1").key("kind").string("PodList").key("items").begin_array();
  const Micros now = now_micros();
  for (Pod p : cluster.pods) {
    if (p.node != n || p.ended != kNever) continue;
    p.started = std::min(p.started, now);  // it is about to start
    pod_json(w, world(), cluster, p, now, true, true);
  }
  w.end_array().end_object();
  const fs::path folder = home_ / "scripts" / cluster.name / "pods" / cluster.nodes[n].name;
  std::error_code ec;
  fs::create_directories(folder, ec);
  TRY_VOID(write_file(folder / "pods.new", std::move(w).take()));
  fs::rename(folder / "pods.new", folder / "pods.json", ec);
  return folder.string();
}

Result<void> Lab::capture(uint32_t c, uint32_t p, int seconds) {
  const Cluster& cluster = world().clusters[c];
  const Pod& pod = cluster.pods[p];
  const std::string& node = cluster.nodes[pod.node].name;
  TRY(const std::string pods, write_pods(c, pod.node));
  TRY(const std::string egret, program_beside("EGRET", "egret"));
  std::error_code ec;
  fs::create_directories(log_folder(c) / "capture", ec);
  TRY_VOID(start_on_node(c, pod.node, "capture-" + pod.name,
                         {egret, "pcap", "capture", "--pod", world().workload_of(cluster, pod).ns + '/' + pod.name, "--pods", pods,
                          "--node", node, "--cluster", cluster.name, "--for", fmt::format("{}s", seconds), "--max", "20MB", "--out",
                          log_folder(c) / "capture" / (pod.name + ".pcapng")}));
  return {};
}

Result<void> Lab::end_sensors() {
  for (uint32_t c = 0; c < world().clusters.size(); ++c)
    for (uint32_t n = 0; n < world().clusters[c].nodes.size(); ++n)
      TRY_VOID(ask_to_end(fmt::format("{}/{}/system.slice/egret-sensor.service", cgroup_hierarchies().front(), node_cgroup(c, n))));
  return {};
}

Result<uint32_t> Lab::add_node(uint32_t c, bool restless) {
  Cluster& cluster = fleet_.world.clusters[c];
  const auto n = static_cast<uint32_t>(cluster.nodes.size());
  cluster.changes.push_back({now_micros(), Change::What::kScaleUp, 0, 0, n, 0, "", ""});
  cluster.nodes.push_back(next_node(fleet_, c, random_, now_micros()));
  cluster.nodes[n].autoscaled = true;
  TRY_VOID(build_node(c, n));
  TRY_VOID(start_host_processes(c, n, true));
  if (restless) {
    std::vector<Ip> own;
    for (const Placement& p : cluster.placements) {
      const Workload& x = world().workloads[p.workload];
      const bool checks =
          std::any_of(x.habits.begin(), x.habits.end(), [](const Habit& h) { return h.culprit && h.on == Act::On::kNodeStart; });
      if (!checks) continue;
      own.push_back(cluster.api_server);
      for (const Habit& h : x.habits)
        if (!h.culprit)
          for (const Ip ip : world().endpoints[h.endpoint].pools[cluster.region_index]) own.push_back(ip);
    }
    if (!own.empty()) TRY_VOID(set_up(node_netns(c, n), unreachable_rules(own)));
    restless_[{c, n}] = now_micros() + static_cast<Micros>((options_.boot_seconds + options_.unreachable) * kSecond);
  }
  ::usleep(static_cast<useconds_t>(options_.boot_seconds * 1e6));
  cluster.nodes[n].ready = now_micros();
  for (uint32_t p = 0; p < cluster.placements.size(); ++p)
    if (comes_with_nodes(c, p)) TRY_VOID(start_pod(c, p, n));
  TRY_VOID(save());
  return n;
}

Result<uint32_t> Lab::start_pod(uint32_t c, uint32_t placement, uint32_t node) {
  Cluster& cluster = fleet_.world.clusters[c];
  const auto p = static_cast<uint32_t>(cluster.pods.size());
  cluster.pods.push_back(next_pod(fleet_, c, placement, node, random_, now_micros()));
  if (!next_job_.empty()) {
    cluster.pods[p].job = next_job_;
    cluster.pods[p].job_uid = random_.uuid();
    cluster.pods[p].name = fmt::format("{}-{}", next_job_, random_.kube_suffix(5));
  }
  TRY_VOID(save());
  const Workload& x = world().workload_of(cluster, cluster.pods[p]);
  if (!x.host_network) {
    TRY_VOID(namespace_at(pod_netns(c, p)));
    TRY_VOID(set_up(node_netns(c, node), pod_uplink(world(), c, p, pod_netns(c, p))));
    TRY_VOID(set_up(pod_netns(c, p), pod_setup(world(), c, p)));
    if (x.sidecar) TRY_VOID(set_up(pod_netns(c, p), sidecar_rules()));
    TRY_VOID(check_isolated(pod_netns(c, p), false));
  }
  if (options_.sensors) TRY_VOID(write_pods(c, node));
  TRY_VOID(run_containers(c, p));
  // Whom a service address leads to has changed.
  if (x.name == "coredns" || x.ssrf)
    for (uint32_t n = 0; n < cluster.nodes.size(); ++n) TRY_VOID(set_up(node_netns(c, n), node_rules(world(), c, n)));
  TRY_VOID(save());
  return p;
}

Result<void> Lab::run_containers(uint32_t c, uint32_t p) {
  Pod& pod = fleet_.world.clusters[c].pods[p];
  const std::string& cluster = world().clusters[c].name;
  TRY(const std::vector<Program> programs, programs_of(world(), c, p, folders(c)));
  for (const Program& program : programs) {
    Where where = in_pod(c, p);
    TRY(where.cgroups, make_cgroups(fmt::format("{}/kubepods/burstable/pod{}/{}", node_cgroup(c, pod.node), pod.uid, program.id)));
    where.gid = program.gid;
    const std::string log = home_ / "logs" / cluster / fmt::format("{}-{}.out", pod.name, program.container);
    TRY(const pid_t pid, start(program.command, where, log));
    if (world().workload_of(world().clusters[c], pod).kind == "CronJob")
      runs_[pid] = {c, p};
    else
      started_.emplace_back(pid, log);
  }
  (pod.started == kNever ? pod.started : pod.restarts.emplace_back()) = now_micros();
  return {};
}

Result<void> Lab::stop_pod(uint32_t c, uint32_t p) {
  Pod& pod = fleet_.world.clusters[c].pods[p];
  for (const std::string& h : cgroup_hierarchies()) {
    const std::string folder = fmt::format("{}/{}/kubepods/burstable/pod{}", h, node_cgroup(c, pod.node), pod.uid);
    TRY_VOID(end_processes(folder));
    TRY_VOID(remove_cgroup(folder));
  }
  pod.ended = pod.removed = now_micros();
  return save();
}

Result<void> Lab::restart_pod(uint32_t c, uint32_t p) {
  const Pod& pod = world().clusters[c].pods[p];
  for (const std::string& folder : in_pod(c, p).cgroups) TRY_VOID(end_processes(folder));
  TRY_VOID(run_containers(c, p));
  fleet_.world.clusters[c].changes.push_back({now_micros(), Change::What::kRestart, pod.placement, 0, pod.node, p, "", ""});
  return save();
}

Result<void> Lab::release(uint32_t c, uint32_t placement) {
  Cluster& cluster = fleet_.world.clusters[c];
  std::vector<Revision>& coming = fleet_.coming[c][placement];
  Placement& place = cluster.placements[placement];
  if (coming.empty())
    return usage_error(fmt::format("no further version of {} is planned in {}", world().workloads[place.workload].name, cluster.name));
  Revision next = coming.front();
  coming.erase(coming.begin());
  next.at = now_micros();
  place.revisions.push_back(next);
  cluster.changes.push_back({next.at, Change::What::kRollout, placement, static_cast<uint32_t>(place.revisions.size() - 1), 0, 0,
                             world().workloads[place.workload].name, next.by});
  if (next.bad && cluster.affected) fleet_.world.bad_release = next.at;
  const auto before = static_cast<uint32_t>(cluster.pods.size());
  for (uint32_t p = 0; p < before; ++p) {
    if (cluster.pods[p].placement != placement || cluster.pods[p].ended != kNever) continue;
    TRY_VOID(start_pod(c, placement, cluster.pods[p].node));
    TRY_VOID(stop_pod(c, p));
  }
  for (uint32_t n = 0; n < cluster.nodes.size(); ++n) TRY_VOID(set_up(node_netns(c, n), node_rules(world(), c, n)));
  return save();
}

Folders Lab::folders(uint32_t c) const {
  const std::string& cluster = world().clusters[c].name;
  return {log_folder(c), home_ / "truth" / cluster, home_ / "scripts" / cluster, program_, options_.compress};
}

Result<void> Lab::start_host_processes(uint32_t c, uint32_t n, bool boots) {
  const Cluster& cluster = world().clusters[c];
  for (const Workload& x : world().workloads) {
    if (x.kind != "HostProcess" || (x.only_affected && !cluster.affected)) continue;
    TRY(const Words command, host_program(world(), x, cluster.nodes[n].name, boots, folders(c)));
    TRY_VOID(start_on_node(c, n, x.name, command));
  }
  return {};
}

Result<void> Lab::run_job(uint32_t c, uint32_t placement, Micros scheduled) {
  Cluster& cluster = fleet_.world.clusters[c];
  const Workload& x = world().workloads[cluster.placements[placement].workload];
  std::vector<uint32_t> ready;
  for (uint32_t n = 0; n < cluster.nodes.size(); ++n)
    if (cluster.nodes[n].ready != 0) ready.push_back(n);
  if (x.kind == "Job") {
    cluster.placements[placement].revisions[0].at = now_micros();
    return start_pod(c, placement, random_.pick(ready)) ? Result<void>() : unavailable(fmt::format("the Job {} does not start", x.name));
  }
  next_job_ = fmt::format("{}-{}", x.name, scheduled);
  const auto started = start_pod(c, placement, random_.pick(ready));
  next_job_.clear();
  if (!started) return std::unexpected(started.error());
  return {};
}

// As kubelet and the CronJob's controller leave it: the pod's object stays with what it ended as, those of the last three runs at least.
Result<void> Lab::end_job(uint32_t c, uint32_t p) {
  Cluster& cluster = fleet_.world.clusters[c];
  TRY_VOID(stop_pod(c, p));
  Pod& pod = cluster.pods[p];
  pod.succeeded = true;
  pod.removed = kNever;
  int kept = 0;  // a Job's own stay for good
  for (size_t i = cluster.pods.size(); i-- > 0;) {
    Pod& other = cluster.pods[i];
    if (other.placement == pod.placement && other.succeeded && other.removed == kNever && ++kept > 3) other.removed = now_micros();
  }
  return save();
}

bool Lab::comes_with_nodes(uint32_t c, uint32_t placement) const {
  const Cluster& cluster = world().clusters[c];
  const Workload& x = world().workloads[cluster.placements[placement].workload];
  const bool deployed = std::ranges::any_of(cluster.pods, [&](const Pod& p) { return p.placement == placement; });
  return is_on_every_node(x) && x.on_nodes == 0 && (deployed || !is_deployed_later(*fleet_.scenario, x));
}

Result<void> Lab::deploy(uint32_t c, uint32_t placement) {
  const Cluster& cluster = world().clusters[c];
  const Workload& x = world().workloads[cluster.placements[placement].workload];
  if (is_run_to_its_end(x)) return run_job(c, placement, now_micros() / kMinute);
  fleet_.world.clusters[c].placements[placement].revisions[0].at = now_micros();
  std::vector<uint32_t> nodes;
  for (uint32_t n = 0; n < cluster.nodes.size(); ++n)
    if (cluster.nodes[n].ready != 0) nodes.push_back(n);
  random_.shuffle(nodes);
  const size_t all = nodes.size();
  const size_t pods = x.on_nodes > 0        ? std::min<size_t>(static_cast<size_t>(x.on_nodes), all)
                      : is_on_every_node(x) ? all
                      : x.kind == "Pod"     ? 1
                                            : static_cast<size_t>(cluster.placements[placement].replicas);
  for (size_t i = 0; i < pods; ++i)
    if (const auto started = start_pod(c, placement, nodes[i % all]); !started) return std::unexpected(started.error());
  return {};
}

Result<void> Lab::end_jobs() {
  for (uint32_t c = 0; c < world().clusters.size(); ++c)
    for (uint32_t p = 0; p < world().clusters[c].pods.size(); ++p)
      if (world().clusters[c].pods[p].ended == kNever &&
          world().workload_of(world().clusters[c], world().clusters[c].pods[p]).kind == "Job")
        TRY_VOID(end_job(c, p));
  return {};
}

Result<void> Lab::change_settings(uint32_t c, uint32_t placement, const std::string& by) {
  Cluster& cluster = fleet_.world.clusters[c];
  const Workload& x = world().workloads[cluster.placements[placement].workload];
  std::string text;
  for (const Habit& h : x.habits)
    if (h.after_config) text += fmt::format("update.url=https://{}/v1\n", world().endpoints[h.endpoint].name);
  const Micros now = now_micros();
  TRY_VOID(write_file(settings_file(folders(c), x), text));
  cluster.changes.push_back(
      {now, Change::What::kConfigMap, placement, 0, 0, 0, x.config_maps.empty() ? x.name + "-config" : x.config_maps[0], by});
  if (cluster.affected) fleet_.world.config_change = now;
  return save();
}

Result<void> Lab::tend() {
  for (auto at = runs_.begin(); at != runs_.end();) {
    int status = 0;
    if (::waitpid(at->first, &status, WNOHANG) != at->first) {
      ++at;
      continue;
    }
    TRY_VOID(end_job(at->second.first, at->second.second));
    at = runs_.erase(at);
  }
  for (auto at = restless_.begin(); at != restless_.end();) {
    if (at->second > now_micros()) {
      ++at;
      continue;
    }
    TRY_VOID(set_up(node_netns(at->first.first, at->first.second), unreachable_rules({})));
    at = restless_.erase(at);
  }
  return {};
}

Result<void> Lab::skip(Micros by) {
  if (by <= 0) return {};
  lapse_.skip(now_micros(), by / kSecond * kSecond);
  return save();
}

Result<void> Lab::save() const {
  const fs::path fresh = home_ / "lab.json.new";
  TRY_VOID(write_file(fresh, state_text(options_, fleet_, lapse_, began_)));
  std::error_code ec;
  fs::rename(fresh, home_ / "lab.json", ec);
  if (ec) return unavailable(fmt::format("{} cannot be written: {}", (home_ / "lab.json").string(), ec.message()));
  return {};
}

Result<void> Lab::restore(const std::string& text) { return read_state(text, options_, fleet_, lapse_, began_); }

}  // namespace egret::lab
