// The API server's audit log as a diagnostic setting writes it to blobs: kube-audit-admin (no get, list, watch) or kube-audit.
#include <fmt/format.h>

#include <algorithm>

#include "drill/writers.h"

namespace egret::drill {
namespace {

struct Call {
  Micros at;
  std::string verb, user, agent, uri, resource, subresource, ns, name, api_group;
  int code = 200;
  std::string level = "RequestResponse", request = {}, response = {};
};

class Audit {
 public:
  Audit(Pen& pen, uint32_t index)
      : pen_(pen), world_(pen.world), c_(pen.world.clusters[index]), index_(index), random_(pen.random.fork("audit")) {}

  void run() {
    for (size_t i = 0; i < c_.pods.size(); ++i) pod(i);
    for (const Node& n : c_.nodes) node(n);
    for (const Change& ch : c_.changes) change(ch);
    if (pen_.has("audit-housekeeping")) housekeeping();
    std::stable_sort(calls_.begin(), calls_.end(), [](const Call& a, const Call& b) { return a.at < b.at; });
    write();
  }

 private:
  bool inside(Micros at) const { return at >= world_.from && at < world_.to; }
  void add(Call call) {
    if (inside(call.at)) calls_.push_back(std::move(call));
  }
  static std::string base(std::string_view kind) {
    const std::string_view v = api_version(kind);
    return v == "v1" ? "/api/v1" : fmt::format("/apis/{}", v);
  }
  static std::string group(std::string_view kind) {
    const std::string v(api_version(kind));
    return v == "v1" ? "" : v.substr(0, v.find('/'));
  }
  static std::string plural(std::string_view kind) {
    std::string s(kind);
    for (char& ch : s) ch = static_cast<char>(std::tolower(ch));
    return s + 's';
  }

  void pod(size_t i) {
    const Pod& p = c_.pods[i];
    const Workload& x = world_.workload_of(c_, p);
    const Node& n = c_.nodes[p.node];
    const std::string controller = x.kind == "Deployment"                   ? "replicaset-controller"
                                   : x.kind == "DaemonSet"                  ? "daemon-set-controller"
                                   : x.kind == "StatefulSet"                ? "statefulset-controller"
                                   : x.kind == "CronJob" || x.kind == "Job" ? "job-controller"
                                                                            : "";
    const bool by_hand = x.kind == "Pod";
    const std::string user = by_hand              ? creator(p.placement, "m.okafor")
                             : controller.empty() ? "system:node:" + n.name
                                                  : "system:serviceaccount:kube-system:" + controller;
    const std::string agent =
        by_hand ? kPersonsKubectl
        : controller.empty()
            ? fmt::format("kubelet/v{} (linux/amd64) kubernetes/f0c1ea8", c_.version)
            : fmt::format("kube-controller-manager/v{0} (linux/amd64) kubernetes/f0c1ea8/system:serviceaccount:kube-system:{1}", c_.version,
                          controller);
    const std::string uri = fmt::format("/api/v1/namespaces/{}/pods", x.ns);
    if (inside(p.created)) {
      JsonWriter request, response;
      pod_json(request, world_, c_, p, p.created, false, true);
      std::string text = std::move(request).take();
      add({p.created, "create", user, agent, uri, "pods", "", x.ns, "", "", 201, "RequestResponse", text, text});
      if (x.kind != "StaticPod")
        add({std::max(p.created, n.created) + 40'000, "create", "system:kube-scheduler",
             fmt::format("kube-scheduler/v{} (linux/amd64) kubernetes/f0c1ea8/scheduler", c_.version),
             fmt::format("{}/{}/binding", uri, p.name), "pods", "binding", x.ns, p.name, "", 201, "RequestResponse",
             fmt::format(
                 R"({{"kind":"Binding","apiVersion":"v1","metadata":{{"name":"{}","namespace":"{}","uid":"{}","creationTimestamp":null}},"target":{{"kind":"Node","name":"{}"}}}})",
                 p.name, x.ns, p.uid, n.name),
             R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","code":201})"});
      pen_.ledger.pods[index_][i] = 1;
    }
    const auto status = [&](Micros at) {
      add({at + random_.between(300, 1500) * 1000, "patch", "system:node:" + n.name,
           fmt::format("kubelet/v{} (linux/amd64) kubernetes/f0c1ea8", c_.version), fmt::format("{}/{}/status", uri, p.name), "pods",
           "status", x.ns, p.name, "", 200, "Request", status_patch(world_, c_, p, at), ""});
      if (inside(at)) pen_.ledger.pods[index_][i] = 1;
    };
    status(p.started);
    for (const Micros again : p.restarts) status(again);
    if (p.ended == kNever) return;
    if (!p.succeeded)
      add({p.ended - 400'000, "delete", user, agent, fmt::format("{}/{}", uri, p.name), "pods", "", x.ns, p.name, "", 200,
           "RequestResponse", R"({"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":")" + p.uid + R"("}})", ""});
    if (p.removed != kNever) {
      const bool by_controller = p.succeeded && !by_hand;
      add({p.removed, "delete",
           by_hand         ? user
           : by_controller ? "system:serviceaccount:kube-system:generic-garbage-collector"
                           : "system:node:" + n.name,
           by_controller || by_hand ? agent : fmt::format("kubelet/v{} (linux/amd64) kubernetes/f0c1ea8", c_.version),
           fmt::format("{}/{}", uri, p.name), "pods", "", x.ns, p.name, "", 200, "RequestResponse",
           R"({"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"preconditions":{"uid":")" + p.uid + R"("}})", ""});
      if (x.kind == "Job")
        add({p.removed - 300'000, "delete", "system:serviceaccount:kube-system:ttl-after-finished-controller", agent,
             fmt::format("/apis/batch/v1/namespaces/{}/jobs/{}", x.ns, x.name), "jobs", "", x.ns, x.name, "batch", 200, "RequestResponse",
             "", ""});
    }
  }

