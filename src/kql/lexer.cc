#include "kql/lexer.h"

#include <charconv>
#include <cmath>

#include "base/encoding.h"
#include "base/time.h"

namespace egret::kql {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_letter(c) || is_digit(c); }

// Operator names with a dash in them; anything else with a dash is a subtraction.
constexpr std::string_view kDashed[] = {
    "mv-expand",         "mv-apply",          "make-series",    "make-graph",           "parse-where",       "parse-kv",
    "project-away",      "project-keep",      "project-rename", "project-reorder",      "project-by-names",  "sample-distinct",
    "top-nested",        "top-hitters",       "graph-match",    "graph-shortest-paths", "graph-to-table",    "graph-mark-components",
    "graph-where-nodes", "graph-where-edges", "assert-schema",  "macro-expand",         "execute-and-cache", "partition-by",
};
constexpr std::string_view kPunctuation[] = {
    "!between", "<|", "=~", "==", "!=", "!~", "<=", ">=", "<>", "=>", "..", "--",
};
// Words that may follow '!' and be followed by '~'.
constexpr std::string_view kNegatable[] = {
    "in",          "has",        "has_cs",        "hasprefix", "hasprefix_cs", "hassuffix", "hassuffix_cs", "contains",
    "contains_cs", "startswith", "startswith_cs", "endswith",  "endswith_cs",  "between",   "like",         "likecs",
};

