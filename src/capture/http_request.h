#pragma once
// The head of an HTTP/1 request (RFC 9112). Views into the bytes given. Knows nothing of packets: the sensor and the packet reader
// share it.
#include <string_view>

#include "capture/http_head.h"

namespace egret::capture {

struct HttpRequest {
  std::string_view method, target, version;  // "GET", "/a?b" or "http://h/a" as sent, "1.1"; version is '' in HTTP/0.9
  std::string_view host;                     // as sent, with its port
  std::string_view user_agent, referer, content_type, forwarded_for;
  std::string_view metadata;  // "Metadata" or "Metadata-Flavor": what cloud metadata services ask for
  HttpFraming framing;
  size_t head_bytes = 0;  // when kDone: where the body begins
};

HttpParse parse_http_request(std::string_view stream, HttpRequest& out);

// Do these first bytes begin a request? For telling the protocol by its content: a method of RFC 9110 or WebDAV, a blank, a target.
// Says yes as soon as the method and its blank are there.
bool looks_like_http_request(std::string_view stream);

// The host that the request is for, lower case is left to the caller: of an absolute target, else of the Host field; without port and
// brackets.
std::string_view http_host_name(const HttpRequest& request);

}  // namespace egret::capture
