#include "payload/layers.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"

namespace egret::payload {
namespace {

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
unsigned byte_at(std::string_view s, size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; }

// The value of `digits` hexadecimal digits at `at`, or -1.
int32_t hex_value(std::string_view s, size_t at, size_t digits) {
  if (at + digits > s.size()) return -1;
  int32_t v = 0;
  for (size_t i = at; i < at + digits; ++i) {
    const int d = hex_digit(s[i]);
    if (d < 0) return -1;
    v = v << 4 | d;
  }
  return v;
}

// A code point of two to four bytes at `i`, whether or not it needs that many; 0 when there is none.
struct CodePoint {
  uint32_t value = 0;
  size_t length = 0;
  bool overlong = false;
};
CodePoint read_code_point(std::string_view s, size_t i) {
  const unsigned c = byte_at(s, i);
  const size_t length = c >= 0xc0 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf8 ? 4 : 0;
  if (length == 0) return {};
  uint32_t v = c & (0xffU >> (length + 1));
  for (size_t k = 1; k < length; ++k) {
    if ((byte_at(s, i + k) & 0xc0) != 0x80) return {};
    v = v << 6 | (byte_at(s, i + k) & 0x3f);
  }
  return {v, length, v < (length == 2 ? 0x80U : length == 3 ? 0x800U : 0x10000U)};
}

// Code points that compatibility normalisation (Unicode NFKC) takes to one ASCII character, in ranges that count up.
struct Fold {
  uint32_t first, last;
  char to;       // of the first
  uint8_t wrap;  // 0: counts up; n: begins again at `to` after n
};
constexpr Fold kFolds[] = {
    {0x00aa, 0x00aa, 'a', 0},    {0x00b2, 0x00b3, '2', 0},   {0x00b9, 0x00b9, '1', 0}, {0x00ba, 0x00ba, 'o', 0}, {0x017f, 0x017f, 's', 0},
    {0x02b0, 0x02b0, 'h', 0},    {0x02b2, 0x02b2, 'j', 0},   {0x02b3, 0x02b3, 'r', 0}, {0x02b7, 0x02b7, 'w', 0}, {0x02b8, 0x02b8, 'y', 0},
    {0x02e1, 0x02e1, 'l', 0},    {0x02e2, 0x02e2, 's', 0},   {0x02e3, 0x02e3, 'x', 0}, {0x2024, 0x2024, '.', 0}, {0x2044, 0x2044, '/', 0},
    {0x2070, 0x2070, '0', 0},    {0x2071, 0x2071, 'i', 0},   {0x2074, 0x2079, '4', 0}, {0x207f, 0x207f, 'n', 0}, {0x2080, 0x2089, '0', 0},
    {0x2102, 0x2102, 'C', 0},    {0x210a, 0x210a, 'g', 0},   {0x210b, 0x210d, 'H', 1}, {0x210e, 0x210e, 'h', 0}, {0x2110, 0x2111, 'I', 1},
    {0x2112, 0x2112, 'L', 0},    {0x2113, 0x2113, 'l', 0},   {0x2115, 0x2115, 'N', 0}, {0x2119, 0x211a, 'P', 0}, {0x211b, 0x211d, 'R', 1},
    {0x2124, 0x2124, 'Z', 0},    {0x2128, 0x2128, 'Z', 0},   {0x212a, 0x212a, 'K', 0}, {0x212c, 0x212d, 'B', 0}, {0x212f, 0x212f, 'e', 0},
    {0x2130, 0x2131, 'E', 0},    {0x2133, 0x2133, 'M', 0},   {0x2134, 0x2134, 'o', 0}, {0x2139, 0x2139, 'i', 0}, {0x2145, 0x2145, 'D', 0},
    {0x2146, 0x2147, 'd', 0},    {0x2148, 0x2149, 'i', 0},   {0x2460, 0x2468, '1', 0}, {0x24b6, 0x24cf, 'A', 0}, {0x24d0, 0x24e9, 'a', 0},
    {0x24ea, 0x24ea, '0', 0},    {0x3002, 0x3002, '.', 0},   {0xfe52, 0xfe52, '.', 0}, {0xff01, 0xff5e, '!', 0}, {0xff61, 0xff61, '.', 0},
    {0x1d7ce, 0x1d7ff, '0', 10}, {0x1f130, 0x1f149, 'A', 0},
};

// Those that become more than one: ⑩–⑳, ⑴–⒇, ⒈–⒛, ⒜–⒵ and the ligatures.
void append_fold_of_several(std::string& out, uint32_t c) {
  if (c >= 0x2469 && c <= 0x2473) {
    out += std::to_string(c - 0x2469 + 10);
  } else if (c >= 0x2474 && c <= 0x2487) {
    out += '(' + std::to_string(c - 0x2474 + 1) + ')';
  } else if (c >= 0x2488 && c <= 0x249b) {
    out += std::to_string(c - 0x2488 + 1) + '.';
  } else if (c >= 0x249c && c <= 0x24b5) {
    (out += '(') += static_cast<char>('a' + (c - 0x249c));
    out += ')';
  } else if (c == 0xfb00) {
    out += "ff";
  } else if (c == 0xfb01) {
    out += "fi";
  } else if (c == 0xfb02) {
    out += "fl";
  } else if (c == 0xfb05 || c == 0xfb06) {
    out += "st";
  } else if (c >= 0x1d400 && c <= 0x1d6a3) {  // thirteen alphabets of mathematical letters, A–Z a–z each
    const uint32_t n = (c - 0x1d400) % 52;
    out += static_cast<char>(n < 26 ? 'A' + n : 'a' + (n - 26));
  }
}

bool append_fold(std::string& out, uint32_t c) {
  for (const Fold& f : kFolds) {
    if (c < f.first || c > f.last) continue;
    const uint32_t n = c - f.first;
    out += static_cast<char>(static_cast<unsigned char>(f.to) + (f.wrap ? n % f.wrap : n));
    return true;
  }
  const size_t before = out.size();
  append_fold_of_several(out, c);
  return out.size() > before;
}

// Does it read as text that carries a URL, in whatever further encoding?
bool carries_url(std::string_view s) {
  if (s.size() < 7 || !is_valid_utf8(s)) return false;
  for (const char c : s)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) return false;
  const std::string low = to_lower(s);
  return low.find("://") != std::string::npos || low.find("%3a%2f") != std::string::npos || low.find("%253a") != std::string::npos ||
         low.starts_with("ahr0c") || low.starts_with("http:") || low.starts_with("687474703a");
}

// Runs of `member` characters at least `least` long, each replaced by what `undo` makes of it.
template <typename Member, typename Undo>
std::optional<std::string> replace_runs(std::string_view s, size_t least, Member member, Undo undo) {
  std::string out;
  size_t copied = 0;
  for (size_t i = 0; i < s.size();) {
    size_t end = i;
    while (end < s.size() && member(s[end])) ++end;
    if (end - i >= least) {
      if (auto plain = undo(s.substr(i, end - i))) {
        out.append(s.substr(copied, i - copied)).append(*plain);
        copied = end;
        while (copied < s.size() && s[copied] == '=') ++copied;
      }
    }
    i = std::max(end, i + 1);
  }
  if (copied == 0) return {};
  out.append(s.substr(copied));
  return out;
}

constexpr Layer kLayers[] = {
    {"percent-encoding", undo_percent},
    {"overlong UTF-8", undo_overlong},
    {"character references", undo_entities},
    {"backslash escapes", undo_escapes},
    {"look-alike characters", undo_look_alikes},
    {"ignored characters", undo_ignored_controls},
    {"Base64", undo_base64},
    {"hexadecimal text", undo_hexadecimal},
};

}  // namespace

