#include "ingest/kube_audit.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/json.h"
#include "ingest/json_dom.h"
#include "ingest/kube_rows.h"

namespace egret::ingest {
namespace {

using js::Element;

constexpr size_t kMostPending = 50'000;  // events kept until their completion is seen

struct Resource {
  std::string_view resource, kind;
};
constexpr Resource kResources[] = {
    {"pods", "Pod"},
    {"nodes", "Node"},
    {"deployments", "Deployment"},
    {"replicasets", "ReplicaSet"},
    {"statefulsets", "StatefulSet"},
    {"daemonsets", "DaemonSet"},
    {"jobs", "Job"},
    {"cronjobs", "CronJob"},
    {"controllerrevisions", "ControllerRevision"},
    {"configmaps", "ConfigMap"},
    {"secrets", "Secret"},
    {"services", "Service"},
    {"namespaces", "Namespace"},
    {"networkpolicies", "NetworkPolicy"},
    {"replicationcontrollers", "ReplicationController"},
};

std::string_view kind_of(std::string_view resource) {
  for (const Resource& r : kResources)
    if (r.resource == resource) return r.kind;
  return {};
}

std::string_view verb_of(std::string_view verb) {
  if (verb == "create" || verb == "update" || verb == "patch" || verb == "delete") return verb;
  if (verb == "deletecollection") return "delete";
  return {};
}

// What the object row needs of an event, however it was stored.
struct Facts {
  std::string_view id, stage, verb, user, user_agent, uri;
  Ticks time = 0;
  int64_t code = 0;
  std::string_view failure;  // responseStatus.status
  std::optional<Element> ref, request, response;
};

struct Span {
  Ticks from, to;
};

}  // namespace

struct AuditDecoder::Impl {
  explicit Impl(Sink& s) : sink(s), rows(s) {}

  Sink& sink;
  KubeRows rows;
  simdjson::dom::parser parser, ref_parser, user_parser, request_parser, response_parser, status_parser;

  struct Columns {
    int time = -1, cluster, id, level, stage, verb, uri, user, source_ips, agent, ref, status, request, response, received, stage_time,
        annotations, pod, resource_id, type;
  } columns[2];

  struct Pending {
    std::string json, cluster;
    bool admin;
    Ticks time;
  };
  std::unordered_map<std::string, Pending> pending;         // audit id → an event without completion
  std::unordered_set<size_t> completed;                     // hashes of the ids of completed changes: exports are not always in order
  std::unordered_map<std::string, std::string> node_state;  // cluster/node → what was last said of it
  std::unordered_map<std::string, Span> spans[2];           // cluster → time covered; [1] for admin

  void cover(std::string_view cluster, bool admin, Ticks t) {
    auto [it, fresh] = spans[admin].try_emplace(std::string(cluster), Span{t, t});
    if (fresh) return;
    it->second.from = std::min(it->second.from, t);
    it->second.to = std::max(it->second.to, t);
  }

