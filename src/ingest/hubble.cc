// Cilium's Hubble flows as JSON lines: `hubble observe -o json`, `-o jsonpb` and the exporter's files. One flow is one event of one packet
// (or request): replies are turned round, so that the source is always who began.
#include <algorithm>
#include <map>

#include "base/dns_names.h"
#include "base/json.h"
#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_dom.h"
#include "ingest/row_setter.h"

namespace egret::ingest {
namespace {

using js::Element;

struct End {
  std::optional<Element> e;
  std::string_view address, name_space, pod;
  std::string workload;
  bool world = false;
};

End end_of(const Element& flow, std::string_view side) {
  End x;
  x.e = js::get(flow, side);
  x.address = js::text(flow, {"IP", side});
  if (!x.e) return x;
  x.name_space = js::text(*x.e, "namespace");
  x.pod = js::text(*x.e, "pod_name");
  js::each(js::get(*x.e, "workloads"), [&](const Element& w) {
    if (x.workload.empty())
      x.workload = std::string(x.name_space) + "/" + std::string(js::text(w, "kind")) + "/" + std::string(js::text(w, "name"));
  });
  js::each(js::get(*x.e, "labels"), [&](const Element& l) { x.world |= js::text(l).starts_with("reserved:world"); });
  return x;
}

class Flows {
 public:
  Flows(const Source& source, Sink& sink) : source_(source), sink_(sink) {}

  void line(const Element& e, std::string_view text, uint64_t number) {
    const auto wrapped = js::get(e, "flow");
    if (!wrapped && (js::get(e, "lost_events") || js::get(e, "node_status") || js::get(e, "agent_event") || js::get(e, "debug_event")))
      return;
    const Element flow = wrapped ? *wrapped : e;
    auto time = js::time(flow, "time");
    if (!time) time = js::time(e, "time");
    if (!time) return sink_.error(number, "the flow has no time", text);
    std::string_view node = js::text(flow, "node_name");
    if (node.empty()) node = js::text(e, "node_name");
    std::string cluster = source_.cluster;
    if (const size_t slash = node.find('/'); slash != std::string_view::npos) {  // cluster/node, where Cilium knows its cluster's name
      if (node.substr(0, slash) != "default") cluster = node.substr(0, slash);
      node.remove_prefix(slash + 1);
    }
    const auto l7 = js::get(flow, "l7");
    const bool reply =
        js::boolean(js::get(flow, "is_reply")) || js::boolean(js::get(flow, "reply")) || (l7 && js::text(*l7, "type") == "RESPONSE");
    End src = end_of(flow, "source"), dst = end_of(flow, "destination");
    if (reply) std::swap(src, dst);
    std::string_view protocol;
    std::optional<int64_t> from_port, to_port;
    js::each_member(js::get(flow, "l4"), [&](std::string_view name, const Element& p) {
      protocol = protocol_name(name);
      from_port = js::integer(p, reply ? "destination_port" : "source_port");
      to_port = js::integer(p, reply ? "source_port" : "destination_port");
    });
    const std::string_view verdict = js::text(flow, "verdict");
    Span& seen = spans_[cluster];
    seen.from = seen.from ? std::min(seen.from, *time) : *time;
    seen.to = std::max(seen.to, *time);
    if (const auto dns = l7 ? js::get(*l7, "dns") : std::nullopt)
      return dns_row(*dns, *time, cluster, src, dst, from_port, protocol, reply);
    if (const auto http = l7 ? js::get(*l7, "http") : std::nullopt)
      return web_row(*http, *l7, *time, cluster, src, dst, from_port, to_port, verdict, reply);

    std::string_view host;
    js::each(js::get(flow, reply ? "source_names" : "destination_names"), [&](const Element& n) {
      if (host.empty()) host = js::text(n);
    });
    const bool dropped = verdict == "DROPPED" || verdict == "ERROR";
    RowSetter(sink_.rows("ASimNetworkSessionLogs"))
        .time("TimeGenerated", time)
        .time("EventStartTime", time)
        .time("EventEndTime", time)
        .text("EventVendor", "Cilium")
        .text("EventProduct", "Hubble")
        .text("EventType", "Flow")
        .text("EventResult", dropped ? "Failure" : "Success")
        .integer("EventCount", 1)
        .text("EventOriginalUid", js::text(flow, "uuid"))
        .text("DvcAction", dropped ? "Drop" : "Allow")
        .address("SrcIpAddr", src.address)
        .integer("SrcPortNumber", from_port)
        .address("DstIpAddr", dst.address)
        .integer("DstPortNumber", to_port)
        .text("DstHostname", dns_name(host))
        .text("NetworkProtocol", protocol)
        .text("NetworkDirection", dst.world   ? "Outbound"
                                  : src.world ? "Inbound"
                                              : "Local")
        .text("NetworkConnectionHistory", js::text(flow, "Summary"))
        .text("NetworkRuleName", js::text(flow, "drop_reason_desc"))
        .integer("SrcPackets", reply ? 0 : 1)
        .integer("DstPackets", reply ? 1 : 0)
        .text("Cluster", cluster)
        // The node that saw it is the source's where it saw it leave the pod.
        .text("SrcNode", js::text(flow, "traffic_direction") == (reply ? "INGRESS" : "EGRESS") ? node : std::string_view())
        .text("SrcNamespace", src.name_space)
        .text("SrcPodName", src.pod)
        .text("SrcWorkload", src.workload)
        .span("TimePrecision", 0);
  }

