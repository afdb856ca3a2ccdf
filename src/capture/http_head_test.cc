#include <gtest/gtest.h>

#include "capture/http_request.h"
#include "capture/http_response.h"

namespace egret::capture {
namespace {

TEST(HttpRequest, FieldsAndFraming) {
  const std::string_view s =
      "POST /a?b=c%20d HTTP/1.1\r\nHost: Api.Example:8080\r\nUser-Agent:  curl/8 \r\nContent-Length: 5\r\nConnection: keep-alive, "
      "Upgrade\r\nX-Forwarded-For: 10.0.0.9\r\n\r\nhello";
  HttpRequest r;
  ASSERT_EQ(parse_http_request(s, r), HttpParse::kDone);
  EXPECT_EQ(r.method, "POST");
  EXPECT_EQ(r.target, "/a?b=c%20d");
  EXPECT_EQ(r.version, "1.1");
  EXPECT_EQ(r.host, "Api.Example:8080");
  EXPECT_EQ(http_host_name(r), "Api.Example");
  EXPECT_EQ(r.user_agent, "curl/8");
  EXPECT_EQ(r.forwarded_for, "10.0.0.9");
  EXPECT_EQ(r.framing.content_length, 5u);
  EXPECT_TRUE(r.framing.upgrade && !r.framing.chunked && !r.framing.close);
  EXPECT_EQ(s.substr(r.head_bytes), "hello");
}

TEST(HttpRequest, EveryCutAsksForMore) {
  const std::string_view s = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
  for (size_t n = 0; n <= s.size(); ++n) {
    HttpRequest r;
    EXPECT_EQ(parse_http_request(s.substr(0, n), r), n == s.size() ? HttpParse::kDone : HttpParse::kNeedMore) << n;
    if (n >= s.size() - 2) {
      EXPECT_EQ(r.host, "h") << n;
    }
  }
}

TEST(HttpRequest, HostOfTarget) {
  const auto host = [](std::string_view s) {
    HttpRequest r;
    EXPECT_EQ(parse_http_request(s, r), HttpParse::kDone) << s;
    return std::string(http_host_name(r));
  };
  EXPECT_EQ(host("GET http://user:pw@inner.example:81/x HTTP/1.1\r\nHost: outer\r\n\r\n"), "inner.example");
  EXPECT_EQ(host("CONNECT proxy.example:443 HTTP/1.1\r\n\r\n"), "proxy.example");
  EXPECT_EQ(host("GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n"), "2001:db8::1");
  EXPECT_EQ(host("GET /go?u=http://x/ HTTP/1.1\r\nhost:a\r\n\r\n"), "a");
  EXPECT_EQ(host("GET / HTTP/1.0\n\n"), "");
}

TEST(HttpRequest, NotHttp) {
  HttpRequest r;
  EXPECT_EQ(parse_http_request("\x16\x03\x01", r), HttpParse::kNotHttp);
  EXPECT_EQ(parse_http_request("GARBAGE\r\n", r), HttpParse::kNotHttp);
  EXPECT_FALSE(looks_like_http_request("OPTIONS sip:a SIP/2.0\r\n"));
  EXPECT_FALSE(looks_like_http_request("SSH-2.0-x"));
  EXPECT_TRUE(looks_like_http_request("GET "));
  EXPECT_TRUE(looks_like_http_request("GET / HTTP/1.1\r\n"));
  EXPECT_TRUE(looks_like_http_request("GET /\r\n"));
}

TEST(HttpRequest, AHeadWithoutEndIsGivenUp) {
  HttpRequest r;
  EXPECT_EQ(parse_http_request("GET /" + std::string(kMostHttpHead, 'a'), r), HttpParse::kNotHttp);
  std::string s = "GET / HTTP/1.1\r\nHost: h\r\n";
  while (s.size() <= kMostHttpHead) s += "X: y\r\n";
  EXPECT_EQ(parse_http_request(s, r), HttpParse::kDone);
  EXPECT_EQ(r.host, "h");
}

TEST(HttpResponse, StatusAndFraming) {
  HttpResponse r;
  const std::string_view s = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
  ASSERT_EQ(parse_http_response(s, r), HttpParse::kDone);
  EXPECT_EQ(r.status, 302);
  EXPECT_EQ(r.reason, "Found");
  EXPECT_EQ(r.location, "http://169.254.169.254/");
  EXPECT_TRUE(r.framing.chunked);
  EXPECT_EQ(r.head_bytes, s.size());
  EXPECT_EQ(parse_http_response("HTTP/1.1 20", r), HttpParse::kNeedMore);
  EXPECT_EQ(parse_http_response("HTTP/1.1 twenty\r\n", r), HttpParse::kNotHttp);
  EXPECT_EQ(parse_http_response("220 mail\r\n", r), HttpParse::kNotHttp);
  EXPECT_FALSE(http_response_has_body(200, "HEAD"));
  EXPECT_FALSE(http_response_has_body(304, "GET"));
  EXPECT_TRUE(http_response_has_body(404, "GET"));
}

}  // namespace
}  // namespace egret::capture