  void audit_row(const Element& event, const AuditContext& context, std::optional<Ticks> time, std::optional<Ticks> received);
  void change(const Facts& f, const AuditContext& context);
  void event_change(const Facts& f, const AuditContext& context);
  bool repeats_node(const Facts& f, const AuditContext& context, std::string_view name, const Element* object);
  static Facts facts_of(const Element& event, Ticks time);
};

AuditDecoder::AuditDecoder(Sink& sink) : impl_(std::make_unique<Impl>(sink)) {}
AuditDecoder::~AuditDecoder() = default;

bool AuditDecoder::looks_like_event(const Element& e) {
  if (!e.is_object()) return false;
  if (js::text(e, "apiVersion").starts_with("audit.k8s.io")) return true;
  // Exports that lost the two type members, or all but what a rule looks at.
  if (js::get(e, "auditID")) return js::get(e, "verb") || js::get(e, "objectRef") || js::get(e, "requestURI");
  if (js::is_object(js::get(e, "objectRef"))) return js::get(e, "verb") || js::get(e, "requestURI") || js::get(e, "responseStatus");
  return js::text(e, "kind") == "Event" && js::get(e, "verb") && (js::get(e, "responseStatus") || js::get(e, "user"));
}

void AuditDecoder::Impl::audit_row(const Element& e, const AuditContext& context, std::optional<Ticks> time,
                                   std::optional<Ticks> received) {
  model::Batch& b = sink.rows(context.admin ? "AKSAuditAdmin" : "AKSAudit");
  Columns& c = columns[context.admin];
  if (c.time < 0) {
    const auto n = [&](const char* name) { return b.column(name); };
    c = {n("TimeGenerated"),
         n("Cluster"),
         n("AuditId"),
         n("Level"),
         n("Stage"),
         n("Verb"),
         n("RequestUri"),
         n("User"),
         n("SourceIps"),
         n("UserAgent"),
         n("ObjectRef"),
         n("ResponseStatus"),
         n("RequestObject"),
         n("ResponseObject"),
         n("RequestReceivedTime"),
         n("StageReceivedTime"),
         n("Annotations"),
         n("PodName"),
         n("_ResourceId"),
         n("Type")};
  }
  b.add_row();
  if (time) b.set_datetime(c.time, *time);
  b.set_string(c.cluster, context.cluster);
  b.set_string(c.id, js::text(e, "auditID"));
  b.set_string(c.level, js::text(e, "level"));
  b.set_string(c.stage, js::text(e, "stage"));
  b.set_string(c.verb, js::text(e, "verb"));
  b.set_string(c.uri, js::text(e, "requestURI"));
  b.set_string(c.agent, js::text(e, "userAgent"));
  b.set_string(c.pod, context.pod_name);
  b.set_string(c.resource_id, context.resource_id);
  b.set_string(c.type, context.admin ? "AKSAuditAdmin" : "AKSAudit");
  const auto dynamic = [&](int column, std::string_view key) {
    if (const auto v = js::get(e, key)) b.set_dynamic(column, js::minified(*v));
  };
  dynamic(c.user, "user");
  dynamic(c.source_ips, "sourceIPs");
  dynamic(c.ref, "objectRef");
  dynamic(c.status, "responseStatus");
  dynamic(c.annotations, "annotations");
  const std::string_view resource = js::text(e, {"objectRef", "resource"});
  const bool hide = resource == "secrets" || js::text(e, {"objectRef", "subresource"}) == "token";
  const auto body = [&](int column, std::string_view key) {
    if (const auto v = js::get(e, key)) b.set_dynamic(column, hide ? json_without_secrets(*v, true) : js::minified(*v));
  };
  body(c.request, "requestObject");
  body(c.response, "responseObject");
  if (received) b.set_datetime(c.received, *received);
  if (const auto t = js::time(e, "stageTimestamp")) b.set_datetime(c.stage_time, *t);
}

Facts AuditDecoder::Impl::facts_of(const Element& e, Ticks time) {
  Facts f;
  f.id = js::text(e, "auditID");
  f.stage = js::text(e, "stage");
  f.verb = js::text(e, "verb");
  f.user = js::text(e, {"user", "username"});
  f.user_agent = js::text(e, "userAgent");
  f.uri = js::text(e, "requestURI");
  f.time = time;
  f.code = js::integer(js::get(e, {"responseStatus", "code"})).value_or(0);
  f.failure = js::text(e, {"responseStatus", "status"});
  f.ref = js::get(e, "objectRef");
  f.request = js::get(e, "requestObject");
  f.response = js::get(e, "responseObject");
  return f;
}

// A kubelet reports its node every few seconds to minutes: only what differs from the last report is a change.
bool AuditDecoder::Impl::repeats_node(const Facts& f, const AuditContext& context, std::string_view name, const Element* object) {
  if (!object) return js::text(*f.ref, "subresource") == "status";
  std::string state;
  std::string_view ready;
  js::each(js::get(*object, {"status", "conditions"}), [&](const Element& c) {
    if (js::text(c, "type") == "Ready") ready = js::text(c, "status");
  });
  js::each(js::get(*object, {"status", "addresses"}), [&](const Element& a) { state += std::string(js::text(a, "address")) + " "; });
  std::string& last = node_state[std::string(context.cluster) + "/" + std::string(name)];
  if (js::text(*f.ref, "subresource") != "status") {
    last.clear();
    return false;
  }
  // Neither readiness nor addresses in it: pressure conditions, images, volumes.
  if (ready.empty() && state.empty()) return true;
  if (ready.empty()) ready = std::string_view(last).substr(0, last.find('|'));
  std::string now = std::string(ready) + "|" + state;
  if (state.empty()) now += last.substr(std::min(last.size(), last.find('|') == std::string::npos ? last.size() : last.find('|') + 1));
  if (now == last) return true;
  last = std::move(now);
  return false;
}

void AuditDecoder::Impl::event_change(const Facts& f, const AuditContext& context) {
  // The answer has the whole event; the request of a patch has only the count and the last time.
  for (const auto& e : {f.response, f.request}) {
    if (!e || js::text(*e, "kind") == "Status") continue;
    if (!js::get(*e, "reason") || (!js::get(*e, "involvedObject") && !js::get(*e, "regarding"))) continue;
    if (rows.event(context.cluster, *e)) return;
  }
}

void AuditDecoder::Impl::change(const Facts& f, const AuditContext& context) {
  if (!f.ref || f.code >= 400 || f.failure == "Failure") return;
  const std::string_view verb = verb_of(f.verb);
  if (verb.empty() || f.uri.find("dryRun=") != std::string_view::npos) return;
  const std::string_view resource = js::text(*f.ref, "resource");
  if (resource == "events") {
    if (verb != "delete") event_change(f, context);
    return;
  }
  const std::string_view kind = kind_of(resource);
  if (kind.empty()) return;
  const std::string_view sub = js::text(*f.ref, "subresource");

  ObjectSighting seen{.time = f.time,
                      .verb = verb,
                      .cluster = context.cluster,
                      .kind = kind,
                      .name_space = kind == "Node" || kind == "Namespace" ? std::string_view() : js::text(*f.ref, "namespace"),
                      .name = js::text(*f.ref, "name"),
                      .uid = js::text(*f.ref, "uid"),
                      .user = f.user,
                      .user_agent = f.user_agent,
                      .source = context.admin ? "kube-audit-admin" : "kube-audit"};

  if (kind == "Pod" && sub == "binding") {
    std::string_view node = f.request ? js::text(*f.request, {"target", "name"}) : std::string_view();
    if (node.empty() && f.response) node = js::text(*f.response, {"target", "name"});
    if (seen.uid.empty() && f.request) seen.uid = js::text(*f.request, {"metadata", "uid"});
    seen.verb = "patch";
    if (!node.empty() && !seen.name.empty()) rows.binding(seen, node);
    return;
  }
  if (kind == "Pod" && sub == "eviction") {
    seen.verb = "delete";
    if (!seen.name.empty()) rows.object(seen, nullptr);
    return;
  }
  if (sub == "scale") {
    for (const auto& e : {f.response, f.request}) {
      const auto n = e ? js::integer(js::get(*e, {"spec", "replicas"})) : std::nullopt;
      if (!n || *n < 0 || *n > 1'000'000 || seen.name.empty()) continue;
      rows.scale(seen, *n);
      return;
    }
    return;
  }
  if (!sub.empty() && sub != "status" && sub != "ephemeralcontainers" && sub != "finalize") return;  // exec, log, proxy, token …

  // The answer is the object as it stands now. Without it the request says it, a patch only in part.
  const auto shows = [&](const std::optional<Element>& e) {
    if (!js::is_object(e)) return false;
    const std::string_view k = js::text(*e, "kind");
    return k.empty() ? js::get(*e, "metadata") || js::get(*e, "spec") || js::get(*e, "status") || js::get(*e, "data") : k == kind;
  };
  if (f.verb == "deletecollection") {
    // The answer lists what was deleted, where the policy keeps it.
    if (f.response)
      js::each(js::get(*f.response, "items"), [&](const Element& item) {
        ObjectSighting one = seen;
        one.name = js::text(item, {"metadata", "name"});
        one.uid = js::text(item, {"metadata", "uid"});
        if (!one.name.empty()) rows.object(one, &item);
      });
    return;
  }
  std::optional<Element> object;
  if (shows(f.response))
    object = f.response;
  else if (verb != "delete" && shows(f.request)) {
    object = f.request;
    seen.partial = verb == "patch";
  }
  if (seen.name.empty() && object) seen.name = js::text(*object, {"metadata", "name"});
  // The answer's wins: what a kubelet asks for (the mirror of a static pod) names another, which the API server replaces.
  if (const std::string_view given = f.response ? js::text(*f.response, {"metadata", "uid"}) : std::string_view(); !given.empty())
    seen.uid = given;
  if (seen.uid.empty() && verb == "delete" && f.response) seen.uid = js::text(*f.response, {"details", "uid"});
  if (seen.uid.empty() && verb == "delete" && f.request) seen.uid = js::text(*f.request, {"preconditions", "uid"});
  if (seen.name.empty()) return;  // generateName, and a policy that does not keep the answer: nothing to hold on to
  if (kind == "Node" && verb != "delete" && repeats_node(f, context, seen.name, object ? &*object : nullptr)) return;

  if (!object && verb == "patch" && js::is_array(f.request)) {
    // JSON patch: what is replaced by path. Only the values that stand alone can be read.
    std::string synthetic;
    JsonWriter w;
    w.begin_object().key("spec").begin_object();
    std::optional<int64_t> replicas;
    std::string containers;
    js::each(f.request, [&](const Element& op) {
      const std::string_view path = js::text(op, "path");
      const auto value = js::get(op, "value");
      if (!value) return;
      if (path == "/spec/replicas") replicas = js::integer(*value);
      if (path.ends_with("/image") && path.find("ontainers/") != std::string_view::npos && !js::text(*value).empty())
        containers += (containers.empty() ? "" : ",") + ("{\"image\":" + json_quote(js::text(*value)) + "}");
    });
    if (replicas) w.key("replicas").number(*replicas);
    if (!containers.empty()) {
      if (kind == "Pod")
        w.key("containers").raw("[" + containers + "]");
      else
        w.key("template").raw("{\"spec\":{\"containers\":[" + containers + "]}}");
    }
    w.end_object().end_object();
    synthetic = std::move(w).take();
    seen.partial = true;
    Element parsed;
    if (status_parser.parse(synthetic).get(parsed) == simdjson::SUCCESS) return rows.object(seen, &parsed);
  }
  rows.object(seen, object ? &*object : nullptr);
}

std::string AuditDecoder::decode(const Element& event, const AuditContext& context) {
  if (!event.is_object()) return "an audit event must be a JSON object";
  const auto received = js::time(event, "requestReceivedTimestamp");
  auto time = received;
  for (const std::string_view key : {"stageTimestamp", "timestamp", "p_event_time"})
    if (!time) time = js::time(event, key);
  if (!time) time = js::time(js::get(event, {"metadata", "creationTimestamp"}));  // v1alpha1
  if (!time) time = context.clock;
  impl_->audit_row(event, context, time, received);
  if (!time) return {};  // a row without a time can be looked at, but nothing follows from it
  impl_->cover(context.cluster, context.admin, *time);

  Facts f = Impl::facts_of(event, *time);
  const bool complete = f.stage.empty() || f.stage == "ResponseComplete";
  const size_t id_hash = std::hash<std::string_view>{}(f.id);
  if (complete) {
    if (!f.id.empty() && !verb_of(f.verb).empty()) {
      if (!impl_->pending.empty()) impl_->pending.erase(std::string(f.id));
      if (!f.stage.empty()) impl_->completed.insert(id_hash);
    }
    impl_->change(f, context);
  } else if (!verb_of(f.verb).empty() && f.stage != "Panic" && !f.id.empty() && impl_->pending.size() < kMostPending &&
             !impl_->completed.contains(id_hash) && !kind_of(js::text(event, {"objectRef", "resource"})).empty()) {
    // Held back: the completion, which says whether it succeeded, usually follows.
    impl_->pending[std::string(f.id)] = {js::minified(event), std::string(context.cluster), context.admin, *time};
  }
  return {};
}

std::string AuditDecoder::decode_text(std::string_view json, const AuditContext& context) {
  Element e;
  if (const auto error = impl_->parser.parse(json.data(), json.size()).get(e))
    return std::string("not JSON: ") + simdjson::error_message(error);
  if (!looks_like_event(e)) return "not a Kubernetes audit event";
  return decode(e, context);
}

void AuditDecoder::decode_row(const model::Batch& b, size_t row, const AuditContext& context) {
  const auto text = [&](std::string_view column) {
    const int c = b.find_column(column);
    return c < 0 ? std::string_view() : b.text(c, row);
  };
  const int time_column = b.column("TimeGenerated"), received = b.column("RequestReceivedTime");
  if (b.is_null(received, row) && b.is_null(time_column, row)) return;
  Facts f;
  f.time = b.number(b.is_null(received, row) ? time_column : received, row);
  impl_->cover(context.cluster, context.admin, f.time);
  f.id = text("AuditId");
  f.stage = text("Stage");
  f.verb = text("Verb");
  f.user_agent = text("UserAgent");
  f.uri = text("RequestUri");
  if (verb_of(f.verb).empty() || (!f.stage.empty() && f.stage != "ResponseComplete")) return;
  const auto parse = [](simdjson::dom::parser& p, std::string_view json) -> std::optional<Element> {
    Element e;
    if (json.empty() || p.parse(json.data(), json.size()).get(e) != simdjson::SUCCESS || e.is_null()) return {};
    return e;
  };
  f.ref = parse(impl_->ref_parser, text("ObjectRef"));
  if (const auto user = parse(impl_->user_parser, text("User"))) f.user = js::text(*user, "username");
  if (const auto status = parse(impl_->parser, text("ResponseStatus"))) {
    f.code = js::integer(js::get(*status, "code")).value_or(0);
    f.failure = js::text(*status, "status");
  }
  f.request = parse(impl_->request_parser, text("RequestObject"));
  f.response = parse(impl_->response_parser, text("ResponseObject"));
  impl_->change(f, context);
}

void AuditDecoder::finish() {
  std::vector<Impl::Pending> left;
  for (auto& [id, p] : impl_->pending) left.push_back(std::move(p));
  impl_->pending.clear();
  std::ranges::sort(left, {}, &Impl::Pending::time);
  for (const Impl::Pending& p : left) {
    Element e;
    if (impl_->parser.parse(p.json).get(e) != simdjson::SUCCESS) continue;
    impl_->change(Impl::facts_of(e, p.time), {.cluster = p.cluster, .admin = p.admin});
  }
  for (const bool admin : {false, true}) {
    for (const auto& [cluster, span] : impl_->spans[admin])
      impl_->sink.covered({.cluster = cluster,
                           .name = {},
                           .source = admin ? "kube-audit-admin" : "kube-audit",
                           .table = admin ? "AKSAuditAdmin" : "AKSAudit",
                           .from = span.from,
                           .to = span.to});
    impl_->spans[admin].clear();
  }
}

}  // namespace egret::ingest