  void finish() {
    for (const auto& [cluster, s] : spans_)
      sink_.covered({.cluster = cluster, .name = {}, .source = "hubble", .table = "ASimNetworkSessionLogs", .from = s.from, .to = s.to});
  }

 private:
  void dns_row(const Element& dns, Ticks time, std::string_view cluster, const End& src, const End& dst, std::optional<int64_t> port,
               std::string_view protocol, bool reply) {
    std::string_view type;
    js::each(js::get(dns, "qtypes"), [&](const Element& t) {
      if (type.empty()) type = js::text(t);
    });
    std::string addresses, names;
    js::each(js::get(dns, "ips"), [&](const Element& ip) {
      addresses += (addresses.empty() ? "" : ",") + json_quote(js::text(ip));
      names += (names.empty() ? "" : ",") + std::string(js::text(ip));
    });
    js::each(js::get(dns, "cnames"), [&](const Element& n) { names += (names.empty() ? "" : ",") + std::string(js::text(n)); });
    const auto code = js::integer(dns, "rcode").value_or(0);
    RowSetter(sink_.rows("ASimDnsActivityLogs"))
        .time("TimeGenerated", time)
        .text("EventVendor", "Cilium")
        .text("EventProduct", "Hubble")
        .text("EventType", "Query")
        .text("EventSubType", reply ? "response" : "request")
        .text("EventResult", !reply      ? "NA"
                             : code == 0 ? "Success"
                                         : "Failure")
        .text("EventResultDetails", reply ? dns_code_name(static_cast<int>(code)) : "NA")
        .address("SrcIpAddr", src.address)
        .integer("SrcPortNumber", port)
        .address("DstIpAddr", dst.address)
        .text("DnsQuery", dns_name(js::text(dns, "query")))
        .integer("DnsQueryType", dns_type_number(type))
        .text("DnsQueryTypeName", type)
        .integer("DnsResponseCode", reply ? std::optional<int64_t>(code) : std::nullopt)
        .text("DnsResponseName", names)
        .text("NetworkProtocol", protocol)
        .text("Cluster", cluster)
        .text("DnsServerPod", dst.pod.empty() ? "" : std::string(dst.name_space) + "/" + std::string(dst.pod))
        .json("Answers", addresses.empty() ? "" : "[" + addresses + "]")
        .text("SrcNamespace", src.name_space)
        .text("SrcPodName", src.pod)
        .text("SrcWorkload", src.workload);
  }