  void node(const Node& n) {
    const std::string kubelet = fmt::format("kubelet/v{} (linux/amd64) kubernetes/f0c1ea8", c_.version);
    const auto object = [&](Micros at) {
      JsonWriter w;
      node_json(w, world_, c_, n, at, true);
      return std::move(w).take();
    };
    if (inside(n.created)) {
      add({n.created, "create", "system:node:" + n.name, kubelet, "/api/v1/nodes", "nodes", "", "", n.name, "", 201, "RequestResponse",
           object(n.created), object(n.created)});
      add({n.ready, "patch", "system:node:" + n.name, kubelet, fmt::format("/api/v1/nodes/{}/status?timeout=10s", n.name), "nodes",
           "status", "", n.name, "", 200, "Request",
           fmt::format(
               R"({{"status":{{"conditions":[{{"lastHeartbeatTime":"{0}","lastTransitionTime":"{0}","message":"kubelet is posting ready status","reason":"KubeletReady","status":"True","type":"Ready"}}]}}}})",
               iso(n.ready)),
           ""});
    }
    const Micros beats = pen_.has("audit-housekeeping") ? std::min(n.deleted, world_.to) : 0;
    for (Micros t = std::max(n.ready + 5 * kMinute, world_.from) + random_.between(0, 299) * kSecond; t < beats; t += 10 * kMinute)
      add({t, "patch", "system:node:" + n.name, kubelet, fmt::format("/api/v1/nodes/{}/status?timeout=10s", n.name), "nodes", "status", "",
           n.name, "", 200, "Request",
           fmt::format(R"({{"status":{{"conditions":[{{"lastHeartbeatTime":"{}","type":"Ready"}}]}}}})", iso(t)), ""});
    if (n.deleted != kNever)
      add({n.deleted, "delete", "system:serviceaccount:kube-system:node-controller",
           fmt::format("cloud-controller-manager/v{} (linux/amd64) kubernetes/f0c1ea8/system:serviceaccount:kube-system:node-controller",
                       c_.version),
           "/api/v1/nodes/" + n.name, "nodes", "", "", n.name, "", 200, "RequestResponse", "", ""});
  }

  static constexpr const char* kPersonsKubectl = "kubectl/v1.30.2 (windows/amd64) kubernetes/3968350";

  // Who made a Job or a Pod.
  std::string creator(uint32_t placement, std::string_view person) const {
    if (world_.workloads[c_.placements[placement].workload].created_by == "ci") return "system:serviceaccount:ci:gitlab-runner";
    for (const Change& ch : c_.changes)
      if (ch.what == Change::What::kCreate && ch.placement == placement) return fmt::format("{}@{}", ch.by, world_.domain);
    return fmt::format("{}@{}", person, world_.domain);
  }

  // What a change of settings sets, as part of a container of the patch.
  static std::string settings_of(const Workload& x, const Revision& r) {
    if (!r.config_changed) return {};
    std::string more;
    for (const auto& [k, v] : x.bad_env)
      if (r.bad) more += fmt::format(R"(,{{"name":"{}","value":"{}"}})", k, v);
    return R"(,"env":[{"name":"CONFIG_CHECKSUM","value":")" + r.hash + "\"}" + more + "]";
  }

