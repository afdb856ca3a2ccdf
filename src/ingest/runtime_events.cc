// What runtime observers of a node say: Falco's alerts → SecurityAlert; the connections that either saw → ASimNetworkSessionLogs, the
// processes → ASimProcessEventLogs. What else Tetragon writes down is counted in a note.
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

// Who did it, on its node.
struct Actor {
  std::string node, ns, pod, uid, container, container_id, image, workload;
  std::string_view kind() const { return !pod.empty() ? "Pod" : workload.find("/HostProcess/") != std::string::npos ? "HostProcess" : ""; }
};

std::string base_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

void set_actor(RowSetter& row, const Actor& a, const Source& source) {
  row.text("Cluster", source.cluster)
      .text("SrcNode", a.node)
      .text("SrcNamespace", a.ns)
      .text("SrcPodName", a.pod)
      .text("SrcPodUid", a.uid)
      .text("SrcContainer", a.container)
      .text("SrcContainerId", a.container_id)
      .text("SrcImage", a.image)
      .text("SrcWorkload", a.workload)
      .text("SrcOwnerKind", a.kind());
}

// A new program, or what connected: Falco tells it in an alert's fields, where the rule's output names them.
void falco_event(const Element& fields, Ticks time, std::string_view host, const Source& source, Sink& sink) {
  const auto field = [&](std::string_view k) {
    const std::string_view v = js::text(fields, k);
    return v == "<NA>" ? std::string_view() : v;
  };
  const auto number = [&](std::string_view k) {
    const auto n = js::integer(fields, k);
    return n ? std::to_string(*n) : std::string();
  };
  const std::string_view type = field("evt.type");
  Actor a;
  a.node = host;
  a.ns = field("k8s.ns.name");
  a.pod = field("k8s.pod.name");
  a.uid = field("k8s.pod.uid");
  a.container = field("container.name");
  a.container_id = field("container.id");
  a.image = field("container.image.repository");
  if (const auto tag = field("container.image.tag"); !a.image.empty() && !tag.empty()) a.image += ":" + std::string(tag);
  const std::string_view path = field("proc.exepath").empty() ? field("proc.name") : field("proc.exepath");
  if (a.container_id == "host" && a.pod.empty() && !path.empty()) a.workload = "node/HostProcess/" + base_name(path);
  if (type == "execve" || type == "execveat") {
    RowSetter row(sink.rows("ASimProcessEventLogs"));
    row.time("TimeGenerated", time)
        .time("EventStartTime", time)
        .time("EventEndTime", time)
        .text("EventVendor", "Falco")
        .text("EventProduct", "Falco")
        .text("EventType", "ProcessCreated")
        .text("EventResult", "Success")
        .integer("EventCount", 1)
        .text("DvcHostname", host)
        .text("TargetProcessName", path)
        .text("TargetProcessId", number("proc.pid"))
        .text("TargetProcessCommandLine", field("proc.cmdline"))
        .time("TargetProcessCreationTime", time)
        .text("ActorUserId", number("user.uid"))
        .text("ActingProcessId", number("proc.ppid"))
        .text("ActingProcessName", field("proc.pname"));
    set_actor(row, a, source);
  }
  // Of a client's connect() the server's end is fd.sip.
  const std::string_view server = field("fd.sip").empty() ? field("fd.rip") : field("fd.sip");
  if (const auto address = IpAddress::parse(server); type == "connect" && address) {
    const auto client_port = js::integer(fields, "fd.cport"), server_port = js::integer(fields, "fd.sport");
    RowSetter row(sink.rows("ASimNetworkSessionLogs"));
    row.time("TimeGenerated", time)
        .time("EventStartTime", time)
        .text("EventVendor", "Falco")
        .text("EventProduct", "Falco")
        .text("EventType", "NetworkSession")
        .text("EventSubType", "Start")
        .text("EventResult", "Success")
        .integer("EventCount", 1)
        .address("SrcIpAddr", field("fd.cip").empty() ? field("fd.lip") : field("fd.cip"))
        .integer("SrcPortNumber", client_port ? client_port : js::integer(fields, "fd.lport"))
        .address("DstIpAddr", server)
        .integer("DstPortNumber", server_port ? server_port : js::integer(fields, "fd.rport"))
        .text("NetworkProtocol", protocol_name(field("fd.l4proto").empty() ? "tcp" : field("fd.l4proto")))
        .text("NetworkDirection", address->is_private() ? "Local" : "Outbound")
        .text("NetworkConnectionHistory", path)
        .span("TimePrecision", 0);
    set_actor(row, a, source);
  }
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
  if (fields) falco_event(*fields, *time, js::text(e, "hostname"), source, sink);
}

