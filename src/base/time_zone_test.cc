#include "base/time_zone.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace egret {
namespace {

std::string utc(const char* zone, const char* local) {
  const auto z = TimeZone::named(zone);
  if (!z) return z.error().message + "; " + z.error().hint;
  return format_datetime((*z)->to_utc(*parse_iso_datetime(local))).substr(0, 19);
}

// Expected values: `TZ=ZONE date -u -d` of the system.
TEST(TimeZone, SummerAndWinter) {
  EXPECT_EQ(utc("Europe/Berlin", "2022-04-01T06:14:09"), "2022-04-01T04:14:09");
  EXPECT_EQ(utc("Europe/Berlin", "2022-01-01T00:30:00"), "2021-12-31T23:30:00");
  EXPECT_EQ(utc("America/Toronto", "2023-10-28T02:27:19"), "2023-10-28T06:27:19");
  EXPECT_EQ(utc("Asia/Kolkata", "2022-04-01T06:14:09"), "2022-04-01T00:44:09");
  EXPECT_EQ(utc("Australia/Sydney", "2022-01-15T12:00:00"), "2022-01-15T01:00:00");
  EXPECT_EQ(utc("Australia/Sydney", "2022-07-15T12:00:00"), "2022-07-15T02:00:00");
  EXPECT_EQ(utc("UTC", "2022-07-15T12:00:00"), "2022-07-15T12:00:00");
}

TEST(TimeZone, HoursThatComeTwiceOrNever) {
  EXPECT_EQ(utc("Europe/Berlin", "2022-10-30T01:59:59"), "2022-10-29T23:59:59");
  EXPECT_EQ(utc("Europe/Berlin", "2022-10-30T02:30:00"), "2022-10-30T00:30:00");  // the first of the two
  EXPECT_EQ(utc("Europe/Berlin", "2022-10-30T03:00:00"), "2022-10-30T02:00:00");
  EXPECT_EQ(utc("Europe/Berlin", "2022-03-27T01:59:59"), "2022-03-27T00:59:59");
  EXPECT_EQ(utc("Europe/Berlin", "2022-03-27T02:30:00"), "2022-03-27T01:30:00");  // does not exist
  EXPECT_EQ(utc("Europe/Berlin", "2022-03-27T03:00:00"), "2022-03-27T01:00:00");
}

TEST(TimeZone, RuleBeyondTheTable) {
  EXPECT_EQ(utc("Europe/Berlin", "2090-07-01T12:00:00"), "2090-07-01T10:00:00");
  EXPECT_EQ(utc("Europe/Berlin", "2090-12-01T12:00:00"), "2090-12-01T11:00:00");
  EXPECT_EQ(utc("Australia/Sydney", "2090-12-01T12:00:00"), "2090-12-01T01:00:00");
  EXPECT_EQ(utc("America/New_York", "2090-03-12T03:00:00"), "2090-03-12T07:00:00");
}

TEST(TimeZone, WrongNamesHaveNearOnes) {
  EXPECT_EQ(utc("Europe/Berlim", "2022-01-01T00:00:00"), "'Europe/Berlim' is no time zone; did you mean 'Europe/Berlin'?");
  EXPECT_FALSE(TimeZone::named("../../etc/passwd"));
  EXPECT_FALSE(TimeZone::named(""));
}

TEST(TimeZone, DamagedFilesAreTold) {
  std::ifstream in("/usr/share/zoneinfo/Europe/Berlin", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  ASSERT_TRUE(TimeZone::parse(whole));
  for (size_t n = 0; n + 40 < whole.size(); n += 7) EXPECT_FALSE(TimeZone::parse(whole.substr(0, n))) << n;
}

}  // namespace
}  // namespace egret