  void web_row(const Element& http, const Element& l7, Ticks time, std::string_view cluster, const End& src, const End& dst,
               std::optional<int64_t> from_port, std::optional<int64_t> to_port, std::string_view verdict, bool reply) {
    std::string_view agent, id, url = js::text(http, "url");
    js::each(js::get(http, "headers"), [&](const Element& h) {
      const std::string key = to_lower(js::text(h, "key"));
      if (key == "user-agent") agent = js::text(h, "value");
      if (key == "x-request-id") id = js::text(h, "value");
    });
    std::string host;
    if (const size_t at = url.find("://"); at != std::string_view::npos) {
      const std::string_view rest = url.substr(at + 3);
      host = to_lower(rest.substr(0, rest.find_first_of(":/")));
    }
    const auto code = js::integer(http, "code");
    std::string_view version = js::text(http, "protocol");
    if (version.starts_with("HTTP/")) version.remove_prefix(5);
    const auto latency = js::integer(l7, "latency_ns");
    RowSetter(sink_.rows("ASimWebSessionLogs"))
        .time("TimeGenerated", time)
        .text("EventVendor", "Cilium")
        .text("EventProduct", "Hubble")
        .text("EventType", "HTTPsession")
        .text("EventResult", verdict == "DROPPED" || (reply && code.value_or(0) >= 400) ? "Failure" : "Success")
        .text("EventResultDetails", code && *code ? std::to_string(*code) : "")
        .text("EventOriginalUid", id)
        .address("SrcIpAddr", src.address)
        .integer("SrcPortNumber", from_port)
        .address("DstIpAddr", dst.address)
        .integer("DstPortNumber", to_port)
        .text("DstHostname", host)
        .text("HttpRequestMethod", js::text(http, "method"))
        .text("HttpVersion", version)
        .text("HttpUserAgent", agent)
        .integer("HttpStatusCode", code && *code > 0 && *code < 1000 ? code : std::nullopt)
        .text("Url", url)
        .integer("NetworkDuration",
                 latency ? std::optional<int64_t>(std::clamp<int64_t>(*latency / 1'000'000, 0, INT32_MAX)) : std::nullopt)
        .text("NetworkApplicationProtocol", "HTTP")
        .text("Cluster", cluster)
        .text("SrcNamespace", src.name_space)
        .text("SrcPodName", src.pod)
        .text("SrcWorkload", src.workload)
        .text("Direction", dst.world   ? "outbound"
                           : src.world ? "inbound"
                                       : "");
  }

  struct Span {
    Ticks from = 0, to = 0;
  };
  const Source& source_;
  Sink& sink_;
  std::map<std::string, Span> spans_;
};

int recognise(std::string_view head, std::string_view) {
  const std::string_view s = trim(head.substr(0, 16384));
  if (!s.starts_with('{')) return 0;
  const auto has = [&](std::string_view what) { return s.find(what) != std::string_view::npos; };
  if (!has("\"verdict\"") || !has("\"IP\"")) return has("\"lost_events\"") && has("\"num_events_lost\"") ? 60 : 0;
  return has("\"traffic_direction\"") || has("\"ipVersion\"") || has("\"node_name\"") ? 95 : 60;
}

void decode(const Source& source, Sink& sink) {
  Flows flows(source, sink);
  simdjson::dom::parser parser;
  Element e;
  uint64_t number = 0;
  for (std::string_view rest = source.bytes; !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string_view one = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    ++number;
    if (one.empty()) continue;
    if (parser.parse(one.data(), one.size()).get(e) != simdjson::SUCCESS || !e.is_object())
      sink.error(number, "not valid JSON", one);
    else
      flows.line(e, one, number);
  }
  flows.finish();
}

}  // namespace

extern const Decoder kHubble;
const Decoder kHubble{"hubble", "Hubble flows of Cilium as JSON lines", "ASimNetworkSessionLogs,ASimDnsActivityLogs,ASimWebSessionLogs",
                      recognise, decode};

}  // namespace egret::ingest
