#pragma once
// Named time zones ("Europe/Berlin") from the system's tz database: local times of exports become UTC with the offset that counted
// then. The files are TZif (RFC 8536), with the POSIX rule at their end for times beyond the last entry.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace egret {

class TimeZone {
 public:
  // The zone of that name; lives as long as the program. Usage error with a near name when there is none. Thread-safe.
  static Result<const TimeZone*> named(std::string_view name);
  // Any bytes. For named(), tests and the fuzz target.
  static Result<TimeZone> parse(std::string_view tzif);

  // The offset from UTC that counts at that moment.
  Ticks offset_at(Ticks utc) const;
  // Of a time of the clock on the wall. A time that comes twice (the hour before winter time) is the first of the two; one that never
  // comes (the hour of summer time) is counted by the offset before it.
  Ticks to_utc(Ticks local) const;

 private:
  struct Transition {
    int64_t at = 0;  // seconds since 1970
    int32_t offset = 0;
  };
  struct Day {  // Mm.w.d, Jn or n of a POSIX rule
    char kind = 0;
    int month = 0, week = 0, day = 0;
    int64_t seconds = 0;
  };
  bool read_rule(std::string_view text);
  int64_t day_at(const Day& day, int year, int32_t offset) const;
  int32_t seconds_at(int64_t unix_seconds) const;

  int32_t first_ = 0;  // before all transitions
  std::vector<Transition> transitions_;
  bool has_rule_ = false;
  int32_t standard_ = 0, summer_ = 0;
  Day from_, to_;  // of summer time; kind 0: there is none
};

}  // namespace egret
