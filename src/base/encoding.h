#pragma once
// Encodings of bytes as text that more than one room reads or writes.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace egret {

// 0–15, or -1 where it is no hexadecimal digit.
constexpr int hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// RFC 4648, padded.
void append_base64(std::string& out, std::string_view bytes);
std::string base64(std::string_view bytes);
// Both alphabets, with or without padding; line ends and spaces are skipped. Nothing where a character belongs to neither.
std::optional<std::string> decode_base64(std::string_view text);

// %41 as the byte that it stands for; what is no such escape stays.
std::string percent_decoded(std::string_view text, bool plus_is_space = false);

// The code point in UTF-8; U+FFFD for surrogates and beyond U+10FFFF.
void append_utf8(std::string& out, uint32_t code_point);

}  // namespace egret
