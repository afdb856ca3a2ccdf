#include "capture/rows.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/dns_names.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "capture/tls_hello.h"

namespace egret::capture {
namespace {

Ticks ticks(int64_t nanoseconds) { return kUnixEpochTicks + nanoseconds / 100; }
int64_t milliseconds(int64_t from, int64_t to) { return std::clamp<int64_t>((to - from) / 1'000'000, 0, INT32_MAX); }

// Addresses are on every row: written without allocation.
std::string_view address_text(const IpAddress& a, char (&out)[INET6_ADDRSTRLEN]) {
  if (a.is_v4()) {
    const uint32_t v = a.v4_value();
    char* p = out;
    for (int shift = 24; shift >= 0; shift -= 8) {
      p = std::to_chars(p, out + sizeof out, v >> shift & 255).ptr;
      if (shift) *p++ = '.';
    }
    return {out, static_cast<size_t>(p - out)};
  }
  uint8_t bytes[16];
  for (int i = 0; i < 16; ++i) bytes[i] = static_cast<uint8_t>(a.value >> (120 - 8 * i));
  inet_ntop(AF_INET6, bytes, out, sizeof out);
  return out;
}

std::string_view protocol_name(uint8_t protocol, std::string& scratch) {
  switch (protocol) {
    case kTcp: return "TCP";
    case kUdp: return "UDP";
    case kIcmp:
    case kIcmp6: return "ICMP";
    case kSctp: return "SCTP";
    case kGre: return "GRE";
    case 50: return "ESP";
    case 51: return "AH";
    case 2: return "IGMP";
    default: scratch = std::to_string(protocol); return scratch;
  }
}

std::string_view result_of(std::string_view state) {
  if (state == "SF" || state == "S1" || state == "S2" || state == "S3" || state == "RSTO" || state == "RSTR") return "Success";
  if (state == "OTH" || state.empty()) return "NA";
  return "Failure";
}

std::string_view hex16(uint64_t v, char (&out)[16]) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (int i = 0; i < 16; ++i) out[i] = kHex[v >> (60 - 4 * i) & 15];
  return {out, 16};
}

// What a peer wrote may be any bytes; rows hold UTF-8.
std::string_view utf8(std::string_view s, std::string& scratch) {
  bool plain = true;
  for (const char c : s) plain &= static_cast<unsigned char>(c) < 128;
  if (plain || is_valid_utf8(s)) return s;
  scratch.clear();
  for (const char c : s) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 128) {
      scratch += c;
    } else {
      scratch += static_cast<char>(0xc0 | u >> 6);  // as Latin-1
      scratch += static_cast<char>(0x80 | (u & 63));
    }
  }
  return scratch;
}

}  // namespace

// Columns that all three tables have.
struct Rows::Columns {
  int time, vendor, product, type, result, uid, src, src_port, dst, cluster, name_space, pod, workload;
  explicit Columns(const model::Batch& b)
      : time(b.column("TimeGenerated")),
        vendor(b.column("EventVendor")),
        product(b.column("EventProduct")),
        type(b.column("EventType")),
        result(b.column("EventResult")),
        uid(b.column("EventOriginalUid")),
        src(b.column("SrcIpAddr")),
        src_port(b.column("SrcPortNumber")),
        dst(b.column("DstIpAddr")),
        cluster(b.column("Cluster")),
        name_space(b.column("SrcNamespace")),
        pod(b.column("SrcPodName")),
        workload(b.column("SrcWorkload")) {}
};

Rows::Rows(RowsOf rows, std::string cluster) : rows_(std::move(rows)), cluster_(std::move(cluster)) {}

void Rows::common(model::Batch& b, const Columns& c, const Conversation& who, int64_t time) {
  char text[INET6_ADDRSTRLEN], id[16];
  b.add_row();
  b.set_datetime(c.time, ticks(time));
  b.set_string(c.vendor, "Egret");
  b.set_string(c.product, kProduct);
  b.set_string(c.uid, hex16(who.id, id));
  b.set_string(c.src, address_text(who.client, text));
  b.set_string(c.dst, address_text(who.server, text));
  if (who.protocol == kTcp || who.protocol == kUdp) b.set_int(c.src_port, who.client_port);
  const std::string& cluster = identity_.cluster.empty() ? cluster_ : identity_.cluster;
  if (!cluster.empty()) b.set_string(c.cluster, cluster);
  if (is_pod(who.client)) name_pod(b, c);
}

