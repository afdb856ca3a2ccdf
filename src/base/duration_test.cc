#include "base/duration.h"

#include <gtest/gtest.h>

namespace egret {
namespace {

TEST(Duration, ReadsEveryWayRuleFilesWriteIt) {
  const struct {
    const char* text;
    Ticks span;
  } cases[] = {
      {"5m", 5 * kTicksPerMinute},       {"1h", kTicksPerHour},
      {"14d", 14 * kTicksPerDay},        {"1d12h", 36 * kTicksPerHour},
      {"90s", 90 * kTicksPerSecond},     {"250ms", 2'500'000},
      {"PT1H", kTicksPerHour},           {"PT5M", 5 * kTicksPerMinute},
      {"P14D", 14 * kTicksPerDay},       {"P1DT12H", 36 * kTicksPerHour},
      {"P2W", 14 * kTicksPerDay},        {"1.5h", 90 * kTicksPerMinute},
      {"00:05:00", 5 * kTicksPerMinute}, {"1.02:00:00", 26 * kTicksPerHour},
      {" 1H ", kTicksPerHour},           {"00:00:00.5", kTicksPerSecond / 2},
  };
  for (const auto& c : cases) {
    ASSERT_TRUE(parse_duration(c.text)) << c.text;
    EXPECT_EQ(*parse_duration(c.text), c.span) << c.text;
  }
}

TEST(Duration, RefusesWhatHasNoFixedLength) {
  for (const char* bad : {"", "h", "5", "5 m", "P", "PT", "P1M", "P1Y", "1h-", "PT1D", "P1H", "5x", "99999999999999999999d",
                          "999999999999d", "1:", ":1", "1.:2"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Duration, WritesTheShortForm) {
  EXPECT_EQ(short_duration(5 * kTicksPerMinute), "5m");
  EXPECT_EQ(short_duration(36 * kTicksPerHour), "1d12h");
  EXPECT_EQ(short_duration(0), "0s");
}

}  // namespace
}  // namespace egret
