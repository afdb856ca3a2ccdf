#include "kql/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace egret::kql {
namespace {

size_t code_points(std::string_view s) {
  return static_cast<size_t>(std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

void place_diagnostics(std::string_view text, std::vector<Diagnostic>& diagnostics) {
  std::stable_sort(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& a, const Diagnostic& b) { return a.offset < b.offset; });
  for (Diagnostic& d : diagnostics) {
    d.offset = std::min(d.offset, text.size());
    const std::string_view before = text.substr(0, d.offset);
    const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    d.line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    d.column = 1 + static_cast<int>(code_points(before.substr(line_start)));
  }
}

std::string format_diagnostics(std::string_view text, std::string_view name, const std::vector<Diagnostic>& diagnostics, bool colours) {
  const std::string_view red = colours ? "\x1b[1;31m" : "", yellow = colours ? "\x1b[1;33m" : "", bold = colours ? "\x1b[1m" : "",
                         cyan = colours ? "\x1b[36m" : "", off = colours ? "\x1b[0m" : "";
  std::string out;
  for (const Diagnostic& d : diagnostics) {
    if (!out.empty()) out += '\n';
    const std::string_view colour = d.warning ? yellow : red;
    out += fmt::format("{}{}:{}:{}:{} {}{}:{} {}{}{}\n", bold, name, d.line, d.column, off, colour, d.warning ? "warning" : "error", off,
                       bold, terminal_safe(d.message), off);
    const size_t offset = std::min(d.offset, text.size());
    const size_t start = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
    const size_t end = std::min(text.find('\n', offset), text.size());
    std::string_view line = text.substr(start, end - start);
    size_t caret = code_points(line.substr(0, offset - start));
    size_t width = std::max<size_t>(1, code_points(text.substr(offset, std::min(d.length, end - offset))));
    // A long line (a query on one line) is shown around the place.
    constexpr size_t kWidth = 110;
    std::string shown(line);
    if (code_points(line) > kWidth) {
      const size_t middle = offset - start;
      size_t from = middle > 50 ? middle - 50 : 0;
      while (from > 0 && (static_cast<unsigned char>(line[from]) & 0xc0) == 0x80) --from;
      size_t to = std::min(line.size(), from + kWidth);
      while (to < line.size() && (static_cast<unsigned char>(line[to]) & 0xc0) == 0x80) ++to;
      shown = (from > 0 ? "…" : "") + std::string(line.substr(from, to - from)) + (to < line.size() ? "…" : "");
      caret = code_points(line.substr(from, middle - from)) + (from > 0 ? 1 : 0);
      width = std::min(width, code_points(shown) > caret ? code_points(shown) - caret : 1);
    }
    for (char& c : shown)
      if (c == '\t' || c == '\r') c = ' ';
    const std::string number = std::to_string(d.line);
    const std::string gutter(number.size(), ' ');
    out += fmt::format(" {}{} |{} {}\n", cyan, number, off, terminal_safe(shown));
    out += fmt::format(" {}{} |{} {}{}{}{}\n", cyan, gutter, off, std::string(caret, ' '), colour, std::string(width, '^'), off);
    if (!d.hint.empty()) out += fmt::format(" {}{} ={} {}\n", cyan, gutter, off, terminal_safe(d.hint));
  }
  return out;
}

}  // namespace egret::kql
