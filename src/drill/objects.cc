// Kubernetes objects as the API server shows them.
#include <fmt/format.h>

#include <algorithm>

#include "drill/writers.h"

namespace egret::drill {
namespace {

void text(JsonWriter& w, std::string_view key, std::string_view value) { w.key(key).string(value); }
void number(JsonWriter& w, std::string_view key, int64_t value) { w.key(key).number(value); }
void truth(JsonWriter& w, std::string_view key, bool value) { w.key(key).boolean(value); }

void kind_of(JsonWriter& w, bool wanted, std::string_view kind) {
  if (!wanted) return;
  text(w, "apiVersion", api_version(kind));
  text(w, "kind", kind);
}

void owner(JsonWriter& w, std::string_view kind, std::string_view name, std::string_view uid) {
  w.key("ownerReferences").begin_array().begin_object();
  text(w, "apiVersion", api_version(kind));
  if (kind != "Node") truth(w, "blockOwnerDeletion", true);
  truth(w, "controller", true);
  text(w, "kind", kind);
  text(w, "name", name);
  text(w, "uid", uid);
  w.end_object().end_array();
}

void labels(JsonWriter& w, const Workload& x, const Revision* r, const Pod* p) {
  w.key("labels").begin_object();
  text(w, x.app_label_key, x.app_label);
  if (!x.criticality.empty()) text(w, "criticality", x.criticality);
  if (r != nullptr) {
    if (x.kind == "Deployment") text(w, "pod-template-hash", r->hash);
    if (x.kind == "DaemonSet" || x.kind == "StatefulSet") text(w, "controller-revision-hash", r->hash);
    if (x.kind == "DaemonSet") text(w, "pod-template-generation", std::to_string(r->number));
    if (!x.system && x.kind != "Pod") text(w, "version", r->tag);
  }
  if (p != nullptr && !p->job.empty()) text(w, "job-name", p->job);
  w.end_object();
}

std::string side_image(const Workload& x, std::string_view name) {
  if (name == "istio-proxy") return "docker.io/istio/proxyv2:1.23.3";
  if (name == x.injected) return fmt::format("docker.io/{0}/{0}:latest", name);
  return fmt::format("mcr.microsoft.com/oss/{}:v1.0.0", name);
}

std::string hash_of(std::string_view s, size_t n) { return Random(7).fork(s).hex(n); }

void container(JsonWriter& w, const Workload& x, const Revision& r, std::string_view name, bool main) {
  w.begin_object();
  if (main && !x.arguments.empty()) {
    w.key("args").begin_array();
    for (const auto& a : x.arguments) w.string(a);
    w.end_array();
  }
  auto env = x.env;
  if (r.bad) env.insert(env.end(), x.bad_env.begin(), x.bad_env.end());
  if (main && !env.empty()) {
    w.key("env").begin_array();
    for (const auto& [k, v] : env) {
      w.begin_object();
      text(w, "name", k);
      text(w, "value", v);
      w.end_object();
    }
    w.begin_object();
    text(w, "name", "POD_IP");
    w.key("valueFrom").begin_object().key("fieldRef").begin_object();
    text(w, "apiVersion", "v1");
    text(w, "fieldPath", "status.podIP");
    w.end_object().end_object().end_object().end_array();
  }
  text(w, "image", main ? image_of(x, r) : side_image(x, name));
  text(w, "imagePullPolicy", main && x.pull_always ? "Always" : "IfNotPresent");
  text(w, "name", name);
  if (main && !x.system) w.key("ports").raw(R"([{"containerPort":8080,"name":"http","protocol":"TCP"}])");
  w.key("resources").raw(R"({"limits":{"cpu":"500m","memory":"512Mi"},"requests":{"cpu":"100m","memory":"128Mi"}})");
  text(w, "terminationMessagePath", "/dev/termination-log");
  text(w, "terminationMessagePolicy", "File");
  w.key("volumeMounts").begin_array();
  if (main) {
    for (const auto& m : x.config_maps) w.raw(fmt::format(R"({{"mountPath":"/etc/{0}","name":"{0}","readOnly":true}})", m));
    for (const auto& s : x.secrets) w.raw(fmt::format(R"({{"mountPath":"/var/run/secrets/{0}","name":"{0}","readOnly":true}})", s));
  }
  w.raw(R"({"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","name":"kube-api-access-x7k2p","readOnly":true})");
  w.end_array().end_object();
}

void pod_spec(JsonWriter& w, const Workload& x, const Revision& r, std::string_view node, bool live) {
  w.key("spec").begin_object();
  w.key("containers").begin_array();
  container(w, x, r, x.container, true);
  for (const auto& side : x.images_side) container(w, x, r, side, false);
  if (live && !x.injected.empty() && r.bad) container(w, x, r, x.injected, false);
  if (live && x.sidecar) container(w, x, r, "istio-proxy", false);
  w.end_array();
  text(w, "dnsPolicy", x.dns_default ? "Default" : "ClusterFirst");
  truth(w, "enableServiceLinks", true);
  if (x.host_network) truth(w, "hostNetwork", true);
  if (!node.empty()) text(w, "nodeName", node);
  text(w, "restartPolicy", x.kind == "CronJob" || x.kind == "Job" ? "OnFailure" : x.kind == "Pod" ? "Never" : "Always");
  text(w, "schedulerName", "default-scheduler");
  w.key("securityContext").raw("{}");
  text(w, "serviceAccount", x.service_account);
  text(w, "serviceAccountName", x.service_account);
  number(w, "terminationGracePeriodSeconds", 30);
  if (x.kind == "DaemonSet") w.key("tolerations").raw(R"([{"operator":"Exists"}])");
  w.key("volumes").begin_array();
  for (const auto& m : x.config_maps)
    w.raw(fmt::format(R"({{"configMap":{{"defaultMode":420,"name":"{0}","optional":true}},"name":"{0}"}})", m));
  for (const auto& s : x.secrets) w.raw(fmt::format(R"({{"name":"{0}","secret":{{"defaultMode":420,"secretName":"{0}"}}}})", s));
  if (live)
    w.raw(
        R"({"name":"kube-api-access-x7k2p","projected":{"defaultMode":420,"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"items":[{"key":"ca.crt","path":"ca.crt"}],"name":"kube-root-ca.crt"}}]}})");
  w.end_array().end_object();
}