bool Rows::is_pod(const IpAddress& a) const {
  return !identity_.pod.empty() && std::find(identity_.addresses.begin(), identity_.addresses.end(), a) != identity_.addresses.end();
}

void Rows::name_pod(model::Batch& b, const Columns& c) {
  b.set_string(c.name_space, identity_.name_space);
  b.set_string(c.pod, identity_.pod);
  if (!identity_.workload.empty()) b.set_string(c.workload, identity_.workload);
}

// Requests name the pod whose packets these are, whichever side it is on, as a pod's proxy does in its log.
void Rows::web(model::Batch& b, const Columns& c, int direction, const Conversation& who, int64_t time) {
  common(b, c, who, time);
  if (is_pod(who.client)) {
    b.set_string(direction, "outbound");
  } else if (is_pod(who.server)) {
    b.set_string(direction, "inbound");
    name_pod(b, c);
  }
}

void Rows::flow(const FlowEvent& e) {
  model::Batch& b = rows_("ASimNetworkSessionLogs");
  static const Columns c(b);
  static const int start = b.column("EventStartTime"), end = b.column("EventEndTime"), count = b.column("EventCount"),
                   dst_port = b.column("DstPortNumber"), name = b.column("DstHostname"), proto = b.column("NetworkProtocol"),
                   version = b.column("NetworkProtocolVersion"), direction = b.column("NetworkDirection"),
                   duration = b.column("NetworkDuration"), app = b.column("NetworkApplicationProtocol"),
                   history = b.column("NetworkConnectionHistory"), state = b.column("EventOriginalResultDetails"),
                   src_bytes = b.column("SrcBytes"), dst_bytes = b.column("DstBytes"), src_packets = b.column("SrcPackets"),
                   dst_packets = b.column("DstPackets"), mac = b.column("SrcMacAddr"), vlan = b.column("SrcVlanId"),
                   node = b.column("SrcNode"), precision = b.column("TimePrecision"), missed = b.column("MissedBytes"),
                   icmp_type = b.column("NetworkIcmpType"), icmp_code = b.column("NetworkIcmpCode");
  common(b, c, e.who, e.start);
  ++flows;
  b.set_string(c.type, "NetworkSession");
  b.set_string(c.result, result_of(e.state));
  b.set_datetime(start, ticks(e.start));
  b.set_datetime(end, ticks(e.end));
  b.set_int(count, 1);
  if (e.who.protocol == kTcp || e.who.protocol == kUdp) {
    b.set_int(dst_port, e.who.server_port);
  } else if (e.who.protocol == kIcmp || e.who.protocol == kIcmp6) {
    b.set_string(icmp_type, std::to_string(e.who.client_port));
    b.set_int(icmp_code, e.who.server_port);
  }
  if (!e.server_name.empty()) b.set_string(name, to_lower(utf8(e.server_name, text_)));
  b.set_string(proto, protocol_name(e.who.protocol, text_));
  b.set_string(version, e.who.client.is_v4() ? "IPv4" : "IPv6");
  const bool from_inside = e.who.client.is_private(), to_inside = e.who.server.is_private();
  b.set_string(direction, from_inside ? to_inside ? "Local" : "Outbound" : to_inside ? "Inbound" : "");
  b.set_int(duration, milliseconds(e.start, e.end));
  if (!e.application.empty()) b.set_string(app, e.application);
  b.set_string(history, e.history);
  b.set_string(state, e.state);
  b.set_int(src_bytes, static_cast<int64_t>(e.client_bytes));
  b.set_int(dst_bytes, static_cast<int64_t>(e.server_bytes));
  b.set_int(src_packets, static_cast<int64_t>(e.client_packets));
  b.set_int(dst_packets, static_cast<int64_t>(e.server_packets));
  if (e.missed_bytes) b.set_int(missed, static_cast<int64_t>(e.missed_bytes));
  if (e.client_mac.size() == 6) {
    static constexpr char kHex[] = "0123456789abcdef";
    char text[17];
    for (size_t i = 0; i < 6; ++i) {
      const auto v = static_cast<unsigned char>(e.client_mac[i]);
      text[3 * i] = kHex[v >> 4];
      text[3 * i + 1] = kHex[v & 15];
      if (i < 5) text[3 * i + 2] = ':';
    }
    b.set_string(mac, {text, 17});
  }
  if (e.vlan) b.set_string(vlan, std::to_string(e.vlan));
  if (!b.text(c.pod, b.rows() - 1).empty()) b.set_string(node, identity_.node);
  b.set_timespan(precision, 0);
}

