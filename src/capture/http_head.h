#pragma once
// What requests and responses of HTTP/1 share: where the head ends, and its fields. See http_request.h and http_response.h.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace egret::capture {

enum class HttpParse {
  kNotHttp,   // whatever follows, this is no such head
  kNeedMore,  // the head is not whole yet; `out` has what these bytes say
  kDone,
};

// A longer head is not waited for: kNotHttp when not even the first line is whole by then, else kDone with what there is.
inline constexpr size_t kMostHttpHead = 64 * 1024;

// How long the body is, as the head says (RFC 9112, 6).
struct HttpFraming {
  std::optional<uint64_t> content_length;
  bool chunked = false;
  bool close = false;    // Connection: close
  bool upgrade = false;  // Connection: upgrade
};

namespace http_internal {

struct Line {
  std::string_view text;
  size_t next = 0;     // where the following one begins
  bool whole = false;  // its end was there
};
Line line_at(std::string_view bytes, size_t at);

bool same_name(std::string_view a, std::string_view lower);                       // ASCII, without case; `lower` is lower case
bool frame(HttpFraming& framing, std::string_view name, std::string_view value);  // true when the field was one of framing
std::string_view trim_blanks(std::string_view s);

// Calls field(name, value) for the fields from `at` on; returns where the head ends (behind the empty line), or nothing while it does
// not. Values have no blanks around; a folded line (obs-fold) is left out.
template <typename F>
std::optional<size_t> each_field(std::string_view bytes, size_t at, F field) {
  for (;;) {
    const Line l = line_at(bytes, at);
    if (l.whole && l.text.empty()) return l.next;
    // The last line of what is there may be cut: its value is not known yet.
    if (!l.whole) return {};
    if (const size_t colon = l.text.find(':'); colon != std::string_view::npos && colon > 0 && l.text[0] != ' ' && l.text[0] != '\t')
      field(trim_blanks(l.text.substr(0, colon)), trim_blanks(l.text.substr(colon + 1)));
    at = l.next;
  }
}

}  // namespace http_internal
}  // namespace egret::capture
