#include "ingest/times.h"

#include <gtest/gtest.h>

#include <string>

namespace egret::ingest {
namespace {

std::string at(std::string_view text, const TimeForm& form = {}) {
  const auto t = parse_time(text, form);
  return t ? format_datetime(*t) : "none";
}

TEST(Times, AllFormsOfOneMoment) {
  for (const char* text : {"2022-04-01T06:14:09Z", "2022-04-01 06:14:09", "2022-04-01T08:14:09+02:00", "4/1/2022, 6:14:09 AM",
                           "4/1/2022, 6:14:09.000 AM", "04/01/2022 06:14:09", "01.04.2022 06:14:09", "01/Apr/2022:06:14:09 +0000",
                           "Fri, 01 Apr 2022 06:14:09 GMT", "Apr 1, 2022, 6:14:09 AM", "1648793649", "1648793649000", "1648793649000000",
                           "1648793649.000", "/Date(1648793649000)/", "2022-04-01 06:14:09 UTC", "2022/04/01 06:14:09",
                           "4/1/2022, 6:14:09\xe2\x80\xaf"
                           "AM"})
    EXPECT_EQ(at(text), "2022-04-01T06:14:09Z") << text;
}

TEST(Times, LocalTimesFollowTheForm) {
  EXPECT_EQ(at("4/1/2022 6:14:09 PM", {2 * kTicksPerHour, true}), "2022-04-01T16:14:09Z");
  EXPECT_EQ(at("1/4/2022 18:14:09", {0, false}), "2022-04-01T18:14:09Z");
  EXPECT_EQ(at("13/4/2022 18:14:09", {0, true}), "2022-04-13T18:14:09Z") << "a day above 12 can be no month";
  EXPECT_EQ(at("2022-04-01T06:14:09Z", {2 * kTicksPerHour, true}), "2022-04-01T06:14:09Z") << "a zone of its own wins";
}

TEST(Times, RefusesWhatIsNone) {
  for (const char* text :
       {"", "yesterday", "2022-13-01", "99/99/2022", "4/1/2022 25:00:00", "12", "1.2.3.4", "2025-15-08T00:00:00.000Z",
        "4/1/2022 13:00:00 PM", "/Date(18446788147419103)/", "/Date(-99999999999999999999)/", "/Date()/", "31/Dec/9999:23:59:59 -1200"})
    EXPECT_EQ(at(text), "none") << text;
}

TEST(Times, Spans) {
  EXPECT_EQ(parse_span("1.02:03:04.5"), kTicksPerDay + 2 * kTicksPerHour + 3 * kTicksPerMinute + 4 * kTicksPerSecond + 5'000'000);
  EXPECT_EQ(parse_span("PT1M30S"), 90 * kTicksPerSecond);
  EXPECT_EQ(parse_span("-00:00:01"), -kTicksPerSecond);
  EXPECT_FALSE(parse_span("soon"));
}

}  // namespace
}  // namespace egret::ingest