void Rows::dns(const DnsEvent& e) {
  model::Batch& b = rows_("ASimDnsActivityLogs");
  static const Columns c(b);
  static const int sub = b.column("EventSubType"), details = b.column("EventResultDetails"), query = b.column("DnsQuery"),
                   type = b.column("DnsQueryType"), type_name = b.column("DnsQueryTypeName"), code = b.column("DnsResponseCode"),
                   names = b.column("DnsResponseName"), duration = b.column("DnsNetworkDuration"), flags = b.column("DnsFlags"),
                   proto = b.column("NetworkProtocol"), id = b.column("TransactionIdHex"), answers = b.column("Answers"),
                   records = b.column("AnswerRecords"), dst_port = b.column("DstPortNumber"), klass = b.column("DnsQueryClass");
  const DnsMessage& m = *e.message;
  common(b, c, e.who, e.asked ? e.asked : e.answered);
  ++dns_rows;
  b.set_int(dst_port, e.who.server_port);
  b.set_string(c.type, "Query");
  b.set_string(sub, m.response ? "response" : "request");
  if (m.response) {
    std::string_view name = dns_code_name(m.rcode);
    if (name.empty()) name = text_ = fmt::format("RCODE{}", m.rcode);
    b.set_string(c.result, m.rcode == 0 ? "Success" : "Failure");
    b.set_string(details, name);
    b.set_int(code, m.rcode);
  } else {
    b.set_string(c.result, "NA");
    b.set_string(details, "NA");
  }
  const auto type_text = [](uint16_t n) {
    const std::string_view name = dns_type_name(n);
    return name.empty() ? "TYPE" + std::to_string(n) : std::string(name);
  };
  if (e.question) {
    b.set_string(query, e.question->name);
    b.set_int(type, e.question->type);
    b.set_string(type_name, type_text(e.question->type));
    b.set_int(klass, e.question->dns_class);
  }
  if (e.asked && e.answered) b.set_int(duration, milliseconds(e.asked, e.answered));
  text_.clear();
  const auto flag = [&](bool on, std::string_view name) {
    if (on) text_.append(text_.empty() ? "" : ",").append(name);
  };
  flag(m.authoritative, "aa");
  flag(m.truncated, "tc");
  flag(m.recursion_desired, "rd");
  flag(m.recursion_available, "ra");
  b.set_string(flags, text_);
  b.set_string(proto, e.who.protocol == kTcp ? "TCP" : "UDP");
  char hex[4];
  for (int i = 0; i < 4; ++i) hex[i] = "0123456789abcdef"[m.id >> (12 - 4 * i) & 15];
  b.set_string(id, {hex, 4});
  if (m.answers.empty()) return;
  std::string all;
  JsonWriter addresses, list;
  addresses.begin_array();
  list.begin_array();
  for (const DnsRecord& r : m.answers) {
    const std::string_view data = utf8(r.text, text_);
    if (!data.empty()) all.append(all.empty() ? "" : ",").append(data);
    if (r.is_address) addresses.string(data);
    list.begin_object()
        .key("name")
        .string(r.name)
        .key("type")
        .string(type_text(r.type))
        .key("ttl")
        .number(int64_t{r.ttl})
        .key("data")
        .string(data);
    list.end_object();
  }
  b.set_string(names, all);
  b.set_dynamic(answers, std::move(addresses.end_array()).take());
  b.set_dynamic(records, std::move(list.end_array()).take());
}

namespace {

struct WebColumns {
  int direction, end, details, dst_port, host, method, version, agent, status, url, src_bytes, dst_bytes, duration, app, http_host,
      referrer, content, xff, proto;
  explicit WebColumns(const model::Batch& b)
      : direction(b.column("Direction")),
        end(b.column("EventEndTime")),
        details(b.column("EventResultDetails")),
        dst_port(b.column("DstPortNumber")),
        host(b.column("DstHostname")),
        method(b.column("HttpRequestMethod")),
        version(b.column("HttpVersion")),
        agent(b.column("HttpUserAgent")),
        status(b.column("HttpStatusCode")),
        url(b.column("Url")),
        src_bytes(b.column("SrcBytes")),
        dst_bytes(b.column("DstBytes")),
        duration(b.column("NetworkDuration")),
        app(b.column("NetworkApplicationProtocol")),
        http_host(b.column("HttpHost")),
        referrer(b.column("HttpReferrer")),
        content(b.column("HttpContentType")),
        xff(b.column("HttpRequestXff")),
        proto(b.column("NetworkProtocol")) {}
};

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') == std::string_view::npos ? host.size() : host.find(']') - 1);
  const size_t colon = host.rfind(':');
  return colon != std::string_view::npos && host.find(':') == colon ? host.substr(0, colon) : host;
}

}  // namespace

