// Query logs of BIND (category queries, and responses since 9.20) and Unbound (log-queries, log-replies, log-tag-queryreply), as the
// programs write them or as syslog and container runtimes wrap them. Formats: BIND 9 Administrator Reference Manual, "The Query Log";
// unbound.conf(5). Both servers have many other lines, which are known and no rows.
#include "base/dns_names.h"
#include "base/ip.h"
#include "base/number.h"
#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/log_line.h"
#include "ingest/row_setter.h"
#include "ingest/times.h"

namespace egret::ingest {
namespace {

template <typename T>
std::optional<T> number(std::string_view s) {
  T v{};
  return read_number(s, v) ? std::optional(v) : std::nullopt;
}

// "Apr" → "04"; empty: no month.
std::string month_of(std::string_view name) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const size_t at = kMonths.find(name);
  if (at == std::string_view::npos || at % 3 != 0) return {};
  const size_t month = at / 3 + 1;
  return (month < 10 ? "0" : "") + std::to_string(month);
}

struct Question {
  std::optional<Ticks> time;
  std::string_view client, name, type, code, flags, server, transport;
  int port = 0;
  double seconds = -1;
  bool answered = false;
};

// "Apr  1 06:14:09" has no year: the latest that is not after `near`.
std::optional<Ticks> syslog_time(std::string_view& line, Ticks near, const TimeForm& form) {
  if (line.size() < 16 || line[3] != ' ' || line[6] != ' ' || line[9] != ':' || line[12] != ':') return {};
  const std::string month = month_of(line.substr(0, 3));
  if (month.empty()) return {};
  std::string day(line.substr(4, 2));
  if (day[0] == ' ') day[0] = '0';
  const int64_t year = civil_from_ticks(near).year;
  for (const int64_t y : {year, year - 1}) {
    const std::string text = std::to_string(y) + "-" + month + "-" + day + " " + std::string(line.substr(7, 8));
    const auto t = parse_time(text, form);
    if (t && *t > near + kTicksPerDay) continue;
    if (t) line.remove_prefix(15);
    return t;
  }
  return {};
}

// "01-Apr-2022 06:14:09.123"
std::optional<Ticks> bind_time(std::string_view& line, const TimeForm& form) {
  if (line.size() < 24 || line[2] != '-' || line[6] != '-' || line[11] != ' ') return {};
  const std::string month = month_of(line.substr(3, 3));
  if (month.empty()) return {};
  const std::string text =
      std::string(line.substr(7, 4)) + "-" + month + "-" + std::string(line.substr(0, 2)) + " " + std::string(line.substr(12, 12));
  const auto t = parse_time(text, form);
  if (t) line.remove_prefix(24);
  return t;
}

// Whatever clock stands in front of the line, and nothing of it where there is none.
std::optional<Ticks> any_clock(std::string_view& line, Ticks near, const TimeForm& form) {
  if (auto t = leading_clock(line)) return t;
  if (auto t = bind_time(line, form)) return t;
  if (auto t = syslog_time(line, near, form)) return t;
  std::string_view rest = line;
  if (rest.starts_with('[')) {  // Unbound's own: seconds since 1970
    const size_t close = rest.find(']');
    if (close != std::string_view::npos && close > 9 && close < 13)
      if (const auto s = number<int64_t>(rest.substr(1, close - 1))) {
        line = trim(rest.substr(close + 1));
        return ticks_from_unix_seconds(*s);
      }
  }
  // ISO 8601 without a zone, as BIND's print-time iso8601 and Unbound's log-time-iso write it.
  const std::string_view first = next_word(rest);
  if (first.size() >= 19 && first[4] == '-' && first[10] == 'T')
    if (auto t = parse_time(first, form)) {
      line = trim(rest);
      return t;
    }
  return {};
}

enum class Line { kQuestion, kOther, kNo };

// "general: info: zone example/IN: loaded serial 7": the form of every channel that prints category and severity.
bool has_bind_severity(std::string_view line) {
  if (!next_word(line).ends_with(':')) return false;
  const std::string_view severity = next_word(line);
  for (const std::string_view s : {"info:", "notice:", "warning:", "error:", "critical:", "debug"})
    if (severity == s) return true;
  return false;
}

// client @0x7f62b80115d0 192.168.101.70#55575 (docs.example): view inside: query: docs.example IN AAAA +E(0)K (192.168.100.102)
Line parse_bind(std::string_view line, Question& q) {
  const size_t at = line.find("client ");
  const bool named = line.contains("named[") || has_bind_severity(line);
  if (at == std::string_view::npos) return named ? Line::kOther : Line::kNo;
  std::string_view rest = line.substr(at + 7);
  std::string_view client = next_word(rest);
  if (client.starts_with("@0x")) client = next_word(rest);
  const size_t hash = client.find('#');
  if (hash == std::string_view::npos) return named ? Line::kOther : Line::kNo;
  q.client = client.substr(0, hash);
  if (const size_t zone = q.client.find('%'); zone != std::string_view::npos) q.client = q.client.substr(0, zone);
  std::string_view port = client.substr(hash + 1);
  if (port.ends_with(':')) port.remove_suffix(1);
  const auto p = number<int>(port);
  if (!p || !IpAddress::parse(q.client)) return Line::kNo;
  q.port = *p;
  size_t body = std::string_view::npos;
  for (const std::string_view what : {": query: ", ": answer: ", ": response: "}) {
    if (const size_t found = rest.find(what); found != std::string_view::npos && found < body) {
      body = found;
      q.answered = what != ": query: ";
    }
  }
  if (body == std::string_view::npos) return Line::kOther;  // refused, formerr, rate limits …
  rest = rest.substr(rest.find(": ", body + 2) + 2);
  q.name = next_word(rest);
  const std::string_view dns_class = next_word(rest);
  q.type = next_word(rest);
  if (q.name.empty() || q.type.empty() || (dns_class != "IN" && dns_class != "CH" && dns_class != "HS" && dns_class != "ANY"))
    return Line::kOther;
  std::string_view next = next_word(rest);
  if (q.answered && dns_code_number(next)) {  // response: NAME IN A NOERROR + …
    q.code = next;
    next = next_word(rest);
  }
  q.flags = next;
  q.transport = q.flags.starts_with('+') || q.flags.starts_with('-') ? (q.flags.contains('T') ? "TCP" : "UDP") : "";
  const std::string_view server = next_word(rest);
  if (server.starts_with('(') && server.ends_with(')')) q.server = server.substr(1, server.size() - 2);
  if (next_word(rest) == "->") q.code = next_word(rest);
  return Line::kQuestion;
}

// unbound[17265:13] info: 127.0.0.1 host.example. A IN [NOERROR 0.017445 0 51]; the tag is "query:", "reply:" or "info:".
Line parse_unbound(std::string_view line, Question& q) {
  size_t at = line.rfind("] ");
  if (at == std::string_view::npos || !line.substr(0, at).contains('[')) return Line::kNo;
  // [THREAD:N] or [PID:N] stands before the tag.
  const std::string_view bracket = line.substr(line.rfind('[', at) + 1, at - line.rfind('[', at) - 1);
  if (!bracket.contains(':') || bracket.find_first_not_of("0123456789abcdef:") != std::string_view::npos) return Line::kNo;
  std::string_view rest = line.substr(at + 2);
  const std::string_view tag = next_word(rest);
  if (tag != "info:" && tag != "query:" && tag != "reply:") return tag.ends_with(':') ? Line::kOther : Line::kNo;
  std::string_view client = next_word(rest);
  // log-local-actions: which local zone answered, and client@port.
  const bool local = client.find_first_of(".:") == std::string_view::npos && rest.substr(0, 64).contains('@');
  if (local) client = next_word(rest);
  if (const size_t port = client.find('@'); port != std::string_view::npos) {
    q.port = number<int>(client.substr(port + 1)).value_or(0);
    client = client.substr(0, port);
  }
  if (!IpAddress::parse(client)) return Line::kOther;  // statistics, resolver's own questions
  q.client = client;
  q.name = next_word(rest);
  q.type = next_word(rest);
  const std::string_view dns_class = next_word(rest);
  if (q.name.empty() || q.type.empty() || dns_class.empty()) return Line::kOther;
  q.code = next_word(rest);
  q.answered = !q.code.empty();
  if (q.answered) q.seconds = number<double>(next_word(rest)).value_or(-1);
  return Line::kQuestion;
}

using Parse = Line (*)(std::string_view, Question&);

void add_row(const Question& q, Ticks time, std::string_view product, const Source& source, const LogLine& line, Sink& sink) {
  const bool known = !q.code.empty();
  RowSetter row(sink.rows("ASimDnsActivityLogs"));
  row.time("TimeGenerated", time)
      .text("EventVendor", product == "BIND" ? "ISC" : "NLnet Labs")
      .text("EventProduct", product)
      .text("EventType", "Query")
      .text("EventSubType", q.answered ? "response" : "request")
      .text("EventResult", known && q.code != "NOERROR" ? "Failure"
                           : known                      ? "Success"
                                                        : "NA")
      .text("EventResultDetails", known ? q.code : "NA")
      .address("SrcIpAddr", q.client)
      .text("DnsQuery", dns_name(q.name))
      .text("DnsQueryTypeName", q.type)
      .text("DnsFlags", q.flags)
      .text("NetworkProtocol", q.transport)
      .address("DstIpAddr", q.server)
      .text("Cluster", source.cluster);
  if (q.port > 0) row.integer("SrcPortNumber", q.port);
  if (const auto t = dns_type_number(q.type)) row.integer("DnsQueryType", *t);
  if (const auto c = known ? dns_code_number(q.code) : std::nullopt) row.integer("DnsResponseCode", *c);
  if (q.seconds >= 0 && q.seconds < 1e6) row.integer("DnsNetworkDuration", static_cast<int64_t>(q.seconds * 1000 + 0.5));
  if (!line.pod.empty()) row.text("DnsServerPod", std::string(line.ns) + "/" + std::string(line.pod));
}

void decode(const Source& source, Sink& sink, Parse parse, std::string_view product) {
  const Ticks near = source.modified_at > 0 ? source.modified_at : source.read_at;
  // A server that logs both questions and replies says everything twice; the replies say more.
  bool replies = false;
  const auto each = [&](auto&& f) {
    LogLines lines(source.bytes, source.path);
    for (LogLine line; lines.next(line);) {
      Question q;
      std::string_view text = line.text;
      const auto own = line.broken ? std::nullopt : any_clock(text, near, source.time_form());
      q.time = own ? own : line.clock;
      f(line, text, q);
    }
  };
  each([&](const LogLine&, std::string_view text, Question& q) { replies |= parse(text, q) == Line::kQuestion && q.answered; });
  Ticks from = 0, to = 0;
  int64_t rows = 0;
  each([&](const LogLine& line, std::string_view text, Question& q) {
    if (line.broken) return sink.error(line.number, "the JSON around the log line is broken", line.whole);
    switch (parse(text, q)) {
      case Line::kNo:
        if (!line.text.starts_with('#')) sink.error(line.number, std::string("no line of ") + std::string(product), line.whole);
        return;
      case Line::kOther: return;
      case Line::kQuestion: break;
    }
    if (!q.time)
      return sink.error(line.number, "the line does not say when: neither it nor what is around it has a time", line.whole,
                        product == "BIND" ? "set `print-time yes` in the logging channel, or log through syslog"
                                          : "set `use-syslog: yes`, or leave the time that Unbound writes in front in place");
    from = from == 0 ? *q.time : std::min(from, *q.time);
    to = std::max(to, *q.time);
    ++rows;
    if (replies && !q.answered) return;
    add_row(q, *q.time, product, source, line, sink);
  });
  if (rows)
    sink.covered({.cluster = source.cluster,
                  .name = {},
                  .source = product == "BIND" ? "bind" : "unbound",
                  .table = "ASimDnsActivityLogs",
                  .from = from,
                  .to = to,
                  .rows = rows});
}

int recognise(std::string_view head, std::string_view path, Parse parse) {
  LogLines lines(head, path);
  int questions = 0, n = 0;
  for (LogLine line; n < 60 && lines.next(line); ++n) {
    if (line.broken) continue;
    Question q;
    std::string_view text = line.text;
    (void)any_clock(text, kUnixEpochTicks, {});
    questions += parse(text, q) == Line::kQuestion;
  }
  return questions * 4 >= n && questions > 0 ? 91 : questions > 0 ? 65 : 0;
}

int recognise_bind(std::string_view head, std::string_view path) {
  if (!head.contains("client ") || !head.contains('#')) return 0;
  return recognise(head, path, parse_bind);
}
int recognise_unbound(std::string_view head, std::string_view path) {
  if (!head.contains("] info: ") && !head.contains("] query: ") && !head.contains("] reply: ")) return 0;
  return recognise(head, path, parse_unbound);
}
void decode_bind(const Source& source, Sink& sink) { decode(source, sink, parse_bind, "BIND"); }
void decode_unbound(const Source& source, Sink& sink) { decode(source, sink, parse_unbound, "Unbound"); }

}  // namespace

extern const Decoder kBind, kUnbound;
const Decoder kBind{
    "bind", "BIND query and response logs, bare or through syslog", "ASimDnsActivityLogs", recognise_bind, decode_bind, nullptr, true};
const Decoder kUnbound{
    "unbound", "Unbound query and reply logs, bare or through syslog", "ASimDnsActivityLogs", recognise_unbound, decode_unbound, nullptr,
    true};

}  // namespace egret::ingest
