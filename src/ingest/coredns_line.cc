#include "ingest/coredns_line.h"

#include "base/ip.h"
#include "base/number.h"
#include "base/text.h"
#include "ingest/log_line.h"

namespace egret::ingest {
namespace {

// 11/Jan/2019:19:59:01 +0000
std::optional<Ticks> clf_time(std::string_view s) {
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (s.size() != 26 || s[2] != '/' || s[6] != '/' || s[11] != ':' || s[20] != ' ') return {};
  int month = 0;
  for (int i = 0; i < 12; ++i)
    if (s.substr(3, 3) == kMonths[i]) month = i + 1;
  if (!month) return {};
  const std::string iso = std::string(s.substr(7, 4)) + (month < 10 ? "-0" : "-") + std::to_string(month) + "-" +
                          std::string(s.substr(0, 2)) + "T" + std::string(s.substr(12, 8)) + std::string(s.substr(21));
  return parse_iso_datetime(iso);
}

bool is_other(std::string_view line) {
  if (line.starts_with("[INFO] ") || line.starts_with("[ERROR] ") || line.starts_with("[WARNING] ") || line.starts_with("[DEBUG] ") ||
      line.starts_with("[FATAL] ") || line.starts_with("[PANIC] ")) {
    const std::string_view rest = line.substr(line.find(']') + 2);
    return rest.starts_with("plugin/") || rest.starts_with("Reloading") || rest.starts_with("SIG") || rest.starts_with("CoreDNS-") ||
           rest.starts_with("Running configuration") || rest.starts_with("linux/") || rest.starts_with("127.0.0.1") ||
           rest.starts_with("Recovered") || rest.starts_with("No files matching import glob pattern") ||
           rest.find("dns") != std::string_view::npos;
  }
  return line.starts_with("CoreDNS-") || (line.starts_with(".:") && line.size() < 9) ||
         (line.starts_with("linux/") && line.find(", go") != std::string_view::npos);
}

}  // namespace

bool split_host_port(std::string_view s, std::string_view& host, int& port) {
  const size_t colon = s.rfind(':');
  if (colon == std::string_view::npos || !read_number(s.substr(colon + 1), port) || port < 0 || port > 65535) return false;
  host = s.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (const size_t zone = host.find('%'); zone != std::string_view::npos) host = host.substr(0, zone);
  return true;
}

CorednsLine parse_coredns(std::string_view line, CorednsQuery& q, std::string& reason) {
  q = {};
  line = trim(line);
  const std::string_view whole = line;
  if (line.starts_with("node-cache ")) line.remove_prefix(11);
  // CoreDNS up to 1.6 writes its own time before the level.
  if (line.size() > 20 && line[4] == '-' && line[10] == 'T') {
    const size_t end = std::min(line.find(' '), line.size());
    if (const auto t = parse_iso_datetime(line.substr(0, end))) {
      q.time = t;
      line = trim(line.substr(end));
    }
  }
  const bool levelled = line.starts_with("[INFO] ");
  std::string_view rest = levelled ? line.substr(7) : line;

  const std::string_view client = next_word(rest);
  // CLIENT:PORT - ID "…" is what makes it a query; anything else is another line.
  const size_t quote = rest.find('"');
  if (quote == std::string_view::npos || !rest.starts_with(" - ") || client.find(':') == std::string_view::npos)
    return is_other(line) || is_other(whole) ? CorednsLine::kOther : CorednsLine::kNo;
  std::string_view before = trim(rest.substr(3, quote - 3));
  if (before.starts_with("[")) {
    const size_t close = before.find(']');
    if (close == std::string_view::npos) return CorednsLine::kNo;
    q.time = clf_time(before.substr(1, close - 1));
    if (!q.time) {
      reason = "the date in brackets cannot be read";
      return CorednsLine::kMalformed;
    }
    before = trim(before.substr(close + 1));
  } else if (!levelled) {
    return CorednsLine::kNo;
  }
  if (!read_number(before, q.id)) return CorednsLine::kNo;

  const size_t close = rest.find('"', quote + 1);
  if (close == std::string_view::npos) {
    reason = "the question has no closing quote: the line is cut off";
    return CorednsLine::kMalformed;
  }
  std::string_view question = rest.substr(quote + 1, close - quote - 1);
  q.type = next_word(question);
  const std::string_view dns_class = next_word(question);
  q.name = next_word(question);
  q.protocol = next_word(question);
  const std::string_view size = next_word(question), dnssec_ok = next_word(question), buffer = next_word(question);
  int64_t n = 0;
  if (q.name.empty() || dns_class.empty() || q.protocol.empty() || !read_number(size, n)) {
    reason = "the question lacks its type, class, name, protocol or size";
    return CorednsLine::kMalformed;
  }
  if ((dnssec_ok != "true" && dnssec_ok != "false") || !read_number(buffer, n)) {
    reason = "the question lacks the DNSSEC flag and the buffer size: not the default log format of CoreDNS";
    return CorednsLine::kMalformed;
  }
  std::string_view host;
  if (!split_host_port(client, host, q.port)) {
    reason = "the client is no address with a port";
    return CorednsLine::kMalformed;
  }
  if (!IpAddress::parse(host)) {
    reason = "the client '" + std::string(host) + "' is no address";
    return CorednsLine::kMalformed;
  }
  q.client = host;

  std::string_view answer = rest.substr(close + 1);
  q.code = next_word(answer);
  q.flags = next_word(answer);
  const std::string_view answer_size = next_word(answer);
  std::string_view duration = next_word(answer);
  if (!read_number(answer_size, n) || !duration.ends_with('s')) {
    reason = "the answer's size or the duration is missing: the line is cut off";
    return CorednsLine::kMalformed;
  }
  duration.remove_suffix(1);
  if (!read_number(duration, q.seconds) || !(q.seconds >= 0 && q.seconds < 1e6)) {
    reason = "the duration cannot be read";
    return CorednsLine::kMalformed;
  }
  if (q.code == "-") q.code = {};
  if (q.flags == "-") q.flags = {};
  return CorednsLine::kQuery;
}

}  // namespace egret::ingest
