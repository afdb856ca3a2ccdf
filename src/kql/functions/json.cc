#include "kql/functions/json.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "base/text.h"

namespace egret::kql::json {
namespace {

constexpr int kMaxDepth = 256;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

size_t skip_space(std::string_view s, size_t at) {
  while (at < s.size() && is_space(s[at])) ++at;
  return at;
}

// Behind the closing quote of the string that begins at `at`.
size_t skip_string(std::string_view s, size_t at) {
  for (++at; at < s.size(); ++at) {
    if (s[at] == '\\') {
      ++at;
    } else if (s[at] == '"') {
      return at + 1;
    }
  }
  return s.size();
}

// The value that begins at `at`, which moves behind it. Only brackets and strings are looked at.
std::string_view take_value(std::string_view s, size_t& at) {
  at = skip_space(s, at);
  const size_t from = at;
  if (at >= s.size()) return {};
  if (s[at] == '"') {
    at = skip_string(s, at);
  } else if (s[at] == '{' || s[at] == '[') {
    int depth = 0;
    while (at < s.size()) {
      const char c = s[at];
      if (c == '"') {
        at = skip_string(s, at);
        continue;
      }
      ++at;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) break;
    }
  } else {
    while (at < s.size() && !is_space(s[at]) && s[at] != ',' && s[at] != ']' && s[at] != '}') ++at;
  }
  return s.substr(from, at - from);
}

bool hex4(std::string_view s, size_t at, uint32_t& out) {
  if (at + 4 > s.size()) return false;
  const auto [end, bad] = std::from_chars(s.data() + at, s.data() + at + 4, out, 16);
  return bad == std::errc() && end == s.data() + at + 4;
}

// Checks and copies without space.
class Normaliser {
 public:
  explicit Normaliser(std::string_view s) : s_(s) {}
  bool document() {
    out_.reserve(s_.size());
    return value(0) && (at_ = skip_space(s_, at_)) == s_.size();
  }
  std::string take() { return std::move(out_); }