void statuses(JsonWriter& w, const Workload& x, const Revision& r, const Pod& p, Micros at) {
  w.key("containerStatuses").begin_array();
  const std::vector<std::string> names = containers_of(x, &r);
  const auto restarts = std::count_if(p.restarts.begin(), p.restarts.end(), [&](Micros t) { return t <= at; });
  for (const auto& name : names) {
    const bool main = name == x.container;
    const bool over = p.succeeded && p.ended <= at;
    w.begin_object();
    text(w, "containerID", "containerd://" + container_id(x, p, name));
    const std::string image = main ? image_of(x, r) : side_image(x, name);
    text(w, "image", image);
    text(w, "imageID", main ? x.image + '@' + r.digest : image.substr(0, image.rfind(':')) + "@sha256:" + hash_of(image, 64));
    w.key("lastState")
        .raw(main && restarts > 0
                 ? fmt::format(R"({{"terminated":{{"exitCode":137,"finishedAt":"{}","reason":"Error","startedAt":"{}"}}}})",
                               iso(p.start_of(at) - kSecond), iso(p.started))
                 : "{}");
    text(w, "name", name);
    truth(w, "ready", !over);
    number(w, "restartCount", main ? restarts : 0);
    truth(w, "started", !over);
    w.key("state").raw(
        over
            ? fmt::format(
                  R"({{"terminated":{{"containerID":"containerd://{}","exitCode":0,"finishedAt":"{}","reason":"Completed","startedAt":"{}"}}}})",
                  p.container_id, iso(p.ended), iso(p.started))
            : fmt::format(R"({{"running":{{"startedAt":"{}"}}}})", iso(main ? p.start_of(at) : p.started)));
    w.end_object();
  }
  w.end_array();
}

}  // namespace