// Spaces of other widths that come with text from web pages: U+2000–200F, U+2028, U+2029, U+202F, U+205F.
bool is_wide_space(std::string_view s) {
  if (s.size() < 3) return false;
  const auto second = static_cast<unsigned char>(s[1]), third = static_cast<unsigned char>(s[2]);
  return (second == 0x80 && (third <= 0x8f || third == 0xa8 || third == 0xa9 || third == 0xaf)) || (second == 0x81 && third == 0x9f);
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) { tokens_.reserve(text.size() / 4 + 8); }

  std::vector<Token> run() {
    while (skip_space()) next();
    // The end is where the last token ends, not after the line ends that follow.
    const uint32_t last = tokens_.empty() ? 0 : tokens_.back().end();
    tokens_.emplace_back().offset = last;
    match_brackets();
    return std::move(tokens_);
  }

 private:
  char at(size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  bool skip_space() {
    for (; pos_ < text_.size(); ++pos_) {
      const unsigned char c = static_cast<unsigned char>(text_[pos_]);
      if (c == '/' && at(pos_ + 1) == '/') {
        pos_ = text_.find('\n', pos_);
        if (pos_ == std::string_view::npos) pos_ = text_.size();
        if (pos_ == text_.size()) return false;
      } else if (c == '#' && (pos_ == 0 || text_[pos_ - 1] == '\n')) {
        pos_ = text_.find('\n', pos_);  // a directive to some client
        if (pos_ == std::string_view::npos) pos_ = text_.size();
        if (pos_ == text_.size()) return false;
      } else if (c == 0xe2 && is_wide_space(text_.substr(pos_, 3))) {
        pos_ += 2;
      } else if (c == 0xc2 && static_cast<unsigned char>(at(pos_ + 1)) == 0xa0) {
        ++pos_;  // no-break space, from web pages
      } else if (c == 0xef && text_.substr(pos_).starts_with("\xef\xbb\xbf")) {
        pos_ += 2;  // byte order mark
      } else if (c > ' ') {
        return true;
      }
    }
    return false;
  }

  Token& add(TokenKind kind, size_t from, size_t to) {
    Token& t = tokens_.emplace_back();
    t.kind = kind;
    t.offset = static_cast<uint32_t>(from);
    t.length = static_cast<uint32_t>(to - from);
    t.text = text_.substr(from, to - from);
    pos_ = to;
    return t;
  }

  void bad(size_t from, size_t to, std::string why) { add(TokenKind::kBad, from, to).value = std::move(why); }

  void next() {
    const char c = text_[pos_];
    if (c == '"' || c == '\'') return string(pos_, pos_, false);
    if (c == '@' && (at(pos_ + 1) == '"' || at(pos_ + 1) == '\'')) return string(pos_, pos_ + 1, true);
    if (c == 'h' || c == 'H') {
      if (at(pos_ + 1) == '"' || at(pos_ + 1) == '\'') return string(pos_, pos_ + 1, false);
      if (at(pos_ + 1) == '@' && (at(pos_ + 2) == '"' || at(pos_ + 2) == '\'')) return string(pos_, pos_ + 2, true);
    }
    if (text_.substr(pos_).starts_with("```") || text_.substr(pos_).starts_with("~~~")) return multi_line();
    if (is_digit(c)) return number();
    if (is_letter(c)) return word();
    if (c == '$' && is_letter(at(pos_ + 1))) {
      size_t to = pos_ + 1;
      while (is_word(at(to))) ++to;
      add(TokenKind::kName, pos_, to);
      return;
    }
    if (c == '!') {
      size_t to = pos_ + 1;
      while (is_word(at(to))) ++to;
      const std::string_view after = text_.substr(pos_ + 1, to - pos_ - 1);
      for (const std::string_view n : kNegatable) {
        if (n != after) continue;
        if (after == "in" && at(to) == '~') ++to;
        add(TokenKind::kPunctuation, pos_, to);
        return;
      }
    }
    for (const std::string_view p : kPunctuation) {
      if (text_.substr(pos_).starts_with(p) && p != "--") {
        add(TokenKind::kPunctuation, pos_, pos_ + p.size());
        return;
      }
    }
    if (std::string_view("()[]{}|,;:.=<>+-*/%!?~").contains(c)) {
      add(TokenKind::kPunctuation, pos_, pos_ + 1);
      return;
    }
    size_t to = pos_ + 1;
    while (to < text_.size() && (static_cast<unsigned char>(text_[to]) & 0xc0) == 0x80) ++to;
    const std::string_view what = text_.substr(pos_, to - pos_);
    if (what == "\xe2\x80\x9c" || what == "\xe2\x80\x9d" || what == "\xe2\x80\x98" || what == "\xe2\x80\x99") {
      bad(pos_, to, "this is a typographic quotation mark; write \" or '");
    } else {
      bad(pos_, to, "unexpected character");
    }
  }

  void word() {
    const size_t from = pos_;
    size_t to = from;
    while (is_word(at(to))) ++to;
    if (at(to) == '-' && is_letter(at(to + 1))) {
      size_t end = to + 1;
      while (is_word(at(end)) || (at(end) == '-' && is_letter(at(end + 1)))) ++end;
      const std::string_view whole = text_.substr(from, end - from);
      for (const std::string_view d : kDashed) {
        if (d == whole) {
          add(TokenKind::kName, from, end);
          return;
        }
      }
    }
    if (to - from == 2 && text_.substr(from, 2) == "in" && at(to) == '~') ++to;
    add(TokenKind::kName, from, to);
  }

  void number() {
    const size_t from = pos_;
    size_t to = from;
    if (text_[from] == '0' && (at(from + 1) == 'x' || at(from + 1) == 'X')) {
      to = from + 2;
      while (is_word(at(to))) ++to;
      uint64_t v = 0;
      const auto r = std::from_chars(text_.data() + from + 2, text_.data() + to, v, 16);
      if (r.ec != std::errc() || r.ptr != text_.data() + to) return bad(from, to, "not a hexadecimal number of at most 64 bits");
      add(TokenKind::kLong, from, to).number = static_cast<int64_t>(v);
      return;
    }
    while (is_digit(at(to))) ++to;
    bool real = false;
    if (at(to) == '.' && is_digit(at(to + 1))) {
      real = true;
      ++to;
      while (is_digit(at(to))) ++to;
    } else if (at(to) == '.' && at(to + 1) != '.' && !is_letter(at(to + 1))) {
      real = true;
      ++to;
    }
    if ((at(to) == 'e' || at(to) == 'E') && (is_digit(at(to + 1)) || ((at(to + 1) == '-' || at(to + 1) == '+') && is_digit(at(to + 2))))) {
      size_t e = to + 2;
      while (is_digit(at(e))) ++e;
      if (!is_letter(at(e))) {
        real = true;
        to = e;
      }
    }
    size_t unit_end = to;
    while (is_word(at(unit_end))) ++unit_end;
    if (unit_end > to) {
      const std::string_view unit = text_.substr(to, unit_end - to);
      const int64_t ticks = timespan_unit(unit);
      if (ticks == 0) {
        bad(from, unit_end,
            "not a number; a name cannot begin with a digit unless it is written ['" + std::string(text_.substr(from, unit_end - from)) +
                "']");
        return;
      }
      double v = 0;
      std::from_chars(text_.data() + from, text_.data() + to, v);
      const double product = v * static_cast<double>(ticks);
      Token& t = add(TokenKind::kTimespan, from, unit_end);
      int64_t whole = 0;
      if (!real && std::from_chars(text_.data() + from, text_.data() + to, whole).ec == std::errc() && whole < INT64_MAX / ticks) {
        t.number = whole * ticks;
      } else if (product < 9.2e18) {
        t.number = static_cast<int64_t>(std::llround(product));
      } else {
        t.kind = TokenKind::kBad;
        t.value = "this timespan is too long (at most 10,675,199 days)";
      }
      return;
    }
    if (real) {
      Token& t = add(TokenKind::kReal, from, to);
      std::from_chars(text_.data() + from, text_.data() + to, t.real);
      return;
    }
    Token& t = add(TokenKind::kLong, from, to);
    if (std::from_chars(text_.data() + from, text_.data() + to, t.number).ec != std::errc()) {
      t.kind = TokenKind::kBad;
      t.value = "this number does not fit a long (64 bits)";
    }
  }

  void multi_line() {
    const std::string_view fence = text_.substr(pos_, 3);
    const size_t from = pos_;
    const size_t close = text_.find(fence, from + 3);
    if (close == std::string_view::npos) return bad(from, text_.size(), "this string has no end; expected " + std::string(fence));
    Token& t = add(TokenKind::kString, from, close + 3);
    t.value = std::string(text_.substr(from + 3, close - from - 3));
  }

  // from: first byte of the token; quote: index of the opening quote.
  void string(size_t from, size_t quote, bool verbatim) {
    const char q = text_[quote];
    std::string value;
    size_t i = quote + 1;
    for (;; ++i) {
      if (i >= text_.size() || (!verbatim && text_[i] == '\n')) {
        const size_t line_end = std::min(text_.find('\n', from), text_.size());
        const bool escapes = !verbatim && text_.substr(from, line_end - from).contains('\\');
        return bad(from, line_end,
                   std::string("this string has no end: expected ") + q + (verbatim ? " after it" : " before the line ends") +
                       (escapes ? "; a backslash in a string is written \\\\, or the string as @\"…\"" : ""));
      }
      const char c = text_[i];
      if (c == q) {
        if (verbatim && at(i + 1) == q) {
          value += q;
          ++i;
          continue;
        }
        break;
      }
      if (verbatim || c != '\\') {
        value += c;
        continue;
      }
      ++i;
      switch (at(i)) {
        case 'n': value += '\n'; break;
        case 't': value += '\t'; break;
        case 'r': value += '\r'; break;
        case 'b': value += '\b'; break;
        case 'f': value += '\f'; break;
        case 'a': value += '\a'; break;
        case 'v': value += '\v'; break;
        case '0': value += std::string(1, '\0'); break;
        case '\\':
        case '\'':
        case '"':
        case '/': value += at(i); break;
        case 'u':
        case 'U':
        case 'x': {
          const size_t digits = at(i) == 'u' ? 4 : at(i) == 'x' ? 2 : 8;
          uint32_t code = 0;
          const char* begin = text_.data() + i + 1;
          const bool fits = i + digits < text_.size();
          if (!fits || std::from_chars(begin, begin + digits, code, 16).ptr != begin + digits) {
            string_error(from, i, q);
            return;
          }
          i += digits;
          if (code >= 0xd800 && code < 0xdc00 && digits == 4 && at(i + 1) == '\\' && at(i + 2) == 'u' && i + 6 < text_.size()) {
            uint32_t low = 0;
            const char* second = text_.data() + i + 3;
            if (std::from_chars(second, second + 4, low, 16).ptr == second + 4 && low >= 0xdc00 && low < 0xe000) {
              code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
              i += 6;
            }
          }
          append_utf8(value, code);
          break;
        }
        default: string_error(from, i, q); return;
      }
    }
    Token& t = add(TokenKind::kString, from, i + 1);
    t.value = std::move(value);
  }

  // A bad escape: the token ends where the string would, so that the rest is read in step.
  void string_error(size_t from, size_t escape, char q) {
    size_t i = escape + 1;
    while (i < text_.size() && text_[i] != q && text_[i] != '\n') i += text_[i] == '\\' && at(i + 1) != '\n' ? 2 : 1;
    bad(from, std::min(i + 1, text_.size()),
        std::string("the escape \\") + (escape < text_.size() ? std::string(1, text_[escape]) : std::string()) +
            " is none of the language; write \\\\ for a backslash, or the string as @\"…\"");
  }

  void match_brackets() {
    std::vector<uint32_t> open;
    for (uint32_t i = 0; i < tokens_.size(); ++i) {
      const Token& t = tokens_[i];
      if (t.kind != TokenKind::kPunctuation || t.length != 1) continue;
      const char c = t.text[0];
      if (c == '(' || c == '[' || c == '{') {
        open.push_back(i);
      } else if (c == ')' || c == ']' || c == '}') {
        const char opens = c == ')' ? '(' : c == ']' ? '[' : '{';
        if (!open.empty() && tokens_[open.back()].text[0] == opens) {
          tokens_[open.back()].match = i;
          open.pop_back();
        }
      }
    }
  }

  std::string_view text_;
  size_t pos_ = 0;
  std::vector<Token> tokens_;
};

