#include "labpod/dns_message.h"

#include <gtest/gtest.h>

namespace egret::labpod {
namespace {

TEST(DnsMessage, QuestionAndAnswerComeBack) {
  const std::string wire = dns_question(77, "IfConfig.co", kDnsA);
  const auto q = parse_dns_question(wire);
  ASSERT_TRUE(q);
  EXPECT_EQ(q->name, "ifconfig.co.");
  EXPECT_EQ(q->type, kDnsA);
  EXPECT_TRUE(q->recursion);
  const auto a = parse_dns_answer(dns_answer(*q, kNoError, {*IpAddress::parse("172.64.80.1"), *IpAddress::parse("2001:db8::5")}, 30));
  ASSERT_TRUE(a);
  EXPECT_EQ(a->id, 77);
  ASSERT_EQ(a->addresses.size(), 2U);
  EXPECT_EQ(a->addresses[0].to_string(), "172.64.80.1");
  EXPECT_EQ(a->addresses[1].to_string(), "2001:db8::5");
}

TEST(DnsMessage, BrokenOnesAreNone) {
  const std::string wire = dns_question(1, "a.example.com", kDnsA);
  for (size_t n = 0; n < wire.size(); ++n) EXPECT_FALSE(parse_dns_question(std::string_view(wire).substr(0, n))) << n;
  std::string loop = wire;
  loop[12] = '\xc0', loop[13] = '\x0c';  // a name that points to itself
  EXPECT_FALSE(parse_dns_question(loop));
}

}  // namespace
}  // namespace egret::labpod