std::vector<std::string> containers_of(const Workload& x, const Revision* r) {
  std::vector<std::string> names = {x.container};
  names.insert(names.end(), x.images_side.begin(), x.images_side.end());
  if (!x.injected.empty() && r != nullptr && r->bad) names.push_back(x.injected);
  if (x.sidecar) names.emplace_back("istio-proxy");
  return names;
}

std::string container_id(const Workload& x, const Pod& p, std::string_view name) {
  return name == x.container ? p.container_id : hash_of(p.uid + std::string(name), 64);
}

std::string status_patch(const World& world, const Cluster& c, const Pod& p, Micros at) {
  const Workload& x = world.workload_of(c, p);
  const Node& n = c.nodes[p.node];
  JsonWriter w;
  w.begin_object().key("metadata").raw(fmt::format(R"({{"uid":"{}"}})", p.uid)).key("status").begin_object();
  statuses(w, x, c.placements[p.placement].revisions[p.revision], p, at);
  text(w, "hostIP", ip_text(n.ip));
  text(w, "phase", "Running");
  text(w, "podIP", ip_text(p.ip));
  w.key("podIPs").raw(fmt::format(R"([{{"ip":"{}"}}])", ip_text(p.ip)));
  text(w, "startTime", iso(std::max(p.created, n.created)));
  w.end_object().end_object();
  return std::move(w).take();
}

std::string_view api_version(std::string_view kind) {
  if (kind == "Deployment" || kind == "ReplicaSet" || kind == "StatefulSet" || kind == "DaemonSet" || kind == "ControllerRevision")
    return "apps/v1";
  if (kind == "Job" || kind == "CronJob") return "batch/v1";
  return "v1";
}

std::string image_pulled(const Workload& x, const Revision& r) {
  if (!x.pull_always) return fmt::format("Container image \"{}\" already present on machine", image_of(x, r));
  const uint64_t ms = Random(7).fork(x.name + r.digest).below(2000) + 300;
  return fmt::format("Successfully pulled image \"{}\" in {}ms ({}ms including waiting)", image_of(x, r), ms, ms);
}

std::string image_of(const Workload& x, const Revision& r) { return x.image + ':' + r.tag; }
std::string replica_set_name(const Workload& x, const Revision& r) { return x.name + '-' + r.hash; }

const Revision& revision_at(const Placement& p, Micros at) {
  const Revision* found = &p.revisions.front();
  for (const Revision& r : p.revisions)
    if (r.at <= at) found = &r;
  return *found;
}

