// Smaller sources: Calico flow logs, DNS-collector, Windows DNS events, Inspektor Gadget; and formats that are known by name only
// (Prometheus alerts), so that a folder with them is not called unknown.
#include <charconv>

#include "base/dns_names.h"
#include "base/json.h"
#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_file.h"
#include "ingest/row_setter.h"
#include "ingest/times.h"

namespace egret::ingest {
namespace {

using js::Element;

void calico(const Element& e, std::string_view text, uint64_t line, const Source& source, Sink& sink) {
  const auto start = js::integer(e, "start_time"), end = js::integer(e, "end_time");
  const auto t = start ? time_of_epoch(*start) : parse_time(js::text(e, "start_time"));
  if (!t) return sink.error(line, "the flow log has no start_time", text);
  const auto t_end = end ? time_of_epoch(*end) : parse_time(js::text(e, "end_time"));
  const bool from_destination = js::text(e, "reporter") == "dst";
  const bool denied = js::text(e, "action") == "deny";
  const auto pod = [&](std::string_view side, std::string_view key) {
    return js::text(e, std::string(side) + "_type") == "wep" ? js::text(e, std::string(side) + std::string(key)) : std::string_view();
  };
  const std::string_view dst_type = js::text(e, "dest_type");
  std::string_view host;
  js::each(js::get(e, "dest_domains"), [&](const Element& d) {
    if (host.empty()) host = js::text(d);
  });
  // "in" and "out" are the reporter's: what the destination received is what the source sent.
  const char* sent_bytes = from_destination ? "bytes_in" : "bytes_out";
  const char* received_bytes = from_destination ? "bytes_out" : "bytes_in";
  RowSetter(sink.rows("ASimNetworkSessionLogs"))
      .time("TimeGenerated", t)
      .time("EventStartTime", t)
      .time("EventEndTime", t_end)
      .text("EventVendor", "Tigera")
      .text("EventProduct", "Calico flow log")
      .text("EventType", "Flow")
      .text("EventResult", denied ? "Failure" : "Success")
      .integer("EventCount", js::integer(e, "num_flows"))
      .text("DvcAction", denied ? "Deny" : "Allow")
      .address("SrcIpAddr", js::text(e, "source_ip"))
      .integer("SrcPortNumber", js::integer(e, "source_port"))
      .address("DstIpAddr", js::text(e, "dest_ip"))
      .integer("DstPortNumber", js::integer(e, "dest_port"))
      .text("DstHostname", dns_name(host))
      .text("NetworkProtocol", protocol_name(js::text(e, "proto")))
      .text("NetworkDirection", dst_type == "net"                     ? "Outbound"
                                : js::text(e, "source_type") == "net" ? "Inbound"
                                                                      : "Local")
      .integer("SrcBytes", js::integer(e, sent_bytes))
      .integer("DstBytes", js::integer(e, received_bytes))
      .integer("SrcPackets", js::integer(e, from_destination ? "packets_in" : "packets_out"))
      .integer("DstPackets", js::integer(e, from_destination ? "packets_out" : "packets_in"))
      .text("Cluster", source.cluster)
      .text("SrcNode", js::text(e, "source_type") == "hep" ? js::text(e, "source_name") : "")
      .text("SrcNamespace", pod("source", "_namespace"))
      .text("SrcPodName", pod("source", "_name") == "-" ? "" : pod("source", "_name"))
      .span("TimePrecision", t_end ? *t_end - *t : 0);
}

// Of a nested record {"dns":{"qname":…}} or a flat one {"dns.qname":…}.
std::string_view either(const Element& e, std::string_view outer, std::string_view inner) {
  if (const auto o = js::get(e, outer); js::is_object(o)) return js::text(*o, inner);
  return js::text(e, std::string(outer) + "." + std::string(inner));
}

void dns_collector(const Element& e, std::string_view text, uint64_t line, const Source& source, Sink& sink) {
  const auto time = parse_time(either(e, "dnstap", "timestamp-rfc3339ns"));
  if (!time) return sink.error(line, "the record has no dnstap.timestamp-rfc3339ns", text);
  std::string addresses, names;
  const auto add = [&](std::string_view data) {
    if (data.empty() || data == "-") return;
    names += (names.empty() ? "" : ",") + std::string(data);
    if (IpAddress::parse(data)) addresses += (addresses.empty() ? "" : ",") + json_quote(data);
  };
  js::each(js::get(e, {"dns", "resource-records", "an"}), [&](const Element& r) { add(js::text(r, "rdata")); });
  for (int i = 0; i < 64; ++i) {
    const std::string_view data = js::text(e, "dns.resource-records.an." + std::to_string(i) + ".rdata");
    if (data.empty()) break;
    add(data);
  }
  const bool answer = either(e, "dnstap", "operation").ends_with("RESPONSE");
  const std::string_view code = either(e, "dns", "rcode"), type = either(e, "dns", "qtype");
  int64_t port = 0;
  const std::string_view port_text = either(e, "network", "query-port");
  const bool has_port = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port).ec == std::errc{};
  RowSetter(sink.rows("ASimDnsActivityLogs"))
      .time("TimeGenerated", time)
      .text("EventVendor", "DNS-collector")
      .text("EventProduct", "dnstap")
      .text("EventType", "Query")
      .text("EventSubType", answer ? "response" : "request")
      .text("EventResult", !answer             ? "NA"
                           : code == "NOERROR" ? "Success"
                                               : "Failure")
      .text("EventResultDetails", code)
      .address("SrcIpAddr", either(e, "network", "query-ip"))
      .integer("SrcPortNumber", has_port ? std::optional<int64_t>(port) : std::nullopt)
      .address("DstIpAddr", either(e, "network", "response-ip"))
      .text("DnsQuery", dns_name(either(e, "dns", "qname")))
      .integer("DnsQueryType", dns_type_number(type))
      .text("DnsQueryTypeName", type)
      .integer("DnsResponseCode", dns_code_number(code))
      .text("DnsResponseName", names)
      .text("NetworkProtocol", protocol_name(either(e, "network", "protocol")))
      .text("Cluster", source.cluster)
      .json("Answers", addresses.empty() ? "" : "[" + addresses + "]");
}

void windows_dns(const Element& e, std::string_view text, uint64_t line, const Source& source, Sink& sink) {
  const std::string_view name = js::text(e, "QNAME");
  if (name.empty()) return;  // zones and records that were changed: known, not used
  const auto time = parse_time(js::text(e, "EventTime"));
  if (!time) return sink.error(line, "the event has no EventTime", text);
  const auto id = js::integer(e, "EventID").value_or(0);
  const bool answer = id == 257 || id == 258 || id == 261;
  // 257 answers the client in Destination; 256 and the others ask from Source.
  const std::string_view client = js::text(e, id == 257 ? "Destination" : "Source");
  const auto type = js::integer(e, "QTYPE"), code = js::integer(e, "RCODE");
  RowSetter(sink.rows("ASimDnsActivityLogs"))
      .time("TimeGenerated", time)
      .text("EventVendor", "Microsoft")
      .text("EventProduct", "Windows DNS")
      .text("EventType", "Query")
      .text("EventSubType", "request")  // the answers are in PacketData only
      .text("EventResult", !answer                 ? "NA"
                           : code.value_or(0) == 0 ? "Success"
                                                   : "Failure")
      .text("EventResultDetails", code ? dns_code_name(static_cast<int>(*code)) : "NA")
      .address("SrcIpAddr", client)
      .integer("SrcPortNumber", js::integer(e, "Port"))
      .address("DstIpAddr", js::text(e, "InterfaceIP"))
      .text("DnsQuery", dns_name(name))
      .integer("DnsQueryType", type)
      .text("DnsQueryTypeName", type ? dns_type_name(static_cast<int>(*type)) : "")
      .integer("DnsResponseCode", code)
      .text("NetworkProtocol", js::text(e, "TCP") == "1" ? "TCP" : "UDP")
      .text("Cluster", source.cluster);
}

void gadget(const Element& e, std::string_view text, uint64_t line, const Source& source, Sink& sink) {
  auto time = parse_time(js::text(e, "timestamp"));
  if (const auto ns = js::integer(e, "timestamp_raw"); !time && ns) time = time_of_epoch(*ns);
  if (const auto ns = js::integer(e, "timestamp"); !time && ns && *ns > 1'000'000'000'000'000'000) time = time_of_epoch(*ns);
  if (!time)
    return sink.error(line, "the event's time counts from the node's start, not from a date", text,
                      "record it again with a gadget of version 0.30 or later, which writes dates");
  const bool answer = js::integer(e, "qr").value_or(0) == 1 || js::text(e, "qr") == "R";
  std::string_view type = js::text(e, "qtype");
  const auto type_number = type.empty() ? js::integer(e, "qtype") : std::optional<int64_t>(dns_type_number(type));
  if (type.empty() && type_number) type = dns_type_name(static_cast<int>(*type_number));
  const auto code = js::text(e, "rcode").empty() ? js::integer(e, "rcode") : std::optional<int64_t>(dns_code_number(js::text(e, "rcode")));
  RowSetter(sink.rows("ASimDnsActivityLogs"))
      .time("TimeGenerated", time)
      .text("EventVendor", "Inspektor Gadget")
      .text("EventProduct", "trace_dns")
      .text("EventType", "Query")
      .text("EventSubType", answer ? "response" : "request")
      .text("EventResult", !answer                 ? "NA"
                           : code.value_or(0) == 0 ? "Success"
                                                   : "Failure")
      .text("EventResultDetails", answer && code ? dns_code_name(static_cast<int>(*code)) : "NA")
      .text("DnsQuery", dns_name(js::text(e, "name")))
      .integer("DnsQueryType", type_number)
      .text("DnsQueryTypeName", type)
      .integer("DnsResponseCode", answer ? code : std::nullopt)
      .text("Cluster", source.cluster)
      .text("SrcNamespace", js::text(e, {"k8s", "namespace"}))
      .text("SrcPodName", js::text(e, {"k8s", "pod"}));
}

void nothing(const Element&, std::string_view, uint64_t, const Source&, Sink&) {}

int recognise_calico(std::string_view h, std::string_view) { return json_with(h, {"\"source_name_aggr\"", "\"dest_name_aggr\""}) ? 94 : 0; }
int recognise_collector(std::string_view h, std::string_view) { return json_with(h, {"timestamp-rfc3339ns", "qname"}) ? 94 : 0; }
int recognise_windows(std::string_view h, std::string_view) {
  return json_with(h, {"Microsoft-Windows-DNSServer", "\"EventID\""}) ? 94 : 0;
}
int recognise_gadget(std::string_view h, std::string_view) {
  return json_with(h, {"\"qtype\"", "\"rcode\"", "\"mntns_id\"", "\"k8s\""}) ? 90 : 0;
}
int recognise_prometheus(std::string_view h, std::string_view) {
  return json_with(h, {"\"alertname\"", "\"labels\"", "\"annotations\""}) ? 70 : 0;
}

}  // namespace

extern const Decoder kCalico, kDnsCollector, kWindowsDns, kGadget, kPrometheusAlerts;
const Decoder kCalico{"calico", "Calico Enterprise flow logs", "ASimNetworkSessionLogs", recognise_calico, decode_records<calico>};
const Decoder kDnsCollector{"dns-collector", "DNS-collector records of dnstap, flat or nested", "ASimDnsActivityLogs", recognise_collector,
                            decode_records<dns_collector>};
const Decoder kWindowsDns{"windows-dns", "events of the Windows DNS server", "ASimDnsActivityLogs", recognise_windows,
                          decode_records<windows_dns>};
const Decoder kGadget{"inspektor-gadget", "Inspektor Gadget trace_dns", "ASimDnsActivityLogs", recognise_gadget, decode_records<gadget>};
const Decoder kPrometheusAlerts{"prometheus-alerts", "alerts of Prometheus: known by name, not read", "", recognise_prometheus,
                                decode_records<nothing>};

}  // namespace egret::ingest
