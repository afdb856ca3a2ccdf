#include "capture/recognise.h"

#include <gtest/gtest.h>

#include <string>

namespace egret::capture {
namespace {

using namespace std::string_literals;

TEST(Recognise, StreamsByTheirBeginning) {
  struct Case {
    std::string head;
    bool from_client;
    std::string_view protocol;
    bool sure;
  };
  const Case cases[] = {
      {"GET /x HTTP/1.1\r\n", true, "HTTP", true},
      {"HTTP/1.1 200 OK\r\n", false, "HTTP", true},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"s, true, "TLS", true},
      {"\x16\x03"s, true, "", false},
      {"SSH-2.0-OpenSSH_9.2\r\n", false, "SSH", true},
      {"220 mx.example ESMTP ready\r\n", false, "SMTP", true},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true, "HTTP2", true},
      {"*2\r\n$3\r\nGET\r\n$1\r\na\r\n", true, "REDIS", true},
      {"\x10\x15\0\4MQTT\4\2\0\x3c\0\x09"s, true, "MQTT", true},
      {"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n", true, "STRATUM", true},
      {"{\"id\":1,\"method\":\"getBlock\",\"params\":[]}\n", true, "", true},
      {"\0\x1d\x12\x34\x01\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"s, true, "DNS", true},
      {"OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n", true, "", true},
      {"hello", true, "", false},
      {"", true, "", false},
      {std::string(64, 'z'), true, "", true},
  };
  for (const Case& c : cases) {
    const Guess g = recognise_stream(as_bytes(c.head), c.from_client, 4444);
    EXPECT_EQ(g.protocol, c.protocol) << c.head;
    EXPECT_EQ(g.sure, c.sure) << c.head;
  }
}

TEST(Recognise, Datagrams) {
  const std::string question = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1"s;
  EXPECT_EQ(recognise_datagram(as_bytes(question), 40000, 53), "DNS");
  EXPECT_EQ(recognise_datagram(as_bytes(question), 40000, 9953), "DNS") << "by content, on any port";
  EXPECT_EQ(recognise_datagram(as_bytes(question + "more"), 40000, 9953), "") << "not where anything follows it";
  EXPECT_EQ(recognise_datagram(as_bytes("\xc3\0\0\0\1\x08"s + std::string(1200, 'q')), 40000, 443), "QUIC");
  EXPECT_EQ(recognise_datagram(as_bytes("\0\1\0\0\x21\x12\xa4\x42"s + std::string(12, 't')), 40000, 3478), "STUN");
  EXPECT_EQ(recognise_datagram(as_bytes(std::string(100, 'x')), 40000, 41000), "");
  EXPECT_TRUE(is_service_port(443, false) && is_service_port(53, true) && !is_service_port(40000, false));
}

}  // namespace
}  // namespace egret::capture
