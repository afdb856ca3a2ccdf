#include "labpod/script.h"

#include <gtest/gtest.h>

namespace egret::labpod {
namespace {

TEST(Script, WordsBecomeAStep) {
  const auto steps = parse_script(
      "# comment\nstart=1.5..2 every=3 count=0 name=ifconfig.co port=8443 tls=1 out=10..20 scattered=1\n\naddress=2001:db8::1 udp=1\n");
  ASSERT_TRUE(steps) << steps.error().message;
  ASSERT_EQ(steps->size(), 2U);
  const Step& a = (*steps)[0];
  EXPECT_EQ(a.start.low, 1.5);
  EXPECT_EQ(a.start.high, 2);
  EXPECT_EQ(a.every.high, 3);
  EXPECT_EQ(a.count, 0);
  EXPECT_EQ(a.name, "ifconfig.co");
  EXPECT_EQ(a.port, 8443);
  EXPECT_TRUE(a.tls && a.scattered);
  EXPECT_EQ(a.out.low, 10);
  EXPECT_TRUE((*steps)[1].udp);
}

TEST(Script, MistakesNameTheLineAndTheWord) {
  for (const auto& [text, what] : {std::pair{"name=a colour=red", "colour=red"},
                                   {"name=a port=99999", "port=99999"},
                                   {"name=a every=-1", "every=-1"},
                                   {"name=a out=5..2", "out=5..2"},
                                   {"port=80", "neither name nor address"},
                                   {"name=a oops", "oops"}}) {
    const auto steps = parse_script(std::string("\n") + text);
    ASSERT_FALSE(steps) << text;
    EXPECT_NE(steps.error().message.find(what), std::string::npos) << steps.error().message;
    EXPECT_NE(steps.error().message.find("line 2"), std::string::npos);
  }
}

}  // namespace
}  // namespace egret::labpod
