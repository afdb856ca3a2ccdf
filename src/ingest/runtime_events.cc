// What runtime observers of a node say: Falco's alerts → SecurityAlert, Tetragon's connections → ASimNetworkSessionLogs.
#include "base/json.h"
#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_file.h"
#include "ingest/row_setter.h"
#include "ingest/times.h"

namespace egret::ingest {
namespace {

using js::Element;

std::string_view severity(std::string_view priority) {
  const std::string p = to_lower(priority);
  if (p == "emergency" || p == "alert" || p == "critical") return "High";
  if (p == "error") return "Medium";
  if (p == "warning") return "Low";
  return "Informational";
}

void falco(const Element& e, std::string_view text, uint64_t line, const Source& source, Sink& sink) {
  if (js::text(e, "rule").empty() && js::text(e, "output").empty()) return sink.error(line, "not a Falco alert", text);
  auto time = js::time(e, "time");
  if (const auto ns = js::integer(js::get(e, {"output_fields", "evt.time"})); !time && ns) time = time_of_epoch(*ns);
  if (!time) return sink.error(line, "the alert has no time", text);
  const auto fields = js::get(e, "output_fields");
  const auto field = [&](std::string_view k) { return fields ? js::text(*fields, k) : std::string_view(); };
  JsonWriter w;
  w.begin_array();
  if (!field("k8s.pod.name").empty())
    w.begin_object()
        .key("Type")
        .string("K8s-pod")
        .key("Name")
        .string(field("k8s.pod.name"))
        .key("Namespace")
        .string(field("k8s.ns.name"))
        .end_object();
  if (const auto host = js::text(e, "hostname"); !host.empty())
    w.begin_object().key("Type").string("host").key("HostName").string(host).end_object();
  for (const std::string_view k : {"fd.sip", "fd.rip"})
    if (IpAddress::parse(field(k))) w.begin_object().key("Type").string("ip").key("Address").string(field(k)).end_object();
  w.end_array();
  RowSetter(sink.rows("SecurityAlert"))
      .time("TimeGenerated", time)
      .time("StartTime", time)
      .time("EndTime", time)
      .text("AlertName", js::text(e, "rule"))
      .text("DisplayName", js::text(e, "rule"))
      .text("Description", js::text(e, "output"))
      .text("AlertType", "Falco_" + std::string(js::text(e, "rule")))
      .text("AlertSeverity", severity(js::text(e, "priority")))
      .text("ProviderName", "Falco")
      .text("ProductName", "Falco")
      .text("CompromisedEntity", field("k8s.pod.name").empty() ? js::text(e, "hostname") : field("k8s.pod.name"))
      .text("Entities", std::move(w).take())
      .text("ExtendedProperties", fields ? js::minified(*fields) : "")
      .text("Cluster", source.cluster);
}

void tetragon(const Element& e, std::string_view text, uint64_t line, const Source& source, Sink& sink) {
  std::optional<Element> event;
  std::string_view src, dst, protocol = "TCP";
  std::optional<int64_t> from, to;
  if ((event = js::get(e, "process_connect"))) {
    src = js::text(*event, "source_ip");
    dst = js::text(*event, "destination_ip");
    from = js::integer(*event, "source_port");
    to = js::integer(*event, "destination_port");
    if (const auto p = js::text(*event, "protocol"); !p.empty()) protocol = p;
  } else if ((event = js::get(e, "process_kprobe")) && js::text(*event, "function_name").find("connect") != std::string_view::npos) {
    js::each(js::get(*event, "args"), [&](const Element& a) {
      const auto sock = js::get(a, "sock_arg");
      if (!sock) return;
      src = js::text(*sock, "saddr");
      dst = js::text(*sock, "daddr");
      from = js::integer(*sock, "sport");
      to = js::integer(*sock, "dport");
    });
  }
  if (dst.empty()) return;  // another event: known, not used
  auto time = js::time(e, "time");
  if (!time) time = js::time(js::get(*event, {"process", "start_time"}));
  if (!time) return sink.error(line, "the event has no time", text);
  const auto pod = js::get(*event, {"process", "pod"});
  std::string workload;
  if (pod && !js::text(*pod, "workload").empty())
    workload = std::string(js::text(*pod, "namespace")) + "/" +
               std::string(js::text(*pod, "workload_kind").empty() ? "Deployment" : js::text(*pod, "workload_kind")) + "/" +
               std::string(js::text(*pod, "workload"));
  // Neither a pod nor a container around it: a process of the node itself.
  const bool host = !pod && js::text(*event, {"process", "docker"}).empty() && !js::text(e, "node_name").empty();
  if (const std::string_view binary = js::text(*event, {"process", "binary"}); host && !binary.empty())
    workload = "node/HostProcess/" + std::string(binary.substr(binary.rfind('/') == std::string_view::npos ? 0 : binary.rfind('/') + 1));
  const auto address = IpAddress::parse(dst);
  RowSetter(sink.rows("ASimNetworkSessionLogs"))
      .time("TimeGenerated", time)
      .time("EventStartTime", time)
      .text("EventVendor", "Cilium")
      .text("EventProduct", "Tetragon")
      .text("EventType", "NetworkSession")
      .text("EventSubType", "Start")
      .text("EventResult", "Success")
      .integer("EventCount", 1)
      .text("EventOriginalUid", js::text(*event, {"process", "exec_id"}))
      .address("SrcIpAddr", src)
      .integer("SrcPortNumber", from)
      .address("DstIpAddr", dst)
      .integer("DstPortNumber", to)
      .text("NetworkProtocol", protocol_name(protocol))
      .text("NetworkDirection", address && address->is_private() ? "Local" : "Outbound")
      .text("NetworkConnectionHistory", js::text(*event, {"process", "binary"}))
      .text("Cluster", source.cluster)
      .text("SrcNode", js::text(e, "node_name"))
      .text("SrcNamespace", pod ? js::text(*pod, "namespace") : "")
      .text("SrcPodName", pod ? js::text(*pod, "name") : "")
      .text("SrcWorkload", workload)
      .text("SrcOwnerKind", host  ? "HostProcess"
                            : pod ? "Pod"
                                  : "")
      .span("TimePrecision", 0);
}

int recognise_falco(std::string_view head, std::string_view) {
  return json_with(head, {"\"rule\"", "\"priority\"", "\"output\""}) ? 92 : json_with(head, {"\"output_fields\"", "\"output\""}) ? 85 : 0;
}

int recognise_tetragon(std::string_view head, std::string_view) {
  if (!json_with(head, {"\"exec_id\""})) return 0;
  for (const std::string_view k :
       {"\"process_exec\"", "\"process_exit\"", "\"process_kprobe\"", "\"process_connect\"", "\"process_tracepoint\"", "\"process_dns\""})
    if (head.find(k) != std::string_view::npos) return 94;
  return 40;
}

}  // namespace

extern const Decoder kFalco, kTetragon;
const Decoder kFalco{"falco", "Falco alerts as JSON", "SecurityAlert", recognise_falco, decode_records<falco>};
const Decoder kTetragon{"tetragon", "Tetragon events as JSON: connections; the others are known and not used", "ASimNetworkSessionLogs",
                        recognise_tetragon, decode_records<tetragon>};

}  // namespace egret::ingest
