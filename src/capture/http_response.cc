#include "capture/http_response.h"

namespace egret::capture {
namespace {

using namespace http_internal;

}  // namespace

bool looks_like_http_response(std::string_view s) {
  if (s.starts_with("ICY ") && s.size() > 6) return s[4] >= '1' && s[4] <= '5';  // streaming servers, otherwise HTTP/1.0
  return s.size() >= 9 && s.starts_with("HTTP/") && s[5] >= '0' && s[5] <= '3' && (s[6] == '.' || s[6] == ' ');
}

HttpParse parse_http_response(std::string_view s, HttpResponse& out) {
  out = {};
  const bool full = s.size() > kMostHttpHead;
  s = s.substr(0, kMostHttpHead);
  const Line first = line_at(s, 0);
  static constexpr std::string_view kStart = "HTTP/";
  const bool icy = first.text.starts_with("ICY ");
  if (!icy && first.text.substr(0, kStart.size()) != kStart.substr(0, first.text.size())) return HttpParse::kNotHttp;
  if (!first.whole) return full ? HttpParse::kNotHttp : HttpParse::kNeedMore;
  const size_t blank = first.text.find(' ');
  if (first.text.size() < kStart.size() || blank == std::string_view::npos) return HttpParse::kNotHttp;
  out.version = icy ? std::string_view("1.0") : first.text.substr(kStart.size(), blank - kStart.size());
  std::string_view rest = trim_blanks(first.text.substr(blank + 1));
  int digits = 0;
  while (digits < 3 && !rest.empty() && rest[0] >= '0' && rest[0] <= '9') {
    out.status = out.status * 10 + (rest[0] - '0');
    rest.remove_prefix(1);
    ++digits;
  }
  if (digits != 3) return HttpParse::kNotHttp;
  out.reason = trim_blanks(rest);
  const auto end = each_field(s, first.next, [&](std::string_view name, std::string_view value) {
    if (frame(out.framing, name, value)) return;
    if (same_name(name, "content-type")) out.content_type = value;
    if (same_name(name, "server")) out.server = value;
    if (same_name(name, "location")) out.location = value;
  });
  out.head_bytes = end ? *end : s.size();
  return end || full ? HttpParse::kDone : HttpParse::kNeedMore;
}

bool http_response_has_body(int status, std::string_view method) {
  return !(status < 200 || status == 204 || status == 304 || method == "HEAD" || (method == "CONNECT" && status < 300));
}

}  // namespace egret::capture
