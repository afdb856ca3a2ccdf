#include <gtest/gtest.h>

#include "base/ip.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

namespace egret {
namespace {

TEST(Time, RoundTrips) {
  for (const char* text : {"2022-04-01T06:14:09Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "2024-02-29T12:00:00.5Z"})
    EXPECT_EQ(format_datetime(*parse_iso_datetime(text)), text);
  EXPECT_EQ(*parse_iso_datetime("1970-01-01"), kUnixEpochTicks);
  EXPECT_EQ(*parse_iso_datetime("2022-04-01T08:14:09+02:00"), *parse_iso_datetime("2022-04-01 06:14:09"));
  for (const char* bad : {"", "2022-13-01", "2022-02-30", "2022-04-01T", "2022-04-01T06:14:09Zx", "22-04-01"})
    EXPECT_FALSE(parse_iso_datetime(bad)) << bad;
}

TEST(Ip, ParsesAndContains) {
  EXPECT_EQ(IpAddress::parse("172.64.80.1")->to_string(), "172.64.80.1");
  EXPECT_EQ(IpAddress::parse("2606:4700::6810:1")->to_string(), "2606:4700::6810:1");
  for (const char* bad : {"", "1.2.3", "1.2.3.256", "1.2.3.4.5", "01.2.3.4", "x", "1.2.3.4/8"}) EXPECT_FALSE(IpAddress::parse(bad)) << bad;
  EXPECT_TRUE(Cidr::parse("172.64.0.0/13")->contains(*IpAddress::parse("172.64.80.1")));
  EXPECT_FALSE(Cidr::parse("172.64.0.0/18")->contains(*IpAddress::parse("172.64.80.1")));
  EXPECT_TRUE(Cidr::parse("0.0.0.0/0")->contains(*IpAddress::parse("1.1.1.1")));
  EXPECT_FALSE(Cidr::parse("0.0.0.0/0")->contains(*IpAddress::parse("2606::1")));
  EXPECT_EQ(Cidr::parse("10.1.2.3/8")->to_string(), "10.0.0.0/8");
  EXPECT_TRUE(IpAddress::parse("10.240.0.4")->is_private());
}

TEST(Text, NearName) {
  EXPECT_EQ(near_name("sumarize", std::vector<std::string>{"summarize", "serialize", "search"}), "summarize");
  EXPECT_EQ(near_name("zzz", std::vector<std::string>{"where"}), "");
}

TEST(Text, TerminalSafe) {
  EXPECT_EQ(terminal_safe("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(terminal_safe("grün"), "grün");
  EXPECT_EQ(terminal_safe("\xff"), "\\xff");
}

TEST(Json, Writes) {
  JsonWriter w;
  w.begin_object().key("a").number(int64_t{1}).key("b").begin_array().string("x\n").null().end_array().end_object();
  EXPECT_EQ(std::move(w).take(), R"({"a":1,"b":["x\n",null]})");
  EXPECT_EQ(json_quote("\xff!"), "\"\xef\xbf\xbd!\"");
}

}  // namespace
}  // namespace egret