Actor tetragon_actor(const Element& e, const Element& event) {
  Actor a;
  a.node = js::text(e, "node_name");
  const auto pod = js::get(event, {"process", "pod"});
  a.container_id = js::text(event, {"process", "docker"});
  if (js::is_object(pod)) {
    a.ns = js::text(*pod, "namespace");
    a.pod = js::text(*pod, "name");
    a.uid = js::text(*pod, "uid");
    a.container = js::text(*pod, {"container", "name"});
    a.image = js::text(*pod, {"container", "image", "name"});
    if (const auto w = js::text(*pod, "workload"); !w.empty()) {
      const auto kind = js::text(*pod, "workload_kind");
      a.workload = a.ns + "/" + std::string(kind.empty() ? "Deployment" : kind) + "/" + std::string(w);
    }
  } else if (const auto binary = js::text(event, {"process", "binary"}); a.container_id.empty() && !a.node.empty() && !binary.empty()) {
    a.workload = "node/HostProcess/" + base_name(binary);  // neither a pod nor a container around it: a process of the node itself
  }
  return a;
}

void tetragon_process(const Element& e, const Element& event, bool exit, std::string_view text, uint64_t line, const Source& source,
                      Sink& sink) {
  const auto started = js::time(js::get(event, {"process", "start_time"}));
  auto time = js::time(e, "time");
  if (!time && exit) time = js::time(event, "time");
  if (!time && !exit) time = started;
  if (!time) return sink.error(line, "the event has no time", text);
  const auto number = [&](js::Path path) {
    const auto n = js::integer(js::get(event, path));
    return n ? std::to_string(*n) : std::string();
  };
  const std::string_view binary = js::text(event, {"process", "binary"}), arguments = js::text(event, {"process", "arguments"});
  std::string command(binary);
  if (!arguments.empty()) command += " " + std::string(arguments);
  std::string status;
  if (exit) {
    const auto code = js::integer(event, "status");
    const std::string_view signal = js::text(event, "signal");
    status = signal.empty() ? std::to_string(code.value_or(0)) : std::string(signal);  // Tetragon names signals: SIGKILL
  }
  RowSetter row(sink.rows("ASimProcessEventLogs"));
  row.time("TimeGenerated", time)
      .time("EventStartTime", time)
      .time("EventEndTime", time)
      .text("EventVendor", "Cilium")
      .text("EventProduct", "Tetragon")
      .text("EventType", exit ? "ProcessTerminated" : "ProcessCreated")
      .text("EventResult", "Success")
      .integer("EventCount", 1)
      .text("DvcHostname", js::text(e, "node_name"))
      .text("TargetProcessName", binary)
      .text("TargetProcessId", number({"process", "pid"}))
      .text("TargetProcessCommandLine", command)
      .time("TargetProcessCreationTime", started)
      .text("TargetProcessStatusCode", status)
      .text("ActorUserId", number({"process", "uid"}))
      .text("ActingProcessId", number({"parent", "pid"}))
      .text("ActingProcessName", js::text(event, {"parent", "binary"}));
  set_actor(row, tetragon_actor(e, event), source);
}

void tetragon(const Element& e, std::string_view text, uint64_t line, const Source& source, Sink& sink) {
  std::optional<Element> event;
  std::string_view src, dst, protocol = "TCP";
  std::optional<int64_t> from, to;
  if ((event = js::get(e, "process_exec"))) return tetragon_process(e, *event, false, text, line, source, sink);
  if ((event = js::get(e, "process_exit"))) return tetragon_process(e, *event, true, text, line, source, sink);
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
  if (dst.empty()) {
    std::string_view what = "of no known kind";
    js::each_member(e, [&](std::string_view key, const Element&) {
      if (key.starts_with("process_") || key == "rate_limit_info") what = key;
    });
    return sink.note("Tetragon events that are no connection and no process, " + std::string(what) + ", were not used");
  }
  auto time = js::time(e, "time");
  if (!time) time = js::time(js::get(*event, {"process", "start_time"}));
  if (!time) return sink.error(line, "the event has no time", text);
  const auto address = IpAddress::parse(dst);
  RowSetter row(sink.rows("ASimNetworkSessionLogs"));
  row.time("TimeGenerated", time)
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
      .span("TimePrecision", 0);
  set_actor(row, tetragon_actor(e, *event), source);
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
const Decoder kFalco{"falco", "Falco alerts as JSON: the alert, and the process or connection that its fields tell of",
                     "SecurityAlert, ASimProcessEventLogs, ASimNetworkSessionLogs", recognise_falco, decode_records<falco>};
const Decoder kTetragon{"tetragon", "Tetragon events as JSON: connections, starts and ends of processes; the others are counted in a note",
                        "ASimNetworkSessionLogs, ASimProcessEventLogs", recognise_tetragon, decode_records<tetragon>};

}  // namespace egret::ingest