struct Unit {
  std::string_view name;
  int64_t ticks;
};
constexpr Unit kUnits[] = {
    {"d", kTicksPerDay},
    {"day", kTicksPerDay},
    {"days", kTicksPerDay},
    {"h", kTicksPerHour},
    {"hr", kTicksPerHour},
    {"hrs", kTicksPerHour},
    {"hour", kTicksPerHour},
    {"hours", kTicksPerHour},
    {"m", kTicksPerMinute},
    {"min", kTicksPerMinute},
    {"minute", kTicksPerMinute},
    {"minutes", kTicksPerMinute},
    {"s", kTicksPerSecond},
    {"sec", kTicksPerSecond},
    {"second", kTicksPerSecond},
    {"seconds", kTicksPerSecond},
    {"ms", 10'000},
    {"milli", 10'000},
    {"millis", 10'000},
    {"millisec", 10'000},
    {"millisecond", 10'000},
    {"milliseconds", 10'000},
    {"micro", 10},
    {"micros", 10},
    {"microsec", 10},
    {"microsecond", 10},
    {"microseconds", 10},
    {"tick", 1},
    {"ticks", 1},
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) { return Lexer(text).run(); }

int64_t timespan_unit(std::string_view unit) {
  for (const Unit& u : kUnits)
    if (u.name == unit) return u.ticks;
  return 0;
}

}  // namespace egret::kql
