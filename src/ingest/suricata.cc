// Suricata's EVE records: flow, dns, http, tls and alert give rows; its other event types are known and not used.
#include <algorithm>

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

class Eve {
 public:
  Eve(const Source& source, Sink& sink) : source_(source), sink_(sink) {}

  void record(const Element& e, std::string_view text, uint64_t line) {
    if (!e.is_object()) return sink_.error(line, "an EVE record must be a JSON object", text);
    std::string_view type = js::text(e, "event_type");
    if (type.empty())  // shippers drop or rename it
      for (const std::string_view t : {"alert", "dns", "http", "tls", "flow"})
        if (type.empty() && js::is_object(js::get(e, t))) type = t;
    if (type != "flow" && type != "dns" && type != "http" && type != "tls" && type != "alert") return;
    std::optional<Ticks> time;
    for (const std::string_view k : {"timestamp", "@timestamp"})
      if (!time) time = parse_time(js::text(e, k));
    if (!time) return sink_.error(line, "the EVE record has no time", text);
    if (type == "flow")
      flow(e, *time);
    else if (type == "dns")
      dns(e, *time);
    else if (type == "alert")
      alert(e, *time);
    else
      web(e, *time, type == "tls");
  }

 private:
  // Addresses are written in full; the tables have them as everyone writes them.
  static std::string address(std::string_view s) {
    const auto a = IpAddress::parse(s);
    return a ? a->to_string() : std::string();
  }

