#include "capture/tls_hello.h"

#include <gtest/gtest.h>

#include <string>

#include "base/md5.h"

namespace egret::capture {
namespace {

using namespace std::string_literals;

std::string be(size_t n) { return {static_cast<char>(n >> 8), static_cast<char>(n)}; }
std::string sized(const std::string& s) { return be(s.size()) + s; }
std::string extension(unsigned type, const std::string& data) { return be(type) + sized(data); }
std::string handshake(char type, const std::string& body) { return type + "\0"s + be(body.size()) + body; }
std::string recorded(const std::string& bytes, size_t size) {
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += size) out += "\x16\x03\x01" + sized(bytes.substr(at, size));
  return out;
}

std::string client_hello() {
  const std::string extensions = extension(0x0a0a, "") + extension(0, sized("\0"s + sized("Api.Example"))) +
                                 extension(10, sized(be(0x1a1a) + be(29) + be(23))) + extension(11, "\x01\0"s) +
                                 extension(16, sized("\x02h2\x08http/1.1")) + extension(43, "\x06"s + be(0x2a2a) + be(0x304) + be(0x303));
  return handshake(1, be(0x303) + std::string(32, 'r') + "\x20" + std::string(32, 's') + sized(be(0x3a3a) + be(0x1301) + be(0xc02f)) +
                          "\x01\0"s + sized(extensions));
}

TEST(TlsHello, ClientHelloOverManyRecords) {
  for (const size_t size : {1000ul, 50ul, 1ul, 3ul}) {
    const std::string s = recorded(client_hello(), size);
    TlsClientHello h;
    ASSERT_EQ(parse_client_hello(as_bytes(s), h), TlsParse::kDone) << size;
    EXPECT_EQ(h.server_name, "api.example");
    EXPECT_EQ(h.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
    EXPECT_EQ(h.version, 0x303);
    EXPECT_EQ(h.highest_version, 0x304);
    EXPECT_FALSE(h.session);
    EXPECT_EQ(h.ja3, "771,4865-49199,0-10-11-16-43,29-23,0");
    EXPECT_EQ(h.ja3_hash(), md5_hex(h.ja3));
  }
}

TEST(TlsHello, TheNameOfACutHello) {
  const std::string s = recorded(client_hello(), 1000);
  EXPECT_TRUE(looks_like_tls(as_bytes(s)));
  for (size_t n = 0; n < s.size(); ++n) {
    TlsClientHello h;
    EXPECT_EQ(parse_client_hello(as_bytes(s).first(n), h), TlsParse::kNeedMore) << n;
    EXPECT_EQ(h.ja3, "") << "not whole";
    if (n >= s.find("Api.Example") + 11) {
      EXPECT_EQ(h.server_name, "api.example") << n;
    }
  }
}

TEST(TlsHello, ServerHello) {
  const std::string body =
      be(0x303) + std::string(32, 'r') + "\0"s + be(0xc02f) + "\0"s + sized(extension(65281, "\0"s) + extension(16, sized("\x02h2")));
  const std::string s = recorded(handshake(2, body), 20);
  TlsServerHello h;
  ASSERT_EQ(parse_server_hello(as_bytes(s), h), TlsParse::kDone);
  EXPECT_EQ(h.version, 0x303);
  EXPECT_EQ(h.cipher, 0xc02f);
  EXPECT_EQ(h.alpn, "h2");
  EXPECT_EQ(h.ja3s, "771,49199,65281-16");
  EXPECT_FALSE(h.retry);
  TlsClientHello c;
  EXPECT_EQ(parse_client_hello(as_bytes(s), c), TlsParse::kNotTls);
  const std::string warned = "\x15\x03\x03\0\x02\x01\x70"s + s;
  EXPECT_EQ(parse_server_hello(as_bytes(warned), h), TlsParse::kDone);
  EXPECT_EQ(h.cipher, 0xc02f);
}

TEST(TlsHello, NotTls) {
  TlsClientHello h;
  for (const std::string& s :
       {"GET / HTTP/1.1\r\n"s, "\x17\x03\x03\x00\x05hello"s, "\x16\x03\x01\x00\x00"s, "\x16\x03\x01\x00\x04\x01\xff\xff\xff"s})
    EXPECT_EQ(parse_client_hello(as_bytes(s), h), TlsParse::kNotTls) << s;
}

// RFC 1321, A.5.
TEST(Md5, TestSuite) {
  EXPECT_EQ(md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5_hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(md5_hex("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
            "57edf4a22be3c955ac49da2e2107b67a");
}

}  // namespace
}  // namespace egret::capture
