#include "sensor/row.h"

#include <gtest/gtest.h>

namespace egret::sensor {
namespace {

TEST(Row, IsTheBeginningOfAnObject) {
  Row row("EgretNodeEvents", ticks_from_unix_seconds(0));
  row.text("Node", "a\"b").text("Message", "").number("Count", -3).real("Share", 0.5).time("StartTime", ticks_from_unix_seconds(1));
  row.span("Span", kTicksPerSecond).dynamic("Labels", R"({"a":1})").dynamic("Nothing", "");
  EXPECT_EQ(row.body(), R"({"Type":"EgretNodeEvents","TimeGenerated":"1970-01-01T00:00:00Z","Node":"a\"b","Count":-3,"Share":0.5,)"
                        R"("StartTime":"1970-01-01T00:00:01Z","Span":"00:00:01","Labels":{"a":1})");
}

}  // namespace
}  // namespace egret::sensor
