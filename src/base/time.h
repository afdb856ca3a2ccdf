#pragma once
// Time as KQL has it: 64-bit ticks of 100 ns since 0001-01-01T00:00:00Z (proleptic Gregorian). All times are UTC.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace egret {

using Ticks = int64_t;  // a point in time, or a span

inline constexpr Ticks kTicksPerSecond = 10'000'000;
inline constexpr Ticks kTicksPerMinute = 60 * kTicksPerSecond;
inline constexpr Ticks kTicksPerHour = 60 * kTicksPerMinute;
inline constexpr Ticks kTicksPerDay = 24 * kTicksPerHour;
inline constexpr Ticks kUnixEpochTicks = 621'355'968'000'000'000;  // 1970-01-01
inline constexpr Ticks kMaxDatetime = 3'155'378'975'999'999'999;   // 9999-12-31T23:59:59.9999999

struct Civil {
  int year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  int ticks = 0;  // 100 ns within the second
};

Ticks ticks_from_civil(const Civil& c);
Civil civil_from_ticks(Ticks t);
constexpr Ticks ticks_from_unix_seconds(int64_t s) { return kUnixEpochTicks + s * kTicksPerSecond; }
constexpr Ticks ticks_from_unix_millis(int64_t ms) { return kUnixEpochTicks + ms * 10'000; }
constexpr int64_t unix_millis(Ticks t) { return (t - kUnixEpochTicks) / 10'000; }

// ISO 8601 / RFC 3339: date, optional time with up to 9 fractional digits (cut to 7), optional zone (Z, +hh:mm, +hhmm).
// No zone means UTC. Nothing else may follow.
std::optional<Ticks> parse_iso_datetime(std::string_view text);
// 2022-04-01T06:14:09.1234567Z; trailing zeros of the fraction are cut, seconds are always there.
std::string format_datetime(Ticks t);
// What people read: 2022-04-01 06:14:09 (no fraction, no zone).
std::string format_datetime_short(Ticks t);
// KQL timespan: [-][d.]hh:mm:ss[.fffffff]
std::string format_timespan(Ticks span);
// What people read: "42 s", "3 min 10 s", "2 h 05 min", "4 d 3 h".
std::string format_duration(Ticks span);

}  // namespace egret
