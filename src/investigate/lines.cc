#include "investigate/lines.h"

namespace egret::investigate {

int columns_of(std::string_view text) {
  int n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

std::string Lines::tone(Tone t, std::string_view text) const {
  if (!colours_ || t == Tone::kPlain) return std::string(text);
  const char* code = "";
  switch (t) {
    case Tone::kPlain: break;
    case Tone::kBold: code = "1"; break;
    case Tone::kDim: code = "2"; break;
    case Tone::kRed: code = "1;31"; break;
    case Tone::kGreen: code = "1;32"; break;
    case Tone::kYellow: code = "1;33"; break;
    case Tone::kCyan: code = "36"; break;
  }
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

void Lines::blank() {
  if (!out_.empty() && !out_.ends_with("\n\n")) out_ += '\n';
}

void Lines::heading(std::string_view text) {
  blank();
  out_ += tone(Tone::kBold, text) + "\n";
}

void Lines::text(std::string_view first, std::string_view text, int indent, Tone t) {
  std::string line(first);
  int used = columns_of(first);
  while (used < indent) {
    line += ' ';
    ++used;
  }
  std::string words;
  const auto flush = [&] {
    std::string whole = line + tone(t, words);
    while (!whole.empty() && whole.back() == ' ') whole.pop_back();
    out_ += whole + "\n";
    line.assign(static_cast<size_t>(indent), ' ');
    used = indent;
    words.clear();
  };
  size_t at = 0;
  while (at < text.size()) {
    const size_t space = text.find(' ', at);
    const std::string_view word = text.substr(at, space == std::string_view::npos ? space : space - at);
    const int n = columns_of(word);
    if (!words.empty() && used + 1 + n > width_) flush();
    if (!words.empty()) {
      words += ' ';
      ++used;
    }
    words += word;
    used += n;
    if (space == std::string_view::npos) break;
    at = space + 1;
  }
  flush();
}

void Lines::raw(std::string_view line) {
  out_ += line;
  out_ += '\n';
}

}  // namespace egret::investigate
