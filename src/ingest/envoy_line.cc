#include "ingest/envoy_line.h"

#include <charconv>
#include <vector>

#include "base/text.h"
#include "ingest/json_dom.h"
#include "ingest/whole_number.h"

namespace egret::ingest {
namespace {

std::string known(std::string_view s) { return s == "-" ? std::string() : std::string(s); }

struct Token {
  std::string_view text;
  bool quoted;
};

// Words and quoted texts. A quote ends where a space or the end follows, since Envoy does not escape quotes within.
std::vector<Token> tokens(std::string_view s) {
  std::vector<Token> out;
  for (size_t at = 0; at < s.size() && out.size() < 40;) {
    if (s[at] == ' ' || s[at] == '\t') {
      ++at;
    } else if (s[at] == '"') {
      size_t end = s.find('"', at + 1);
      while (end != std::string_view::npos && end + 1 < s.size() && s[end + 1] != ' ') end = s.find('"', end + 1);
      if (end == std::string_view::npos) {
        out.push_back({s.substr(at + 1), false});  // cut off
        break;
      }
      out.push_back({s.substr(at + 1, end - at - 1), true});
      at = end + 1;
    } else {
      const size_t end = std::min(s.find(' ', at), s.size());
      out.push_back({s.substr(at, end - at), false});
      at = end;
    }
  }
  return out;
}

bool looks_like_request(std::string_view s) {
  if (s == "- - -") return true;
  const size_t first = s.find(' '), last = s.rfind(' ');
  if (first == std::string_view::npos || first == 0 || first == last) return false;
  for (const char c : s.substr(0, first))
    if (!((c >= 'A' && c <= 'Z') || c == '-' || c == '_')) return false;
  return s.substr(last + 1).starts_with("HTTP/") || s.substr(last + 1) == "-";
}

void request(std::string_view s, EnvoyAccess& a) {
  const size_t first = s.find(' '), last = s.rfind(' ');
  a.method = known(s.substr(0, first));
  a.protocol = known(s.substr(last + 1));
  if (last > first) a.path = known(s.substr(first + 1, last - first - 1));
}

EnvoyLine text_line(std::string_view line, EnvoyAccess& a, std::string& reason) {
  std::string_view rest = line;
  if (line.starts_with("[")) {
    const size_t close = line.find(']');
    if (close == std::string_view::npos || close < 10 || close > 40) return EnvoyLine::kNo;
    a.time = parse_iso_datetime(line.substr(1, close - 1));
    rest = line.substr(close + 1);
    if (!a.time) return EnvoyLine::kNo;
    // Envoy's own log: [2021-01-01 00:00:00.000][1][info][main] …
    if (rest.starts_with("[")) return EnvoyLine::kOther;
  }
  const std::vector<Token> t = tokens(rest);
  if (t.empty() || !t[0].quoted || !looks_like_request(t[0].text)) return EnvoyLine::kNo;
  request(t[0].text, a);
  const auto cut = [&] {
    reason = "the access line ends too early or its fields are not those of Envoy's or Istio's default format";
    return EnvoyLine::kMalformed;
  };
  if (t.size() < 12 || !whole_number(t[1].text, a.code) || a.code < 0 || a.code > 999) return cut();
  a.has_code = true;
  a.flags = known(t[2].text);
  // Between the flags and the byte counts Istio's versions have none to three fields; none is a number.
  size_t i = 3;
  int64_t n = 0;
  while (i < t.size() && !whole_number(t[i].text, n)) ++i;
  if (i > 6 || i + 9 > t.size()) return cut();
  if (!whole_number(t[i].text, a.received) || !whole_number(t[i + 1].text, a.sent) || !whole_number(t[i + 2].text, a.milliseconds))
    return cut();
  a.has_milliseconds = true;
  for (size_t k = i + 4; k < i + 9; ++k)
    if (!t[k].quoted) return cut();
  a.forwarded_for = known(t[i + 4].text);
  a.user_agent = known(t[i + 5].text);
  a.request_id = known(t[i + 6].text);
  a.authority = known(t[i + 7].text);
  a.upstream_host = known(t[i + 8].text);
  if (t.size() >= i + 13) {
    a.upstream_cluster = known(t[i + 9].text);
    a.downstream_local = known(t[i + 11].text);
    a.downstream_remote = known(t[i + 12].text);
    if (t.size() > i + 13) a.server_name = known(t[i + 13].text);
    if (t.size() > i + 14) a.route = known(t[i + 14].text);
  } else if (t.size() > i + 9) {
    return cut();
  }
  return EnvoyLine::kAccess;  // with or without its [start time]
}

EnvoyLine json_line(std::string_view line, EnvoyAccess& a, std::string& reason) {
  thread_local simdjson::dom::parser parser;
  js::Element e;
  // The cheap test first: most JSON lines of containers are not access lines.
  if (line.find("response_code\"") == std::string_view::npos && line.find("upstream_cluster\"") == std::string_view::npos &&
      line.find("\"connection complete\"") == std::string_view::npos)
    return EnvoyLine::kNo;
  if (parser.parse(line.data(), line.size()).get(e) != simdjson::SUCCESS) {
    reason = "the JSON access line is cut off or broken";
    return EnvoyLine::kMalformed;
  }
  const auto text = [&](std::initializer_list<std::string_view> names) {
    for (const std::string_view n : names)
      if (const std::string_view s = js::text(e, n); !s.empty() && s != "-") return std::string(s);
    return std::string();
  };
  if (js::text(e, "scope") == "access" || js::text(e, "message") == "connection complete") {  // ztunnel
    a.time = js::time(e, "time");
    a.downstream_remote = text({"src.addr"});
    a.upstream_host = text({"dst.hbone_addr", "dst.addr"});
    a.authority = text({"dst.service"});
    a.direction = text({"direction"});
    const bool outbound = a.direction == "outbound";
    a.pod = outbound ? text({"src.workload"}) : text({"dst.workload"});
    a.pod_namespace = outbound ? text({"src.namespace"}) : text({"dst.namespace"});
    const int64_t sent = js::integer(e, "bytes_sent").value_or(0), received = js::integer(e, "bytes_recv").value_or(0);
    a.received = outbound ? sent : received;
    a.sent = outbound ? received : sent;
    return a.time && !a.downstream_remote.empty() ? EnvoyLine::kAccess : EnvoyLine::kOther;
  }
  const bool start = js::get(e, "start_time") || js::get(e, "@timestamp");
  if (!start && !js::get(e, "upstream_cluster")) return EnvoyLine::kNo;
  for (const std::string_view k : {"start_time", "@timestamp", "time", "timestamp"})
    if (!a.time) a.time = js::time(e, k);
  a.method = text({"method", ":method", "request_method"});
  a.path = text({"path", ":path", "x-envoy-origin-path", "request_path"});
  a.protocol = text({"protocol"});
  a.authority = text({"authority", ":authority", "host"});
  a.server_name = text({"requested_server_name"});
  a.user_agent = text({"user_agent", "user-agent"});
  a.request_id = text({"request_id", "x-request-id"});
  a.flags = text({"response_flags"});
  a.route = text({"route_name"});
  a.upstream_cluster = text({"upstream_cluster"});
  a.upstream_host = text({"upstream_host"});
  a.downstream_local = text({"downstream_local_address"});
  a.downstream_remote = text({"downstream_remote_address"});
  a.forwarded_for = text({"x_forwarded_for", "x-forwarded-for"});
  const auto integer = [&](std::string_view name) {
    const auto v = js::get(e, name);
    return js::text(v) == "-" ? std::nullopt : js::integer(v);
  };
  const auto code = integer("response_code"), received = integer("bytes_received"), sent = integer("bytes_sent"),
             duration = integer("duration");
  a.has_code = code.has_value();
  a.code = code.value_or(0);
  a.received = received.value_or(0);
  a.sent = sent.value_or(0);
  a.has_milliseconds = duration.has_value();
  a.milliseconds = duration.value_or(0);
  if (!a.time) {
    reason = "the access line's start_time cannot be read";
    return EnvoyLine::kMalformed;
  }
  return EnvoyLine::kAccess;
}

// key=value and key="value" of ztunnel's text form.
std::string field(std::string_view line, std::string_view key) {
  const std::string needle = std::string(key) + "=";
  for (size_t at = line.find(needle); at != std::string_view::npos; at = line.find(needle, at + 1)) {
    if (at > 0 && line[at - 1] != ' ' && line[at - 1] != '\t') continue;
    std::string_view v = line.substr(at + needle.size());
    if (v.starts_with("\"")) {
      v.remove_prefix(1);
      return std::string(v.substr(0, v.find('"')));
    }
    return std::string(v.substr(0, v.find(' ')));
  }
  return {};
}

// 2ms, 1.5s, 120us, 1m2s is not written
int64_t duration_ms(std::string_view s) {
  double v = 0;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (ec != std::errc{} || !(v >= 0 && v < 1e12)) return 0;
  const std::string_view unit(end, static_cast<size_t>(s.data() + s.size() - end));
  return static_cast<int64_t>(unit == "s" ? v * 1000 : unit == "ms" ? v : 0);
}

// zap: TIME level scope message, separated by tabs or runs of blanks.
EnvoyLine zap_line(std::string_view line, EnvoyAccess& a, std::string& reason) {
  // The time may have been taken off already, as that of a wrapper.
  std::optional<Ticks> time;
  std::string_view rest = line;
  if (line[0] >= '0' && line[0] <= '9') {
    const size_t end = line.find_first_of(" \t");
    if (end == std::string_view::npos || end < 19) return EnvoyLine::kNo;
    time = parse_iso_datetime(line.substr(0, end));
    if (!time) return EnvoyLine::kNo;
    rest.remove_prefix(end);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  }
  const std::string level = to_lower(rest.substr(0, rest.find_first_of(" \t")));
  if (level != "info" && level != "warn" && level != "error" && level != "debug" && level != "trace" && level != "warning" &&
      level != "critical" && level != "fatal")
    return EnvoyLine::kNo;
  rest.remove_prefix(std::min(level.size(), rest.size()));
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  if (!rest.starts_with("access"))
    return line.find('\t') != std::string_view::npos || rest.find("  ") != std::string_view::npos ? EnvoyLine::kOther : EnvoyLine::kNo;
  a.downstream_remote = field(rest, "src.addr");
  if (a.downstream_remote.empty()) return EnvoyLine::kOther;  // "connection opened" of debug level has it too, but is seen rarely
  if (rest.find("connection opened") != std::string_view::npos) return EnvoyLine::kOther;
  a.upstream_host = field(rest, "dst.hbone_addr");
  if (a.upstream_host.empty()) a.upstream_host = field(rest, "dst.addr");
  if (a.upstream_host.empty()) {
    reason = "the ztunnel line has no dst.addr";
    return EnvoyLine::kMalformed;
  }
  a.authority = field(rest, "dst.service");
  a.direction = field(rest, "direction");
  const bool outbound = a.direction == "outbound";
  a.pod = field(rest, outbound ? "src.workload" : "dst.workload");
  a.pod_namespace = field(rest, outbound ? "src.namespace" : "dst.namespace");
  int64_t sent = 0, received = 0;
  whole_number(field(rest, "bytes_sent"), sent);
  whole_number(field(rest, "bytes_recv"), received);
  a.received = outbound ? sent : received;
  a.sent = outbound ? received : sent;
  a.milliseconds = duration_ms(field(rest, "duration"));
  a.has_milliseconds = true;
  if (time) a.time = *time - a.milliseconds * 10'000;
  if (!field(rest, "error").empty()) a.flags = "UF";
  return EnvoyLine::kAccess;
}

}  // namespace

EnvoyLine parse_envoy(std::string_view line, EnvoyAccess& a, std::string& reason) {
  a = {};
  line = trim(line);
  if (line.empty()) return EnvoyLine::kNo;
  if (line[0] == '{') return json_line(line, a, reason);
  if (line[0] == '[' || line[0] == '"') return text_line(line, a, reason);
  return zap_line(line, a, reason);
}

}  // namespace egret::ingest
