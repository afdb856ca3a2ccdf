// Files of audit events: lines, EventList, arrays, with or without a collector's record around each event, and what GKE's and
// Alcide's exports make of them. Azure's envelopes are unwrapped elsewhere and share AuditDecoder.
#include "base/json.h"
#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_dom.h"
#include "ingest/kube_audit.h"
#include "ingest/kube_rows.h"
#include "ingest/resource_id.h"
#include "ingest/times.h"
#include "ingest/yaml_json.h"

namespace egret::ingest {
namespace {

using js::Element;

int recognise(std::string_view head, std::string_view) {
  const size_t start = head.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return 0;
  const std::string_view s = head.substr(start);
  const auto has = [&](std::string_view what) { return s.find(what) != std::string_view::npos; };
  if (s[0] == '{' || s[0] == '[') {
    if (s.substr(0, 40).find("\"records\"") != std::string_view::npos || has("\"TimeGenerated\"")) return 0;
    // Escaped, it stands in a text within another record. A file that begins with an event is one of events, whatever else is in it.
    for (size_t at = s.find("\"audit.k8s.io"); at != std::string_view::npos; at = s.find("\"audit.k8s.io", at + 1))
      if (at > 0 && s[at - 1] != '\\') return at < s.find('\n') ? 97 : 93;
    if (has("\"auditID\"") && has("\"objectRef\"")) return 90;
    if (has("\"protoPayload\"") || has("\"jsonPayload\"") || has("cloudaudit.googleapis.com")) return 85;
    if (has("\"original_user_agent\"") && has("\"non_authorized\"")) return 80;
    if (has("\"objectRef\"") && (has("\"requestURI\"") || has("\"verb\""))) return 75;
    return has("\\\"audit.k8s.io") ? 50 : 0;
  }
  if (has("\nprotoPayload:") || s.starts_with("protoPayload:")) return 85;
  if (has("apiVersion: audit.k8s.io/")) return has("kind: Policy") ? 0 : 90;
  return 0;
}

// core/v1/namespaces/NS/pods/NAME/SUB and apps/v1/deployments …
void object_ref(JsonWriter& w, std::string_view resource_name) {
  std::vector<std::string> p = split(resource_name, '/');
  if (p.size() < 3) return;
  w.key("objectRef").begin_object();
  if (p[0] != "core") w.key("apiGroup").string(p[0]);
  w.key("apiVersion").string(p[1]);
  size_t i = 2;
  if (p[2] == "namespaces" && p.size() > 4) {
    w.key("namespace").string(p[3]);
    i = 4;
  }
  w.key("resource").string(p[i]);
  if (p.size() > i + 1) w.key("name").string(p[i + 1]);
  if (p.size() > i + 2) w.key("subresource").string(p[i + 2]);
  w.end_object();
}

int http_code(int64_t grpc) {
  switch (grpc) {
    case 0: return 200;
    case 3: return 400;
    case 5: return 404;
    case 6: return 409;
    case 7: return 403;
    case 8: return 429;
    case 10: return 409;
    case 16: return 401;
    default: return 500;
  }
}

// A Cloud Logging entry as the audit event it was made of.
std::string event_of_cloud_entry(const Element& e) {
  const Element p = *js::get(e, "protoPayload");
  JsonWriter w;
  w.begin_object().key("kind").string("Event").key("apiVersion").string("audit.k8s.io/v1");
  std::string_view id = js::text(e, {"operation", "id"});
  if (id.empty()) id = js::text(e, "insertId");
  w.key("auditID").string(id).key("stage").string("ResponseComplete");
  const std::string_view method = js::text(p, "methodName");
  w.key("verb").string(method.substr(method.rfind('.') + 1));
  const std::string_view resource = js::text(p, "resourceName");
  const auto granted = [&]() -> std::optional<Element> {
    std::optional<Element> first;
    for (const auto& list : {js::get(p, "authorizationInfo"), js::get(e, "authorizationInfo")})
      js::each(list, [&](const Element& a) {
        if (!first) first = a;
      });
    return first;
  }();
  const std::string_view of = resource.empty() && granted ? js::text(*granted, "resource") : resource;
  w.key("requestURI").string("/" + std::string(of));
  if (method.starts_with("io.k8s.") || method.starts_with("io.")) object_ref(w, of);
  w.key("user").begin_object().key("username").string(js::text(p, {"authenticationInfo", "principalEmail"})).end_object();
  std::string_view ip = js::text(p, {"requestMetadata", "callerIp"});
  if (ip.empty()) ip = js::text(p, {"requestMetadata", "callerIP"});
  w.key("sourceIPs").begin_array();
  if (!ip.empty()) w.string(ip);
  w.end_array();
  w.key("userAgent").string(js::text(p, {"requestMetadata", "callerSuppliedUserAgent"}));
  int code = http_code(js::integer(js::get(p, {"status", "code"})).value_or(0));
  bool allowed = true;
  if (granted && granted->at_key("granted").get(allowed) == simdjson::SUCCESS && !allowed && code < 400) code = 403;
  w.key("responseStatus").begin_object().key("code").number(int64_t{code}).end_object();
  if (const auto r = js::get(p, "request")) w.key("requestObject").raw(js::minified(*r));
  if (const auto r = js::get(p, "response")) w.key("responseObject").raw(js::minified(*r));
  if (const auto l = js::get(e, "labels")) w.key("annotations").raw(js::minified(*l));
  if (const auto t = js::text(e, "timestamp"); !t.empty()) w.key("requestReceivedTimestamp").string(t);
  w.end_object();
  return std::move(w).take();
}

// Alcide's kAudit derives its own flat record from each event of an AKS cluster.
std::string event_of_alcide(const Element& e, std::optional<Ticks>& clock) {
  JsonWriter w;
  w.begin_object().key("kind").string("Event").key("apiVersion").string("audit.k8s.io/v1");
  w.key("auditID").string(js::text(e, "id")).key("stage").string("ResponseComplete").key("verb").string(js::text(e, "verb"));
  w.key("requestURI").string(js::text(e, "uri"));
  if (const auto r = js::text(e, "resource_type"); !r.empty()) {
    w.key("objectRef").begin_object().key("resource").string(r).key("name").string(js::text(e, "resource_name"));
    if (const auto ns = js::text(e, "namespace"); !ns.empty()) w.key("namespace").string(ns);
    if (const auto g = js::text(e, "api_group"); !g.empty()) w.key("apiGroup").string(g);
    w.end_object();
  }
  w.key("user").begin_object().key("username").string(js::text(e, "username")).key("uid").string(js::text(e, "user_id")).end_object();
  w.key("sourceIPs").begin_array();
  if (const auto ip = js::text(e, "caller_ip"); !ip.empty()) w.string(ip);
  w.end_array().key("userAgent").string(js::text(e, "original_user_agent"));
  if (const auto code = js::integer(e, "status_code")) w.key("responseStatus").begin_object().key("code").number(*code).end_object();
  w.end_object();
  if (const auto ms = js::integer(e, "time")) clock = time_of_epoch(*ms);
  if (!clock) clock = parse_time(js::text(e, "timestamp"));
  return std::move(w).take();
}

class Events {
 public:
  Events(const Source& source, Sink& sink)
      : source_(source),
        sink_(sink),
        audit_(sink),
        rows_(sink),
        admin_(source.path.find("audit-admin") != std::string::npos || source.kind == "kube-audit-admin") {}