 private:
  bool value(int depth) {
    at_ = skip_space(s_, at_);
    if (at_ >= s_.size() || depth > kMaxDepth) return false;
    switch (s_[at_]) {
      case '{': return object(depth);
      case '[': return array(depth);
      case '"': return string();
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      default: return number();
    }
  }
  bool word(std::string_view w) {
    if (s_.substr(at_, w.size()) != w) return false;
    at_ += w.size();
    out_ += w;
    return true;
  }
  bool array(int depth) {
    out_ += '[';
    at_ = skip_space(s_, at_ + 1);
    if (at_ < s_.size() && s_[at_] == ']') return close(']');
    while (true) {
      if (!value(depth + 1)) return false;
      at_ = skip_space(s_, at_);
      if (at_ >= s_.size()) return false;
      if (s_[at_] == ']') return close(']');
      if (s_[at_] != ',') return false;
      out_ += ',';
      ++at_;
    }
  }
  bool object(int depth) {
    out_ += '{';
    at_ = skip_space(s_, at_ + 1);
    if (at_ < s_.size() && s_[at_] == '}') return close('}');
    while (true) {
      at_ = skip_space(s_, at_);
      if (at_ >= s_.size() || s_[at_] != '"' || !string()) return false;
      at_ = skip_space(s_, at_);
      if (at_ >= s_.size() || s_[at_] != ':') return false;
      out_ += ':';
      ++at_;
      if (!value(depth + 1)) return false;
      at_ = skip_space(s_, at_);
      if (at_ >= s_.size()) return false;
      if (s_[at_] == '}') return close('}');
      if (s_[at_] != ',') return false;
      out_ += ',';
      ++at_;
    }
  }
  bool close(char c) {
    out_ += c;
    ++at_;
    return true;
  }
  bool string() {
    const size_t from = at_;
    for (++at_; at_ < s_.size(); ++at_) {
      const auto c = static_cast<unsigned char>(s_[at_]);
      if (c == '"') {
        ++at_;
        out_ += s_.substr(from, at_ - from);
        return true;
      }
      if (c < 0x20) return false;
      if (c != '\\') continue;
      ++at_;
      if (at_ >= s_.size()) return false;
      uint32_t ignored = 0;
      if (s_[at_] == 'u' ? !hex4(s_, at_ + 1, ignored) : std::string_view("\"\\/bfnrt").find(s_[at_]) == std::string_view::npos)
        return false;
    }
    return false;
  }
  bool digits() {
    const size_t from = at_;
    while (at_ < s_.size() && s_[at_] >= '0' && s_[at_] <= '9') ++at_;
    return at_ > from;
  }
  bool number() {
    const size_t from = at_;
    if (s_[at_] == '-') ++at_;
    const size_t first = at_;
    if (!digits() || (s_[first] == '0' && at_ > first + 1)) return false;
    if (at_ < s_.size() && s_[at_] == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (at_ < s_.size() && (s_[at_] == 'e' || s_[at_] == 'E')) {
      ++at_;
      if (at_ < s_.size() && (s_[at_] == '+' || s_[at_] == '-')) ++at_;
      if (!digits()) return false;
    }
    out_ += s_.substr(from, at_ - from);
    return true;
  }

  std::string_view s_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string_view trimmed(std::string_view raw) {
  while (!raw.empty() && is_space(raw.front())) raw.remove_prefix(1);
  while (!raw.empty() && is_space(raw.back())) raw.remove_suffix(1);
  return raw;
}

Kind kind(std::string_view raw) {
  const size_t at = skip_space(raw, 0);
  if (at >= raw.size()) return Kind::kInvalid;
  switch (raw[at]) {
    case '{': return Kind::kObject;
    case '[': return Kind::kArray;
    case '"': return Kind::kString;
    case 't':
    case 'f': return Kind::kBool;
    case 'n': return Kind::kNull;
    default: break;
  }
  if (raw[at] != '-' && (raw[at] < '0' || raw[at] > '9')) return Kind::kInvalid;
  return raw.find_first_of(".eE", at) == std::string_view::npos ? Kind::kInteger : Kind::kReal;
}

Elements::Elements(std::string_view array) : text_(trimmed(array)) {
  if (text_.size() < 2 || text_.front() != '[') text_ = {};
  at_ = 1;
}

bool Elements::next(std::string_view& element) {
  at_ = skip_space(text_, at_);
  if (at_ >= text_.size() || text_[at_] == ']') return false;
  element = take_value(text_, at_);
  if (element.empty()) return false;
  at_ = skip_space(text_, at_);
  if (at_ < text_.size() && text_[at_] == ',') ++at_;
  return true;
}

Members::Members(std::string_view object) : text_(trimmed(object)) {
  if (text_.size() < 2 || text_.front() != '{') text_ = {};
  at_ = 1;
}

bool Members::next(std::string_view& quoted_key, std::string_view& value) {
  at_ = skip_space(text_, at_);
  if (at_ >= text_.size() || text_[at_] != '"') return false;
  const size_t from = at_;
  at_ = skip_string(text_, at_);
  quoted_key = text_.substr(from, at_ - from);
  at_ = skip_space(text_, at_);
  if (at_ >= text_.size() || text_[at_] != ':') return false;
  ++at_;
  value = take_value(text_, at_);
  if (value.empty()) return false;
  at_ = skip_space(text_, at_);
  if (at_ < text_.size() && text_[at_] == ',') ++at_;
  return true;
}

std::vector<std::string_view> elements(std::string_view array) {
  std::vector<std::string_view> all;
  Elements it(array);
  for (std::string_view e; it.next(e);) all.push_back(e);
  return all;
}

bool key_is(std::string_view quoted, std::string_view key) {
  if (quoted.size() < 2) return false;
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  if (inside == key) return key.find('\\') == std::string_view::npos;
  return inside.find('\\') != std::string_view::npos && unquoted(quoted) == key;
}

std::string_view member(std::string_view object, std::string_view key) {
  Members it(object);
  std::string_view found;
  for (std::string_view k, v; it.next(k, v);)
    if (key_is(k, key)) found = v;
  return found;
}

std::string_view element(std::string_view array, int64_t index) {
  if (index < 0) {
    int64_t n = 0;
    Elements count(array);
    for (std::string_view e; count.next(e);) ++n;
    index += n;
    if (index < 0) return {};
  }
  Elements it(array);
  for (std::string_view e; it.next(e); --index)
    if (index == 0) return e;
  return {};
}

void append_unquoted(std::string& out, std::string_view quoted) {
  if (quoted.size() < 2) return;
  const std::string_view s = quoted.substr(1, quoted.size() - (quoted.back() == '"' ? 2 : 1));
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\' || i + 1 >= s.size()) {
      out += s[i];
      continue;
    }
    switch (s[++i]) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'u': {
        uint32_t c = 0;
        if (!hex4(s, i + 1, c)) break;
        i += 4;
        uint32_t low = 0;
        if (c >= 0xd800 && c < 0xdc00 && i + 2 < s.size() && s[i + 1] == '\\' && s[i + 2] == 'u' && hex4(s, i + 3, low) && low >= 0xdc00 &&
            low < 0xe000) {
          c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
          i += 6;
        }
        append_utf8(out, c);
        break;
      }
      default: out += s[i];
    }
  }
}

