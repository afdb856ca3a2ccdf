#include "capture/dns_message.h"

#include <gtest/gtest.h>

#include <string>

namespace egret::capture {
namespace {

std::string be(unsigned n) { return {static_cast<char>(n >> 8), static_cast<char>(n)}; }
std::string header(unsigned id, unsigned flags, unsigned qd, unsigned an, unsigned ns = 0, unsigned ar = 0) {
  return be(id) + be(flags) + be(qd) + be(an) + be(ns) + be(ar);
}
std::string name(std::initializer_list<std::string_view> labels) {
  std::string out;
  for (const std::string_view l : labels) out += static_cast<char>(l.size()) + std::string(l);
  return out + '\0';
}
std::string record(std::string owner, unsigned type, unsigned ttl, const std::string& data) {
  return owner + be(type) + be(1) + be(ttl >> 16) + be(ttl & 0xffff) + be(static_cast<unsigned>(data.size())) + data;
}
const std::string kBack = "\xc0\x0c";  // the name at offset 12

TEST(DnsMessage, QuestionAndAnswersWithCompression) {
  const std::string m = header(0x1234, 0x8180, 1, 2) + name({"IfConfig", "co"}) + be(1) + be(1) +
                        record(kBack, 5, 300, name({"edge", "example"})) + record(kBack, 1, 60, "\xac\x40\x50\x01");
  ASSERT_TRUE(looks_like_dns(as_bytes(m)));
  DnsMessage d;
  ASSERT_TRUE(parse_dns_message(as_bytes(m), d));
  EXPECT_TRUE(d.complete && d.response && d.recursion_desired && d.recursion_available && !d.authoritative);
  EXPECT_EQ(d.id, 0x1234);
  ASSERT_EQ(d.questions.size(), 1u);
  EXPECT_EQ(d.questions[0].name, "ifconfig.co");
  ASSERT_EQ(d.answers.size(), 2u);
  EXPECT_EQ(d.answers[0].text, "edge.example");
  EXPECT_EQ(d.answers[1].name, "ifconfig.co");
  EXPECT_EQ(d.answers[1].text, "172.64.80.1");
  EXPECT_TRUE(d.answers[1].is_address);
  EXPECT_EQ(d.answers[1].ttl, 60u);
}

TEST(DnsMessage, EveryCutKeepsWhatWasGood) {
  const std::string m = header(1, 0x8180, 1, 2) + name({"a", "b"}) + be(28) + be(1) + record(kBack, 28, 5, std::string(16, '\1')) +
                        record(kBack, 28, 5, std::string(16, '\2'));
  for (size_t n = 0; n <= m.size(); ++n) {
    DnsMessage d;
    const bool ok = parse_dns_message(as_bytes(m).first(n), d);
    EXPECT_EQ(ok, n >= 12 + 5 + 4) << n;
    EXPECT_EQ(ok && d.complete, n == m.size()) << n;
    if (ok) {
      EXPECT_EQ(d.answers.size(), n < m.size() - 28 ? 0u : n < m.size() ? 1u : 2u) << n;
    }
  }
}

TEST(DnsMessage, PointersThatLoopEnd) {
  DnsMessage d;
  const std::string itself = header(1, 0x100, 1, 0) + "\xc0\x0c" + be(1) + be(1);
  EXPECT_FALSE(parse_dns_message(as_bytes(itself), d));
  const std::string forward = header(1, 0x100, 1, 0) + "\xc0\x12" + be(1) + be(1) + name({"x"});
  EXPECT_FALSE(parse_dns_message(as_bytes(forward), d));
}

TEST(DnsMessage, OddBytesOfNamesAreEscaped) {
  const std::string m = header(1, 0x100, 1, 0) + name({"a.b\n", "c"}) + be(16) + be(1);
  DnsMessage d;
  ASSERT_TRUE(parse_dns_message(as_bytes(m), d));
  EXPECT_EQ(d.questions[0].name, "a\\046b\\010.c");
}

TEST(DnsMessage, RecordsAsText) {
  using namespace std::string_literals;
  const std::string m = header(1, 0x8180, 1, 7, 0, 1) + name({"x"}) + be(255) + be(1) + record(kBack, 15, 1, be(10) + name({"mx"})) +
                        record(kBack, 33, 1, be(0) + be(5) + be(443) + name({"h"})) + record(kBack, 16, 1, "\x02hi\x05there") +
                        record(kBack, 65, 1, be(1) + "\0"s + be(1) + be(3) + "\x02h2" + be(4) + be(4) + "\xc0\x00\x02\x01"s) +
                        record(kBack, 6, 1, name({"ns"}) + name({"mail"}) + std::string(20, 'z')) +
                        record(kBack, 257, 1, "\0\x05issueca.example"s) + record(kBack, 1, 1, "abc") + record("\0"s, 41, 0x01000000, "");
  DnsMessage d;
  ASSERT_TRUE(parse_dns_message(as_bytes(m), d));
  EXPECT_TRUE(d.complete);
  ASSERT_EQ(d.answers.size(), 7u);
  EXPECT_EQ(d.answers[0].text, "10 mx");
  EXPECT_EQ(d.answers[1].text, "0 5 443 h");
  EXPECT_EQ(d.answers[2].text, "hi there");
  EXPECT_EQ(d.answers[3].text, "1 . alpn=h2 ipv4hint=192.0.2.1");
  EXPECT_EQ(d.answers[4].text, "ns mail");
  EXPECT_EQ(d.answers[5].text, "0 issue ca.example");
  EXPECT_EQ(d.answers[6].text, "") << "an address of three bytes is none";
  EXPECT_EQ(d.rcode, 16) << "BADVERS has its upper bits in the OPT record";
}

TEST(DnsMessage, OtherProtocolsAreNotTakenForIt) {
  for (const std::string_view s :
       {std::string_view("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03xxxxxxx"),
        std::string_view("SSH-2.0-OpenSSH_9.2p1 Debian"), std::string_view("\x23\x02\x06\xee\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20)})
    EXPECT_FALSE(looks_like_dns(as_bytes(s))) << s;
}

}  // namespace
}  // namespace egret::capture
