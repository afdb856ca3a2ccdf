#pragma once
#include <charconv>
#include <cstdint>
#include <string_view>

namespace egret::ingest {

// All of the text as a whole number, as std::from_chars reads it; counters of logs are short and have no sign, which is quicker told.
inline bool whole_number(std::string_view s, int64_t& out) {
  if (s.empty()) return false;
  const char* const end = s.data() + s.size();
  if (s.size() <= 18) {
    int64_t v = 0;
    const char* p = s.data();
    for (; p < end && *p >= '0' && *p <= '9'; ++p) v = v * 10 + (*p - '0');
    if (p == end) {
      out = v;
      return true;
    }
    if (*s.data() != '-') return false;
  }
  const auto [stop, ec] = std::from_chars(s.data(), end, out);
  return ec == std::errc() && stop == end;
}

}  // namespace egret::ingest
