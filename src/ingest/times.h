#pragma once
// Times as exports write them. ISO 8601 is base's; here is the rest: local forms of portals, epochs, Azure's short US forms.
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "base/time_zone.h"

namespace egret::ingest {

// How a file writes times that do not say it themselves (from evidence.yaml).
struct TimeForm {
  Ticks utc_offset = 0;            // local time minus UTC
  bool month_first = true;         // M/D/YYYY
  const TimeZone* zone = nullptr;  // wins over utc_offset
  Ticks to_utc(Ticks local) const { return zone ? zone->to_utc(local) : local - utc_offset; }
};

// "2022-04-01T06:14:09.1234567Z", "2022-04-01 06:14:09", "4/1/2022, 6:14:09.123 AM", "04/01/2022 06:14:09", "01.04.2022 06:14:09",
// "Fri, 01 Apr 2022 06:14:09 GMT", "01/Apr/2022:06:14:09 +0000", "/Date(1648793649000)/", and epochs of s, ms, µs or ns as digits (with a
// fraction). Times without a zone are local by the form; a name that ends in [UTC] means offset 0.
std::optional<Ticks> parse_time(std::string_view text, const TimeForm& form = {});
// An epoch number, its unit told by its size.
std::optional<Ticks> time_of_epoch(double value);
std::optional<Ticks> time_of_epoch(int64_t value);
// "1.02:03:04.5", "00:00:01", "PT1M30S".
std::optional<Ticks> parse_span(std::string_view text);

}  // namespace egret::ingest
