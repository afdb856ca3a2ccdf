#include "payload/payload.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace egret::payload {
namespace {

// "URL [hidden, …]" of every target.
std::vector<std::string> targets_of(std::string_view text) {
  std::vector<std::string> all;
  for (const Target& t : decode(text)) {
    std::string line = t.scheme.empty() ? "" : t.scheme + "://";
    line += t.host;
    if (t.port) line += ':' + std::to_string(*t.port);
    line += t.path;
    for (size_t i = 0; i < t.hidden.size(); ++i) (line += i == 0 ? " [" : ", ") += t.hidden[i];
    if (!t.hidden.empty()) line += ']';
    all.push_back(line);
  }
  return all;
}

struct Case {
  std::string_view text;
  std::vector<std::string> targets;
};

void check(std::span<const Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(targets_of(c.text), c.targets) << c.text;
}

TEST(Payload, LayersOfEncoding) {
  const Case cases[] = {
      {"/x?u=http%3A%2F%2F169.254.169.254%2Flatest", {"http://169.254.169.254/latest"}},
      {"/x?u=http%253A%252F%252F169.254.169.254%252F", {"http://169.254.169.254/"}},
      {"/x?u=%68ttp://%31%36%39.254.169.254/", {"http://169.254.169.254/ [percent-encoding]"}},
      {"/x?u=http://169%c0%ae254%c0%ae169%c0%ae254/", {"http://169.254.169.254/ [overlong UTF-8]"}},
      {"/x?u=http://127%u002e0%u002e0%u002e1/", {"http://127.0.0.1/ [percent-encoding]"}},
      {"/x?u=aHR0cDovLzE2OS4yNTQuMTY5LjI1NC9sYXRlc3Q=", {"http://169.254.169.254/latest [Base64]"}},
      {"/x?u=aHR0cDovLzE2OS4yNTQuMTY5LjI1NC9sYXRlc3Q%3D", {"http://169.254.169.254/latest [Base64]"}},
      {"/x?u=YUhSMGNEb3ZMekV5Tnk0d0xqQXVNUzg9", {"http://127.0.0.1/ [Base64]"}},
      {"/x?u=687474703a2f2f3132372e302e302e312f", {"http://127.0.0.1/ [hexadecimal text]"}},
      {"/fetch/aHR0cDovLzEyNy4wLjAuMS8/x", {"http://127.0.0.1//x [Base64]"}},
      {"/x?u=http://①⑥⑨。②⑤④。⑯⑨｡②⑤④/", {"http://169.254.169.254/ [look-alike characters]"}},
      {"/x?u=ｈｔｔｐ：／／ｌｏｃａｌｈｏｓｔ", {"http://localhost [look-alike characters]"}},
      {"/x?u=http://loc%09alhost/", {"http://localhost/ [ignored characters]"}},
      {"<a b='http:&#47;&#x2f;127.0.0.1/'>", {"http://127.0.0.1/"}},
      {R"({"u":"http:\/\/localhost:8080\/"})", {"http://localhost:8080/"}},
      {R"(/x?u=http://\\l\\o\\c\\a\\l\\h\\o\\s\\t/)", {"http://localhost/ [backslashes]"}},
  };
  check(cases);
}

TEST(Payload, FormsOfAnAddress) {
  const Case cases[] = {
      {"u=http://2852039166/a", {"http://169.254.169.254/a [decimal]"}},
      {"u=http://7147006462/", {"http://169.254.169.254/ [overflow, decimal]"}},
      {"u=http://0xA9.0xFE.0xA9.0xFE/", {"http://169.254.169.254/ [hexadecimal]"}},
      {"u=http://0x41414141A9FEA9FE/", {"http://169.254.169.254/ [hexadecimal, overflow]"}},
      {"u=http://0251.00376.000251.0000376/", {"http://169.254.169.254/ [octal]"}},
      {"u=http://169.254.43518/", {"http://169.254.169.254/ [short]"}},
      {"u=http://169.16689662/", {"http://169.254.169.254/ [short]"}},
      {"u=http://127.1:8080/", {"http://127.0.0.1:8080/ [short]"}},
      {"u=http://425.510.425.510/", {"http://169.254.169.254/ [overflow]"}},
      {"u=http://[::ffff:a9fe:a9fe]", {"http://169.254.169.254 [IPv4-mapped]"}},
      {"u=http://[0:0:0:0:0:0:169.254.169.254]", {"http://169.254.169.254 [IPv4-compatible]"}},
      {"u=http://[64:ff9b::a9fe:a9fe]/", {"http://169.254.169.254/ [NAT64]"}},
      {"u=http://[2002:a9fe:a9fe::]/", {"http://169.254.169.254/ [6to4]"}},
      {"u=http://[fe80::%25eth0]/", {"http://fe80::/ [zone]"}},
      {"u=http://[::1]:80/", {"http://::1:80/"}},
      {"u=http://[fd00:ec2::254]/latest", {"http://fd00:ec2::254/latest"}},
  };
  check(cases);
}

TEST(Payload, WhereParsersDisagree) {
  const Case cases[] = {
      {"u=http://example.com@169.254.169.254/", {"http://169.254.169.254/ [host-like user]"}},
      {"u=http://user:secret@example.com/", {"http://example.com/"}},
      {R"(u=http://example.com\@10.0.0.1/)", {"http://example.com@10.0.0.1/", "http://10.0.0.1/ [host-like user]"}},
      {"u=http%3A%2F%2Fa.com%3A80%23%20%40127.88.23.245%3A22%2F", {"http://a.com:80/", "http://127.88.23.245:22/ [host-like user]"}},
      {"u=http:127.0.0.1", {"http://127.0.0.1"}},
      {"u=http:/%5C10.0.0.1/", {"http://10.0.0.1/"}},
      {"u=//10.0.0.1/x", {"10.0.0.1/x"}},
      {"/proxy/http:/10.0.0.1/x", {"http://10.0.0.1/x"}},
  };
  for (const Case& c : cases) {
    const auto got = targets_of(c.text);
    EXPECT_EQ(got.size(), c.targets.size()) << c.text;
    EXPECT_EQ(got.empty() ? "" : got.back(), c.targets.back()) << c.text;
  }
}

TEST(Payload, SchemesAndNames) {
  const Case cases[] = {
      {"u=file:///etc/passwd", {"file:///etc/passwd"}},
      {"u=file:/etc/passwd", {"file:///etc/passwd"}},
      {"u=gopher://127.0.0.1:6379/_SAVE", {"gopher://127.0.0.1:6379/_SAVE"}},
      {"u=jar:http://10.0.0.1/a.jar!/", {"http://10.0.0.1/a.jar!/"}},
      {"u=php://filter/resource=index", {"php://filter/resource=index"}},
      {"u=local_file://2852039166/", {"local_file://169.254.169.254/ [decimal]"}},
      {"u=169.254.169.254/latest", {"169.254.169.254/latest"}},
      {"u=metadata.google.internal/x", {"metadata.google.internal/x"}},
      {"?http://2852039166/", {"http://169.254.169.254/ [decimal]"}},
  };
  check(cases);
  const auto t = decode("u=http://10.0.0.1.nip.io/").at(0);
  ASSERT_EQ(t.in_name.size(), 1U);
  EXPECT_EQ(t.in_name[0].to_string(), "10.0.0.1");
  EXPECT_EQ(decode("u=http://app-127-0-0-1.sslip.io/").at(0).in_name.at(0).to_string(), "127.0.0.1");
  EXPECT_EQ(decode("u=http://7f000001.c0a80001.rbndr.us/").at(0).in_name.size(), 2U);
  EXPECT_TRUE(decode("u=http://v1-2-3.example.com/").at(0).in_name.empty());
}

TEST(Payload, OrdinaryTextHasNothing) {
  for (const std::string_view text : {"/", "/a/b.css?v=3", "/api?id=2852039166&t=12:30:05", "/s?q=file+cabinet&x=%C3%A9", "/a?ratio=16:9",
                                      "/v1.2.3.4.5/x", "/a?k=0x41414141", "/pay?amount=2852&currency=CAD",
                                      "/x?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0", "/x?a=b:c&n=urn:isbn:12", ""})
    EXPECT_TRUE(targets_of(text).empty()) << text << " " << targets_of(text)[0];
}

TEST(Payload, AnAbsoluteUrlIsItself) {
  const auto all = decode("https://shop.example.com/r?next=https%3A%2F%2F10.1.2.3%2F");
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].place, Place::kItself);
  EXPECT_EQ(all[0].host, "shop.example.com");
  EXPECT_EQ(all[1].parameter, "next");
}

