// The journal of a node: `journalctl -o json` and `-o short-iso` (short-iso-precise, short-iso with a zone) → Syslog. The kubelet's and
// containerd's lines tell when containers started, those of other units which processes of the node were at work.
// Fields: systemd.journal-fields(7); severities: RFC 5424.
#include <charconv>

#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_file.h"
#include "ingest/row_setter.h"

namespace egret::ingest {
namespace {

std::string_view severity(std::string_view priority) {
  static constexpr std::string_view kNames[] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
  return priority.size() == 1 && priority[0] >= '0' && priority[0] <= '7' ? kNames[priority[0] - '0'] : std::string_view();
}

std::optional<int64_t> integer(std::string_view text) {
  int64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  return ec == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(n) : std::nullopt;
}

struct Span {
  Ticks from = 0, to = 0;
  int64_t rows = 0;
  void add(Ticks t) {
    from = rows ? std::min(from, t) : t;
    to = std::max(to, t);
    ++rows;
  }
  void finish(const Source& source, Sink& sink) const {
    if (rows)
      sink.covered({.cluster = source.cluster, .name = {}, .source = "syslog", .table = "Syslog", .from = from, .to = to, .rows = rows});
  }
};

void row(Sink& sink, const Source& source, Ticks time, std::string_view host, std::string_view process, std::optional<int64_t> pid,
         std::string_view level, std::string_view message) {
  RowSetter(sink.rows("Syslog"))
      .time("TimeGenerated", time)
      .time("EventTime", time)
      .text("Cluster", source.cluster)
      .text("Computer", host)
      .text("HostName", host)
      .text("ProcessName", process)
      .integer("ProcessID", pid)
      .text("SeverityLevel", level)
      .text("SyslogMessage", message)
      .text("SourceSystem", "journal")
      .text("Type", "Syslog");
}

// A message that is not UTF-8 is written as an array of its bytes.
std::string message_of(const js::Element& e) {
  const auto m = js::get(e, "MESSAGE");
  if (!m) return {};
  if (!js::is_array(m)) return std::string(js::text(*m));
  std::string out;
  js::each(m, [&](const js::Element& b) {
    const auto c = js::integer(b);
    if (c && *c >= 0) out += *c < 0x80 ? static_cast<char>(*c) : '?';
  });
  return out;
}

void json(const Source& source, Sink& sink) {
  Span span;
  each_record(source, sink, [&](const js::Element& e, std::string_view text, uint64_t line) {
    const auto micro = integer(js::text(e, "__REALTIME_TIMESTAMP"));
    const auto time = micro ? time_of_epoch(*micro) : std::nullopt;
    if (!time) return sink.error(line, "the journal's entry has no __REALTIME_TIMESTAMP", text);
    std::string_view process = js::text(e, "SYSLOG_IDENTIFIER");
    if (process.empty()) process = js::text(e, "_COMM");
    const auto pid = integer(js::text(e, "_PID"));
    row(sink, source, *time, js::text(e, "_HOSTNAME"), process, pid ? pid : integer(js::text(e, "SYSLOG_PID")),
        severity(js::text(e, "PRIORITY")), message_of(e));
    span.add(*time);
  });
  span.finish(source, sink);
}

// TIME HOST PROCESS[PID]: message
struct Line {
  std::optional<Ticks> time;
  std::string_view host, process, message;
  std::optional<int64_t> pid;
};

bool parse(std::string_view text, Line& l) {
  const size_t a = text.find(' ');
  if (a == std::string_view::npos || a < 19 || text[10] != 'T') return false;
  const size_t b = text.find(' ', a + 1), colon = text.find(": ", a + 1);
  if (b == std::string_view::npos || colon == std::string_view::npos || colon < b) return false;
  // Anything may follow a clock; a host's name is one word without punctuation of programs.
  l.host = text.substr(a + 1, b - a - 1);
  l.process = text.substr(b + 1, colon - b - 1);
  if (l.host.empty() || l.process.empty() || l.host.find_first_of("[](){}=\"':,;/") != std::string_view::npos) return false;
  l.pid = std::nullopt;
  if (const size_t open = l.process.find('['); open != std::string_view::npos && l.process.ends_with(']')) {
    l.pid = integer(l.process.substr(open + 1, l.process.size() - open - 2));
    l.process = l.process.substr(0, open);
    if (!l.pid) return false;
  } else if (l.process != "kernel") {
    return false;
  }
  if (l.process.find_first_of(" \"={}") != std::string_view::npos) return false;
  l.message = text.substr(colon + 2);
  // systemd before 252 writes the zone without its colon: +0000.
  std::string time(text.substr(0, a));
  if (const size_t n = time.size(); n > 24 && (time[n - 5] == '+' || time[n - 5] == '-') && time[n - 3] != ':') time.insert(n - 2, ":");
  if (time.size() > 24 && time[19] == ',') time[19] = '.';
  l.time = parse_iso_datetime(time);
  return l.time.has_value();
}

void lines(const Source& source, Sink& sink) {
  Span span;
  Line l;
  uint64_t number = 0;
  for (std::string_view rest = source.bytes; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (text.ends_with('\r')) text.remove_suffix(1);
    // "-- Boot …", "-- Journal begins at …", "-- No entries --"
    if (trim(text).empty() || text.starts_with("-- ")) continue;
    if (!parse(text, l)) {
      // The further lines of a message stand indented below its first.
      if (!text.starts_with("    ")) sink.error(number, "not a line of the journal in short-iso form", text);
      continue;
    }
    row(sink, source, *l.time, l.host, l.process, l.pid, "", l.message);
    span.add(*l.time);
  }
  span.finish(source, sink);
}

void decode(const Source& source, Sink& sink) { trim(source.bytes).starts_with('{') ? json(source, sink) : lines(source, sink); }

int recognise(std::string_view head, std::string_view) {
  if (json_with(head, {"\"__REALTIME_TIMESTAMP\"", "\"MESSAGE\""})) return 94;
  int good = 0, all = 0;
  Line l;
  for (std::string_view rest = head; !rest.empty() && all < 40;) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (trim(text).empty() || text.starts_with("-- ") || text.starts_with("    ")) continue;
    ++all;
    good += parse(text, l);
  }
  return good > 0 && good * 10 >= all * 6 ? 86 : 0;
}

}  // namespace

extern const Decoder kJournal;
const Decoder kJournal{
    "journal", "a node's journal (journalctl -o json, -o short-iso): starts of containers by kubelet, processes of the node",
    "Syslog",  recognise,
    decode,    nullptr,
    true};

}  // namespace egret::ingest
