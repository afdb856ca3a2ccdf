#include "ingest/kube_rows.h"

#include "base/encoding.h"
#include "base/hash.h"
#include "base/json.h"
#include "ingest/json_dom.h"

namespace egret::ingest {
namespace {

using js::Element;
using js::Path;

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

bool is_workload(std::string_view kind) {
  return kind == "Deployment" || kind == "ReplicaSet" || kind == "StatefulSet" || kind == "DaemonSet" || kind == "Job" ||
         kind == "CronJob" || kind == "ReplicationController" || kind == "DeploymentConfig" || kind == "Rollout";
}

std::string annotations_without_copy(const Element& annotations) {
  std::string out = "{";
  js::each_member(annotations, [&](std::string_view key, const Element& value) {
    if (key == kLastApplied) return;
    if (out.size() > 1) out += ',';
    append_json_string(out, key);
    out += ':';
    out += js::minified(value);
  });
  return out + "}";
}

std::string secret_hashes(const Element& object) {
  JsonWriter w;
  w.begin_object();
  js::each_member(js::get(object, "data"), [&](std::string_view key, const Element& value) {
    const std::string_view encoded = js::text(value);
    const std::string bytes = decode_base64(encoded).value_or("");
    w.key(key).string("sha256:" + sha256_hex(bytes.empty() ? encoded : std::string_view(bytes)));
  });
  js::each_member(js::get(object, "stringData"),
                  [&](std::string_view key, const Element& value) { w.key(key).string("sha256:" + sha256_hex(js::text(value))); });
  w.end_object();
  return std::move(w).take();
}

// data as it is, binaryData as hashes: it is often large, and what changed is all that matters.
std::string config_data(const Element& object) {
  std::string out = "{";
  js::each_member(js::get(object, "data"), [&](std::string_view key, const Element& value) {
    if (out.size() > 1) out += ',';
    append_json_string(out, key);
    out += ':';
    out += js::minified(value);
  });
  js::each_member(js::get(object, "binaryData"), [&](std::string_view key, const Element& value) {
    if (out.size() > 1) out += ',';
    append_json_string(out, key);
    out += ':';
    append_json_string(out, "sha256:" + sha256_hex(decode_base64(js::text(value)).value_or("")));
  });
  return out + "}";
}

void put(JsonWriter& w, std::string_view key, std::string_view text) {
  if (!text.empty()) w.key(key).string(text);
}

void conditions(JsonWriter& w, const Element& status) {
  const auto list = js::get(status, "conditions");
  if (!js::is_array(list)) return;
  w.key("conditions").begin_array();
  js::each(list, [&](const Element& c) {
    w.begin_object();
    for (const std::string_view k : {"type", "status", "reason", "message", "lastTransitionTime"}) put(w, k, js::text(c, k));
    w.end_object();
  });
  w.end_array();
}

std::optional<Element> condition(const Element& status, std::string_view type) {
  std::optional<Element> found;
  js::each(js::get(status, "conditions"), [&](const Element& c) {
    if (js::text(c, "type") == type) found = c;
  });
  return found;
}

std::string pod_status(const Element& status) {
  JsonWriter w;
  w.begin_object();
  put(w, "reason", js::text(status, "reason"));
  put(w, "message", js::text(status, "message"));
  conditions(w, status);
  // Why a container does not run, or did not before.
  bool any = false;
  for (const std::string_view list : {"initContainerStatuses", "containerStatuses"}) {
    js::each(js::get(status, list), [&](const Element& c) {
      for (const std::string_view when : {"state", "lastState"})
        for (const std::string_view how : {"waiting", "terminated"}) {
          const auto s = js::get(c, {when, how});
          if (!s) continue;
          if (!any) w.key("containers").begin_array();
          any = true;
          w.begin_object();
          put(w, "name", js::text(c, "name"));
          w.key("state").string(how);
          put(w, "reason", js::text(*s, "reason"));
          put(w, "finished", js::text(*s, "finishedAt"));
          if (const auto code = js::integer(*s, "exitCode")) w.key("exitCode").number(*code);
          w.end_object();
        }
    });
  }
  if (any) w.end_array();
  w.end_object();
  return std::move(w).take();
}

std::string node_status(const Element& object, const Element* status) {
  JsonWriter w;
  w.begin_object();
  if (status) {
    if (const auto ready = condition(*status, "Ready"); ready && js::text(*ready, "status") == "True")
      put(w, "ready", js::text(*ready, "lastTransitionTime"));
    conditions(w, *status);
    put(w, "kubeletVersion", js::text(*status, {"nodeInfo", "kubeletVersion"}));
    put(w, "osImage", js::text(*status, {"nodeInfo", "osImage"}));
    put(w, "bootID", js::text(*status, {"nodeInfo", "bootID"}));
  }
  put(w, "podCIDR", js::text(object, {"spec", "podCIDR"}));
  put(w, "providerID", js::text(object, {"spec", "providerID"}));
  if (js::boolean(js::get(object, {"spec", "unschedulable"}))) w.key("unschedulable").boolean(true);
  w.end_object();
  return std::move(w).take();
}

std::string workload_status(const Element& object, const std::optional<Element>& template_meta) {
  JsonWriter w;
  w.begin_object();
  const auto number = [&](std::string_view key, Path path) {
    if (const auto n = js::integer(js::get(object, path))) w.key(key).number(*n);
  };
  number("generation", {"metadata", "generation"});
  number("observedGeneration", {"status", "observedGeneration"});
  for (const std::string_view k : {"replicas", "readyReplicas", "updatedReplicas", "availableReplicas", "numberReady",
                                   "desiredNumberScheduled", "updatedNumberScheduled", "active", "succeeded", "failed"})
    number(k, {"status", k});
  put(w, "schedule", js::text(object, {"spec", "schedule"}));
  put(w, "startTime", js::text(object, {"status", "startTime"}));
  put(w, "completionTime", js::text(object, {"status", "completionTime"}));
  if (const auto status = js::get(object, "status")) conditions(w, *status);
  if (template_meta) {
    if (const auto labels = js::get(*template_meta, "labels")) w.key("templateLabels").raw(js::minified(*labels));
    if (const auto a = js::get(*template_meta, "annotations")) w.key("templateAnnotations").raw(js::minified(*a));
  }
  w.end_object();
  return std::move(w).take();
}

std::string service_data(const Element& spec, const Element* status) {
  JsonWriter w;
  w.begin_object();
  for (const std::string_view k : {"type", "clusterIP", "externalName", "loadBalancerIP", "externalTrafficPolicy"})
    put(w, k, js::text(spec, k));
  for (const std::string_view k : {"clusterIPs", "externalIPs", "ports", "selector"})
    if (const auto v = js::get(spec, k)) w.key(k).raw(js::minified(*v));
  if (status)
    if (const auto v = js::get(*status, {"loadBalancer", "ingress"})) w.key("ingress").raw(js::minified(*v));
  w.end_object();
  return std::move(w).take();
}

std::optional<Element> controlling_owner(const Element& object) {
  std::optional<Element> first, controller;
  js::each(js::get(object, {"metadata", "ownerReferences"}), [&](const Element& o) {
    if (!first) first = o;
    if (js::boolean(js::get(o, "controller"))) controller = o;
  });
  return controller ? controller : first;
}

std::string_view address_of(const Element& status, std::string_view type) {
  std::string_view v4, v6;
  js::each(js::get(status, "addresses"), [&](const Element& a) {
    if (js::text(a, "type") != type) return;
    const std::string_view s = js::text(a, "address");
    (s.find(':') == std::string_view::npos ? v4 : v6) = s;
  });
  return v4.empty() ? v6 : v4;
}

}  // namespace

KubeRows::KubeRows(Sink& sink) : sink_(sink) {}

void KubeRows::begin(model::Batch& b, const ObjectSighting& seen) {
  if (c_.time < 0) {
    const auto n = [&](const char* name) { return b.column(name); };
    c_ = {n("TimeGenerated"), n("Verb"),        n("Cluster"),   n("Kind"),        n("Namespace"),    n("Name"),
          n("Uid"),           n("OwnerKind"),   n("OwnerName"), n("OwnerUid"),    n("Created"),      n("Deleted"),
          n("Labels"),        n("Annotations"), n("Node"),      n("HostNetwork"), n("Ip"),           n("ExternalIp"),
          n("HostIp"),        n("Phase"),       n("Started"),   n("Containers"),  n("Images"),       n("ServiceAccount"),
          n("Mounts"),        n("Arguments"),   n("Replicas"),  n("Revision"),    n("TemplateHash"), n("Data"),
          n("Status"),        n("User"),        n("UserAgent"), n("Source")};
  }
  b.add_row();
  b.set_datetime(c_.time, seen.time);
  b.set_string(c_.verb, seen.verb);
  b.set_string(c_.cluster, seen.cluster);
  b.set_string(c_.kind, seen.kind);
  b.set_string(c_.name_space, seen.name_space);
  b.set_string(c_.name, seen.name);
  b.set_string(c_.uid, seen.uid);
  b.set_string(c_.user, seen.user);
  b.set_string(c_.user_agent, seen.user_agent);
  b.set_string(c_.source, seen.source);
  if (seen.verb == "delete") b.set_datetime(c_.deleted, seen.time);
}

void KubeRows::binding(const ObjectSighting& seen, std::string_view node) {
  model::Batch& b = sink_.rows("EgretKubeObjects");
  begin(b, seen);
  b.set_string(c_.node, node);
}

void KubeRows::scale(const ObjectSighting& seen, int64_t replicas) {
  model::Batch& b = sink_.rows("EgretKubeObjects");
  begin(b, seen);
  b.set_int(c_.replicas, replicas);
}

void KubeRows::object(const ObjectSighting& given, const Element* object) {
  model::Batch& b = sink_.rows("EgretKubeObjects");
  if (!object) {
    begin(b, given);
    return;
  }
  ObjectSighting seen = given;
  const Element& o = *object;
  const auto fill = [&](std::string_view& to, Path path) {
    if (to.empty()) to = js::text(o, path);
  };
  fill(seen.kind, {"kind"});
  fill(seen.name_space, {"metadata", "namespace"});
  fill(seen.name, {"metadata", "name"});
  fill(seen.uid, {"metadata", "uid"});
  begin(b, seen);

  const auto meta = js::get(o, "metadata");
  if (meta) {
    if (const auto t = js::time(*meta, "creationTimestamp")) b.set_datetime(c_.created, *t);
    if (const auto t = js::time(*meta, "deletionTimestamp")) b.set_datetime(c_.deleted, *t);
    if (const auto l = js::get(*meta, "labels"); js::is_object(l)) b.set_dynamic(c_.labels, js::minified(*l));
    if (const auto a = js::get(*meta, "annotations"); js::is_object(a)) b.set_dynamic(c_.annotations, annotations_without_copy(*a));
    if (const auto owner = controlling_owner(o)) {
      b.set_string(c_.owner_kind, js::text(*owner, "kind"));
      b.set_string(c_.owner_name, js::text(*owner, "name"));
      b.set_string(c_.owner_uid, js::text(*owner, "uid"));
    }
    std::string_view hash = js::text(*meta, {"labels", "pod-template-hash"});
    if (hash.empty()) hash = js::text(*meta, {"labels", "controller-revision-hash"});
    if (!hash.empty()) b.set_string(c_.template_hash, hash);
    if (const auto r = js::text(*meta, {"annotations", "deployment.kubernetes.io/revision"}); !r.empty()) b.set_string(c_.revision, r);
  }

  const auto spec = js::get(o, "spec");
  const auto status = js::get(o, "status");
  const Element* status_or_null = status ? &*status : nullptr;

  const auto pod_spec = [&](const Element* pod, const Element* pod_state) {
    const PodFacts f = pod_facts(pod, pod_state);
    if (!f.containers.empty()) {
      b.set_dynamic(c_.containers, f.containers);
      b.set_dynamic(c_.images, f.images);
      b.set_string(c_.arguments, f.arguments);
    }
    if (pod && (!seen.partial || f.mounts != "[]")) b.set_dynamic(c_.mounts, f.mounts);
    if (!f.service_account.empty()) b.set_string(c_.service_account, f.service_account);
    const auto host = pod ? js::get(*pod, "hostNetwork") : std::nullopt;
    if (host || (pod && !seen.partial)) b.set_bool(c_.host_network, js::boolean(host));
  };

  if (seen.kind == "Pod") {
    pod_spec(spec ? &*spec : nullptr, status_or_null);
    if (spec) b.set_string(c_.node, js::text(*spec, "nodeName"));
    if (status) {
      b.set_string(c_.ip, js::text(*status, "podIP"));
      b.set_string(c_.host_ip, js::text(*status, "hostIP"));
      b.set_string(c_.phase, js::text(*status, "phase"));
      if (const auto t = js::time(*status, "startTime")) b.set_datetime(c_.started, *t);
      b.set_dynamic(c_.status, pod_status(*status));
    }
  } else if (seen.kind == "Node") {
    b.set_string(c_.node, seen.name);
    if (status) {
      b.set_string(c_.ip, address_of(*status, "InternalIP"));
      b.set_string(c_.external_ip, address_of(*status, "ExternalIP"));
      if (const auto ready = condition(*status, "Ready"))
        b.set_string(c_.phase, js::text(*ready, "status") == "True" ? "Ready" : "NotReady");
    }
    b.set_dynamic(c_.status, node_status(o, status_or_null));
  } else if (is_workload(seen.kind)) {
    auto tmpl = js::get(o, {"spec", "template"});
    if (seen.kind == "CronJob") tmpl = js::get(o, {"spec", "jobTemplate", "spec", "template"});
    if (tmpl) {
      if (const auto pod = js::get(*tmpl, "spec")) pod_spec(&*pod, nullptr);
      if (!seen.partial && b.text(c_.template_hash, b.rows() - 1).empty())
        b.set_string(c_.template_hash, sha256_hex(canonical_json(*tmpl)).substr(0, 16));
    }
    if (spec)
      if (const auto n = js::integer(*spec, seen.kind == "Job" ? "parallelism" : "replicas"); n && *n >= 0 && *n <= 1'000'000)
        b.set_int(c_.replicas, *n);
    b.set_dynamic(c_.status, workload_status(o, tmpl ? js::get(*tmpl, "metadata") : std::nullopt));
  } else if (seen.kind == "ControllerRevision") {
    if (const auto n = js::integer(o, "revision")) b.set_string(c_.revision, std::to_string(*n));
    if (const auto data = js::get(o, "data")) {
      b.set_dynamic(c_.data, js::minified(*data));
      if (const auto pod = js::get(*data, {"spec", "template", "spec"})) pod_spec(&*pod, nullptr);
    }
  } else if (seen.kind == "ConfigMap") {
    if (js::get(o, "data") || js::get(o, "binaryData") || !seen.partial) b.set_dynamic(c_.data, config_data(o));
  } else if (seen.kind == "Secret") {
    if (js::get(o, "data") || js::get(o, "stringData") || !seen.partial) b.set_dynamic(c_.data, secret_hashes(o));
    if (const auto type = js::text(o, "type"); !type.empty()) b.set_dynamic(c_.status, "{\"type\":" + json_quote(type) + "}");
  } else if (seen.kind == "Service") {
    if (spec) {
      const std::string_view ip = js::text(*spec, "clusterIP");
      if (!ip.empty() && ip != "None") b.set_string(c_.ip, ip);
      b.set_dynamic(c_.data, service_data(*spec, status_or_null));
    }
  } else if (status && !js::text(*status, "phase").empty()) {
    b.set_string(c_.phase, js::text(*status, "phase"));
  }
}

bool KubeRows::event(std::string_view cluster, const Element& o, Ticks* when) {
  // core/v1 has lastTimestamp, or only eventTime with series; events.k8s.io/v1 has eventTime, series and deprecated…
  auto first = js::time(o, "firstTimestamp"), last = js::time(o, "lastTimestamp");
  if (!first) first = js::time(o, "deprecatedFirstTimestamp");
  if (!last) last = js::time(o, "deprecatedLastTimestamp");
  const auto event_time = js::time(o, "eventTime"), created = js::time(js::get(o, {"metadata", "creationTimestamp"}));
  const auto series = js::time(js::get(o, {"series", "lastObservedTime"}));
  if (series && (!last || *series > *last)) last = series;
  if (!first) first = event_time ? event_time : created;
  if (!last) last = event_time ? event_time : first;
  if (!first) first = last;
  if (!last) return false;
  if (when) *when = *last;

  model::Batch& b = sink_.rows("KubeEvents");
  if (e_.time < 0) {
    const auto n = [&](const char* name) { return b.column(name); };
    e_ = {n("TimeGenerated"), n("Cluster"), n("ClusterName"), n("Computer"),  n("Count"),      n("FirstSeen"), n("LastSeen"),
          n("KubeEventType"), n("Message"), n("Name"),        n("Namespace"), n("ObjectKind"), n("Reason"),    n("SourceComponent")};
  }
  const auto involved = js::get(o, "involvedObject") ? js::get(o, "involvedObject") : js::get(o, "regarding");
  const auto pick = [&](std::initializer_list<Path> paths) {
    for (const Path& p : paths)
      if (const std::string_view s = js::text(o, p); !s.empty()) return s;
    return std::string_view();
  };
  b.add_row();
  b.set_datetime(e_.time, *last);
  b.set_string(e_.cluster, cluster);
  b.set_string(e_.cluster_name, cluster);
  b.set_datetime(e_.first, *first);
  b.set_datetime(e_.last, *last);
  auto count = js::integer(o, "count");
  if (!count) count = js::integer(js::get(o, {"series", "count"}));
  if (!count) count = js::integer(o, "deprecatedCount");
  b.set_real(e_.count, static_cast<double>(count.value_or(1)));
  b.set_string(e_.type, js::text(o, "type"));
  b.set_string(e_.reason, js::text(o, "reason"));
  b.set_string(e_.message, pick({{"message"}, {"note"}}));
  b.set_string(e_.component,
               pick({{"source", "component"}, {"deprecatedSource", "component"}, {"reportingComponent"}, {"reportingController"}}));
  b.set_string(e_.computer, pick({{"source", "host"}, {"deprecatedSource", "host"}, {"reportingInstance"}}));
  if (involved) {
    b.set_string(e_.name, js::text(*involved, "name"));
    b.set_string(e_.name_space, js::text(*involved, "namespace"));
    b.set_string(e_.kind, js::text(*involved, "kind"));
  } else {
    b.set_string(e_.name_space, pick({{"metadata", "namespace"}, {"namespace"}}));
  }
  return true;
}

std::string_view guess_kind(const Element& o) {
  if (const auto k = js::text(o, "kind"); !k.empty()) return k;
  if (js::get(o, {"spec", "containers"})) return "Pod";
  if (js::get(o, {"status", "nodeInfo"})) return "Node";
  if (js::get(o, "involvedObject") || js::get(o, "regarding")) return "Event";
  if (js::get(o, {"spec", "jobTemplate"})) return "CronJob";
  if (js::get(o, {"spec", "strategy"})) return "Deployment";
  if (js::get(o, {"spec", "serviceName"}) && js::get(o, {"spec", "template"})) return "StatefulSet";
  if (js::get(o, {"status", "desiredNumberScheduled"})) return "DaemonSet";
  if (js::get(o, "lastTimestamp") && js::get(o, "reason")) return "Event";
  return {};
}

}  // namespace egret::ingest
