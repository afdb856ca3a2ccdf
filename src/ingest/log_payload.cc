#include "ingest/log_payload.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/dns_names.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/text.h"
#include "ingest/access_line.h"
#include "ingest/coredns_line.h"
#include "ingest/envoy_line.h"
#include "ingest/row_setter.h"

namespace egret::ingest {
namespace {

constexpr std::string_view kClockHint = "export it again with `kubectl logs --timestamps`";

// "envoy://connect_originate/10.0.0.1:80" → "10.0.0.1:80"
std::string_view address_part(std::string_view s) {
  const size_t slash = s.rfind('/');
  return slash == std::string_view::npos ? s : s.substr(slash + 1);
}

std::string host_of(std::string_view authority) {
  std::string_view host = authority;
  int port = 0;
  if (!authority.starts_with('[') && std::ranges::count(authority, ':') > 1) return to_lower(authority);  // a bare IPv6 address
  split_host_port(authority, host, port);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return to_lower(host);
}

// outbound_.8000_._.hotels.travel.svc.cluster.local is Istio's own server name between proxies.
std::string_view plain_server_name(std::string_view s) {
  const size_t at = s.find("_._.");
  return s.starts_with("outbound_") && at != std::string_view::npos ? s.substr(at + 4) : s;
}

std::string_view direction_of(const EnvoyAccess& a) {
  if (!a.direction.empty()) return a.direction;
  const std::string_view c = a.upstream_cluster;
  if (c.starts_with("inbound") || c.starts_with("InboundPassthroughCluster")) return "inbound";
  if (c.starts_with("outbound") || c.starts_with("PassthroughCluster") || c.starts_with("BlackHoleCluster")) return "outbound";
  if (a.route == "block_all" || a.route == "allow_any") return "outbound";
  return "";
}

// Flags that say that the request did not succeed; DC and the like say only who ended it.
bool failing(std::string_view flags) {
  for (const std::string& f : split(flags, ','))
    for (const std::string_view bad : {"UH",   "UF", "UO",  "NR", "URX", "NC",  "UT",   "UC",    "LH",   "LR", "UR", "RL", "UAEX",
                                       "RLSE", "IH", "UPE", "OM", "DF",  "DPE", "NFCF", "UMSDR", "RFCF", "DO", "SI", "FI"})
      if (f == bad) return true;
  return false;
}

}  // namespace

struct LogPayloads::Impl {
  explicit Impl(Sink& s) : sink(s) {}

  Sink& sink;
  std::string reason, hint;

  struct DnsColumns {
    int time = -1, vendor, product, type, subtype, result, details, src, src_port, query, query_type, query_type_name, code, duration,
        flags, protocol, id, cluster, pod;
  } dns;
  struct WebColumns {
    int time = -1, vendor, product, type, result, details, uid, src, src_port, dst, dst_port, host, method, version, agent, status, url,
        src_bytes, dst_bytes, duration, app, cluster, ns, pod, workload, upstream, flags, direction;
  } web;

  struct Span {
    Coverage coverage;
    bool rows = false;
  };
  std::unordered_map<std::string, Span> spans;
  Span* last = nullptr;
  std::string last_key;

  // Coverage of the cluster by a source, and of one pod by it: with several servers, the log of one is not all that happened.
  void cover(std::string_view source, std::string_view table, std::string_view cluster, std::string_view pod, Ticks t, bool row) {
    std::string key;
    key.reserve(source.size() + cluster.size() + pod.size() + 2);
    key.append(source).append("\n").append(cluster).append("\n").append(pod);
    if (!last || key != last_key) {
      auto [it, fresh] = spans.try_emplace(key);
      if (fresh) {
        Coverage& c = it->second.coverage;
        c.cluster = cluster;
        c.source = source;
        c.table = table;
        // A proxy or web server sees its own pod only: a line whose pod is not known does not speak for the cluster.
        c.scope = pod.empty() && source == "coredns" ? "cluster" : "pod";
        c.name = pod;
        c.from = c.to = t;
      }
      last = &it->second;
      last_key = std::move(key);
    }
    last->coverage.from = std::min(last->coverage.from, t);
    last->coverage.to = std::max(last->coverage.to, t);
    last->rows |= row;
  }

