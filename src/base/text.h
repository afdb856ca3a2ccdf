#pragma once
// Small text helpers that more than one room needs.
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egret {

// The nearest of the names to a mistyped one, or empty when none is near (case-insensitive Damerau-Levenshtein distance,
// at most a third of the length).
std::string near_name(std::string_view typed, std::span<const std::string_view> names);
std::string near_name(std::string_view typed, const std::vector<std::string>& names);

std::string to_lower(std::string_view text);           // ASCII
bool iequals(std::string_view a, std::string_view b);  // ASCII, case-insensitive
std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
// "1 row", "2 rows", "1,234 rows"
std::string count_of(uint64_t n, std::string_view singular, std::string_view plural = {});
std::string with_thousands(uint64_t n);
// Bytes as people read them: "512 B", "3.4 MB".
std::string format_bytes(uint64_t n);
// Text from logs, made safe for a terminal: control characters and invalid UTF-8 are shown as \xNN.
std::string terminal_safe(std::string_view text);
std::string html_escape(std::string_view text);
bool is_valid_utf8(std::string_view text);

}  // namespace egret
