#include "detect/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace egret::detect {
namespace {

constexpr size_t kWidest = 140;

std::string_view line_of(std::string_view text, int number) {
  for (int n = 1; n < number; ++n) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

bool has_errors(const std::vector<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& d) { return !d.warning; });
}

std::string format_diagnostics(std::string_view text, std::string_view name, std::vector<Diagnostic> diagnostics, bool colours) {
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return std::pair(a.line, a.column) < std::pair(b.line, b.column); });
  const std::string_view bold = colours ? "\x1b[1m" : "", red = colours ? "\x1b[1;31m" : "", yellow = colours ? "\x1b[1;33m" : "",
                         off = colours ? "\x1b[0m" : "";
  std::string out;
  for (const Diagnostic& d : diagnostics) {
    out += fmt::format("{}{}:{}:{}:{} {}{}:{} {}\n", bold, name, d.line, d.column, off, d.warning ? yellow : red,
                       d.warning ? "warning" : "error", off, terminal_safe(d.message));
    std::string_view line = line_of(text, d.line);
    size_t at = std::min(static_cast<size_t>(std::max(d.column, 1) - 1), line.size());
    if (!line.empty()) {
      // Of a very long line, the part around the place.
      size_t from = at > kWidest * 2 / 3 ? at - kWidest / 3 : 0;
      while (from > 0 && (static_cast<unsigned char>(line[from]) & 0xC0) == 0x80) --from;
      line = line.substr(from, kWidest);
      at -= from;
      std::string before;
      for (const char c : line.substr(0, at))
        if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) before += c == '\t' ? '\t' : ' ';
      const size_t length = std::clamp<size_t>(static_cast<size_t>(std::max(d.length, 1)), 1, std::max<size_t>(1, line.size() - at));
      std::string shown;
      for (const char c : line) shown += c == '\t' ? ' ' : c;
      std::replace(before.begin(), before.end(), '\t', ' ');
      out +=
          fmt::format("{:5} | {}\n      | {}{}{}{}\n", d.line, terminal_safe(shown), before, red, "^" + std::string(length - 1, '~'), off);
    }
    if (!d.hint.empty()) out += fmt::format("      = {}\n", terminal_safe(d.hint));
  }
  return out;
}

}  // namespace egret::detect
