#include "ingest/firewall_rows.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <charconv>
#include <utility>

#include "base/ip.h"
#include "base/text.h"
#include "ingest/table_rows.h"

namespace egret::ingest {
namespace {

constexpr std::pair<std::string_view, int> kTypes[] = {{"A", 1},   {"NS", 2},   {"CNAME", 5}, {"SOA", 6},  {"PTR", 12},   {"HINFO", 13},
                                                       {"MX", 15}, {"TXT", 16}, {"AAAA", 28}, {"SRV", 33}, {"HTTPS", 65}, {"ANY", 255}};
constexpr std::pair<std::string_view, int> kCodes[] = {{"NOERROR", 0},  {"FORMERR", 1}, {"SERVFAIL", 2},
                                                       {"NXDOMAIN", 3}, {"NOTIMP", 4},  {"REFUSED", 5}};

struct Dns {
  std::string_view src, type, name, protocol, code, flags;
  int64_t port = 0, id = 0;
  double seconds = 0;
};

void add_dns(const Dns& d, Ticks time, std::string_view cluster, Sink& sink) {
  model::Batch& b = sink.rows("ASimDnsActivityLogs");
  b.add_row();
  b.set_datetime(b.column("TimeGenerated"), time);
  b.set_string(b.column("EventVendor"), "Microsoft");
  b.set_string(b.column("EventProduct"), "Azure Firewall");
  b.set_string(b.column("EventType"), "Query");
  b.set_string(b.column("EventSubType"), "request");
  // The proxy writes code 0 for questions that nobody answered; the flags are then missing.
  const bool answered = !d.code.empty() && d.code != "0" && d.code != "-";
  b.set_string(b.column("EventResult"), d.code == "NOERROR" ? "Success" : "Failure");
  if (answered) b.set_string(b.column("EventResultDetails"), d.code);
  b.set_string(b.column("SrcIpAddr"), d.src);
  if (d.port > 0 && d.port < 65536) b.set_int(b.column("SrcPortNumber"), d.port);
  std::string name = to_lower(d.name);
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  b.set_string(b.column("DnsQuery"), name);
  std::string_view type = d.type;
  if (type.ends_with(':')) type.remove_suffix(1);
  b.set_string(b.column("DnsQueryTypeName"), type);
  for (const auto& [t, n] : kTypes)
    if (t == type) b.set_int(b.column("DnsQueryType"), n);
  for (const auto& [c, n] : kCodes)
    if (c == d.code) b.set_int(b.column("DnsResponseCode"), n);
  b.set_string(b.column("DnsFlags"), d.flags == "-" ? std::string_view() : d.flags);
  b.set_string(b.column("NetworkProtocol"), iequals(d.protocol, "tcp") ? "TCP" : "UDP");
  if (d.seconds >= 0 && d.seconds < 1e6) b.set_int(b.column("DnsNetworkDuration"), static_cast<int64_t>(d.seconds * 1000 + 0.5));
  b.set_string(b.column("TransactionIdHex"), fmt::format("{:04x}", d.id & 0xffff));
  if (!cluster.empty()) b.set_string(b.column("Cluster"), cluster);
}

int64_t number(std::string_view s) {
  int64_t v = 0;
  std::from_chars(s.data(), s.data() + s.size(), v);
  return v;
}

std::pair<std::string_view, int64_t> host_port(std::string_view s) {
  if (s.starts_with('[')) {
    const size_t end = s.find(']');
    if (end == std::string_view::npos) return {s, 0};
    return {s.substr(1, end - 1), end + 2 < s.size() ? number(s.substr(end + 2)) : 0};
  }
  const size_t colon = s.rfind(':');
  if (colon == std::string_view::npos) return {s, 0};
  return {s.substr(0, colon), number(s.substr(colon + 1))};
}

// The value behind "Key: " up to the full stop before the next key.
std::string_view field(std::string_view text, std::string_view key) {
  size_t at = 0;
  while ((at = text.find(key, at)) != std::string_view::npos) {
    if ((at == 0 || text[at - 1] == ' ') && text.substr(at + key.size()).starts_with(": ")) break;
    ++at;
  }
  if (at == std::string_view::npos) return {};
  std::string_view v = text.substr(at + key.size() + 2);
  if (const size_t stop = v.find(". "); stop != std::string_view::npos) v = v.substr(0, stop);
  while (v.ends_with('.')) v.remove_suffix(1);
  return trim(v);
}

bool dns_text(std::string_view text, const FirewallContext& context, Sink& sink) {
  // "DNS Request: client:port - id type class name proto size do bufsize code flags rsize seconds"; the vendor's page has an en dash.
  std::array<std::string_view, 16> w;
  size_t n = 0;
  std::string_view rest = text.substr(std::string_view("DNS Request: ").size());
  while (!rest.empty() && n < w.size()) {
    const size_t blank = rest.find(' ');
    const std::string_view word = rest.substr(0, blank);
    if (!word.empty() && word != "-" && word != "\xe2\x80\x93")
      w[n++] = word;
    else if (n > 8)
      w[n++] = word;
    if (blank == std::string_view::npos) break;
    rest.remove_prefix(blank + 1);
  }
  if (n < 8) return false;
  Dns d;
  std::tie(d.src, d.port) = host_port(w[0]);
  if (!IpAddress::parse(d.src)) return false;
  d.id = number(w[1]);
  d.type = w[2];
  d.name = w[4];
  d.protocol = w[5];
  if (n > 9) d.code = w[9];
  if (n > 10) d.flags = w[10];
  if (n > 12) d.seconds = std::strtod(std::string(w[12]).c_str(), nullptr);
  add_dns(d, context.time, context.cluster, sink);
  return true;
}

}  // namespace

std::string json_text(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.front() != '"') return std::string(quoted);
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element e;
  std::string_view text;
  if (parser.parse(quoted.data(), quoted.size(), true).get(e) != simdjson::SUCCESS || e.get_string().get(text) != simdjson::SUCCESS)
    return std::string(quoted);
  return std::string(text);
}

