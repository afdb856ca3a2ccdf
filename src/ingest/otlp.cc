// OpenTelemetry's OTLP as JSON, as the collector's file exporter writes it (one request a line) and as programs post it; both spellings of
// the members (resourceSpans, resource_spans). https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
//
// Spans become what Azure Monitor makes of them: SERVER and CONSUMER AppRequests, the other kinds AppDependencies. Log records of pods
// become ContainerLogV2 (and what follows from such a row), others AppTraces. Metrics are known and not used.
#include <fmt/format.h>

#include <map>

#include "base/json.h"
#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_file.h"
#include "ingest/table_rows.h"
#include "ingest/times.h"

namespace egret::ingest {
namespace {

using js::Element;

std::optional<Element> either(const std::optional<Element>& e, std::string_view camel, std::string_view snake) {
  auto v = js::get(e, camel);
  return v ? v : js::get(e, snake);
}

// An AnyValue as text: scalars as they are, lists and maps as JSON in OTLP's own form.
std::string value_text(const std::optional<Element>& v) {
  if (!v) return {};
  if (const auto s = either(v, "stringValue", "string_value"); s && s->is_string()) return std::string(js::text(*s));
  std::string out;
  js::each_member(v, [&](std::string_view, const Element& x) {
    if (out.empty()) out = x.is_string() ? std::string(js::text(x)) : js::minified(x);
  });
  return out;
}

class Attributes {
 public:
  explicit Attributes(const std::optional<Element>& list, const Attributes* around = nullptr) : around_(around) {
    js::each(list, [&](const Element& a) {
      if (const auto key = js::text(a, "key"); !key.empty()) values_[std::string(key)] = value_text(js::get(a, "value"));
    });
  }
  // The first of the names that is there, here or around.
  std::string_view of(std::initializer_list<std::string_view> names) const {
    for (const std::string_view name : names) {
      for (const Attributes* a = this; a; a = a->around_)
        if (const auto it = a->values_.find(name); it != a->values_.end() && !it->second.empty()) return it->second;
    }
    return {};
  }
  std::string json() const {
    std::map<std::string_view, std::string_view> all;
    for (const Attributes* a = this; a; a = a->around_)
      for (const auto& [k, v] : a->values_) all.emplace(k, v);
    if (all.empty()) return {};
    JsonWriter w;
    w.begin_object();
    for (const auto& [k, v] : all) w.key(k).string(v);
    w.end_object();
    return std::move(w).take();
  }

 private:
  std::map<std::string, std::string, std::less<>> values_;
  const Attributes* around_;
};

// Nanoseconds since 1970, as a number or as text; 0 is OTLP's "unknown".
std::optional<Ticks> nanos(const std::optional<Element>& e) {
  const auto n = js::integer(e);
  return n && *n > 0 ? std::optional(kUnixEpochTicks + *n / 100) : std::nullopt;
}

// Trace and span ids are hexadecimal in OTLP's JSON.
std::string_view id_of(const Element& e, std::string_view camel, std::string_view snake) {
  const std::string_view id = js::text(either(e, camel, snake));
  return id.find_first_not_of('0') == std::string_view::npos ? std::string_view() : id;
}

class Requests {
 public:
  Requests(const Source& source, Sink& sink) : sink_(sink), rows_(source, sink) {}

  void request(const Element& e, std::string_view text, uint64_t line) {
    line_ = line;
    text_ = text.substr(0, 200);
    const auto spans = either(e, "resourceSpans", "resource_spans"), logs = either(e, "resourceLogs", "resource_logs"),
               metrics = either(e, "resourceMetrics", "resource_metrics");
    if (!spans && !logs && !metrics)
      return sink_.error(line, "no OTLP request: neither resourceSpans nor resourceLogs nor resourceMetrics", text);
    if (metrics) sink_.note("metrics of OTLP are known and not used");
    for (const auto& [list, name] : {std::pair{spans, "resourceSpans"}, {logs, "resourceLogs"}})
      if (list && !list->is_array()) sink_.error(line, fmt::format("{} is no list", name), text);
    js::each(spans, [&](const Element& r) {
      const Attributes resource(js::get(js::get(r, "resource"), "attributes"));
      js::each(either(r, "scopeSpans", "scope_spans"),
               [&](const Element& s) { js::each(js::get(s, "spans"), [&](const Element& x) { span(x, resource); }); });
    });
    js::each(logs, [&](const Element& r) {
      const Attributes resource(js::get(js::get(r, "resource"), "attributes"));
      js::each(either(r, "scopeLogs", "scope_logs"),
               [&](const Element& s) { js::each(either(s, "logRecords", "log_records"), [&](const Element& x) { log(x, resource); }); });
    });
  }