void Rows::http(const HttpEvent& e) {
  model::Batch& b = rows_("ASimWebSessionLogs");
  static const Columns c(b);
  static const WebColumns w(b);
  web(b, c, w.direction, e.who, e.time);
  ++http_rows;
  const auto set = [&](int column, std::string_view s) {
    if (!s.empty()) b.set_string(column, utf8(s, text_));
  };
  b.set_string(c.type, "HTTPsession");
  b.set_string(c.result, e.status == 0 ? "NA" : e.status < 400 ? "Success" : "Failure");
  if (e.status) {
    b.set_int(w.status, e.status);
    b.set_string(w.details, std::to_string(e.status));
  }
  b.set_datetime(w.end, ticks(e.end));
  b.set_int(w.dst_port, e.who.server_port);
  b.set_string(w.host, to_lower(utf8(without_port(e.host), text_)));
  set(w.method, e.method);
  set(w.version, e.version);
  set(w.agent, e.user_agent);
  set(w.url, e.target);
  set(w.http_host, e.host);
  set(w.referrer, e.referer);
  set(w.content, e.response_type.empty() ? e.content_type : e.response_type);
  set(w.xff, e.forwarded_for);
  b.set_int(w.src_bytes, static_cast<int64_t>(e.request_bytes));
  b.set_int(w.dst_bytes, static_cast<int64_t>(e.response_bytes));
  b.set_int(w.duration, milliseconds(e.time, e.end));
  b.set_string(w.app, "HTTP");
  b.set_string(w.proto, "TCP");
}

void Rows::tls(const TlsEvent& e) {
  model::Batch& b = rows_("ASimWebSessionLogs");
  static const Columns c(b);
  static const WebColumns w(b);
  static const int version = b.column("TlsVersion"), cipher = b.column("TlsCipher"), alpn = b.column("TlsAlpn"), ja3 = b.column("TlsJa3"),
                   ja3s = b.column("TlsJa3s");
  web(b, c, w.direction, e.who, e.time);
  ++tls_rows;
  b.set_string(c.type, "NetworkSession");
  b.set_string(c.result, e.established ? "Success" : e.alert >= 0 ? "Failure" : "NA");
  if (e.alert >= 0) b.set_string(w.details, fmt::format("alert {}", e.alert));
  b.set_int(w.dst_port, e.who.server_port);
  b.set_string(w.host, e.server_name);
  b.set_string(w.app, "TLS");
  b.set_string(w.proto, "TCP");
  b.set_string(version, tls_version_name(e.version));
  if (e.server_hello) b.set_string(cipher, fmt::format("{:04x}", e.cipher));
  if (!e.alpn.empty())
    b.set_string(alpn, e.alpn);
  else if (e.offered_alpn && !e.offered_alpn->empty())
    b.set_string(alpn, join(*e.offered_alpn, ","));
  b.set_string(ja3, e.ja3);
  b.set_string(ja3s, e.ja3s);
}

FileFacts read_capture(ByteSource source, Rows& rows, const Limits& limits, const std::function<void(const Damage&)>& damage) {
  PacketFile file(std::move(source));
  Analysis analysis(rows, limits);
  size_t comments = 0;
  const auto look = [&] {
    for (; comments < file.comments().size(); ++comments)
      if (auto identity = identity_from_comment(file.comments()[comments])) rows.set_identity(std::move(*identity));
  };
  Packet p;
  while (file.next(p)) {
    if (file.comments().size() != comments) look();
    analysis.packet(p);
  }
  look();
  analysis.finish();
  for (const Damage& d : file.take_damage()) damage(d);
  FileFacts facts;
  facts.format = file.format();
  facts.packets = file.packets();
  facts.bytes = file.bytes();
  facts.counters = analysis.counters();
  facts.interfaces = file.interfaces();
  facts.application = file.application();
  facts.identity = rows.identity();
  for (const Interface& i : facts.interfaces) facts.dropped += i.dropped;
  return facts;
}

}  // namespace egret::capture