  void flow(const Element& e, Ticks time) {
    const auto f = js::get(e, "flow");
    const auto number = [&](std::string_view k) { return f ? js::integer(*f, k) : std::nullopt; };
    const auto start = f ? parse_time(js::text(*f, "start")) : std::nullopt, end = f ? parse_time(js::text(*f, "end")) : std::nullopt;
    const std::string_view protocol = protocol_name(js::text(e, "proto"));
    const std::string src = address(js::text(e, "src_ip")), dst = address(js::text(e, "dest_ip"));
    const auto inside = [](const std::string& s) {
      const auto a = IpAddress::parse(s);
      return a && a->is_private();
    };
    const std::string_view state = f ? js::text(*f, "state") : std::string_view();
    RowSetter(sink_.rows("ASimNetworkSessionLogs"))
        .time("TimeGenerated", start ? start : time)
        .time("EventStartTime", start)
        .time("EventEndTime", end)
        .text("EventVendor", "Suricata")
        .text("EventProduct", "Suricata")
        .text("EventType", "NetworkSession")
        .text("EventResult", state == "new" ? "NA" : "Success")
        .integer("EventCount", 1)
        .text("EventOriginalUid", std::to_string(js::integer(e, "flow_id").value_or(0)))
        .text("SrcIpAddr", src)
        .integer("SrcPortNumber", js::integer(e, "src_port"))
        .text("DstIpAddr", dst)
        .integer("DstPortNumber", js::integer(e, "dest_port"))
        .text("NetworkProtocol", protocol)
        .text("NetworkDirection", inside(src)   ? inside(dst) ? "Local" : "Outbound"
                                  : inside(dst) ? "Inbound"
                                                : "")
        .integer("NetworkDuration",
                 start && end ? std::optional<int64_t>(std::clamp<int64_t>((*end - *start) / 10'000, 0, INT32_MAX)) : std::nullopt)
        .text("NetworkApplicationProtocol", js::text(e, "app_proto") == "failed" ? ""
                                            : js::text(e, "app_proto") == "tls"  ? "TLS"
                                            : js::text(e, "app_proto") == "http" ? "HTTP"
                                                                                 : js::text(e, "app_proto"))
        .text("NetworkConnectionHistory", js::text(e, {"tcp", "state"}))
        .integer("SrcBytes", number("bytes_toserver"))
        .integer("DstBytes", number("bytes_toclient"))
        .integer("SrcPackets", number("pkts_toserver"))
        .integer("DstPackets", number("pkts_toclient"))
        .text("Cluster", source_.cluster)
        .span("TimePrecision", 0);
  }

  void dns(const Element& e, Ticks time) {
    const Element d = *js::get(e, "dns");
    const std::string_view kind = js::text(d, "type");
    const bool answer = kind == "answer" || kind == "response";
    // An answer goes from the server to the client: the client is the source of the question.
    const std::string client = address(js::text(e, answer ? "dest_ip" : "src_ip")),
                      server = address(js::text(e, answer ? "src_ip" : "dest_ip"));
    std::string_view name = js::text(d, "rrname"), type = js::text(d, "rrtype");
    js::each(js::get(d, "queries"), [&](const Element& q) {
      if (name.empty()) {
        name = js::text(q, "rrname");
        type = js::text(q, "rrtype");
      }
    });
    std::string addresses, names;
    const auto add = [&](std::string_view data) {
      if (data.empty()) return;
      names += (names.empty() ? "" : ",") + std::string(data);
      if (IpAddress::parse(data)) addresses += (addresses.empty() ? "" : ",") + json_quote(data);
    };
    js::each(js::get(d, "answers"), [&](const Element& a) {
      if (name.empty()) name = js::text(a, "rrname");
      add(js::text(a, "rdata"));
    });
    if (names.empty()) {
      add(js::text(d, "rdata"));
      js::each_member(js::get(d, "grouped"),
                      [&](std::string_view, const Element& list) { js::each(list, [&](const Element& x) { add(js::text(x)); }); });
    }
    const std::string_view code = js::text(d, "rcode");
    const auto id = js::integer(d, "id");
    RowSetter(sink_.rows("ASimDnsActivityLogs"))
        .time("TimeGenerated", time)
        .text("EventVendor", "Suricata")
        .text("EventProduct", "Suricata dns")
        .text("EventType", "Query")
        .text("EventSubType", answer ? "response" : "request")
        .text("EventResult", !answer                             ? "NA"
                             : code.empty() || code == "NOERROR" ? "Success"
                                                                 : "Failure")
        .text("EventResultDetails", code.empty() ? "NA" : code)
        .text("SrcIpAddr", client)
        .integer("SrcPortNumber", js::integer(e, answer ? "dest_port" : "src_port"))
        .text("DstIpAddr", server)
        .text("DnsQuery", dns_name(name))
        .integer("DnsQueryType", dns_type_number(type))
        .text("DnsQueryTypeName", type)
        .integer("DnsResponseCode", dns_code_number(code))
        .text("DnsResponseName", names)
        .text("NetworkProtocol", protocol_name(js::text(e, "proto")))
        .text("TransactionIdHex", id && *id >= 0 && *id < 65536 ? hex4(static_cast<unsigned>(*id)) : "")
        .text("Cluster", source_.cluster)
        .json("Answers", addresses.empty() ? "" : "[" + addresses + "]");
  }

  static std::string hex4(unsigned v) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string s(4, '0');
    for (int i = 0; i < 4; ++i) s[static_cast<size_t>(i)] = kHex[v >> (12 - 4 * i) & 15];
    return s;
  }

  void web(const Element& e, Ticks time, bool tls) {
    const Element h = *js::get(e, tls ? "tls" : "http");
    const auto status = js::integer(h, "status");
    std::string_view version = js::text(h, tls ? "version" : "protocol");
    if (version.starts_with("HTTP/")) version.remove_prefix(5);
    RowSetter(sink_.rows("ASimWebSessionLogs"))
        .time("TimeGenerated", time)
        .text("EventVendor", "Suricata")
        .text("EventProduct", tls ? "Suricata tls" : "Suricata http")
        .text("EventType", tls ? "NetworkSession" : "HTTPsession")
        .text("EventResult", status.value_or(0) >= 400 ? "Failure" : "Success")
        .text("EventResultDetails", status ? std::to_string(*status) : "")
        .text("EventOriginalUid", std::to_string(js::integer(e, "flow_id").value_or(0)))
        .text("SrcIpAddr", address(js::text(e, "src_ip")))
        .integer("SrcPortNumber", js::integer(e, "src_port"))
        .text("DstIpAddr", address(js::text(e, "dest_ip")))
        .integer("DstPortNumber", js::integer(e, "dest_port"))
        .text("DstHostname", to_lower(js::text(h, tls ? "sni" : "hostname")))
        .text("HttpRequestMethod", js::text(h, "http_method"))
        .text("HttpVersion", tls ? std::string_view() : version)
        .text("HttpUserAgent", js::text(h, "http_user_agent"))
        .integer("HttpStatusCode", status && *status > 0 && *status < 1000 ? status : std::nullopt)
        .text("Url", js::text(h, "url"))
        .integer("DstBytes", js::integer(h, "length"))
        .text("NetworkApplicationProtocol", tls ? "TLS" : "HTTP")
        .text("Cluster", source_.cluster);
  }

  void alert(const Element& e, Ticks time) {
    const auto a = js::get(e, "alert");
    const auto severity = a ? js::integer(*a, "severity") : std::nullopt;
    JsonWriter w;
    w.begin_array();
    for (const std::string_view k : {"src_ip", "dest_ip"})
      if (const std::string ip = address(js::text(e, k)); !ip.empty())
        w.begin_object().key("Type").string("ip").key("Address").string(ip).end_object();
    w.end_array();
    RowSetter(sink_.rows("SecurityAlert"))
        .time("TimeGenerated", time)
        .time("StartTime", time)
        .time("EndTime", time)
        .text("AlertName", a ? js::text(*a, "signature") : "")
        .text("DisplayName", a ? js::text(*a, "signature") : "")
        .text("Description", a ? js::text(*a, "category") : "")
        .text("AlertType", "Suricata_" + std::to_string(a ? js::integer(*a, "signature_id").value_or(0) : 0))
        .text("AlertSeverity", severity == 1   ? "High"
                               : severity == 2 ? "Medium"
                               : severity == 3 ? "Low"
                                               : "Informational")
        .text("ProviderName", "Suricata")
        .text("ProductName", "Suricata")
        .text("VendorName", "OISF")
        .text("VendorOriginalId", std::to_string(js::integer(e, "flow_id").value_or(0)))
        .text("Entities", std::move(w).take())
        .text("Cluster", source_.cluster);
  }

  const Source& source_;
  Sink& sink_;
};

int recognise(std::string_view head, std::string_view) {
  const std::string_view s = trim(head);
  if (!s.starts_with('{') && !s.starts_with('[')) return 0;
  const auto has = [&](std::string_view what) { return s.find(what) != std::string_view::npos; };
  return has("\"event_type\"") && (has("\"flow_id\"") || has("\"src_ip\"")) ? 94 : 0;
}

void decode(const Source& source, Sink& sink) {
  Eve eve(source, sink);
  each_record(source, sink, [&](const Element& e, std::string_view text, uint64_t line) { eve.record(e, text, line); });
}

}  // namespace

extern const Decoder kSuricata;
const Decoder kSuricata{"suricata", "Suricata EVE: flow, dns, http, tls, alert; its other events are known and not used",
                        "ASimNetworkSessionLogs,ASimDnsActivityLogs,ASimWebSessionLogs,SecurityAlert", recognise, decode};

}  // namespace egret::ingest
