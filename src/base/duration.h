#pragma once
// Lengths of time as people and rule files write them.
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace egret {

// "5m", "1h", "14d", "1d12h", "90s", "250ms", ISO 8601 ("PT1H", "P14D", "P1DT12H", "P2W") and KQL's "[d.]hh:mm:ss[.f]".
// Years and months have no fixed length and are refused. Never negative.
std::optional<Ticks> parse_duration(std::string_view text);
// The shortest of the first form: "5m", "1h", "1d12h"; "0s" for nothing.
std::string short_duration(Ticks span);

}  // namespace egret
