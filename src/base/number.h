#pragma once
#include <charconv>
#include <string_view>
#include <system_error>

namespace egret {

// All of the text as a number, as std::from_chars reads it. `out` is only to be used where it is true.
template <typename T>
bool read_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace egret
