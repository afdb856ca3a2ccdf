// Files of container logs, however they were exported. CoreDNS questions and requests of Envoy and web servers go to their tables, a line
// of any other program to ContainerLogV2 as it came.
#include "base/json.h"
#include "base/text.h"
#include "ingest/access_line.h"
#include "ingest/coredns_line.h"
#include "ingest/decoder.h"
#include "ingest/envoy_line.h"
#include "ingest/klog_line.h"
#include "ingest/log_line.h"
#include "ingest/log_payload.h"

namespace egret::ingest {
namespace {

// Lines looked at to recognise a file.
constexpr int kProbe = 60;

struct Probe {
  int coredns = 0, coredns_other = 0, envoy = 0, access = 0, klog = 0, wrapped = 0, lines = 0;
};

Probe probe(std::string_view head, std::string_view path) {
  Probe p;
  CorednsQuery q;
  EnvoyAccess a;
  AccessLine access;
  std::string reason;
  LogLines lines(head, path);
  for (LogLine line; p.lines < kProbe && lines.next(line);) {
    ++p.lines;
    if (line.broken) continue;
    const CorednsLine dns = parse_coredns(line.text, q, reason);
    if (dns == CorednsLine::kQuery || dns == CorednsLine::kMalformed) ++p.coredns;
    if (dns == CorednsLine::kOther) ++p.coredns_other;
    if (dns != CorednsLine::kNo) continue;
    const EnvoyLine web = parse_envoy(line.text, a, reason);
    if (web == EnvoyLine::kAccess || web == EnvoyLine::kMalformed)
      ++p.envoy;
    else if (parse_access(line.text, access, reason) == AccessKind::kAccess)
      ++p.access;
    else if (parse_klog(line.text, kUnixEpochTicks))
      ++p.klog;
    else if (line.clock && line.whole.data() != line.text.data())
      ++p.wrapped;
  }
  return p;
}

int recognise_coredns(std::string_view head, std::string_view path) {
  if (!head.contains("[INFO]") && !head.contains(" IN ") && !head.contains("CoreDNS")) return 0;
  const Probe p = probe(head, path);
  if (p.coredns) return p.coredns >= p.envoy ? 90 : 0;
  return p.coredns_other ? 60 : 0;
}

int recognise_envoy(std::string_view head, std::string_view path) {
  if (!head.contains("HTTP/") && !head.contains("- - -") && !head.contains("response_code") && !head.contains("upstream_cluster") &&
      !head.contains("connection complete"))
    return 0;
  const Probe p = probe(head, path);
  return p.envoy > p.coredns ? 90 : 0;
}

int recognise_access(std::string_view head, std::string_view path) {
  if (!head.contains("] \"")) return 0;
  const Probe p = probe(head, path);
  return p.access > p.coredns + p.envoy && p.access * 3 > p.klog + p.wrapped ? 88 : 0;
}

int recognise_log(std::string_view head, std::string_view path) {
  const size_t start = head.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return 0;
  const Probe p = probe(head, path);
  if (p.lines == 0) return 0;
  if (p.klog * 3 > p.lines) return 80;
  if ((p.wrapped + p.access) * 2 > p.lines) return 60;
  return (p.klog + p.wrapped + p.access) ? 30 : 0;
}

void container_row(Sink& sink, const LogLine& line, Ticks time, std::string_view level, const Source& source) {
  model::Batch& b = sink.rows("ContainerLogV2");
  b.add_row();
  b.set_datetime(b.column("TimeGenerated"), time);
  b.set_string(b.column("Cluster"), source.cluster);
  b.set_string(b.column("PodName"), line.pod);
  b.set_string(b.column("PodNamespace"), line.ns);
  b.set_string(b.column("ContainerName"), line.container);
  b.set_string(b.column("Computer"), line.node);
  b.set_string(b.column("LogSource"), line.stream);
  b.set_string(b.column("LogLevel"), level);
  b.set_dynamic(b.column("LogMessage"), json_quote(line.text));
}

void decode(const Source& source, Sink& sink) {
  LogPayloads payloads(sink);
  LogLines lines(source.bytes, source.path);
  for (LogLine line; lines.next(line);) {
    if (line.broken) {
      sink.error(line.number, "the JSON around the log line is broken", line.whole);
      continue;
    }
    const LogContext context{.cluster = source.cluster,
                             .node = line.node,
                             .pod_namespace = line.ns,
                             .pod = line.pod,
                             .container = line.container,
                             .workload = {}};
    switch (payloads.decode(line.text, line.clock, context)) {
      case Payload::kRow:
      case Payload::kKnown: continue;
      case Payload::kAlso:
        if (!line.clock) continue;
        break;
      case Payload::kNoClock:
      case Payload::kMalformed: sink.error(line.number, payloads.reason(), line.whole, payloads.hint()); continue;
      case Payload::kNotOurs: break;
    }
    if (line.text.starts_with('#') && !line.clock) continue;  // comments of whoever collected it
    const auto klog = parse_klog(line.text, line.clock ? *line.clock : source.read_at);
    if (line.clock)
      container_row(sink, line, *line.clock, klog ? klog->level : "", source);
    else if (klog)
      container_row(sink, line, klog->time, klog->level, source);
    else
      sink.error(line.number, "a log line without a time", line.whole, "export it again with `kubectl logs --timestamps`");
  }
  payloads.finish();
}

}  // namespace

extern const Decoder kCorednsLog, kEnvoyLog, kAccessLog, kContainerLog;
const Decoder kCorednsLog{"coredns",
                          "CoreDNS log plugin, bare or as kubectl, CRI, docker, stern and Fluent wrap it",
                          "ASimDnsActivityLogs",
                          recognise_coredns,
                          decode,
                          nullptr,
                          true};
const Decoder kEnvoyLog{
    "envoy", "Envoy and Istio access logs (text, JSON, ztunnel), wrapped likewise", "ASimWebSessionLogs", recognise_envoy, decode, nullptr,
    true};
const Decoder kAccessLog{
    "access-log",
    "access logs of ingress-nginx (requests to the pods behind it) and of web servers (common and combined format), wrapped "
    "likewise: what callers asked for before a contact",
    "ASimWebSessionLogs",
    recognise_access,
    decode,
    nullptr,
    true};
const Decoder kContainerLog{"container-log",
                            "any other container's log with times: cluster-autoscaler (klog), applications",
                            "ContainerLogV2",
                            recognise_log,
                            decode,
                            nullptr,
                            true};

}  // namespace egret::ingest
