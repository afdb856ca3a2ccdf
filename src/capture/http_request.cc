#include "capture/http_request.h"

#include <algorithm>

namespace egret::capture {
namespace {

using namespace http_internal;

constexpr std::string_view kMethods[] = {"GET",         "POST",         "HEAD",      "PUT",       "DELETE",    "OPTIONS",    "CONNECT",
                                         "PATCH",       "TRACE",        "PROPFIND",  "MKCOL",     "COPY",      "MOVE",       "LOCK",
                                         "UNLOCK",      "REPORT",       "SEARCH",    "PROPPATCH", "PURGE",     "SUBSCRIBE",  "NOTIFY",
                                         "RPC_IN_DATA", "RPC_OUT_DATA", "BITS_POST", "CCM_POST",  "BPROPFIND", "BPROPPATCH", "POLL",
                                         "UNSUBSCRIBE", "MERGE",        "CHECKOUT",  "M-SEARCH"};

bool is_token(std::string_view s) {
  return !s.empty() && s.size() <= 32 && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

bool looks_like_http_request(std::string_view s) {
  const size_t blank = s.substr(0, 16).find(' ');
  if (blank == std::string_view::npos) return false;
  const std::string_view method = s.substr(0, blank);
  if (std::find(std::begin(kMethods), std::end(kMethods), method) == std::end(kMethods)) return false;
  // Other protocols have words like these (SIP has OPTIONS, RTSP too): what the first line ends with tells.
  const Line l = line_at(s.substr(0, kMostHttpHead), 0);
  if (!l.whole) return s.size() == blank + 1 || static_cast<unsigned char>(s[blank + 1]) > 32;
  const size_t last = l.text.rfind(' ');
  if (last == blank) return method == "GET" && l.text.size() > blank + 1 && l.text[blank + 1] == '/';  // HTTP/0.9
  return l.text.substr(last + 1).starts_with("HTTP/");
}

HttpParse parse_http_request(std::string_view s, HttpRequest& out) {
  out = {};
  const bool full = s.size() > kMostHttpHead;
  s = s.substr(0, kMostHttpHead);
  size_t at = 0;
  while (at < s.size() && at < 8 && (s[at] == '\r' || s[at] == '\n')) ++at;  // RFC 9112, 2.2: empty lines before a request
  const Line first = line_at(s, at);
  const size_t blank = first.text.find(' ');
  if (!is_token(first.text.substr(0, blank))) return first.text.empty() && !first.whole ? HttpParse::kNeedMore : HttpParse::kNotHttp;
  if (!first.whole && full) return HttpParse::kNotHttp;
  if (blank == std::string_view::npos) return first.whole ? HttpParse::kNotHttp : HttpParse::kNeedMore;
  out.method = first.text.substr(0, blank);
  const std::string_view rest = first.text.substr(blank + 1);
  const size_t last = rest.rfind(' ');
  if (last != std::string_view::npos && rest.substr(last + 1).starts_with("HTTP/")) {
    out.version = rest.substr(last + 6);
    out.target = trim_blanks(rest.substr(0, last));
  } else {
    out.target = trim_blanks(rest);
    if (first.whole && out.method != "GET") return HttpParse::kNotHttp;
  }
  if (!first.whole) return HttpParse::kNeedMore;
  if (out.target.empty()) return HttpParse::kNotHttp;
  if (out.version.empty()) {
    out.head_bytes = first.next;
    out.framing.close = true;
    return HttpParse::kDone;
  }
  const auto end = each_field(s, first.next, [&](std::string_view name, std::string_view value) {
    if (frame(out.framing, name, value)) return;
    const auto take = [&](std::string_view& field) {
      if (field.empty()) field = value;
    };
    switch (name.size()) {
      case 4:
        if (same_name(name, "host")) take(out.host);
        break;
      case 7:
        if (same_name(name, "referer")) take(out.referer);
        break;
      case 8:
        if (same_name(name, "metadata")) take(out.metadata);
        break;
      case 10:
        if (same_name(name, "user-agent")) take(out.user_agent);
        break;
      case 12:
        if (same_name(name, "content-type")) take(out.content_type);
        break;
      case 15:
        if (same_name(name, "x-forwarded-for")) take(out.forwarded_for);
        if (same_name(name, "metadata-flavor")) take(out.metadata);
        break;
      default: break;
    }
  });
  if (out.version == "1.0" && !out.framing.upgrade) out.framing.close = true;
  out.head_bytes = end ? *end : s.size();
  return end || full ? HttpParse::kDone : HttpParse::kNeedMore;
}

std::string_view http_host_name(const HttpRequest& r) {
  std::string_view host = r.host;
  if (r.method == "CONNECT" && !r.target.starts_with('/')) {
    host = r.target;
  } else if (const size_t scheme = r.target.find("://"); scheme != std::string_view::npos && scheme < 8 && !r.target.starts_with('/')) {
    host = r.target.substr(scheme + 3);
    host = host.substr(0, host.find_first_of("/?#"));
    if (const size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  }
  if (host.starts_with('[')) return host.substr(1, host.find(']') == std::string_view::npos ? host.size() : host.find(']') - 1);
  if (const size_t colon = host.rfind(':'); colon != std::string_view::npos && host.find(':') == colon) host = host.substr(0, colon);
  return host;
}

}  // namespace egret::capture
