#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace egret {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Optimal string alignment distance: insert, delete, replace, swap neighbours.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t cost = lower(a[i - 1]) != lower(b[j - 1]);
      row[j] = std::min({row[j - 1] + 1, last[j] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

// Length of the valid UTF-8 sequence at s[i], or 0.
size_t utf8_length(std::string_view s, size_t i) {
  const auto byte = [&](size_t k) { return i + k < s.size() ? static_cast<unsigned char>(s[i + k]) : 0u; };
  const unsigned c = byte(0);
  const auto continues = [&](size_t k) { return (byte(k) & 0xc0) == 0x80; };
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c < 0xe0 && continues(1)) return 2;
  if (c >= 0xe0 && c < 0xf0 && continues(1) && continues(2) && !(c == 0xe0 && byte(1) < 0xa0) && !(c == 0xed && byte(1) > 0x9f)) return 3;
  if (c >= 0xf0 && c < 0xf5 && continues(1) && continues(2) && continues(3) && !(c == 0xf0 && byte(1) < 0x90) &&
      !(c == 0xf4 && byte(1) > 0x8f))
    return 4;
  return 0;
}

}  // namespace

std::string near_name(std::string_view typed, std::span<const std::string_view> names) {
  size_t best = std::max<size_t>(1, typed.size() / 3) + 1;
  std::string_view found;
  for (const std::string_view name : names) {
    if (name.size() > typed.size() + best || typed.size() > name.size() + best) continue;
    if (const size_t d = distance(typed, name); d < best) {
      best = d;
      found = name;
    }
  }
  return std::string(found);
}

std::string near_name(std::string_view typed, const std::vector<std::string>& names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  return near_name(typed, std::span<const std::string_view>(views));
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const size_t from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSpace) - from + 1);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  for (size_t from = 0;;) {
    const size_t to = text.find(separator, from);
    out.emplace_back(text.substr(from, to - from));
    if (to == std::string_view::npos) return out;
    from = to + 1;
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string with_thousands(uint64_t n) {
  std::string s = std::to_string(n);
  for (size_t at = s.size(); at > 3;) s.insert(at -= 3, ",");
  return s;
}

std::string count_of(uint64_t n, std::string_view singular, std::string_view plural) {
  if (n == 1) return fmt::format("1 {}", singular);
  return plural.empty() ? fmt::format("{} {}s", with_thousands(n), singular) : fmt::format("{} {}", with_thousands(n), plural);
}

std::string format_bytes(uint64_t n) {
  if (n < 1000) return fmt::format("{} B", n);
  double v = static_cast<double>(n);
  const char* unit = "";
  for (const char* u : {"kB", "MB", "GB", "TB", "PB"}) {
    v /= 1000;
    unit = u;
    if (v < 999.95) break;
  }
  return fmt::format("{:.1f} {}", v, unit);
}

std::string terminal_safe(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t n = utf8_length(text, i);
    const unsigned char c = static_cast<unsigned char>(text[i]);
    // C0, DEL and the C1 range (U+0080–U+009F, two bytes) could steer a terminal.
    const bool control =
        n == 0 || (n == 1 && (c < 0x20 || c == 0x7f)) || (n == 2 && c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0);
    if (control) {
      out += fmt::format("\\x{:02x}", c);
      i += 1;
    } else {
      out.append(text.substr(i, n));
      i += n;
    }
  }
  return out;
}

std::string html_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

bool is_valid_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t n = utf8_length(text, i);
    if (n == 0) return false;
    i += n;
  }
  return true;
}

}  // namespace egret