  // One element of a file; false when it is nothing of ours.
  bool take(const Element& e, uint64_t line, int depth = 0) {
    if (js::is_array(e)) {
      js::each(e, [&](const Element& x) {
        if (!take(x, line, depth + 1)) refuse(x, line);
      });
      return true;
    }
    if (!e.is_object() || depth > 4) return false;
    if (const auto items = js::get(e, "items"); js::is_array(items) && js::text(e, "kind").ends_with("List"))
      return take(*items, line, depth + 1);
    if (AuditDecoder::looks_like_event(e)) {
      decode(e, line, source_.cluster, {});
      return true;
    }
    if (js::is_object(js::get(e, "protoPayload"))) {
      decode_text(event_of_cloud_entry(e), line, cluster_of_entry(e), js::time(e, "timestamp"));
      return true;
    }
    if (js::get(e, "jsonPayload") || js::get(e, "textPayload")) return cloud_log(e);
    if (js::get(e, "original_user_agent") && js::get(e, "verb")) {
      std::optional<Ticks> clock;
      std::string_view named = js::text(e, "cluster");
      const std::string json = event_of_alcide(e, clock);
      decode_text(json, line, named.empty() ? source_.cluster : spelled(named, source_), clock);
      return true;
    }
    return wrapped(e, line, depth);
  }

  void refuse(const Element& e, uint64_t line) { sink_.error(line, "not a Kubernetes audit event", js::minified(e)); }
  void finish() { audit_.finish(); }

 private:
  void decode(const Element& e, uint64_t line, std::string_view cluster, std::optional<Ticks> clock) {
    const std::string why = audit_.decode(e, {.cluster = cluster, .admin = admin_, .clock = clock});
    if (!why.empty()) sink_.error(line, why, js::minified(e));
  }
  void decode_text(std::string_view json, uint64_t line, std::string_view cluster, std::optional<Ticks> clock) {
    const std::string why = audit_.decode_text(json, {.cluster = cluster, .admin = admin_, .clock = clock});
    if (!why.empty()) sink_.error(line, why, json);
  }

  std::string cluster_of_entry(const Element& e) const {
    const std::string_view named = js::text(e, {"resource", "labels", "cluster_name"});
    return named.empty() ? source_.cluster : spelled(named, source_);
  }

