#pragma once
// Comparing and searching text without regard to ASCII case, and code points of UTF-8.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace egret::kql::functions {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// Of equal length.
template <bool Cs>
bool same_text(std::string_view a, std::string_view b) {
  if constexpr (Cs) return a == b;
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  return true;
}

template <bool Cs>
size_t find_text(std::string_view text, std::string_view part, size_t from) {
  if constexpr (Cs) return text.find(part, from);
  if (part.size() > text.size()) return std::string_view::npos;
  if (part.empty()) return from <= text.size() ? from : std::string_view::npos;
  const char first = lower(part.front()), last = lower(part.back());
  const size_t n = part.size();
  for (size_t at = from; at + n <= text.size(); ++at)
    if (lower(text[at]) == first && lower(text[at + n - 1]) == last && same_text<false>(text.substr(at, n), part)) return at;
  return std::string_view::npos;
}

// Bytes of the code point that begins with this byte.
constexpr size_t code_point_bytes(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u < 0xc0 ? 1 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
}

// Where each code point begins, and the end.
inline std::vector<size_t> code_points(std::string_view text) {
  std::vector<size_t> starts;
  for (size_t at = 0; at < text.size(); at += code_point_bytes(text[at])) starts.push_back(at);
  starts.push_back(text.size());
  return starts;
}

uint32_t decode_code_point(std::string_view bytes);
void append_code_point(std::string& out, uint32_t c);

}  // namespace egret::kql::functions