  void change(const Change& ch) {
    const Placement& p = c_.placements[ch.placement];
    const Workload& x = world_.workloads[p.workload];
    const std::string person = fmt::format("{}@{}", ch.by, world_.domain);
    if (ch.what == Change::What::kRollout) {
      const Revision& r = p.revisions[ch.revision];
      JsonWriter w;
      workload_json(w, world_, c_, p, r, true, true);
      // The pipeline's service principal, or the cluster's own manager for what AKS installs.
      const bool managed = x.ns == "kube-system" && x.image.starts_with("mcr.microsoft.com");
      add({ch.at, "patch", managed ? "aksService" : Random(world_.seed).fork("deployer").uuid(),
           managed ? "kubectl/v1.29.9 (linux/amd64) kubernetes/f0c1ea8" : "kubectl/v1.30.2 (linux/amd64) kubernetes/3968350",
           fmt::format("{}/namespaces/{}/{}/{}?fieldManager=kubectl-client-side-apply", base(x.kind), x.ns, plural(x.kind), x.name),
           plural(x.kind), "", x.ns, x.name, group(x.kind), 200, "RequestResponse",
           fmt::format(
               R"({{"spec":{3}{{"template":{{"spec":{{"$setElementOrder/containers":[{{"name":"{0}"}}],"containers":[{{"image":"{1}","name":"{0}"{2}}}]}}}}}}{4}}})",
               x.container, image_of(x, r), settings_of(x, r), x.kind == "CronJob" ? R"({"jobTemplate":{"spec":)" : "",
               x.kind == "CronJob" ? "}}" : ""),
           std::move(w).take()});
      if (x.kind == "Deployment") {
        JsonWriter rs;
        replica_set_json(rs, world_, c_, p, r, 1, true);
        const std::string text = std::move(rs).take();
        add({ch.at + 90'000, "create", "system:serviceaccount:kube-system:deployment-controller",
             fmt::format(
                 "kube-controller-manager/v{} (linux/amd64) kubernetes/f0c1ea8/system:serviceaccount:kube-system:deployment-controller",
                 c_.version),
             fmt::format("/apis/apps/v1/namespaces/{}/replicasets", x.ns), "replicasets", "", x.ns, replica_set_name(x, r), "apps", 201,
             "RequestResponse", text, text});
      }
    } else if (ch.what == Change::What::kConfigMap) {
      add({ch.at, "patch", person, "kubectl/v1.30.2 (windows/amd64) kubernetes/3968350",
           fmt::format("/api/v1/namespaces/{}/configmaps/{}?fieldManager=kubectl-edit", x.ns, ch.name), "configmaps", "", x.ns, ch.name, "",
           200, "Metadata", "", ""});
    } else if (ch.what == Change::What::kCreate) {
      JsonWriter w;
      if (x.kind == "Pod") return;  // the pod's own row says who made it
      workload_json(w, world_, c_, p, p.revisions.front(), false, true);
      const std::string text = std::move(w).take();
      add({ch.at, "create", creator(ch.placement, ch.by), x.created_by == "ci" ? "gitlab-runner 17.4.0 linux/amd64" : kPersonsKubectl,
           fmt::format("{}/namespaces/{}/{}", base(x.kind), x.ns, plural(x.kind)), plural(x.kind), "", x.ns, x.name, group(x.kind), 201,
           "RequestResponse", text, text});
    } else if (ch.what == Change::What::kWebhook) {
      add({ch.at, "patch", person, kPersonsKubectl,
           "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/" + ch.name + "?fieldManager=kubectl-client-side-apply",
           "mutatingwebhookconfigurations", "", "", ch.name, "admissionregistration.k8s.io", 200, "RequestResponse",
           fmt::format(
               R"({{"webhooks":[{{"name":"inject.{0}.svc","clientConfig":{{"service":{{"name":"{0}","namespace":"{0}","path":"/mutate"}}}},"rules":[{{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["pods"]}}]}}]}})",
               ch.name),
           ""});
    } else if (ch.what == Change::What::kScale) {
      add({ch.at - 600'000, "update", "system:serviceaccount:kube-system:horizontal-pod-autoscaler",
           fmt::format(
               "kube-controller-manager/v{} (linux/amd64) kubernetes/f0c1ea8/system:serviceaccount:kube-system:horizontal-pod-autoscaler",
               c_.version),
           fmt::format("/apis/apps/v1/namespaces/{}/deployments/{}/scale", x.ns, x.name), "deployments", "scale", x.ns, x.name, "apps", 200,
           "RequestResponse",
           fmt::format(
               R"({{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{{"name":"{}","namespace":"{}"}},"spec":{{"replicas":{}}}}})",
               x.name, x.ns, p.replicas + 1),
           ""});
    }
  }