void pod_json(JsonWriter& w, const World& world, const Cluster& c, const Pod& p, Micros at, bool with_status, bool with_kind) {
  const Placement& place = c.placements[p.placement];
  const Workload& x = world.workload_of(c, p);
  const Revision& r = place.revisions[p.revision];
  const Node& n = c.nodes[p.node];
  w.begin_object();
  kind_of(w, with_kind, "Pod");
  w.key("metadata").begin_object();
  if (x.kind == "StaticPod") {
    w.key("annotations")
        .raw(fmt::format(
            R"({{"kubernetes.io/config.hash":"{0}","kubernetes.io/config.mirror":"{0}","kubernetes.io/config.seen":"{1}","kubernetes.io/config.source":"file"}})",
            hash_of(p.uid, 32), iso(p.created)));
  } else if (x.sidecar) {
    w.key("annotations").raw(R"({"sidecar.istio.io/status":"{\"initContainers\":[\"istio-init\"],\"containers\":[\"istio-proxy\"]}"})");
  }
  text(w, "creationTimestamp", iso(p.created));
  if (x.kind == "Deployment")
    text(w, "generateName", replica_set_name(x, r) + '-');
  else if (x.kind == "DaemonSet" || x.kind == "StatefulSet")
    text(w, "generateName", x.name + '-');
  else if (!p.job.empty())
    text(w, "generateName", p.job + '-');
  labels(w, x, &r, &p);
  text(w, "name", p.name);
  text(w, "namespace", x.ns);
  if (x.kind == "Deployment")
    owner(w, "ReplicaSet", replica_set_name(x, r), r.rs_uid);
  else if (x.kind == "CronJob" || x.kind == "Job")
    owner(w, "Job", p.job, p.job_uid);
  else if (x.kind == "StaticPod")
    owner(w, "Node", n.name, n.uid);
  else if (x.kind != "Pod")
    owner(w, x.kind, x.name, place.uid);
  text(w, "resourceVersion", std::to_string(10'000'000 + at / kSecond % 80'000'000));
  text(w, "uid", p.uid);
  w.end_object();
  pod_spec(w, x, r, with_status ? n.name : "", true);
  w.key("status").begin_object();
  if (with_status) {
    const bool over = p.succeeded && p.ended <= at;
    w.key("conditions")
        .raw(fmt::format(
            R"([{{"lastProbeTime":null,"lastTransitionTime":"{0}","status":"True","type":"Initialized"}},{{"lastProbeTime":null,"lastTransitionTime":"{1}","status":"{2}","type":"Ready"}},{{"lastProbeTime":null,"lastTransitionTime":"{0}","status":"True","type":"PodScheduled"}}])",
            iso(p.created), iso(p.start_of(at) + kSecond), over ? "False" : "True"));
    statuses(w, x, r, p, at);
    text(w, "hostIP", ip_text(n.ip));
    text(w, "phase", over ? "Succeeded" : "Running");
    text(w, "podIP", ip_text(p.ip));
    w.key("podIPs").raw(fmt::format(R"([{{"ip":"{}"}}])", ip_text(p.ip)));
    text(w, "qosClass", "Burstable");
    text(w, "startTime", iso(std::max(p.created, n.created)));
  } else {
    text(w, "phase", "Pending");
    text(w, "qosClass", "Burstable");
  }
  w.end_object().end_object();
}

void node_json(JsonWriter& w, const World& world, const Cluster& c, const Node& n, Micros at, bool with_kind) {
  (void)world;
  w.begin_object();
  kind_of(w, with_kind, "Node");
  w.key("metadata").begin_object();
  w.key("annotations")
      .raw(R"({"csi.volume.kubernetes.io/nodeid":"{\"disk.csi.azure.com\":\")" + n.name +
           R"(\"}","node.alpha.kubernetes.io/ttl":"0","volumes.kubernetes.io/controller-managed-attach-detach":"true"})");
  text(w, "creationTimestamp", iso(n.created));
  w.key("labels").begin_object();
  const std::string pool = c.vmss.substr(4, c.vmss.find('-', 4) - 4);
  text(w, "agentpool", pool);
  text(w, "beta.kubernetes.io/arch", "amd64");
  text(w, "beta.kubernetes.io/instance-type", "Standard_D4s_v5");
  text(w, "failure-domain.beta.kubernetes.io/region", c.region);
  text(w, "kubernetes.azure.com/agentpool", pool);
  text(w, "kubernetes.azure.com/cluster", c.node_group);
  text(w, "kubernetes.azure.com/mode", "system");
  text(w, "kubernetes.io/arch", "amd64");
  text(w, "kubernetes.io/hostname", n.name);
  text(w, "kubernetes.io/os", "linux");
  text(w, "node.kubernetes.io/instance-type", "Standard_D4s_v5");
  text(w, "topology.kubernetes.io/region", c.region);
  text(w, "topology.kubernetes.io/zone", c.region + "-1");
  w.end_object();
  text(w, "name", n.name);
  text(w, "resourceVersion", std::to_string(10'000'000 + at / kSecond % 80'000'000));
  text(w, "uid", n.uid);
  w.end_object();
  w.key("spec").begin_object();
  text(w, "podCIDR", fmt::format("{}/24", ip_text(c.pod_base + (static_cast<Ip>(n.pod_block) << 8))));
  w.key("podCIDRs").begin_array().string(fmt::format("{}/24", ip_text(c.pod_base + (static_cast<Ip>(n.pod_block) << 8)))).end_array();
  text(w, "providerID", n.provider_id);
  w.end_object();
  w.key("status").begin_object();
  w.key("addresses")
      .raw(fmt::format(R"([{{"address":"{}","type":"InternalIP"}},{{"address":"{}","type":"Hostname"}}])", ip_text(n.ip), n.name));
  w.key("allocatable").raw(R"({"cpu":"3860m","memory":"12899640Ki","pods":"110"})");
  const bool ready = at >= n.ready;
  w.key("conditions")
      .raw(fmt::format(
          R"([{{"lastHeartbeatTime":"{0}","lastTransitionTime":"{1}","message":"kubelet {3} ready status","reason":"{2}","status":"{4}","type":"Ready"}}])",
          iso(at), iso(ready ? n.ready : n.created), ready ? "KubeletReady" : "KubeletNotReady", ready ? "is posting" : "is not posting",
          ready ? "True" : "False"));
  w.key("nodeInfo")
      .raw(fmt::format(
          R"({{"architecture":"amd64","containerRuntimeVersion":"containerd://1.7.22-1","kernelVersion":"5.15.0-1073-azure","kubeProxyVersion":"v{0}","kubeletVersion":"v{0}","operatingSystem":"linux","osImage":"Ubuntu 22.04.5 LTS"}})",
          c.version));
  w.end_object().end_object();
}