  // What a collector put around the event: a member that holds it as an object or as text.
  bool wrapped(const Element& e, uint64_t line, int depth) {
    for (const std::string_view key : {"log", "message", "event", "properties", "body"}) {
      const auto inner = js::get(e, key);
      if (!inner) continue;
      if (inner->is_object()) {
        if (key == "properties" && js::get(*inner, "log")) return azure_record(e, *inner, line);
        if (take(*inner, line, depth + 1)) return true;
        continue;
      }
      const std::string_view text = js::text(*inner);
      if (!trim(text).starts_with('{') || text.find("kind") == std::string_view::npos) continue;
      std::optional<Ticks> clock;
      for (const std::string_view k : {"time", "timestamp", "@timestamp"}) {
        if (!clock) clock = parse_time(js::text(e, k));
        if (const auto ms = js::integer(e, k); ms && !clock) clock = time_of_epoch(*ms);
      }
      decode_text(trim(text), line, source_.cluster, clock);
      return true;
    }
    if (const auto events = js::get(e, "events"); js::is_array(events)) return take(*events, line, depth + 1);
    return false;
  }

  // A record of a diagnostic setting among others: it names its cluster and its category.
  bool azure_record(const Element& e, const Element& properties, uint64_t line) {
    const std::string_view text = js::text(properties, "log");
    std::string_view id = js::text(e, "resourceId");
    if (id.empty()) id = js::text(e, "resource_id");
    const std::string cluster = id.empty() ? source_.cluster : cluster_of_id_or_source(id, source_, sink_);
    const std::string why = audit_.decode_text(text, {.cluster = cluster,
                                                      .admin = admin_ || iequals(js::text(e, "category"), "kube-audit-admin"),
                                                      .resource_id = id,
                                                      .pod_name = js::text(properties, "pod"),
                                                      .clock = js::time(e, "time")});
    if (!why.empty()) sink_.error(line, why, text);
    return true;
  }

  // Other logs of GKE: events become KubeEvents, the rest stays a log line.
  bool cloud_log(const Element& e) {
    const std::string cluster = cluster_of_entry(e);
    const auto payload = js::get(e, "jsonPayload");
    if (payload && js::text(*payload, "kind") == "Event" && rows_.event(cluster, *payload)) return true;
    const auto time = js::time(e, "timestamp");
    if (!time) return false;
    model::Batch& b = sink_.rows("ContainerLogV2");
    b.add_row();
    b.set_datetime(b.column("TimeGenerated"), *time);
    b.set_string(b.column("Cluster"), cluster);
    const auto label = [&](std::string_view name) { return js::text(e, {"resource", "labels", name}); };
    b.set_string(b.column("PodName"), label("pod_name"));
    b.set_string(b.column("PodNamespace"), label("namespace_name"));
    b.set_string(b.column("ContainerName"), label("container_name"));
    b.set_string(b.column("Computer"), label("node_name"));
    b.set_string(b.column("LogLevel"), to_lower(js::text(e, "severity")));
    b.set_dynamic(b.column("LogMessage"), payload ? js::minified(*payload) : json_quote(js::text(e, "textPayload")));
    return true;
  }

  const Source& source_;
  Sink& sink_;
  AuditDecoder audit_;
  KubeRows rows_;
  bool admin_;
};

void decode(const Source& source, Sink& sink) {
  Events events(source, sink);
  simdjson::dom::parser parser;
  Element e;
  const std::string_view text = trim(source.bytes);
  if (!text.starts_with('{') && !text.starts_with('[')) {
    const YamlDocuments documents = yaml_to_json(source.bytes);
    for (const YamlDocument& d : documents.documents)
      if (parser.parse(d.json).get(e) != simdjson::SUCCESS)
        sink.error(d.line, "a YAML document that cannot be read", d.json);
      else if (!events.take(e, d.line))
        events.refuse(e, d.line);
    if (!documents.error.empty()) sink.error(documents.error_line, "YAML: " + documents.error, text);
    events.finish();
    return;
  }
  // One document over several lines, or one a line: the first line tells.
  const std::string_view first = text.substr(0, text.find('\n'));
  if (first.size() < text.size() && parser.parse(first.data(), first.size()).get(e) != simdjson::SUCCESS &&
      parser.parse(text.data(), text.size()).get(e) == simdjson::SUCCESS) {
    if (!events.take(e, 1)) events.refuse(e, 1);
    events.finish();
    return;
  }
  uint64_t line = 0;
  for (std::string_view rest = source.bytes; !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string_view one = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    ++line;
    if (one.empty()) continue;
    if (const auto error = parser.parse(one.data(), one.size()).get(e))
      sink.error(
          line,
          rest.empty() ? "not valid JSON: the file is cut off here" : std::string("not valid JSON: ") + simdjson::error_message(error),
          one);
    else if (!events.take(e, line))
      events.refuse(e, line);
  }
  events.finish();
}

}  // namespace

extern const Decoder kKubeAudit;
const Decoder kKubeAudit{"kube-audit", "Kubernetes audit events: lines, lists, collectors' records, GKE Cloud Logging",
                         "AKSAudit,AKSAuditAdmin,EgretKubeObjects,KubeEvents", recognise, decode};

}  // namespace egret::ingest
