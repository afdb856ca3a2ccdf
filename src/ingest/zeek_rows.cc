#include "ingest/zeek_rows.h"

#include <algorithm>
#include <charconv>

#include "base/dns_names.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/text.h"
#include "ingest/whole_number.h"

namespace egret::ingest {
namespace {

// The order of fields in a record.
namespace conn_field {
enum {
  kTs,
  kUid,
  kOrigH,
  kOrigP,
  kRespH,
  kRespP,
  kProto,
  kService,
  kDuration,
  kOrigBytes,
  kRespBytes,
  kState,
  kLocalOrig,
  kLocalResp,
  kHistory,
  kOrigPkts,
  kOrigIpBytes,
  kRespPkts,
  kRespIpBytes,
  kCount
};
}
constexpr std::string_view kConnFields[] = {"ts",         "uid",           "id.orig_h",  "id.orig_p",    "id.resp_h",
                                            "id.resp_p",  "proto",         "service",    "duration",     "orig_bytes",
                                            "resp_bytes", "conn_state",    "local_orig", "local_resp",   "history",
                                            "orig_pkts",  "orig_ip_bytes", "resp_pkts",  "resp_ip_bytes"};
static_assert(std::size(kConnFields) == conn_field::kCount);

namespace dns_field {
enum {
  kTs,
  kUid,
  kOrigH,
  kOrigP,
  kRespH,
  kRespP,
  kProto,
  kTransId,
  kRtt,
  kQuery,
  kQtype,
  kQtypeName,
  kRcode,
  kRcodeName,
  kAA,
  kTC,
  kRD,
  kRA,
  kAnswers,
  kRejected,
  kCount
};
}
constexpr std::string_view kDnsFields[] = {"ts",       "uid", "id.orig_h", "id.orig_p", "id.resp_h",  "id.resp_p", "proto",
                                           "trans_id", "rtt", "query",     "qtype",     "qtype_name", "rcode",     "rcode_name",
                                           "AA",       "TC",  "RD",        "RA",        "answers",    "rejected"};
static_assert(std::size(kDnsFields) == dns_field::kCount);

namespace web_field {
enum {
  kTs,
  kUid,
  kOrigH,
  kOrigP,
  kRespH,
  kRespP,
  kMethod,
  kHost,
  kUri,
  kVersion,
  kAgent,
  kRequestLen,
  kResponseLen,
  kStatus,
  kServerName,
  kEstablished,
  kAlert,
  kCount
};
}
constexpr std::string_view kWebFields[] = {
    "ts",      "uid",        "id.orig_h",        "id.orig_p",         "id.resp_h",   "id.resp_p",   "method",      "host",      "uri",
    "version", "user_agent", "request_body_len", "response_body_len", "status_code", "server_name", "established", "last_alert"};
static_assert(std::size(kWebFields) == web_field::kCount);

// "1672843056.913119", also with a zone-less ISO time as JSON logs can have it.
bool time_of(std::string_view s, Ticks& out) {
  int64_t seconds = 0;
  const char* const end = s.data() + s.size();
  const auto [dot, ec] = std::from_chars(s.data(), end, seconds);
  if (ec != std::errc{} || seconds < 0 || seconds > 200'000'000'000) return false;
  if (dot == end) {
    out = ticks_from_unix_seconds(seconds);
    return true;
  }
  if (*dot == '-') {
    const auto t = parse_iso_datetime(s);
    if (t) out = *t;
    return t.has_value();
  }
  if (*dot != '.') {
    double d = 0;  // 1.67e9
    const auto [last, e] = std::from_chars(s.data(), end, d);
    if (e != std::errc{} || last != end || !(d >= 0 && d < 2e11)) return false;
    out = kUnixEpochTicks + static_cast<Ticks>(d * 1e7);
    return true;
  }
  int64_t fraction = 0;
  int n = 0;
  for (const char* p = dot + 1; p < end; ++p, ++n) {
    if (*p < '0' || *p > '9') return false;
    if (n < 7) fraction = fraction * 10 + (*p - '0');
  }
  for (; n < 7; ++n) fraction *= 10;
  out = ticks_from_unix_seconds(seconds) + fraction;
  return true;
}

bool span_of(std::string_view s, Ticks& out) {
  if (s.empty()) return false;
  if (s[0] == '-' || s.find_first_of("eE") != std::string_view::npos) {
    double d = 0;
    const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), d);
    if (ec != std::errc{} || end != s.data() + s.size() || !(d > -1e9 && d < 1e9)) return false;
    out = static_cast<Ticks>(d * 1e7);
    return true;
  }
  Ticks t = 0;
  if (!time_of(s, t)) return false;
  out = t - kUnixEpochTicks;
  return true;
}

bool port_of(std::string_view s, int& out) {
  int64_t n = 0;
  if (!whole_number(s, n) || n < INT32_MIN || n > INT32_MAX) return false;
  out = static_cast<int>(n);
  return true;
}

bool true_text(std::string_view s) { return s == "T" || s == "true"; }

bool is_private(std::string_view address) {
  const auto a = IpAddress::parse(address);
  return a && a->is_private();
}

std::string_view protocol(std::string_view p) {
  if (p == "tcp") return "TCP";
  if (p == "udp") return "UDP";
  if (p == "icmp" || p == "icmp6") return "ICMP";
  return "";
}

std::string_view result_of(std::string_view state) {
  if (state == "SF" || state == "S1" || state == "S2" || state == "S3" || state == "RSTO" || state == "RSTR") return "Success";
  if (state == "OTH" || state.empty()) return "NA";
  return "Failure";
}

void service(std::string_view s, std::string& out) {
  out.clear();
  while (!s.empty()) {
    const size_t comma = std::min(s.find(','), s.size());
    const std::string_view one = s.substr(0, comma);
    s.remove_prefix(std::min(comma + 1, s.size()));
    if (!out.empty()) out += ',';
    if (one == "ssl")
      out += "TLS";
    else
      for (const char c : one) out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
}

// \xHH as Zeek writes tabs, commas in sets and bytes that are not printable.
std::string unescaped(std::string_view s) {
  if (s.find("\\x") == std::string_view::npos) return std::string(s);
  std::string out;
  for (size_t i = 0; i < s.size(); ++i) {
    unsigned v = 0;
    if (s[i] == '\\' && i + 3 < s.size() && s[i + 1] == 'x') {
      const auto [end, ec] = std::from_chars(s.data() + i + 2, s.data() + i + 4, v, 16);
      if (ec == std::errc{} && end == s.data() + i + 4) {
        out += static_cast<char>(v);
        i += 3;
        continue;
      }
    }
    out += s[i];
  }
  return out;
}

template <size_t N>
void look_up(const model::Batch& b, std::array<int, 24>& columns, const char* const (&names)[N]) {
  static_assert(N <= 24);
  for (size_t i = 0; i < N; ++i) columns[i] = b.column(names[i]);
}

}  // namespace

ZeekLog zeek_log(std::string_view path) {
  if (path == "conn" || path.starts_with("conn_long") || path.starts_with("conn-")) return ZeekLog::kConn;
  if (path == "dns") return ZeekLog::kDns;
  if (path == "http") return ZeekLog::kHttp;
  if (path == "ssl" || path == "tls") return ZeekLog::kSsl;
  return ZeekLog::kOther;
}

std::span<const std::string_view> zeek_fields(ZeekLog log) {
  switch (log) {
    case ZeekLog::kConn: return kConnFields;
    case ZeekLog::kDns: return kDnsFields;
    case ZeekLog::kHttp:
    case ZeekLog::kSsl: return kWebFields;
    case ZeekLog::kOther: break;
  }
  return {};
}

void ZeekRows::seen(ZeekLog log, Ticks from, Ticks to) {
  Span& s = spans_[static_cast<size_t>(log)];
  if (!s.from) s = {from, to};
  s.from = std::min(s.from, from);
  s.to = std::max(s.to, to);
}

const char* ZeekRows::add(ZeekLog log, const ZeekRecord& record) {
  switch (log) {
    case ZeekLog::kConn: return conn(record);
    case ZeekLog::kDns: return dns(record);
    case ZeekLog::kHttp: return web(record, false);
    case ZeekLog::kSsl: return web(record, true);
    case ZeekLog::kOther: break;
  }
  return nullptr;
}

const char* ZeekRows::conn(const ZeekRecord& r) {
  using namespace conn_field;
  Ticks ts = 0, duration = 0;
  if (!time_of(r[kTs], ts)) return "ts is no time";
  if (r[kOrigH].empty() || r[kRespH].empty()) return "an address is missing";
  int orig_port = 0, resp_port = 0;
  if (!port_of(r[kOrigP], orig_port) || !port_of(r[kRespP], resp_port)) return "a port is no number";
  const bool has_duration = span_of(r[kDuration], duration);

  model::Batch& b = sink_.rows("ASimNetworkSessionLogs");
  enum Column {
    cTime,
    cStart,
    cEnd,
    cVendor,
    cProduct,
    cType,
    cResult,
    cCount,
    cUid,
    cSrc,
    cSrcPort,
    cDst,
    cDstPort,
    cProto,
    cDirection,
    cDuration,
    cApp,
    cHistory,
    cSrcBytes,
    cDstBytes,
    cSrcPackets,
    cDstPackets,
    cCluster,
    cPrecision
  };
  if (!conn_ready_) {
    look_up(b, conn_,
            {"TimeGenerated",
             "EventStartTime",
             "EventEndTime",
             "EventVendor",
             "EventProduct",
             "EventType",
             "EventResult",
             "EventCount",
             "EventOriginalUid",
             "SrcIpAddr",
             "SrcPortNumber",
             "DstIpAddr",
             "DstPortNumber",
             "NetworkProtocol",
             "NetworkDirection",
             "NetworkDuration",
             "NetworkApplicationProtocol",
             "NetworkConnectionHistory",
             "SrcBytes",
             "DstBytes",
             "SrcPackets",
             "DstPackets",
             "Cluster",
             "TimePrecision"});
    conn_ready_ = true;
  }
  const auto& c = conn_;
  b.add_row();
  b.set_datetime(c[cTime], ts);
  b.set_datetime(c[cStart], ts);
  b.set_datetime(c[cEnd], ts + duration);
  b.set_string(c[cVendor], "Zeek");
  b.set_string(c[cProduct], "Zeek conn");
  b.set_string(c[cType], "NetworkSession");
  b.set_string(c[cResult], result_of(r[kState]));
  b.set_int(c[cCount], 1);
  b.set_string(c[cUid], r[kUid]);
  b.set_string(c[cSrc], r[kOrigH]);
  b.set_string(c[cDst], r[kRespH]);
  const std::string_view proto = protocol(r[kProto]);
  if (proto != "ICMP") {  // there the ports are type and code
    b.set_int(c[cSrcPort], orig_port);
    b.set_int(c[cDstPort], resp_port);
  }
  b.set_string(c[cProto], proto.empty() ? r[kProto] : proto);
  bool from_inside = true_text(r[kLocalOrig]), to_inside = true_text(r[kLocalResp]);
  if (!from_inside && !to_inside) {  // Zeek was not told its networks
    from_inside = is_private(r[kOrigH]);
    to_inside = is_private(r[kRespH]);
  }
  b.set_string(c[cDirection], from_inside ? to_inside ? "Local" : "Outbound" : to_inside ? "Inbound" : "");
  if (has_duration) b.set_int(c[cDuration], std::clamp<int64_t>(duration / 10'000, 0, INT32_MAX));
  if (!r[kService].empty()) {
    thread_local std::string app;
    service(r[kService], app);
    b.set_string(c[cApp], app);
  }
  b.set_string(c[cHistory], r[kHistory]);
  int64_t n = 0;
  if (whole_number(r[kOrigBytes], n) || whole_number(r[kOrigIpBytes], n)) b.set_int(c[cSrcBytes], n);
  if (whole_number(r[kRespBytes], n) || whole_number(r[kRespIpBytes], n)) b.set_int(c[cDstBytes], n);
  if (whole_number(r[kOrigPkts], n)) b.set_int(c[cSrcPackets], n);
  if (whole_number(r[kRespPkts], n)) b.set_int(c[cDstPackets], n);
  b.set_string(c[cCluster], cluster_);
  b.set_timespan(c[cPrecision], 0);
  seen(ZeekLog::kConn, ts, ts);
  return nullptr;
}

const char* ZeekRows::dns(const ZeekRecord& r) {
  using namespace dns_field;
  Ticks ts = 0;
  if (!time_of(r[kTs], ts)) return "ts is no time";
  if (r[kOrigH].empty()) return "the client's address is missing";
  model::Batch& b = sink_.rows("ASimDnsActivityLogs");
  enum Column {
    cTime,
    cVendor,
    cProduct,
    cType,
    cSubType,
    cResult,
    cDetails,
    cSrc,
    cSrcPort,
    cDst,
    cQuery,
    cQueryType,
    cTypeName,
    cCode,
    cResponse,
    cDuration,
    cFlags,
    cProto,
    cId,
    cCluster,
    cAnswers
  };
  if (!dns_ready_) {
    look_up(b, dns_, {"TimeGenerated",      "EventVendor",     "EventProduct",    "EventType",          "EventSubType", "EventResult",
                      "EventResultDetails", "SrcIpAddr",       "SrcPortNumber",   "DstIpAddr",          "DnsQuery",     "DnsQueryType",
                      "DnsQueryTypeName",   "DnsResponseCode", "DnsResponseName", "DnsNetworkDuration", "DnsFlags",     "NetworkProtocol",
                      "TransactionIdHex",   "Cluster",         "Answers"});
    dns_ready_ = true;
  }
  const auto& c = dns_;
  b.add_row();
  b.set_datetime(c[cTime], ts);
  b.set_string(c[cVendor], "Zeek");
  b.set_string(c[cProduct], "Zeek dns");
  b.set_string(c[cType], "Query");
  b.set_string(c[cSubType], r[kAnswers].empty() ? "request" : "response");
  const std::string_view code = r[kRcodeName];
  b.set_string(c[cResult], code == "NOERROR" && !true_text(r[kRejected]) ? "Success" : "Failure");
  b.set_string(c[cDetails], code.empty() ? "NA" : code);
  b.set_string(c[cSrc], r[kOrigH]);
  b.set_string(c[cDst], r[kRespH]);
  int64_t n = 0;
  if (whole_number(r[kOrigP], n)) b.set_int(c[cSrcPort], n);
  b.set_string(c[cQuery], dns_name(unescaped(r[kQuery])));
  if (whole_number(r[kQtype], n)) b.set_int(c[cQueryType], n);
  b.set_string(c[cTypeName], r[kQtypeName]);
  if (whole_number(r[kRcode], n)) b.set_int(c[cCode], n);
  Ticks rtt = 0;
  if (span_of(r[kRtt], rtt)) b.set_int(c[cDuration], std::clamp<int64_t>(rtt / 10'000, 0, INT32_MAX));
  std::string flags;
  const auto flag = [&](int field, std::string_view name) {
    if (true_text(r[static_cast<size_t>(field)])) flags += (flags.empty() ? "" : ",") + std::string(name);
  };
  flag(kAA, "aa");
  flag(kTC, "tc");
  flag(kRD, "rd");
  flag(kRA, "ra");
  b.set_string(c[cFlags], flags);
  b.set_string(c[cProto], protocol(r[kProto]));
  if (int64_t id = 0; whole_number(r[kTransId], id) && id >= 0 && id <= 0xffff) {
    static constexpr char kHex[] = "0123456789abcdef";
    char text[4];
    for (int i = 0; i < 4; ++i) text[i] = kHex[id >> (12 - 4 * i) & 15];
    b.set_string(c[cId], std::string_view(text, 4));
  }
  b.set_string(c[cCluster], cluster_);
  if (!r[kAnswers].empty()) {
    std::string names, addresses = "[";
    for (const std::string& raw : split(r[kAnswers], ',')) {
      const std::string one = unescaped(raw);
      if (!names.empty()) names += ',';
      names += one;
      if (!IpAddress::parse(one)) continue;
      if (addresses.size() > 1) addresses += ',';
      append_json_string(addresses, one);
    }
    b.set_string(c[cResponse], names);
    b.set_dynamic(c[cAnswers], addresses + "]");
  }
  seen(ZeekLog::kDns, ts, ts);
  return nullptr;
}

const char* ZeekRows::web(const ZeekRecord& r, bool ssl) {
  using namespace web_field;
  Ticks ts = 0;
  if (!time_of(r[kTs], ts)) return "ts is no time";
  if (r[kOrigH].empty() || r[kRespH].empty()) return "an address is missing";
  model::Batch& b = sink_.rows("ASimWebSessionLogs");
  enum Column {
    cTime,
    cVendor,
    cProduct,
    cType,
    cResult,
    cDetails,
    cUid,
    cSrc,
    cSrcPort,
    cDst,
    cDstPort,
    cHost,
    cMethod,
    cVersion,
    cAgent,
    cStatus,
    cUrl,
    cSrcBytes,
    cDstBytes,
    cApp,
    cCluster
  };
  if (!web_ready_) {
    look_up(b, web_, {"TimeGenerated",
                      "EventVendor",
                      "EventProduct",
                      "EventType",
                      "EventResult",
                      "EventResultDetails",
                      "EventOriginalUid",
                      "SrcIpAddr",
                      "SrcPortNumber",
                      "DstIpAddr",
                      "DstPortNumber",
                      "DstHostname",
                      "HttpRequestMethod",
                      "HttpVersion",
                      "HttpUserAgent",
                      "HttpStatusCode",
                      "Url",
                      "SrcBytes",
                      "DstBytes",
                      "NetworkApplicationProtocol",
                      "Cluster"});
    web_ready_ = true;
  }
  const auto& c = web_;
  b.add_row();
  b.set_datetime(c[cTime], ts);
  b.set_string(c[cVendor], "Zeek");
  b.set_string(c[cProduct], ssl ? "Zeek ssl" : "Zeek http");
  b.set_string(c[cType], ssl ? "NetworkSession" : "HTTPsession");
  b.set_string(c[cUid], r[kUid]);
  b.set_string(c[cSrc], r[kOrigH]);
  b.set_string(c[cDst], r[kRespH]);
  int64_t n = 0;
  if (whole_number(r[kOrigP], n)) b.set_int(c[cSrcPort], n);
  if (whole_number(r[kRespP], n)) b.set_int(c[cDstPort], n);
  b.set_string(c[cCluster], cluster_);
  if (ssl) {
    b.set_string(c[cApp], "TLS");
    b.set_string(c[cHost], to_lower(unescaped(r[kServerName])));
    b.set_string(c[cResult], true_text(r[kEstablished]) ? "Success" : "Failure");
    b.set_string(c[cDetails], r[kAlert]);
    return nullptr;
  }
  b.set_string(c[cApp], "HTTP");
  std::string host = to_lower(unescaped(r[kHost]));
  if (const size_t colon = host.rfind(':'); colon != std::string::npos && host.find(':') == colon) host.resize(colon);
  b.set_string(c[cHost], host);
  b.set_string(c[cMethod], r[kMethod]);
  b.set_string(c[cVersion], r[kVersion]);
  b.set_string(c[cAgent], unescaped(r[kAgent]));
  b.set_string(c[cUrl], unescaped(r[kUri]));
  const bool status = whole_number(r[kStatus], n);
  b.set_string(c[cResult], status && n < 400 ? "Success" : "Failure");
  if (status) {
    b.set_int(c[cStatus], n);
    b.set_string(c[cDetails], r[kStatus]);
  }
  if (whole_number(r[kRequestLen], n)) b.set_int(c[cSrcBytes], n);
  if (whole_number(r[kResponseLen], n)) b.set_int(c[cDstBytes], n);
  return nullptr;
}

void ZeekRows::finish() {
  const auto say = [&](ZeekLog log, const char* source, const char* table) {
    const Span& s = spans_[static_cast<size_t>(log)];
    if (s.from)
      sink_.covered({.cluster = std::string(cluster_),
                     .scope = cluster_.empty() ? "network" : "cluster",
                     .name = {},
                     .source = source,
                     .table = table,
                     .from = s.from,
                     .to = s.to});
  };
  say(ZeekLog::kConn, "zeek-conn", "ASimNetworkSessionLogs");
  say(ZeekLog::kDns, "zeek-dns", "ASimDnsActivityLogs");
}

}  // namespace egret::ingest