  void dns_row(const CorednsQuery& q, Ticks time, const LogContext& context);
  void web_row(const EnvoyAccess& a, Ticks time, std::string_view dst, int dst_port, std::string_view src, int src_port,
               const LogContext& context);
  Payload coredns(std::string_view line, std::optional<Ticks> clock, const LogContext& context, bool& decided);
  Payload envoy(std::string_view line, std::optional<Ticks> clock, const LogContext& context, bool& decided);
  Payload access(std::string_view line, std::optional<Ticks> clock, const LogContext& context);
  static std::string pod_name(const LogContext& context) {
    if (context.pod.empty()) return {};
    // kubectl logs --prefix leaves the namespace out; CoreDNS lives in kube-system wherever AKS or kubeadm made it.
    const std::string_view ns = !context.pod_namespace.empty()        ? context.pod_namespace
                                : context.pod.starts_with("coredns-") ? "kube-system"
                                                                      : "";
    return ns.empty() ? std::string(context.pod) : std::string(ns) + "/" + std::string(context.pod);
  }
};

void LogPayloads::Impl::dns_row(const CorednsQuery& q, Ticks time, const LogContext& context) {
  model::Batch& b = sink.rows("ASimDnsActivityLogs");
  if (dns.time < 0) {
    const auto n = [&](const char* name) { return b.column(name); };
    dns = {n("TimeGenerated"),   n("EventVendor"),        n("EventProduct"),    n("EventType"),          n("EventSubType"),
           n("EventResult"),     n("EventResultDetails"), n("SrcIpAddr"),       n("SrcPortNumber"),      n("DnsQuery"),
           n("DnsQueryType"),    n("DnsQueryTypeName"),   n("DnsResponseCode"), n("DnsNetworkDuration"), n("DnsFlags"),
           n("NetworkProtocol"), n("TransactionIdHex"),   n("Cluster"),         n("DnsServerPod")};
  }
  b.add_row();
  b.set_datetime(dns.time, time);
  b.set_string(dns.vendor, "CoreDNS");
  b.set_string(dns.product, "CoreDNS");
  b.set_string(dns.type, "Query");
  b.set_string(dns.subtype, "request");
  b.set_string(dns.result, q.code == "NOERROR" ? "Success" : "Failure");
  b.set_string(dns.details, q.code.empty() ? "NA" : q.code);
  b.set_string(dns.src, q.client);
  b.set_int(dns.src_port, q.port);
  b.set_string(dns.query, dns_name(q.name));
  if (const auto t = dns_type_number(q.type)) b.set_int(dns.query_type, *t);
  b.set_string(dns.query_type_name, q.type);
  if (const auto c = dns_code_number(q.code)) b.set_int(dns.code, *c);
  b.set_int(dns.duration, static_cast<int64_t>(std::lround(q.seconds * 1000)));
  b.set_string(dns.flags, q.flags);
  b.set_string(dns.protocol, q.protocol == "udp" ? "UDP" : "TCP");
  char id[5];
  static constexpr char kHex[] = "0123456789abcdef";
  for (int i = 0; i < 4; ++i) id[i] = kHex[q.id >> (12 - 4 * i) & 15];
  b.set_string(dns.id, std::string_view(id, 4));
  b.set_string(dns.cluster, context.cluster);
  const std::string pod = pod_name(context);
  b.set_string(dns.pod, pod);
}

void LogPayloads::Impl::web_row(const EnvoyAccess& a, Ticks time, std::string_view dst, int dst_port, std::string_view src, int src_port,
                                const LogContext& context) {
  model::Batch& b = sink.rows("ASimWebSessionLogs");
  if (web.time < 0) {
    const auto n = [&](const char* name) { return b.column(name); };
    web = {n("TimeGenerated"),
           n("EventVendor"),
           n("EventProduct"),
           n("EventType"),
           n("EventResult"),
           n("EventResultDetails"),
           n("EventOriginalUid"),
           n("SrcIpAddr"),
           n("SrcPortNumber"),
           n("DstIpAddr"),
           n("DstPortNumber"),
           n("DstHostname"),
           n("HttpRequestMethod"),
           n("HttpVersion"),
           n("HttpUserAgent"),
           n("HttpStatusCode"),
           n("Url"),
           n("SrcBytes"),
           n("DstBytes"),
           n("NetworkDuration"),
           n("NetworkApplicationProtocol"),
           n("Cluster"),
           n("SrcNamespace"),
           n("SrcPodName"),
           n("SrcWorkload"),
           n("UpstreamCluster"),
           n("ResponseFlags"),
           n("Direction")};
  }
  const bool http = !a.method.empty();
  b.add_row();
  b.set_datetime(web.time, time);
  b.set_string(web.vendor, "Envoy");
  b.set_string(web.product, "Envoy");
  b.set_string(web.type, http ? "HTTPsession" : "NetworkSession");
  b.set_string(web.result, a.code >= 400 || failing(a.flags) ? "Failure" : "Success");
  if (a.has_code && a.code) {
    b.set_string(web.details, std::to_string(a.code));
    b.set_int(web.status, a.code);
  }
  b.set_string(web.uid, a.request_id);
  if (!src.empty()) {
    b.set_string(web.src, src);
    if (src_port) b.set_int(web.src_port, src_port);
  }
  if (!dst.empty()) {
    b.set_string(web.dst, dst);
    b.set_int(web.dst_port, dst_port);
  }
  std::string host = host_of(a.authority);
  if (host.empty()) host = to_lower(plain_server_name(a.server_name));
  if (host.empty() && a.upstream_cluster.starts_with("outbound|"))
    host = to_lower(std::string_view(a.upstream_cluster).substr(a.upstream_cluster.rfind('|') + 1));
  b.set_string(web.host, host);
  b.set_string(web.method, a.method);
  b.set_string(web.version, a.protocol.starts_with("HTTP/") ? std::string_view(a.protocol).substr(5) : std::string_view(a.protocol));
  b.set_string(web.agent, a.user_agent);
  b.set_string(web.url, a.path);
  b.set_int(web.src_bytes, a.received);
  b.set_int(web.dst_bytes, a.sent);
  if (a.has_milliseconds) b.set_int(web.duration, std::clamp<int64_t>(a.milliseconds, 0, INT32_MAX));
  b.set_string(web.app, http ? "HTTP" : a.server_name.empty() ? "TCP" : "TLS");
  b.set_string(web.cluster, context.cluster);
  b.set_string(web.ns, a.pod.empty() ? context.pod_namespace : std::string_view(a.pod_namespace));
  b.set_string(web.pod, a.pod.empty() ? context.pod : std::string_view(a.pod));
  b.set_string(web.workload, context.workload);
  b.set_string(web.upstream, a.upstream_cluster);
  b.set_string(web.flags, a.flags);
  b.set_string(web.direction, direction_of(a));
}

Payload LogPayloads::Impl::coredns(std::string_view line, std::optional<Ticks> clock, const LogContext& context, bool& decided) {
  CorednsQuery q;
  const CorednsLine kind = parse_coredns(line, q, reason);
  decided = kind != CorednsLine::kNo;
  if (kind == CorednsLine::kNo) return Payload::kNotOurs;
  if (kind == CorednsLine::kMalformed) return Payload::kMalformed;
  const auto time = q.time ? q.time : clock;
  if (time) {
    cover("coredns", "ASimDnsActivityLogs", context.cluster, {}, *time, kind == CorednsLine::kQuery);
    if (const std::string pod = pod_name(context); !pod.empty())
      cover("coredns", "ASimDnsActivityLogs", context.cluster, pod, *time, kind == CorednsLine::kQuery);
  }
  if (kind == CorednsLine::kOther) return Payload::kKnown;
  if (!time) {
    reason = "the CoreDNS line does not say when: neither it nor what is around it has a time";
    hint = kClockHint;
    return Payload::kNoClock;
  }
  dns_row(q, *time, context);
  return Payload::kRow;
}

Payload LogPayloads::Impl::envoy(std::string_view line, std::optional<Ticks> clock, const LogContext& context, bool& decided) {
  EnvoyAccess a;
  const EnvoyLine kind = parse_envoy(line, a, reason);
  decided = kind != EnvoyLine::kNo;
  if (kind == EnvoyLine::kNo) return Payload::kNotOurs;
  if (kind == EnvoyLine::kOther) {
    const bool proxy = context.container.empty() || context.container == "istio-proxy" || context.container == "istio-init" ||
                       context.container == "ztunnel" || context.container == "envoy";
    decided = proxy;
    if (proxy && clock && !context.pod.empty()) cover("envoy", "ASimWebSessionLogs", context.cluster, pod_name(context), *clock, false);
    return proxy ? Payload::kKnown : Payload::kNotOurs;
  }
  if (kind == EnvoyLine::kMalformed) return Payload::kMalformed;
  const auto time = a.time ? a.time : clock;
  if (!time) {
    reason = "the access line lacks its [start time], and nothing around it says when";
    hint = kClockHint;
    return Payload::kMalformed;
  }
  const std::string_view direction = direction_of(a);
  std::string_view src, dst;
  int src_port = 0, dst_port = 0;
  // "Who is called": the upstream host; where there was none (blocked), the address that the client wanted.
  const bool pipe = a.upstream_host.starts_with('/') || a.upstream_host.starts_with("unix:") || a.upstream_host.starts_with("@") ||
                    (a.upstream_host.starts_with("envoy://") && a.upstream_host.ends_with('/'));
  if (!a.upstream_host.empty() && !pipe) {
    if (!split_host_port(address_part(a.upstream_host), dst, dst_port) || !IpAddress::parse(dst)) {
      reason = "the upstream host '" + a.upstream_host + "' is no address: the line is damaged";
      return Payload::kMalformed;
    }
  } else if (direction != "inbound" || pipe) {
    if (!a.downstream_local.empty() && (direction == "outbound" || pipe) &&
        (!split_host_port(address_part(a.downstream_local), dst, dst_port) || !IpAddress::parse(dst)))
      dst = {};
  }
  if (!a.downstream_remote.empty()) {
    if (!split_host_port(address_part(a.downstream_remote), src, src_port) || !IpAddress::parse(src)) src = {};
  } else if (!a.forwarded_for.empty()) {
    // Envoy's own format names the client only here; the first is the farthest.
    std::string_view first = trim(std::string_view(a.forwarded_for).substr(0, a.forwarded_for.find(',')));
    if (first.size() > 1 && first.front() == '[' && first.back() == ']') first = first.substr(1, first.size() - 2);
    if (IpAddress::parse(first))
      src = first;
    else if (!split_host_port(first, src, src_port) || !IpAddress::parse(src))
      src = {};
  }
  web_row(a, *time, dst, dst_port, src, src_port, context);
  std::string pod = pod_name(context);
  if (!a.pod.empty()) pod = a.pod_namespace + "/" + a.pod;
  cover("envoy", "ASimWebSessionLogs", context.cluster, pod, *time, true);
  return Payload::kRow;
}

Payload LogPayloads::Impl::access(std::string_view line, std::optional<Ticks> clock, const LogContext& context) {
  AccessLine a;
  switch (parse_access(line, a, reason)) {
    case AccessKind::kNo: return Payload::kNotOurs;
    case AccessKind::kOther: return clock ? Payload::kNotOurs : Payload::kKnown;  // with a time around it, it is a line as any other
    case AccessKind::kMalformed: return Payload::kMalformed;
    case AccessKind::kAccess: break;
  }
  // The line has whole seconds; what wrapped it as it was written knows better.
  constexpr Ticks kClose = 3 * kTicksPerSecond;
  Ticks time = clock && *clock >= a.logged && *clock - a.logged < kClose ? *clock : a.logged;
  time -= a.milliseconds * (kTicksPerSecond / 1000);
  std::string_view upstream;
  int upstream_port = 0;
  const bool forwarded = !a.upstream.empty() && split_host_port(a.upstream, upstream, upstream_port) && IpAddress::parse(upstream);
  RowSetter row(sink.rows("ASimWebSessionLogs"));
  row.time("TimeGenerated", time)
      .text("EventVendor", a.ingress ? "nginx" : "web server")
      .text("EventProduct", a.ingress ? "ingress-nginx" : "access log")
      .text("EventType", "HTTPsession")
      .text("EventResult", a.status >= 400 ? "Failure" : "Success")
      .text("EventResultDetails", a.status ? std::to_string(a.status) : "")
      .integer("HttpStatusCode", a.status ? std::optional<int64_t>(a.status) : std::nullopt)
      .text("EventOriginalUid", a.request_id)
      .address("SrcIpAddr", a.client)
      .text("HttpRequestMethod", a.method)
      .text("HttpVersion", a.version)
      .text("HttpUserAgent", a.agent)
      .text("HttpReferrer", a.referrer)
      .text("Url", a.path)
      .integer("DstBytes", a.sent)
      .text("NetworkApplicationProtocol", "HTTP")
      .text("Cluster", context.cluster)
      .text("UpstreamCluster", a.upstream_name)
      .text("Direction", "inbound");
  if (a.ingress) row.integer("SrcBytes", a.received).integer("NetworkDuration", std::min<int64_t>(a.milliseconds, INT32_MAX));
  // What an ingress passed on is a request to the pod behind it, which the row names by its address; what it answered itself is its own.
  if (forwarded)
    row.address("DstIpAddr", upstream).integer("DstPortNumber", upstream_port);
  else
    row.text("SrcNamespace", context.pod_namespace).text("SrcPodName", context.pod).text("SrcWorkload", context.workload);
  cover(a.ingress ? "ingress-nginx" : "access-log", "ASimWebSessionLogs", context.cluster, pod_name(context), time, true);
  return a.ingress ? Payload::kRow : Payload::kAlso;
}

LogPayloads::LogPayloads(Sink& sink) : impl_(std::make_unique<Impl>(sink)) {}
LogPayloads::~LogPayloads() = default;

Payload LogPayloads::decode(std::string_view line, std::optional<Ticks> clock, const LogContext& context) {
  impl_->reason.clear();
  impl_->hint.clear();
  bool decided = false;
  const Payload dns = impl_->coredns(line, clock, context, decided);
  if (decided) return dns;
  const Payload web = impl_->envoy(line, clock, context, decided);
  return decided ? web : impl_->access(line, clock, context);
}

const std::string& LogPayloads::reason() const { return impl_->reason; }
const std::string& LogPayloads::hint() const { return impl_->hint; }

void LogPayloads::finish() {
  for (const auto& [key, span] : impl_->spans)
    if (span.rows || span.coverage.scope == "pod") impl_->sink.covered(span.coverage);
  impl_->spans.clear();
  impl_->last = nullptr;
}

}  // namespace egret::ingest