namespace {

void workload_meta(JsonWriter& w, const Workload& x, const Placement& p, const Revision& r, Micros created) {
  w.key("metadata").begin_object();
  if (x.kind == "Deployment") w.key("annotations").raw(fmt::format(R"({{"deployment.kubernetes.io/revision":"{}"}})", r.number));
  if (x.kind == "DaemonSet") w.key("annotations").raw(fmt::format(R"({{"deprecated.daemonset.template.generation":"{}"}})", r.number));
  text(w, "creationTimestamp", iso(created));
  number(w, "generation", r.number);
  labels(w, x, nullptr, nullptr);
  text(w, "name", x.name);
  text(w, "namespace", x.ns);
  text(w, "resourceVersion", std::to_string(10'000'000 + r.at / kSecond % 80'000'000));
  text(w, "uid", p.uid);
  w.end_object();
}

void selector(JsonWriter& w, const Workload& x) {
  w.key("selector").begin_object().key("matchLabels").begin_object();
  text(w, x.app_label_key, x.app_label);
  w.end_object().end_object();
}

void pod_template(JsonWriter& w, const Workload& x, const Revision& r, bool hash) {
  w.key("template").begin_object();
  w.key("metadata").begin_object();
  w.key("labels").begin_object();
  text(w, x.app_label_key, x.app_label);
  if (!x.criticality.empty()) text(w, "criticality", x.criticality);
  if (!x.system) text(w, "version", r.tag);
  if (hash) text(w, "pod-template-hash", r.hash);
  w.end_object().end_object();
  pod_spec(w, x, r, "", false);
  w.end_object();
}

}  // namespace

void workload_json(JsonWriter& w, const World& world, const Cluster& c, const Placement& p, const Revision& r, bool with_status,
                   bool with_kind) {
  (void)c;
  const Workload& x = world.workloads[p.workload];
  w.begin_object();
  kind_of(w, with_kind, x.kind);
  workload_meta(w, x, p, r, p.deployed != 0 ? p.deployed : p.revisions.front().at - 30 * kDay);
  w.key("spec").begin_object();
  if (x.kind == "CronJob") {
    text(w, "concurrencyPolicy", "Forbid");
    number(w, "failedJobsHistoryLimit", 1);
    w.key("jobTemplate").begin_object().key("metadata").raw("{}").key("spec").begin_object();
    pod_template(w, x, r, false);
    w.end_object().end_object();
    text(w, "schedule", x.schedule);
    number(w, "successfulJobsHistoryLimit", 3);
    truth(w, "suspend", false);
  } else if (x.kind == "Job") {
    number(w, "backoffLimit", 6);
    number(w, "completions", 1);
    number(w, "parallelism", 1);
    pod_template(w, x, r, false);
  } else {
    if (x.kind != "DaemonSet") number(w, "replicas", p.replicas);
    number(w, "revisionHistoryLimit", 10);
    selector(w, x);
    if (x.kind == "StatefulSet") text(w, "serviceName", x.name);
    if (x.kind == "Deployment")
      w.key("strategy").raw(R"({"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"},"type":"RollingUpdate"})");
    pod_template(w, x, r, false);
    if (x.kind != "Deployment") w.key("updateStrategy").raw(R"({"type":"RollingUpdate"})");
  }
  w.end_object();
  w.key("status").begin_object();
  if (with_status) {
    if (x.kind == "DaemonSet") number(w, "numberReady", static_cast<int64_t>(c.nodes.size()));
    if (x.kind == "StatefulSet") text(w, "currentRevision", x.name + '-' + r.hash);
    if (x.kind == "Deployment") number(w, "availableReplicas", p.replicas);
    number(w, "observedGeneration", r.number);
  }
  w.end_object().end_object();
}

