#pragma once
// Hours of a scenario in a minute: between the moments of its timeline the lab's clock is put forward. What happens close together
// keeps its distance to the microsecond; the quiet in between is left out. Programs know nothing of it: what they logged is dated
// anew when it is collected, with the last moment where it really was and the earlier ones further in the past.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drill/world.h"

namespace egret::lab {

class Lapse {
 public:
  // At this real time the clock goes forward by so much. Times must not decrease.
  void skip(drill::Micros real, drill::Micros by);
  drill::Micros of(drill::Micros real) const;  // drill::kNever stays
  // Time on the lab's clock since another one.
  drill::Micros between(drill::Micros real, drill::Micros later) const { return of(later) - of(real); }
  // Every time of RFC 3339 in UTC (2024-04-01T06:14:09.123456789Z) in the text that lies at or after `since`, dated anew with as many
  // digits.
  std::string date_anew(std::string_view text, drill::Micros since) const;
  const std::vector<std::pair<drill::Micros, drill::Micros>>& skips() const { return skips_; }

 private:
  std::vector<std::pair<drill::Micros, drill::Micros>> skips_;
};

}  // namespace egret::lab