std::span<const Layer> layers() { return kLayers; }

std::optional<std::string> undo_percent(std::string_view s) {
  if (s.find('%') == std::string_view::npos) return {};
  std::string out;
  bool changed = false;
  for (size_t i = 0; i < s.size();) {
    if (s[i] == '%') {
      if (const int32_t v = hex_value(s, i + 1, 2); v >= 0) {
        out += static_cast<char>(v);
        changed = true;
        i += 3;
        continue;
      }
      if (i + 1 < s.size() && (s[i + 1] == 'u' || s[i + 1] == 'U')) {
        if (const int32_t v = hex_value(s, i + 2, 4); v >= 0) {
          append_utf8(out, static_cast<uint32_t>(v));
          changed = true;
          i += 6;
          continue;
        }
      }
    }
    out += s[i++];
  }
  return changed ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> undo_overlong(std::string_view s) {
  std::string out;
  bool changed = false;
  for (size_t i = 0; i < s.size();) {
    const CodePoint p = byte_at(s, i) >= 0xc0 ? read_code_point(s, i) : CodePoint{};
    if (p.overlong) {
      append_utf8(out, p.value);
      changed = true;
      i += p.length;
    } else {
      out += s[i++];
    }
  }
  return changed ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> undo_entities(std::string_view s) {
  if (s.find('&') == std::string_view::npos) return {};
  struct Named {
    std::string_view name;
    char c;
  };
  constexpr Named kNamed[] = {{"amp;", '&'},   {"colon;", ':'},  {"sol;", '/'},    {"period;", '.'}, {"commat;", '@'},
                              {"quot;", '"'},  {"lt;", '<'},     {"gt;", '>'},     {"apos;", '\''},  {"num;", '#'},
                              {"quest;", '?'}, {"equals;", '='}, {"percnt;", '%'}, {"bsol;", '\\'}};
  std::string out;
  bool changed = false;
  for (size_t i = 0; i < s.size();) {
    if (s[i] != '&') {
      out += s[i++];
      continue;
    }
    size_t at = i + 1;
    if (at < s.size() && s[at] == '#') {
      ++at;
      const int base = at < s.size() && (s[at] == 'x' || s[at] == 'X') ? 16 : 10;
      if (base == 16) ++at;
      const size_t first = at;
      uint32_t v = 0;
      for (; at < s.size() && at - first < 8; ++at) {
        const int d = hex_digit(s[at]);
        if (d < 0 || d >= base) break;
        v = v * static_cast<uint32_t>(base) + static_cast<uint32_t>(d);
      }
      if (at > first && v > 0) {
        append_utf8(out, v);
        changed = true;
        i = at + (at < s.size() && s[at] == ';');
        continue;
      }
    } else {
      const auto* named =
          std::find_if(std::begin(kNamed), std::end(kNamed), [&](const Named& n) { return s.substr(at).starts_with(n.name); });
      if (named != std::end(kNamed)) {
        out += named->c;
        changed = true;
        i = at + named->name.size();
        continue;
      }
    }
    out += s[i++];
  }
  return changed ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> undo_escapes(std::string_view s) {
  if (s.find('\\') == std::string_view::npos) return {};
  std::string out;
  bool changed = false;
  for (size_t i = 0; i < s.size();) {
    if (s[i] == '\\' && i + 1 < s.size()) {
      const char kind = s[i + 1];
      const int32_t v = kind == 'u' ? hex_value(s, i + 2, 4) : kind == 'x' ? hex_value(s, i + 2, 2) : -1;
      if (v > 0) {
        append_utf8(out, static_cast<uint32_t>(v));
        changed = true;
        i += kind == 'u' ? 6 : 4;
        continue;
      }
      if (kind == '/') {
        out += '/';
        changed = true;
        i += 2;
        continue;
      }
    }
    out += s[i++];
  }
  return changed ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> undo_look_alikes(std::string_view s) {
  std::string out;
  bool changed = false;
  for (size_t i = 0; i < s.size();) {
    if (const CodePoint p = byte_at(s, i) >= 0xc2 ? read_code_point(s, i) : CodePoint{}; p.length > 0) {
      const size_t before = out.size();
      if (append_fold(out, p.value)) {
        changed = true;
      } else {
        out.resize(before);
        out.append(s.substr(i, p.length));
      }
      i += p.length;
    } else {
      out += s[i++];
    }
  }
  return changed ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> undo_ignored_controls(std::string_view s) {
  // WHATWG URL, 4.4: tabs and line ends are removed; UTS 46 ignores soft hyphens and what has no width. Only between characters
  // that a URL is made of: the lines of a text stay apart.
  const auto ignored = [&](size_t i) -> size_t {
    const unsigned c = byte_at(s, i);
    if (c == '\t' || c == '\n' || c == '\r') return 1;
    if (c == 0xc2 && byte_at(s, i + 1) == 0xad) return 2;
    if (c == 0xe2 && byte_at(s, i + 1) == 0x80 && byte_at(s, i + 2) >= 0x8b && byte_at(s, i + 2) <= 0x8d) return 3;
    if (c == 0xe2 && byte_at(s, i + 1) == 0x81 && byte_at(s, i + 2) == 0xa0) return 3;
    if (c == 0xef && byte_at(s, i + 1) == 0xbb && byte_at(s, i + 2) == 0xbf) return 3;
    return 0;
  };
  const auto of_url = [](unsigned c) { return c > 0x20 && c != '"' && c != '<' && c != '>'; };
  std::string out;
  bool changed = false;
  for (size_t i = 0; i < s.size();) {
    const size_t n = ignored(i);
    if (n > 0 && !out.empty() && of_url(static_cast<unsigned char>(out.back())) && of_url(byte_at(s, i + n))) {
      changed = true;
      i += n;
    } else {
      out += s[i++];
    }
  }
  return changed ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::string> undo_base64(std::string_view s) {
  const auto undo = [](std::string_view run) -> std::optional<std::string> {
    auto plain = decode_base64(run);
    if (plain && carries_url(*plain)) return plain;
    return {};
  };
  // A '/' belongs to the standard alphabet and parts a path as well: both readings are tried, the longer first.
  if (auto whole = replace_runs(s, 16, [](char c) { return is_alnum(c) || c == '+' || c == '/'; }, undo)) return whole;
  return replace_runs(s, 16, [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '_'; }, undo);
}

std::optional<std::string> undo_hexadecimal(std::string_view s) {
  return replace_runs(
      s, 16, [](char c) { return hex_digit(c) >= 0; },
      [](std::string_view run) -> std::optional<std::string> {
        if (run.size() % 2 != 0) return {};
        std::string plain;
        for (size_t i = 0; i < run.size(); i += 2) plain += static_cast<char>(hex_value(run, i, 2));
        if (carries_url(plain)) return plain;
        return {};
      });
}

}  // namespace egret::payload
