#pragma once
// The head of an HTTP/1 response (RFC 9112). Views into the bytes given.
#include <string_view>

#include "capture/http_head.h"

namespace egret::capture {

struct HttpResponse {
  std::string_view version, reason;  // "1.1", "Not Found"
  int status = 0;
  std::string_view content_type, server, location;
  HttpFraming framing;
  size_t head_bytes = 0;  // when kDone: where the body begins
};

HttpParse parse_http_response(std::string_view stream, HttpResponse& out);
bool looks_like_http_response(std::string_view stream);  // "HTTP/1." and a digit, or as much of it as there is room for

// Has the response a body, as far as status and method tell (RFC 9112, 6.3)?
bool http_response_has_body(int status, std::string_view method);

}  // namespace egret::capture
