#include "lab/lapse.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace egret::lab {
namespace {

drill::Micros at(std::string_view text) { return (*parse_iso_datetime(text) - kUnixEpochTicks) / 10; }

TEST(Lapse, PutsTheQuietBackInAndKeepsWhatIsClose) {
  Lapse l;
  const drill::Micros t = at("2026-11-24T20:00:00Z");
  l.skip(t + 10 * drill::kSecond, drill::kHour);
  l.skip(t + 20 * drill::kSecond, 2 * drill::kHour);
  EXPECT_EQ(l.of(t), t - 3 * drill::kHour);
  EXPECT_EQ(l.of(t + 12 * drill::kSecond), t + 12 * drill::kSecond - 2 * drill::kHour);
  EXPECT_EQ(l.of(t + 25 * drill::kSecond), t + 25 * drill::kSecond);
  EXPECT_EQ(l.of(drill::kNever), drill::kNever);
}

TEST(Lapse, DatesTextAnew) {
  Lapse l;
  const drill::Micros t = at("2026-11-24T20:00:00Z");
  l.skip(t + 10 * drill::kSecond, drill::kHour);
  // Times before the lab, times with another zone and what only looks like a time stay.
  EXPECT_EQ(
      l.date_anew(
          "a 2026-11-24T20:00:05.123456789Z b 2026-11-24T20:00:30Z \"2020-01-01T00:00:00Z\" 2026-11-24T20:00:05+01:00 2026-11-24T20:00", t),
      "a 2026-11-24T19:00:05.123456789Z b 2026-11-24T20:00:30Z \"2020-01-01T00:00:00Z\" 2026-11-24T20:00:05+01:00 2026-11-24T20:00");
  EXPECT_EQ(l.date_anew("12026-11-24T20:00:05Z", t), "12026-11-24T19:00:05Z");
}

}  // namespace
}  // namespace egret::lab