bool firewall_text_rows(std::string_view text, const FirewallContext& context, Sink& sink) {
  text = trim(text);
  if (text.starts_with("DNS Request: ")) return dns_text(text, context, sink);
  const size_t from = text.find(" request from ");
  const size_t to = text.find(" to ", from == std::string_view::npos ? 0 : from + 14);
  if (from == std::string_view::npos || to == std::string_view::npos) return false;
  const std::string_view protocol = text.substr(0, from);
  const auto [src, src_port] = host_port(text.substr(from + 14, to - from - 14));
  std::string_view target = text.substr(to + 4);
  const size_t stop = target.find_first_of(" ");
  target = target.substr(0, stop);
  while (target.ends_with('.') || target.ends_with(',')) target.remove_suffix(1);
  if (!IpAddress::parse(src)) return false;
  const auto [dst, dst_port] = host_port(target);
  const bool web = protocol.starts_with("HTTP");
  model::Batch& b = sink.rows(web ? "AZFWApplicationRule" : "AZFWNetworkRule");
  const auto put = [&](std::string_view column, std::string_view value) {
    if (const int c = b.find_column(column); c >= 0 && !value.empty()) b.set_string(c, value);
  };
  b.add_row();
  b.set_datetime(b.column("TimeGenerated"), context.time);
  put("Protocol", protocol);
  put("SourceIp", src);
  set_cell(b, b.column("SourcePort"), Cell::of(src_port), {});
  set_cell(b, b.column("DestinationPort"), Cell::of(dst_port), {});
  put(web ? "Fqdn" : "DestinationIp", dst);
  std::string_view action = field(text, "Action");
  if (action.empty() && text.contains("DNAT'ed")) action = "DNAT";
  put("Action", action);
  put("RuleCollection", field(text, "Rule Collection"));
  put("RuleCollectionGroup", field(text, "Rule Collection Group"));
  put("Policy", field(text, "Policy"));
  put("Rule", field(text, "Rule"));
  if (web) put("TargetUrl", field(text, "Url"));
  put("ActionReason", field(text, "Reason"));
  put("_ResourceId", context.resource_id);
  put("Cluster", context.cluster);
  put("Type", web ? "AZFWApplicationRule" : "AZFWNetworkRule");
  return true;
}

void firewall_dns_row(const model::Batch& b, size_t row, std::string_view cluster, Sink& sink) {
  const auto text = [&](std::string_view column) { return b.text(b.column(column), row); };
  const std::string port = b.to_text(b.column("SourcePort"), row);
  add_dns({.src = text("SourceIp"),
           .type = text("QueryType"),
           .name = text("QueryName"),
           .protocol = text("Protocol"),
           .code = text("ResponseCode"),
           .flags = text("ResponseFlags"),
           .port = number(port),
           .id = b.number(b.column("QueryId"), row),
           .seconds = b.real(b.column("RequestDurationSecs"), row)},
          b.number(b.column("TimeGenerated"), row), cluster, sink);
}

}  // namespace egret::ingest