 private:
  void set(std::string_view column, std::string_view value) {
    if (!value.empty()) rows_.set(column, Cell::of(value));
  }

  // "[namespace].name", as Azure Monitor's exporter names roles; the pod stands for the instance where it is known.
  void role(const Attributes& a) {
    const std::string_view ns = a.of({"service.namespace"}), name = a.of({"service.name"});
    set("AppRoleName", ns.empty() ? std::string(name) : fmt::format("[{}]/{}", ns, name));
    set("AppRoleInstance", a.of({"k8s.pod.name", "service.instance.id", "host.name"}));
    set("AppVersion", a.of({"service.version"}));
    set("Cluster", a.of({"k8s.cluster.name"}));
  }

  void span(const Element& x, const Attributes& resource) {
    if (!x.is_object()) return sink_.error(line_, "a span is no JSON object", text_);
    const Attributes a(js::get(x, "attributes"), &resource);
    const auto start = nanos(either(x, "startTimeUnixNano", "start_time_unix_nano")),
               end = nanos(either(x, "endTimeUnixNano", "end_time_unix_nano"));
    if (!start) return sink_.error(line_, "a span without startTimeUnixNano", text_);
    const auto kind_value = js::get(x, "kind");
    const std::string_view kind_name = js::text(kind_value);
    const int64_t kind = kind_name.empty() ? js::integer(kind_value).value_or(0) : 0;
    const bool request = kind == 2 || kind == 5 || kind_name == "SPAN_KIND_SERVER" || kind_name == "SPAN_KIND_CONSUMER";
    rows_.begin(request ? "AppRequests" : "AppDependencies");
    const std::string time = format_datetime(*start);
    set("TimeGenerated", time);
    set("Id", id_of(x, "spanId", "span_id"));
    set("OperationId", id_of(x, "traceId", "trace_id"));
    set("ParentId", id_of(x, "parentSpanId", "parent_span_id"));
    set("Name", js::text(x, "name"));
    role(a);
    if (end && *end >= *start) rows_.set("DurationMs", {.kind = Cell::kReal, .real = static_cast<double>(*end - *start) / 10'000});
    const std::string_view code = a.of({"http.response.status_code", "http.status_code", "rpc.grpc.status_code"});
    set("ResultCode", code);
    const auto status = js::get(js::get(x, "status"), "code");
    const bool failed = js::integer(status).value_or(0) == 2 || js::text(status) == "STATUS_CODE_ERROR";
    rows_.set("Success", {.kind = Cell::kBool, .number = !failed});
    const std::string url = url_of(a);
    if (request) {
      set("Url", url);
      set("ClientIP", a.of({"client.address", "http.client_ip", "net.sock.peer.addr", "network.peer.address"}));
    } else {
      dependency(a, url);
    }
    set("Properties", a.json());
    rows_.end(line_, text_);
  }

  void dependency(const Attributes& a, const std::string& url) {
    const std::string_view database = a.of({"db.system", "db.system.name"}), rpc = a.of({"rpc.system"}), queue = a.of({"messaging.system"});
    const bool http = !a.of({"http.request.method", "http.method"}).empty();
    set("DependencyType", http ? "HTTP" : !database.empty() ? database : !rpc.empty() ? rpc : !queue.empty() ? queue : "InProc");
    std::string target(
        a.of({"server.address", "net.peer.name", "peer.service", "network.peer.address", "net.sock.peer.addr", "net.peer.ip"}));
    const std::string_view port = a.of({"server.port", "net.peer.port", "network.peer.port"});
    if (!target.empty() && !port.empty() && port != "443" && port != "80") target += fmt::format(":{}", port);
    if (target.empty() && !url.empty()) {
      const size_t from = url.find("://");
      if (from != std::string::npos) target = url.substr(from + 3, url.find_first_of("/?#", from + 3) - from - 3);
    }
    set("Target", target);
    set("Data", !url.empty() ? std::string_view(url) : a.of({"db.query.text", "db.statement", "rpc.method", "messaging.destination.name"}));
  }

  // In today's and the earlier semantic conventions of HTTP.
  static std::string url_of(const Attributes& a) {
    if (const auto full = a.of({"url.full", "http.url"}); !full.empty()) return std::string(full);
    std::string path(a.of({"url.path", "http.target"}));
    if (const auto query = a.of({"url.query"}); !query.empty() && path.find('?') == std::string::npos) path += fmt::format("?{}", query);
    if (path.empty()) return {};
    const std::string_view host = a.of({"server.address", "http.host", "net.host.name"}), scheme = a.of({"url.scheme", "http.scheme"}),
                           port = a.of({"server.port", "net.host.port"});
    if (host.empty()) return path;
    std::string url = fmt::format("{}://{}", scheme.empty() ? "http" : scheme, host);
    if (!port.empty() && port != "80" && port != "443" && host.find(':') == std::string_view::npos) url += fmt::format(":{}", port);
    return url + path;
  }

  void log(const Element& x, const Attributes& resource) {
    if (!x.is_object()) return sink_.error(line_, "a log record is no JSON object", text_);
    const Attributes a(js::get(x, "attributes"), &resource);
    auto time = nanos(either(x, "timeUnixNano", "time_unix_nano"));
    if (!time) time = nanos(either(x, "observedTimeUnixNano", "observed_time_unix_nano"));
    if (!time) return sink_.error(line_, "a log record without timeUnixNano or observedTimeUnixNano", text_);
    const std::string body = value_text(js::get(x, "body"));
    const std::string_view pod = a.of({"k8s.pod.name"});
    const std::string stamp = format_datetime(*time);
    if (!pod.empty()) {
      rows_.begin("ContainerLogV2");
      set("TimeGenerated", stamp);
      set("PodName", pod);
      set("PodNamespace", a.of({"k8s.namespace.name"}));
      set("ContainerName", a.of({"k8s.container.name", "container.name"}));
      set("ContainerId", a.of({"container.id"}));
      set("Computer", a.of({"k8s.node.name", "host.name"}));
      set("LogSource", a.of({"log.iostream"}));
      set("LogLevel", to_lower(js::text(either(x, "severityText", "severity_text"))));
      set("Cluster", a.of({"k8s.cluster.name"}));
      rows_.set("LogMessage", Cell::json(json_quote(body)));
      rows_.end(line_, text_);
      return;
    }
    rows_.begin("AppTraces");
    set("TimeGenerated", stamp);
    set("Message", body);
    role(a);
    set("OperationId", id_of(x, "traceId", "trace_id"));
    set("ParentId", id_of(x, "spanId", "span_id"));
    // OTLP counts 1–24 in steps of four (trace, debug, info, warn, error, fatal); Azure Monitor verbose 0 to critical 4.
    const auto severity_value = either(x, "severityNumber", "severity_number");
    if (const int64_t n = js::integer(severity_value).value_or(0); n > 0 && n <= 24)
      rows_.set("SeverityLevel", Cell::of(n < 9    ? int64_t{0}
                                          : n < 13 ? int64_t{1}
                                          : n < 17 ? int64_t{2}
                                          : n < 21 ? int64_t{3}
                                                   : int64_t{4}));
    set("Properties", a.json());
    rows_.end(line_, text_);
  }

  Sink& sink_;
  TableRows rows_;
  uint64_t line_ = 0;
  std::string_view text_;
};

void decode(const Source& source, Sink& sink) {
  Requests requests(source, sink);
  each_record(source, sink, [&](const Element& e, std::string_view text, uint64_t line) {
    if (!e.is_object()) return sink.error(line, "an OTLP request must be a JSON object", text);
    requests.request(e, text, line);
  });
}

int recognise(std::string_view h, std::string_view) {
  for (const std::string_view name :
       {"\"resourceLogs\"", "\"resourceSpans\"", "\"resourceMetrics\"", "\"resource_logs\"", "\"resource_spans\"", "\"resource_metrics\""})
    if (json_with(h, {name})) return 72;
  return 0;
}

}  // namespace

extern const Decoder kOtlp;
const Decoder kOtlp{"otlp", "OTLP as JSON: spans and log records of the collector's file exporter; its metrics are known and not used",
                    "AppRequests,AppDependencies,ContainerLogV2,AppTraces", recognise, decode};

}  // namespace egret::ingest
