#include "base/time.h"

#include <fmt/format.h>

#include <chrono>

#include "base/clock.h"

namespace egret {
namespace {

// Days since 0001-01-01, after Howard Hinnant's days_from_civil.
int64_t days_from_civil(int y, int m, int d) {
  y -= m <= 2;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t yoe = y - era * 400;
  const int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  const int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + doe - 306;
}

bool digits(std::string_view text, size_t& at, int n, int& out) {
  if (at + n > text.size()) return false;
  out = 0;
  for (int i = 0; i < n; ++i) {
    const char c = text[at + i];
    if (c < '0' || c > '9') return false;
    out = out * 10 + (c - '0');
  }
  at += n;
  return true;
}

int days_in_month(int y, int m) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0) ? 29 : kDays[m - 1];
}

}  // namespace

Ticks ticks_from_civil(const Civil& c) {
  return days_from_civil(c.year, c.month, c.day) * kTicksPerDay + c.hour * kTicksPerHour + c.minute * kTicksPerMinute +
         c.second * kTicksPerSecond + c.ticks;
}

Civil civil_from_ticks(Ticks t) {
  int64_t days = t / kTicksPerDay;
  int64_t rest = t % kTicksPerDay;
  if (rest < 0) {
    rest += kTicksPerDay;
    --days;
  }
  const int64_t z = days + 306;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const int64_t doe = z - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int64_t mp = (5 * doy + 2) / 153;
  Civil c;
  c.day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  c.month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  c.year = static_cast<int>(yoe + era * 400 + (c.month <= 2));
  c.hour = static_cast<int>(rest / kTicksPerHour);
  c.minute = static_cast<int>(rest / kTicksPerMinute % 60);
  c.second = static_cast<int>(rest / kTicksPerSecond % 60);
  c.ticks = static_cast<int>(rest % kTicksPerSecond);
  return c;
}

std::optional<Ticks> parse_iso_datetime(std::string_view s) {
  Civil c;
  size_t at = 0;
  const auto is = [&](char ch) { return at < s.size() && s[at] == ch; };
  if (!digits(s, at, 4, c.year) || !is('-')) return {};
  ++at;
  if (!digits(s, at, 2, c.month) || !is('-')) return {};
  ++at;
  if (!digits(s, at, 2, c.day)) return {};
  if (c.year < 1 || c.month < 1 || c.month > 12 || c.day < 1 || c.day > days_in_month(c.year, c.month)) return {};
  int64_t offset = 0;
  if (is('T') || is('t') || is(' ')) {
    ++at;
    if (!digits(s, at, 2, c.hour) || !is(':')) return {};
    ++at;
    if (!digits(s, at, 2, c.minute)) return {};
    if (is(':')) {
      ++at;
      if (!digits(s, at, 2, c.second)) return {};
      if (is('.') || is(',')) {
        ++at;
        int n = 0;
        for (; at < s.size() && s[at] >= '0' && s[at] <= '9'; ++at, ++n)
          if (n < 7) c.ticks = c.ticks * 10 + (s[at] - '0');
        if (n == 0 || n > 12) return {};
        for (; n < 7; ++n) c.ticks *= 10;
      }
    }
    if (is('Z') || is('z')) {
      ++at;
    } else if (is('+') || is('-')) {
      const int sign = s[at] == '-' ? -1 : 1;
      ++at;
      int hh = 0, mm = 0;
      if (!digits(s, at, 2, hh)) return {};
      if (is(':')) ++at;
      if (!digits(s, at, 2, mm)) return {};
      offset = sign * (hh * kTicksPerHour + mm * kTicksPerMinute);
    }
  }
  if (at != s.size() || c.hour > 24 || c.minute > 59 || c.second > 60) return {};
  return ticks_from_civil(c) - offset;
}

std::string format_datetime(Ticks t) {
  const Civil c = civil_from_ticks(t);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
  if (c.ticks) {
    std::string f = fmt::format(".{:07}", c.ticks);
    while (f.back() == '0') f.pop_back();
    out += f;
  }
  return out + "Z";
}

std::string format_datetime_short(Ticks t) {
  const Civil c = civil_from_ticks(t);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::string format_timespan(Ticks span) {
  const bool negative = span < 0;
  const uint64_t v = negative ? 0 - static_cast<uint64_t>(span) : static_cast<uint64_t>(span);
  std::string out = negative ? "-" : "";
  if (const uint64_t d = v / kTicksPerDay) out += fmt::format("{}.", d);
  out += fmt::format("{:02}:{:02}:{:02}", v / kTicksPerHour % 24, v / kTicksPerMinute % 60, v / kTicksPerSecond % 60);
  if (const uint64_t f = v % kTicksPerSecond) out += fmt::format(".{:07}", f);
  return out;
}

std::string format_duration(Ticks span) {
  const std::string sign = span < 0 ? "-" : "";
  const int64_t s = (span < 0 ? -span : span) / kTicksPerSecond;
  if (s < 1 && span != 0) return fmt::format("{}{} ms", sign, (span < 0 ? -span : span) / 10'000);
  if (s < 60) return fmt::format("{}{} s", sign, s);
  if (s < 3600) return s % 60 ? fmt::format("{}{} min {} s", sign, s / 60, s % 60) : fmt::format("{}{} min", sign, s / 60);
  if (s < 86400) return s / 60 % 60 ? fmt::format("{}{} h {:02} min", sign, s / 3600, s / 60 % 60) : fmt::format("{}{} h", sign, s / 3600);
  return s / 3600 % 24 ? fmt::format("{}{} d {} h", sign, s / 86400, s / 3600 % 24) : fmt::format("{}{} d", sign, s / 86400);
}

Ticks SystemClock::now() const {
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  return kUnixEpochTicks + ns / 100;
}

}  // namespace egret