void replica_set_json(JsonWriter& w, const World& world, const Cluster& c, const Placement& p, const Revision& r, int replicas,
                      bool with_kind) {
  (void)c;
  const Workload& x = world.workloads[p.workload];
  w.begin_object();
  kind_of(w, with_kind, "ReplicaSet");
  w.key("metadata").begin_object();
  w.key("annotations")
      .raw(fmt::format(R"({{"deployment.kubernetes.io/desired-replicas":"{}","deployment.kubernetes.io/revision":"{}"}})", p.replicas,
                       r.number));
  text(w, "creationTimestamp", iso(r.at));
  labels(w, x, &r, nullptr);
  text(w, "name", replica_set_name(x, r));
  text(w, "namespace", x.ns);
  owner(w, "Deployment", x.name, p.uid);
  text(w, "uid", r.rs_uid);
  w.end_object();
  w.key("spec").begin_object();
  number(w, "replicas", replicas);
  w.key("selector").begin_object().key("matchLabels").begin_object();
  text(w, x.app_label_key, x.app_label);
  text(w, "pod-template-hash", r.hash);
  w.end_object().end_object();
  pod_template(w, x, r, true);
  w.end_object();
  w.key("status").begin_object();
  number(w, "replicas", replicas);
  w.end_object().end_object();
}

void config_map_json(JsonWriter& w, const World& world, const Cluster& c, const Placement& p, const std::string& name, Micros at,
                     bool with_kind) {
  const Workload& x = world.workloads[p.workload];
  w.begin_object();
  kind_of(w, with_kind, "ConfigMap");
  bool changed = false;
  for (const Change& ch : c.changes)
    changed = changed || (ch.what == Change::What::kConfigMap && &c.placements[ch.placement] == &p && ch.at <= at);
  const Workload* names = &x;  // whose destination it names: its own, or that of a workload that shares it
  for (const Placement& other : c.placements) {
    const Workload& y = world.workloads[other.workload];
    const Actor* a = y.actor.empty() ? nullptr : world.scenario->actor(y.actor);
    if (a != nullptr && !a->config_of.empty() && y.ns == x.ns && !y.config_maps.empty() && y.config_maps[0] == name) names = &y;
  }
  w.key("data").begin_object();
  text(w, "log.level", changed ? "debug" : "info");
  text(w, "timeout.seconds", "30");
  for (const Habit& h : names->habits) {
    if (!h.culprit || !h.after_config || !changed) continue;
    text(w, "update.url", fmt::format("https://{}/v1", world.endpoints[h.endpoint].name));
  }
  w.end_object();
  w.key("metadata").begin_object();
  text(w, "creationTimestamp", iso(p.revisions.front().at - 30 * kDay));
  text(w, "name", name);
  text(w, "namespace", x.ns);
  text(w, "resourceVersion", std::to_string(changed ? 40'000'000 : 20'000'000));
  text(w, "uid", fmt::format("{}-{}", hash_of(c.uid + name, 8), "4f00-4a10-8c31-0a1b2c3d4e5f"));
  w.end_object().end_object();
}

}  // namespace egret::drill
