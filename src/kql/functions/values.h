#pragma once
// Values from text and to text, as the language's conversions define them. Used by kernels and for folding literals.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace egret::kql::values {

std::optional<int64_t> to_long(std::string_view text);  // decimal, 0x…, a real (cut)
std::optional<int64_t> real_to_long(double v);          // cut; nothing for NaN and what does not fit
std::optional<double> to_real(std::string_view text);   // also nan, inf, -inf
std::optional<bool> to_bool(std::string_view text);     // true, false, numbers
// ISO 8601, RFC 822/850, year first with / or -, M/D/YYYY, with or without time, AM/PM and zone; year alone.
std::optional<Ticks> to_datetime(std::string_view text);
// [-][d.]hh:mm[:ss[.fffffff]], a number with a unit (2h, 1.5d, 10tick), a bare number of days.
std::optional<Ticks> to_timespan(std::string_view text);
std::optional<std::string> to_guid(std::string_view text);  // with or without dashes and braces

std::string datetime_text(Ticks t);     // 2022-04-01T06:14:09.1234567Z, always seven digits
std::string timespan_text(Ticks span);  // 1.02:03:04.0000005
std::string real_text(double v);        // 1.0, 0.1, 1E+20, NaN, Infinity
std::string json_real(double v);        // the same as JSON: NaN and infinities are strings

}  // namespace egret::kql::values
