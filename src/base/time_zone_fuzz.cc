// Any bytes as a file of the tz database: what is read gives an offset for every time.
#include <cstdlib>

#include "base/time_zone.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto zone = egret::TimeZone::parse({reinterpret_cast<const char*>(data), size});
  if (!zone) return 0;
  for (const int64_t s : {int64_t{-60'000'000'000}, int64_t{0}, int64_t{1'700'000'000}, int64_t{4'000'000'000}, int64_t{200'000'000'000}}) {
    const egret::Ticks t = egret::ticks_from_unix_seconds(s);
    const egret::Ticks offset = zone->offset_at(t);
    if (offset > 27 * egret::kTicksPerHour || offset < -27 * egret::kTicksPerHour) std::abort();
    (void)zone->to_utc(t);
  }
  return 0;
}