std::string unquoted(std::string_view quoted) {
  std::string out;
  append_unquoted(out, quoted);
  return out;
}

void append_text(std::string& out, std::string_view raw) {
  switch (kind(raw)) {
    case Kind::kNull:
    case Kind::kInvalid: return;
    case Kind::kString: return append_unquoted(out, trimmed(raw));
    default: out += raw;
  }
}

std::string text(std::string_view raw) {
  std::string out;
  append_text(out, raw);
  return out;
}

std::optional<double> number(std::string_view raw) {
  const Kind k = kind(raw);
  if (k != Kind::kInteger && k != Kind::kReal) return {};
  const std::string_view s = trimmed(raw);
  double v = 0;
  const auto [end, bad] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (bad != std::errc() || end != s.data() + s.size()) return {};
  return v;
}

std::optional<int64_t> integer(std::string_view raw) {
  if (kind(raw) != Kind::kInteger) return {};
  const std::string_view s = trimmed(raw);
  int64_t v = 0;
  const auto [end, bad] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (bad != std::errc() || end != s.data() + s.size()) return {};
  return v;
}

std::optional<std::string> normalised(std::string_view text) {
  if (!is_valid_utf8(text)) return {};
  Normaliser n(text);
  if (!n.document()) return {};
  return n.take();
}

bool equal(std::string_view a, std::string_view b, int depth) {
  a = trimmed(a);
  b = trimmed(b);
  if (a == b) return true;
  if (depth > kMaxDepth) return false;
  const Kind k = kind(a), l = kind(b);
  const bool numbers = (k == Kind::kInteger || k == Kind::kReal) && (l == Kind::kInteger || l == Kind::kReal);
  if (numbers) {
    if (k == Kind::kInteger && l == Kind::kInteger) return integer(a) == integer(b);
    return number(a) == number(b);
  }
  if (k != l) return false;
  if (k == Kind::kString) return unquoted(a) == unquoted(b);
  if (k == Kind::kArray) {
    Elements x(a), y(b);
    while (true) {
      std::string_view e, f;
      const bool more = x.next(e), also = y.next(f);
      if (more != also) return false;
      if (!more) return true;
      if (!equal(e, f, depth + 1)) return false;
    }
  }
  if (k != Kind::kObject) return false;
  size_t n = 0, m = 0;
  Members x(a), y(b);
  for (std::string_view key, value; x.next(key, value); ++n) {
    const std::string_view other = member(b, unquoted(key));
    if (!other.data() || !equal(value, other, depth + 1)) return false;
  }
  for (std::string_view key, value; y.next(key, value);) ++m;
  return n == m;
}

void append_sorted(std::string& out, std::string_view raw, int depth) {
  const Kind k = kind(raw);
  if (depth > 200 || (k != Kind::kObject && k != Kind::kArray)) {
    out += trimmed(raw);
    return;
  }
  if (k == Kind::kArray) {
    out += '[';
    Elements it(raw);
    bool first = true;
    for (std::string_view e; it.next(e); first = false) {
      if (!first) out += ',';
      append_sorted(out, e, depth + 1);
    }
    out += ']';
    return;
  }
  std::vector<std::pair<std::string_view, std::string_view>> members;
  Members it(raw);
  for (std::string_view key, value; it.next(key, value);) members.emplace_back(key, value);
  std::stable_sort(members.begin(), members.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
  out += '{';
  for (size_t i = 0; i < members.size(); ++i) {
    if (i) out += ',';
    out += members[i].first;
    out += ':';
    append_sorted(out, members[i].second, depth + 1);
  }
  out += '}';
}

}  // namespace egret::kql::json
