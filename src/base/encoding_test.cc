#include "base/encoding.h"

#include <gtest/gtest.h>

namespace egret {
namespace {

TEST(Encoding, Base64) {
  EXPECT_EQ(base64("any carnal pleas"), "YW55IGNhcm5hbCBwbGVhcw==");
  for (const std::string_view text : {"", "a", "ab", "abc", "\xff\xfe\x00"}) EXPECT_EQ(decode_base64(base64(text)), text);
  EXPECT_EQ(decode_base64("_-8"), "\xff\xef");
  EXPECT_EQ(decode_base64("YW\n55"), "any");
  EXPECT_FALSE(decode_base64("YW=5"));
  EXPECT_FALSE(decode_base64("a.b"));
}

TEST(Encoding, Utf8) {
  std::string out;
  for (const uint32_t c : {0x41U, 0xe9U, 0x3002U, 0x1d7ceU, 0xd800U, 0x110000U}) append_utf8(out, c);
  EXPECT_EQ(out, "A\xc3\xa9\xe3\x80\x82\xf0\x9d\x9f\x8e\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Encoding, HexDigit) {
  EXPECT_EQ(hex_digit('f'), 15);
  EXPECT_EQ(hex_digit('G'), -1);
}

}  // namespace
}  // namespace egret
