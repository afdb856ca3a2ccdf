#include "ingest/klog_line.h"

#include <charconv>

#include "base/text.h"

namespace egret::ingest {

std::optional<KlogLine> parse_klog(std::string_view line, Ticks near) {
  // L mmdd hh:mm:ss.uuuuuu thread file:line]
  if (line.size() < 24 || line[5] != ' ' || line[8] != ':' || line[11] != ':' || line[14] != '.') return {};
  KlogLine k;
  switch (line[0]) {
    case 'I': k.level = "info"; break;
    case 'W': k.level = "warning"; break;
    case 'E': k.level = "error"; break;
    case 'F': k.level = "fatal"; break;
    default: return {};
  }
  const auto digits = [&](size_t at, size_t n) -> int {
    int v = 0;
    const auto [end, ec] = std::from_chars(line.data() + at, line.data() + at + n, v);
    return ec == std::errc{} && end == line.data() + at + n && v >= 0 ? v : -1;
  };
  Civil c = civil_from_ticks(near);
  c.month = digits(1, 2);
  c.day = digits(3, 2);
  c.hour = digits(6, 2);
  c.minute = digits(9, 2);
  c.second = digits(12, 2);
  const int micros = digits(15, 6);
  if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31 || c.hour < 0 || c.hour > 23 || c.minute < 0 || c.minute > 59 ||
      c.second < 0 || c.second > 60 || micros < 0)
    return {};
  c.ticks = micros * 10;
  k.time = ticks_from_civil(c);
  if (k.time > near + kTicksPerDay) {  // December, read in January
    --c.year;
    k.time = ticks_from_civil(c);
  }
  const size_t bracket = line.find("] ", 21);
  if (bracket == std::string_view::npos) return {};
  std::string_view head = trim(line.substr(21, bracket - 21));
  const size_t blank = head.rfind(' ');
  k.source = blank == std::string_view::npos ? head : head.substr(blank + 1);
  k.message = line.substr(bracket + 2);
  return k;
}

}  // namespace egret::ingest
