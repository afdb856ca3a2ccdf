#include "base/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>

#include "base/text.h"

namespace egret {
namespace {

constexpr const char* kFolders[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"};
constexpr size_t kHeader = 44;

int64_t big_endian(std::string_view s, size_t at, size_t bytes) {
  uint64_t v = 0;
  for (size_t i = 0; i < bytes; ++i) v = v << 8 | static_cast<unsigned char>(s[at + i]);
  return bytes == 4 ? static_cast<int32_t>(static_cast<uint32_t>(v)) : static_cast<int64_t>(v);
}

struct Counts {
  uint64_t is_ut, is_std, leaps, times, types, characters;
  uint64_t bytes(size_t time_size) const {
    return times * time_size + times + types * 6 + characters + leaps * (time_size + 4) + is_std + is_ut;
  }
};
Counts counts_of(std::string_view header) {
  const auto n = [&](size_t i) { return static_cast<uint64_t>(static_cast<uint32_t>(big_endian(header, 20 + 4 * i, 4))); };
  return {n(0), n(1), n(2), n(3), n(4), n(5)};
}

// "+2", "-03:30", "<+03>-3": what stands for an offset or a name in a POSIX rule.
bool read_name(std::string_view& s) {
  if (s.starts_with('<')) {
    const size_t end = s.find('>');
    if (end == std::string_view::npos) return false;
    s.remove_prefix(end + 1);
    return true;
  }
  size_t n = 0;
  while (n < s.size() && ((s[n] >= 'A' && s[n] <= 'Z') || (s[n] >= 'a' && s[n] <= 'z'))) ++n;
  s.remove_prefix(n);
  return n >= 3;
}
bool read_number(std::string_view& s, int& v) {
  size_t n = 0;
  v = 0;
  while (n < s.size() && n < 4 && s[n] >= '0' && s[n] <= '9') v = v * 10 + (s[n++] - '0');
  s.remove_prefix(n);
  return n > 0;
}
bool read_seconds(std::string_view& s, int64_t& seconds) {
  int sign = 1;
  if (s.starts_with('-') || s.starts_with('+')) {
    sign = s[0] == '-' ? -1 : 1;
    s.remove_prefix(1);
  }
  int hours = 0, minutes = 0, rest = 0;
  if (!read_number(s, hours) || hours > 167) return false;
  for (int* part : {&minutes, &rest}) {
    if (!s.starts_with(':')) break;
    s.remove_prefix(1);
    if (!read_number(s, *part) || *part > 59) return false;
  }
  seconds = sign * (hours * 3600 + minutes * 60 + rest);
  return true;
}

int64_t unix_of_date(int year, int month, int day) {
  return (ticks_from_civil({.year = year, .month = month, .day = day}) - kUnixEpochTicks) / kTicksPerSecond;
}
bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

}  // namespace

Result<TimeZone> TimeZone::parse(std::string_view b) {
  const auto damaged = [] { return usage_error("a file of the tz database is damaged"); };
  if (b.size() < kHeader || !b.starts_with("TZif")) return damaged();
  Counts c = counts_of(b);
  size_t time_size = 4;
  if (b[4] >= '2') {  // the second block has 64-bit times
    const uint64_t skip = kHeader + c.bytes(4);
    if (skip > b.size() || b.size() - skip < kHeader) return damaged();
    b.remove_prefix(skip);
    if (!b.starts_with("TZif")) return damaged();
    c = counts_of(b);
    time_size = 8;
  }
  b.remove_prefix(kHeader);
  if (c.types == 0 || c.bytes(time_size) > b.size()) return damaged();
  const size_t types_at = c.times * time_size, offsets_at = types_at + c.times;
  const auto offset = [&](size_t type) { return static_cast<int32_t>(big_endian(b, offsets_at + type * 6, 4)); };
  const auto sane = [](int32_t seconds) { return seconds > -26 * 3600 && seconds < 26 * 3600; };
  TimeZone z;
  z.first_ = offset(0);
  if (!sane(z.first_)) return damaged();
  for (size_t i = 0; i < c.times; ++i) {
    const auto type = static_cast<unsigned char>(b[types_at + i]);
    if (type >= c.types || !sane(offset(type))) return damaged();
    const int64_t at = big_endian(b, i * time_size, time_size);
    if (!z.transitions_.empty() && at <= z.transitions_.back().at) return damaged();
    z.transitions_.push_back({at, offset(type)});
  }
  if (time_size == 8) {
    std::string_view rule = b.substr(c.bytes(time_size));
    if (rule.starts_with('\n')) {
      rule.remove_prefix(1);
      rule = rule.substr(0, rule.find('\n'));
      if (!rule.empty() && !z.read_rule(rule)) return damaged();
    }
  }
  return z;
}

// "CET-1CEST,M3.5.0,M10.5.0/3": offsets have the sign of POSIX, which is west of Greenwich.
bool TimeZone::read_rule(std::string_view s) {
  int64_t seconds = 0;
  if (!read_name(s) || !read_seconds(s, seconds)) return false;
  if (seconds > 90'000 || seconds < -90'000) return false;
  standard_ = summer_ = static_cast<int32_t>(-seconds);
  has_rule_ = true;
  if (s.empty()) return true;
  if (!read_name(s)) return false;
  summer_ = standard_ + 3600;
  if (!s.empty() && s[0] != ',') {
    if (!read_seconds(s, seconds) || seconds > 90'000 || seconds < -90'000) return false;
    summer_ = static_cast<int32_t>(-seconds);
  }
  for (Day* d : {&from_, &to_}) {
    if (!s.starts_with(',')) return false;
    s.remove_prefix(1);
    d->seconds = 2 * 3600;
    if (s.starts_with('M')) {
      s.remove_prefix(1);
      d->kind = 'M';
      if (!read_number(s, d->month) || !s.starts_with('.')) return false;
      s.remove_prefix(1);
      if (!read_number(s, d->week) || !s.starts_with('.')) return false;
      s.remove_prefix(1);
      if (!read_number(s, d->day)) return false;
      if (d->month < 1 || d->month > 12 || d->week < 1 || d->week > 5 || d->day > 6) return false;
    } else {
      d->kind = s.starts_with('J') ? 'J' : 'N';
      if (d->kind == 'J') s.remove_prefix(1);
      if (!read_number(s, d->day) || d->day > 365) return false;
    }
    if (s.starts_with('/')) {
      s.remove_prefix(1);
      if (!read_seconds(s, d->seconds)) return false;
    }
  }
  return s.empty();
}

// When the day of the rule comes in that year, by a clock of that offset, in seconds since 1970.
int64_t TimeZone::day_at(const Day& d, int year, int32_t offset) const {
  int64_t day = 0;
  if (d.kind == 'M') {
    const int64_t first = unix_of_date(year, d.month, 1) / 86'400;
    const int64_t weekday = ((first + 4) % 7 + 7) % 7;  // 1970 began on a Thursday
    day = first + (d.day - weekday + 7) % 7 + 7 * (d.week - 1);
    const int64_t next = (d.month == 12 ? unix_of_date(year + 1, 1, 1) : unix_of_date(year, d.month + 1, 1)) / 86'400;
    while (day >= next) day -= 7;
  } else {
    day = unix_of_date(year, 1, 1) / 86'400 + d.day;
    // Jn never counts the 29th of February.
    if (d.kind == 'J') day += -1 + (is_leap(year) && d.day > 59 ? 1 : 0);
  }
  return day * 86'400 + d.seconds - offset;
}

int32_t TimeZone::seconds_at(int64_t t) const {
  if (transitions_.empty() || t < transitions_.front().at) return transitions_.empty() && has_rule_ && from_.kind == 0 ? standard_ : first_;
  if (t >= transitions_.back().at && has_rule_) {
    if (from_.kind == 0) return standard_;
    const int year = std::clamp(civil_from_ticks(ticks_from_unix_seconds(t)).year, 1970, 9998);
    const int64_t begin = day_at(from_, year, standard_), end = day_at(to_, year, summer_);
    const bool summer = begin < end ? t >= begin && t < end : t >= begin || t < end;  // the south has it over the new year
    return summer ? summer_ : standard_;
  }
  const auto after = std::upper_bound(transitions_.begin(), transitions_.end(), t, [](int64_t x, const Transition& y) { return x < y.at; });
  return std::prev(after)->offset;
}

Ticks TimeZone::offset_at(Ticks utc) const {
  const int64_t seconds = (utc - kUnixEpochTicks) / kTicksPerSecond - ((utc - kUnixEpochTicks) % kTicksPerSecond < 0);
  return seconds_at(seconds) * kTicksPerSecond;
}

Ticks TimeZone::to_utc(Ticks local) const {
  // The offsets of the day before and the day after are the two that can count.
  const Ticks before = offset_at(local - kTicksPerDay), after = offset_at(local + kTicksPerDay);
  if (before == after) return local - before;
  const Ticks early = local - before;
  if (offset_at(early) == before) return early;
  const Ticks late = local - after;
  return offset_at(late) == after ? late : early;
}

Result<const TimeZone*> TimeZone::named(std::string_view name) {
  static std::mutex mutex;
  static std::map<std::string, TimeZone, std::less<>> known;
  const std::lock_guard lock(mutex);
  if (const auto it = known.find(name); it != known.end()) return &it->second;
  const bool plain = !name.empty() && name.size() < 64 && !name.contains("..") && name[0] != '/' &&
                     std::all_of(
                         name.begin(), name.end(),
                         [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '_' ||
                                  c == '-' || c == '+';
                         });
  std::vector<std::string> names;
  bool database = false;
  for (const char* folder : kFolders) {
    std::error_code ec;
    if (!std::filesystem::is_directory(folder, ec)) continue;
    database = true;
    const std::filesystem::path file = std::filesystem::path(folder) / std::string(name);
    if (plain && std::filesystem::is_regular_file(file, ec)) {
      std::ifstream in(file, std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(in)), {});
      TRY(TimeZone zone, parse(bytes));
      return &known.emplace(std::string(name), std::move(zone)).first->second;
    }
    std::ifstream table(std::filesystem::path(folder) / "tzdata.zi");
    for (std::string line; std::getline(table, line);) {
      const auto parts = split(line, ' ');
      if (parts.size() > 1 && parts[0] == "Z") names.push_back(parts[1]);
      if (parts.size() > 2 && parts[0] == "L") names.push_back(parts[2]);
    }
  }
  if (!database) return unavailable("this machine has no tz database", "install the package tzdata, or give the offset: +02:00");
  const std::string near = near_name(name, names);
  return usage_error(fmt::format("'{}' is no time zone", name),
                     near.empty() ? "a name as Europe/Berlin, or an offset as +02:00" : fmt::format("did you mean '{}'?", near));
}

}  // namespace egret
