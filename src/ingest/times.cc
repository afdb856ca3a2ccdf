#include "ingest/times.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/text.h"

namespace egret::ingest {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

int month_of(std::string_view s) {
  const std::string low = to_lower(s.substr(0, 3));
  for (size_t i = 0; i < kMonths.size(); ++i)
    if (kMonths[i] == low) return static_cast<int>(i) + 1;
  return 0;
}

bool number(std::string_view& s, int& out, int most) {
  int n = 0;
  out = 0;
  while (!s.empty() && n < most && s.front() >= '0' && s.front() <= '9') {
    out = out * 10 + (s.front() - '0');
    s.remove_prefix(1);
    ++n;
  }
  return n > 0;
}

bool eat(std::string_view& s, char c) {
  if (s.empty() || s.front() != c) return false;
  s.remove_prefix(1);
  return true;
}

void blanks(std::string_view& s) {
  for (;;) {
    if (eat(s, ' ') || eat(s, ',')) continue;
    if (s.starts_with("\xe2\x80\xaf") || s.starts_with("\xc2\xa0")) {  // narrow and plain no-break space before AM, as newer browsers write
      s.remove_prefix(s.starts_with("\xc2") ? 2 : 3);
      continue;
    }
    return;
  }
}

// h:mm[:ss[.fffffff]] [AM|PM] [Z|UTC|GMT|±hh:mm]; zone stays empty when none is written.
bool clock(std::string_view s, Civil& c, std::optional<Ticks>& zone) {
  if (!number(s, c.hour, 2) || !eat(s, ':') || !number(s, c.minute, 2)) return false;
  if (eat(s, ':')) {
    if (!number(s, c.second, 2)) return false;
    if (eat(s, '.') || (s.size() > 1 && s[0] == ',' && s[1] >= '0' && s[1] <= '9' && eat(s, ','))) {
      int digits = 0;
      for (; !s.empty() && s.front() >= '0' && s.front() <= '9'; s.remove_prefix(1), ++digits)
        if (digits < 7) c.ticks = c.ticks * 10 + (s.front() - '0');
      for (; digits < 7; ++digits) c.ticks *= 10;
    }
  }
  blanks(s);
  if (s.size() >= 2 && (s[1] == 'M' || s[1] == 'm') && (s[0] == 'A' || s[0] == 'a' || s[0] == 'P' || s[0] == 'p')) {
    if (c.hour < 1 || c.hour > 12) return false;
    c.hour = c.hour % 12 + ((s[0] | 32) == 'p' ? 12 : 0);
    s.remove_prefix(2);
    blanks(s);
  }
  if (s == "Z" || s == "z" || s == "UTC" || s == "GMT" || s == "(UTC)") {
    zone = 0;
    s = {};
  } else if (!s.empty() && (s.front() == '+' || s.front() == '-')) {
    const int sign = s.front() == '-' ? -1 : 1;
    int hh = 0, mm = 0;
    s.remove_prefix(1);
    if (!number(s, hh, 2)) return false;
    eat(s, ':');
    number(s, mm, 2);
    zone = sign * (hh * kTicksPerHour + mm * kTicksPerMinute);
  }
  return trim(s).empty() && c.hour < 24 && c.minute < 60 && c.second <= 60;
}

std::optional<Ticks> finish(Civil c, std::string_view rest, const TimeForm& form) {
  if (c.year < 100) c.year += c.year < 70 ? 2000 : 1900;
  if (c.year < 1 || c.year > 9999 || c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31) return {};
  static constexpr int kDays[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (c.day > kDays[c.month - 1]) return {};
  std::optional<Ticks> zone;
  blanks(rest);
  if (!rest.empty() && !clock(rest, c, zone)) return {};
  const Ticks local = ticks_from_civil(c);
  const Ticks t = zone ? local - *zone : form.to_utc(local);
  if (t < 0 || t > kMaxDatetime) return {};
  return t;
}

}  // namespace

std::optional<Ticks> time_of_epoch(int64_t v) {
  if (v < 100'000'000) return {};
  if (v < 100'000'000'000) return kUnixEpochTicks + v * kTicksPerSecond;
  if (v < 100'000'000'000'000) return kUnixEpochTicks + v * 10'000;
  if (v < 100'000'000'000'000'000) return kUnixEpochTicks + v * 10;
  return kUnixEpochTicks + v / 100;
}

std::optional<Ticks> time_of_epoch(double v) {
  if (!std::isfinite(v) || v < 1e8 || v > 9e18) return {};
  if (v == std::floor(v)) return time_of_epoch(static_cast<int64_t>(v));
  if (v < 1e11) return kUnixEpochTicks + std::llround(v * 1e6) * 10;
  if (v < 1e14) return kUnixEpochTicks + std::llround(v * 1e4);
  return time_of_epoch(static_cast<int64_t>(v));
}

std::optional<Ticks> parse_time(std::string_view text, const TimeForm& form) {
  std::string_view s = trim(text);
  if (s.size() < 6 || s.size() > 64) return {};
  if (s.size() >= 10 && s[4] == '-') {
    if (s.ends_with(" UTC"))
      s.remove_suffix(4);
    else if (s.ends_with("UTC"))
      s.remove_suffix(3);
    else if (const auto zoned = parse_iso_datetime(s)) {
      const bool bare = s.back() != 'Z' && s.back() != 'z' && s.substr(10).find_first_of("+-") == std::string_view::npos;
      return bare ? form.to_utc(*zoned) : *zoned;
    }
    if (const auto t = parse_iso_datetime(s)) return t;
    std::string_view rest = s;
    Civil c;
    if (!number(rest, c.year, 4) || !eat(rest, '-') || !number(rest, c.month, 2) || !eat(rest, '-') || !number(rest, c.day, 2)) return {};
    if (!rest.empty() && (rest.front() == 'T' || rest.front() == '_')) rest.remove_prefix(1);
    return finish(c, rest, form);
  }
  if (s.starts_with("/Date(")) {
    int64_t ms = 0;
    if (std::from_chars(s.data() + 6, s.data() + s.size(), ms).ec != std::errc()) return {};
    constexpr int64_t kPerMs = 10'000;
    if (ms < -kUnixEpochTicks / kPerMs || ms > (kMaxDatetime - kUnixEpochTicks) / kPerMs) return {};
    return kUnixEpochTicks + ms * kPerMs;
  }
  if (s.find_first_not_of("0123456789") == std::string_view::npos) {
    int64_t v = 0;
    if (std::from_chars(s.data(), s.data() + s.size(), v).ec != std::errc()) return {};
    return time_of_epoch(v);
  }
  if (s.find_first_not_of("0123456789.") == std::string_view::npos && s.find('.') == s.rfind('.') && s.find('.') >= 9) {
    return time_of_epoch(std::strtod(std::string(s).c_str(), nullptr));
  }
  Civil c;
  std::string_view rest = s;
  int a = 0, b = 0;
  if (number(rest, a, 4)) {
    const char mark = rest.empty() ? ' ' : rest.front();
    if (mark == '/' || mark == '.' || mark == '-') {
      rest.remove_prefix(1);
      if (const int named = rest.size() > 4 ? month_of(rest) : 0) {  // 01/Apr/2022:06:14:09 +0000
        c.day = a;
        c.month = named;
        rest.remove_prefix(3);
        if (!eat(rest, mark) || !number(rest, c.year, 4)) return {};
        eat(rest, ':');
        return finish(c, rest, form);
      }
      if (!number(rest, b, 2) || !eat(rest, mark)) return {};
      if (a > 31) {  // 2022/04/01
        c.year = a;
        c.month = b;
        if (!number(rest, c.day, 2)) return {};
      } else {
        if (!number(rest, c.year, 4)) return {};
        const bool month_first = mark == '/' && form.month_first ? a <= 12 : (mark == '/' && !form.month_first && b > 12);
        c.month = month_first ? a : b;
        c.day = month_first ? b : a;
      }
      eat(rest, 'T');
      return finish(c, rest, form);
    }
    if (mark == ' ' && a <= 31) {  // 01 Apr 2022
      rest.remove_prefix(1);
      c.day = a;
      c.month = month_of(rest);
      if (!c.month) return {};
      const size_t blank = rest.find(' ');
      if (blank == std::string_view::npos) return {};
      rest.remove_prefix(blank + 1);
      if (!number(rest, c.year, 4)) return {};
      return finish(c, rest, form);
    }
    return {};
  }
  if (s.size() > 5 && s[3] == ',') return parse_time(s.substr(4), form);  // Fri, 01 Apr …
  if ((c.month = month_of(s))) {                                          // Apr 1, 2022, 6:14:09 AM
    const size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) return {};
    rest.remove_prefix(blank + 1);
    blanks(rest);
    if (!number(rest, c.day, 2)) return {};
    blanks(rest);
    if (!number(rest, c.year, 4)) return {};
    return finish(c, rest, form);
  }
  return {};
}

std::optional<Ticks> parse_span(std::string_view text) {
  std::string_view s = trim(text);
  const bool negative = eat(s, '-');
  int64_t total = 0;
  if (s.starts_with("P")) {
    s.remove_prefix(1);
    bool time = false;
    while (!s.empty()) {
      if (eat(s, 'T')) {
        time = true;
        continue;
      }
      const size_t end = s.find_first_not_of("0123456789.");
      if (end == 0 || end == std::string_view::npos || end > 12) return {};
      const double v = std::strtod(std::string(s.substr(0, end)).c_str(), nullptr);
      const char unit = s[end];
      s.remove_prefix(end + 1);
      const Ticks one = unit == 'D'           ? kTicksPerDay
                        : unit == 'H'         ? kTicksPerHour
                        : unit == 'S'         ? kTicksPerSecond
                        : unit == 'M' && time ? kTicksPerMinute
                                              : 0;
      if (!one || v > 1e7) return {};
      total += static_cast<int64_t>(v * static_cast<double>(one));
    }
    return negative ? -total : total;
  }
  int days = 0;
  Civil c;
  if (const size_t dot = s.find('.'), colon = s.find(':'); colon == std::string_view::npos) {
    return {};
  } else if (dot < colon) {
    if (!number(s, days, 8) || !eat(s, '.')) return {};
  }
  std::optional<Ticks> zone;
  if (!clock(s, c, zone)) return {};
  total = days * kTicksPerDay + c.hour * kTicksPerHour + c.minute * kTicksPerMinute + c.second * kTicksPerSecond + c.ticks;
  return negative ? -total : total;
}

}  // namespace egret::ingest