  void housekeeping() {
    const std::string manager = fmt::format("kube-controller-manager/v{} (linux/amd64) kubernetes/f0c1ea8/leader-election", c_.version);
    for (Micros t = world_.from + random_.between(0, 60) * kSecond; t < world_.to; t += 5 * kMinute)
      add({t, "update", "aksService", manager,
           "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager?timeout=5s", "leases", "", "kube-system",
           "kube-controller-manager", "coordination.k8s.io", 200, "Metadata", "", ""});
    if (pen_.profile.level < 2) return;
    for (Micros t = world_.from + random_.between(0, 60) * kSecond; t < world_.to; t += random_.between(20, 70) * kSecond) {
      add({t, "get", "readinessChecker", "kube-probe/1.29", "/readyz", "", "", "", "", "", 200, "Metadata", "", ""});
      const Placement& p = c_.placements[random_.below(c_.placements.size())];
      const Workload& x = world_.workloads[p.workload];
      add({t + 7 * kSecond, "list", fmt::format("system:serviceaccount:{}:{}", x.ns, x.service_account), "Go-http-client/2.0",
           fmt::format("/api/v1/namespaces/{}/configmaps?limit=500", x.ns), "configmaps", "", x.ns, "", "", 200, "Metadata", "", ""});
    }
  }

  void write() {
    const bool full = pen_.profile.level >= 2;
    const std::string category = full ? "kube-audit" : "kube-audit-admin";
    std::string resource = c_.resource_id;
    for (char& ch : resource) ch = static_cast<char>(std::toupper(ch));
    const std::string server = fmt::format("kube-apiserver-{}-{}", random_.kube_suffix(10), random_.kube_suffix(5)),
                      container = random_.hex(64);
    size_t i = 0;
    for (Micros hour = world_.from / kHour * kHour; hour < world_.to; hour += kHour) {
      if (i == calls_.size() || calls_[i].at >= hour + kHour) continue;  // nothing was asked of it in that hour
      const std::string when = iso(hour);
      Output::File file(pen_.out, category,
                        fmt::format("{}/insights-logs-{}/resourceId={}/y={}/m={}/d={}/h={}/m=00/PT1H.json", c_.name, category, resource,
                                    when.substr(0, 4), when.substr(5, 2), when.substr(8, 2), when.substr(11, 2)));
      for (; i < calls_.size() && calls_[i].at < hour + kHour; ++i) line(file, calls_[i], category, resource, server, container);
    }
    pen_.ledger.sources.insert(category);
  }

  void line(Output::File& file, const Call& k, const std::string& category, const std::string& resource, const std::string& server,
            const std::string& container) {
    JsonWriter w;
    w.begin_object().key("kind").string("Event").key("apiVersion").string("audit.k8s.io/v1").key("level").string(k.level);
    w.key("auditID")
        .string(random_.uuid())
        .key("stage")
        .string("ResponseComplete")
        .key("requestURI")
        .string(k.uri)
        .key("verb")
        .string(k.verb);
    w.key("user").begin_object().key("username").string(k.user);
    w.key("groups").begin_array();
    if (k.user.starts_with("system:node:")) w.string("system:nodes");
    if (k.user.starts_with("system:serviceaccount:")) w.string("system:serviceaccounts");
    w.string("system:authenticated").end_array().end_object();
    w.key("sourceIPs").begin_array().string(k.user.starts_with("system:node:") ? ip_text(c_.vnet_base + 4) : "172.31.20.43").end_array();
    w.key("userAgent").string(k.agent);
    if (!k.resource.empty()) {
      w.key("objectRef").begin_object().key("resource").string(k.resource);
      if (!k.ns.empty()) w.key("namespace").string(k.ns);
      if (!k.name.empty()) w.key("name").string(k.name);
      if (!k.api_group.empty()) w.key("apiGroup").string(k.api_group);
      w.key("apiVersion").string("v1");
      if (!k.subresource.empty()) w.key("subresource").string(k.subresource);
      w.end_object();
    }
    w.key("responseStatus").begin_object().key("metadata").raw("{}").key("code").number(static_cast<int64_t>(k.code)).end_object();
    if (!k.request.empty() && k.level != "Metadata") w.key("requestObject").raw(k.request);
    if (!k.response.empty() && k.level == "RequestResponse") w.key("responseObject").raw(k.response);
    w.key("requestReceivedTimestamp").string(iso(k.at, 6)).key("stageTimestamp").string(iso(k.at + 6'000, 6));
    w.key("annotations").raw(R"({"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":""})").end_object();
    fmt::format_to(
        std::back_inserter(file.text()),
        R"({{ "category": "{}", "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read", "properties": {{"pod":"{}","containerID":"{}","log":)",
        category, server, container);
    append_json_string(file.text(), std::move(w).take() + '\n');
    fmt::format_to(std::back_inserter(file.text()), R"(,"stream":"stdout"}}, "resourceId": "{}", "serviceBuild": "na", "time": "{}"}})",
                   resource, iso(k.at + 7'000, 7));
    file.text() += '\n';
    file.row();
  }

  Pen& pen_;
  const World& world_;
  const Cluster& c_;
  uint32_t index_;
  Random random_;
  std::vector<Call> calls_;
};

}  // namespace

void write_audit(Pen& pen, uint32_t index) { Audit(pen, index).run(); }

}  // namespace egret::drill
