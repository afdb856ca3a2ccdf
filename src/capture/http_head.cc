#include "capture/http_head.h"

#include <charconv>

namespace egret::capture::http_internal {

Line line_at(std::string_view bytes, size_t at) {
  const size_t end = bytes.find('\n', at);
  if (end == std::string_view::npos) return {bytes.substr(at), bytes.size(), false};
  std::string_view text = bytes.substr(at, end - at);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return {text, end + 1, true};
}

bool same_name(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const char c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] + 32) : a[i];
    if (c != lower[i]) return false;
  }
  return true;
}

std::string_view trim_blanks(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

bool frame(HttpFraming& framing, std::string_view name, std::string_view value) {
  // The elements of a list that are one of these words.
  const auto has = [&](std::string_view word) {
    std::string_view rest = value;
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      if (same_name(trim_blanks(rest.substr(0, comma)), word)) return true;
      if (comma == std::string_view::npos) return false;
      rest.remove_prefix(comma + 1);
    }
    return false;
  };
  if (same_name(name, "content-length")) {
    uint64_t n = 0;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), n);
    // Of differing lengths the first counts, as servers have it; that there are two is the attack of request smuggling.
    if (ec == std::errc{} && end == value.data() + value.size() && !framing.content_length) framing.content_length = n;
    return true;
  }
  if (same_name(name, "transfer-encoding")) {
    framing.chunked |= has("chunked");
    return true;
  }
  if (same_name(name, "connection") || same_name(name, "proxy-connection")) {
    framing.close |= has("close");
    framing.upgrade |= has("upgrade");
    return true;
  }
  return false;
}

}  // namespace egret::capture::http_internal