TEST(Payload, ReadsStepByStep) {
  const auto t = decode("/x?source=http%253A%252F%252F2852039166%252Fmetadata").at(0);
  EXPECT_EQ(reading(t),
            "http%253A%252F%252F2852039166%252Fmetadata → percent-encoding → http%3A%2F%2F2852039166%2Fmetadata → percent-encoding → "
            "http://2852039166/metadata → decimal address → http://169.254.169.254/metadata");
  std::string json;
  append_json(json, std::vector{decode("u=//10.0.0.1:80/").at(0)});
  EXPECT_EQ(json,
            R"([{"place":"parameter","parameter":"u","steps":[{"what":"as sent","text":"//10.0.0.1:80/"}],"reading":"//10.0.0.1:80/",)"
            R"("url":"//10.0.0.1:80/","host":"10.0.0.1","address":"10.0.0.1","port":80,"path":"/"}])");
}

TEST(Payload, LimitsHold) {
  std::string many = "/x?";
  for (int i = 0; i < 500; ++i) many += "u=http://10.0.0." + std::to_string(i % 250) + "/&";
  EXPECT_EQ(decode(many).size(), kMostTargets);
  std::string deep = "http://10.0.0.1/";
  for (int i = 0; i < 20; ++i) deep = base64(deep);
  EXPECT_TRUE(decode("u=" + deep).empty());
}

}  // namespace
}  // namespace egret::payload
