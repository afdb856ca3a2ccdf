// Text: cutting, joining, replacing, without patterns.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "kql/functions/json.h"
#include "kql/functions/list.h"
#include "kql/functions/tables.h"
#include "kql/functions/text.h"
#include "kql/functions/values.h"

namespace egret::kql {

namespace functions {

uint32_t decode_code_point(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const auto u = [&](size_t i) { return i < bytes.size() ? static_cast<uint32_t>(static_cast<unsigned char>(bytes[i]) & 0x3f) : 0u; };
  const auto first = static_cast<unsigned char>(bytes[0]);
  switch (code_point_bytes(bytes[0])) {
    case 1: return first;
    case 2: return (first & 0x1fu) << 6 | u(1);
    case 3: return (first & 0x0fu) << 12 | u(1) << 6 | u(2);
    default: return (first & 0x07u) << 18 | u(1) << 12 | u(2) << 6 | u(3);
  }
}

void append_code_point(std::string& out, uint32_t c) {
  if (c >= 0xd800 && c < 0xe000) c = 0xfffd;
  if (c > 0x10ffff) c = 0xfffd;
  const auto put = [&](uint32_t b) { out += static_cast<char>(b); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6), put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
  }
}

}  // namespace functions

namespace {

using functions::ArrayOut;
using model::Type;

bool ascii(std::string_view s) {
  return std::none_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

// (text, start, length or null); counts code points; a negative start counts from the end.
void substring(const Args& a, Out& out) {
  const std::string_view s = a.text(0);
  if (a.null(1)) return out.text({});
  const bool plain = ascii(s);
  const std::vector<size_t> points = plain ? std::vector<size_t>{} : functions::code_points(s);
  const auto n = static_cast<int64_t>(plain ? s.size() : points.size() - 1);
  int64_t from = a.integer(1);
  if (from < 0) from = std::max<int64_t>(from + n, 0);
  from = std::min(from, n);
  const int64_t length = a.null(2) ? n - from : std::clamp<int64_t>(a.integer(2), 0, n - from);
  if (plain) return out.text(s.substr(static_cast<size_t>(from), static_cast<size_t>(length)));
  const size_t begin = points[static_cast<size_t>(from)], end = points[static_cast<size_t>(from + length)];
  out.text(s.substr(begin, end - begin));
}

int64_t code_point_index(std::string_view s, size_t byte) {
  int64_t n = 0;
  for (size_t i = 0; i < byte; i += functions::code_point_bytes(s[i])) ++n;
  return n;
}

// (text, part, start, length, occurrence)
void index_of(const Args& a, Out& out) {
  const std::string_view s = a.text(0), part = a.text(1);
  const std::vector<size_t> points = functions::code_points(s);
  const auto n = static_cast<int64_t>(points.size()) - 1;
  int64_t from = a.null(2) ? 0 : a.integer(2);
  if (from < 0) from = std::max<int64_t>(from + n, 0);
  const int64_t length = a.null(3) || a.integer(3) < 0 ? n : a.integer(3);
  int64_t occurrence = a.null(4) ? 1 : a.integer(4);
  if (from > n || occurrence < 1) return occurrence < 1 ? out.null() : out.integer(-1);
  // The length counts anew behind each occurrence.
  while (from <= n) {
    const size_t begin = points[static_cast<size_t>(from)], end = points[static_cast<size_t>(std::min(n, from + std::min(length, n)))];
    const size_t at = s.substr(0, end).find(part, begin);
    if (at == std::string_view::npos) break;
    from = code_point_index(s, at);
    if (--occurrence == 0) return out.integer(from);
    ++from;
  }
  out.integer(-1);
}

void replace_string(const Args& a, Out& out) {
  const std::string_view s = a.text(0), what = a.text(1), with = a.text(2);
  if (what.empty()) return out.text(s);
  out.scratch.clear();
  size_t from = 0;
  for (size_t at; (at = s.find(what, from)) != std::string_view::npos; from = at + what.size()) {
    out.scratch += s.substr(from, at - from);
    out.scratch += with;
  }
  out.scratch += s.substr(from);
  out.text(out.scratch);
}

void replace_strings(const Args& a, Out& out) {
  std::string s(a.text(0));
  const auto what = json::elements(a.text(1)), with = json::elements(a.text(2));
  for (size_t i = 0; i < what.size(); ++i) {
    const std::string w = json::text(what[i]), by = i < with.size() ? json::text(with[i]) : "";
    if (w.empty()) continue;
    for (size_t at = 0; (at = s.find(w, at)) != std::string::npos; at += by.size()) s.replace(at, w.size(), by);
  }
  out.text(s);
}

// (text, delimiter, index or null)
void split_text(const Args& a, Out& out) {
  const std::string_view s = a.text(0), by = a.text(1);
  ArrayOut list(out.scratch);
  int64_t n = 0;
  size_t from = 0;
  while (true) {
    const size_t at = by.empty() ? std::string_view::npos : s.find(by, from);
    if (a.null(2) || a.integer(2) == n) list.add(json_quote(s.substr(from, at == std::string_view::npos ? at : at - from)));
    ++n;
    if (at == std::string_view::npos) break;
    from = at + by.size();
  }
  out.text(list.done());
}

void reverse(const Args& a, Out& out) {
  const std::string_view s = a.text(0);
  out.scratch.clear();
  const std::vector<size_t> points = functions::code_points(s);
  for (size_t i = points.size() - 1; i > 0; --i) out.scratch += s.substr(points[i - 1], points[i] - points[i - 1]);
  out.text(out.scratch);
}

void strrep(const Args& a, Out& out) {  // (text, count, delimiter)
  out.scratch.clear();
  for (int64_t i = 0; i < std::min<int64_t>(a.integer(1), 1024); ++i) {
    if (i) out.scratch += a.text(2);
    out.scratch += a.text(0);
  }
  out.text(out.scratch);
}

// (search list, replacement list, text); a shorter replacement list repeats its last character.
void translate(const Args& a, Out& out) {
  const std::string_view from = a.text(0), to = a.text(1), s = a.text(2);
  const std::vector<size_t> f = functions::code_points(from), t = functions::code_points(to), p = functions::code_points(s);
  out.scratch.clear();
  for (size_t i = 0; i + 1 < p.size(); ++i) {
    const std::string_view c = s.substr(p[i], p[i + 1] - p[i]);
    size_t k = 0;
    while (k + 1 < f.size() && from.substr(f[k], f[k + 1] - f[k]) != c) ++k;
    if (k + 1 >= f.size()) {
      out.scratch += c;
    } else if (t.size() > 1) {
      const size_t j = std::min(k, t.size() - 2);
      out.scratch += to.substr(t[j], t[j + 1] - t[j]);
    }
  }
  out.text(out.scratch);
}

void strcmp_of(const Args& a, Out& out) {
  const int c = a.text(0).compare(a.text(1));
  out.integer(c < 0 ? -1 : c > 0);
}

void strlen_of(const Args& a, Out& out) {
  const std::string_view s = a.text(0);
  out.integer(std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}
void string_size(const Args& a, Out& out) { out.integer(static_cast<int64_t>(a.text(0).size())); }

void to_utf8(const Args& a, Out& out) {
  const std::string_view s = a.text(0);
  const std::vector<size_t> p = functions::code_points(s);
  ArrayOut list(out.scratch);
  for (size_t i = 0; i + 1 < p.size(); ++i) list.add(std::to_string(functions::decode_code_point(s.substr(p[i], p[i + 1] - p[i]))));
  out.text(list.done());
}

void append_points(std::string& out, std::string_view raw) {
  if (json::kind(raw) == json::Kind::kArray) {
    json::Elements it(raw);
    for (std::string_view e; it.next(e);) append_points(out, e);
  } else if (const auto v = json::integer(raw); v && *v > 0 && *v <= 0x10ffff) {
    functions::append_code_point(out, static_cast<uint32_t>(*v));
  }
}
void make_string(const Args& a, Out& out) {
  out.scratch.clear();
  for (size_t i = 0; i < a.count(); ++i)
    if (!a.null(i)) append_points(out.scratch, a.text(i));
  out.text(out.scratch);
}

// Occurrences of a plain part; they may overlap.
void count_plain(const Args& a, Out& out) {
  const std::string_view s = a.text(0), part = a.text(1);
  int64_t n = 0;
  if (!part.empty())
    for (size_t at = 0; (at = s.find(part, at)) != std::string_view::npos; ++at) ++n;
  out.integer(n);
}

void has_any_index(const Args& a, Out& out) {
  json::Elements it(a.text(1));
  int64_t i = 0;
  const std::string_view s = a.text(0);
  const auto in_term = [](char c) { return static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c)); };
  for (std::string_view e; it.next(e); ++i) {
    const std::string term = json::text(e);
    if (term.empty()) continue;
    for (size_t at = 0; (at = functions::find_text<false>(s, term, at)) != std::string_view::npos; ++at) {
      const size_t end = at + term.size();
      if ((at == 0 || !in_term(s[at - 1]) || !in_term(term.front())) && (end == s.size() || !in_term(s[end]) || !in_term(term.back())))
        return out.integer(i);
    }
  }
  out.integer(-1);
}

void format_bytes_of(const Args& a, Out& out) {  // (bytes, precision, units or '')
  static constexpr std::string_view kUnits[] = {"Bytes", "KB", "MB", "GB", "TB", "PB", "EB"};
  double v = a.real(0);
  size_t unit = 0;
  const std::string_view wanted = a.text(2);
  while (unit + 1 < std::size(kUnits) && (wanted.empty() ? std::abs(v) >= 1024 : !iequals(kUnits[unit], wanted))) v /= 1024, ++unit;
  std::string s = fmt::format("{:.{}f}", v, std::clamp<int64_t>(a.null(1) ? 0 : a.integer(1), 0, 15));
  if (s.find('.') != std::string::npos) {
    while (s.back() == '0') s.pop_back();
    if (s.back() == '.') s.pop_back();
  }
  out.text(s + " " + std::string(kUnits[unit]));
}

constexpr Native kNatives[] = {
    native<substring>("k_substring", "sLL>s"),
    native<index_of>("k_indexof", "ssLLL>l"),
    native<replace_string>("k_replace_string", "sss>s"),
    native<replace_strings>("k_replace_strings", "sDD>s"),
    native<split_text>("k_split", "ssL>d"),
    native<reverse>("k_reverse", "s>s"),
    native<strrep>("k_strrep", "sls>s"),
    native<translate>("k_translate", "sss>s"),
    native<strcmp_of>("k_strcmp", "ss>l"),
    native<strlen_of>("k_strlen", "s>l"),
    native<string_size>("k_string_size", "s>l"),
    native<to_utf8>("k_to_utf8", "s>d"),
    native<make_string>("k_make_string", "D*>s"),
    native<count_plain>("k_count_plain", "ss>l"),
    native<has_any_index>("k_has_any_index", "sD>l"),
    native<format_bytes_of>("k_format_bytes", "rLs>s"),
};

Emitted emit_strcat(std::span<const Typed> args, const EmitContext&) {
  std::string sql;
  bool constant = true;
  for (const Typed& a : args) {
    sql += (sql.empty() ? "" : " || ") + convert(a, Type::kString).sql;
    constant &= a.is_constant;
  }
  return Typed{.sql = "(" + sql + ")", .is_constant = constant};
}

Emitted emit_strcat_delim(std::span<const Typed> args, const EmitContext&) {
  const std::string by = convert(args[0], Type::kString).sql;
  std::string sql;
  for (size_t i = 1; i < args.size(); ++i) sql += (sql.empty() ? "" : " || " + by + " || ") + convert(args[i], Type::kString).sql;
  return Typed{.sql = "(" + sql + ")", .is_constant = false};
}

Emitted emit_strrep(std::span<const Typed> args, const EmitContext&) {
  auto n = coerce(args[1], Type::kLong);
  if (!n) return std::unexpected("argument 2 of strrep() " + n.error());
  return Typed{.sql = fmt::format("k_strrep({}, {}, {})", convert(args[0], Type::kString).sql, n->sql,
                                  args.size() > 2 ? convert(args[2], Type::kString).sql : "''"),
               .is_constant = args[0].is_constant};
}

constexpr ScalarFunction kRows[] = {
    {.name = "strcat",
     .syntax = "strcat(value, …)",
     .doc = "The values as text, one after another.",
     .min_args = 1,
     .max_args = kAnyNumber,
     .emit = emit_strcat},
    {.name = "strcat_delim",
     .syntax = "strcat_delim(delimiter, value, …)",
     .doc = "The values as text with a delimiter between them.",
     .min_args = 2,
     .max_args = kAnyNumber,
     .emit = emit_strcat_delim},
    {.name = "tolower",
     .syntax = "tolower(text)",
     .doc = "In lower case.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "lower({0})"},
    {.name = "toupper",
     .syntax = "toupper(text)",
     .doc = "In upper case.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "upper({0})"},
    {.name = "strlen",
     .syntax = "strlen(text)",
     .doc = "Number of characters.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>l",
     .sql = "k_strlen({0})"},
    {.name = "string_size",
     .syntax = "string_size(text)",
     .doc = "Number of bytes.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>l",
     .sql = "k_string_size({0})"},
    {.name = "substring",
     .syntax = "substring(text, start [, length])",
     .doc = "A part of the text; start counts from 0.",
     .min_args = 2,
     .max_args = 3,
     .types = "sll>s",
     .sql = "k_substring({0}, {1}, {2})"},
    {.name = "indexof",
     .syntax = "indexof(text, part [, start [, length [, occurrence]]])",
     .doc = "Where the part begins, -1 when nowhere.",
     .min_args = 2,
     .max_args = 5,
     .types = "sslll>l",
     .sql = "k_indexof({0}, {1}, {2}, {3}, {4})"},
    {.name = "replace_string",
     .syntax = "replace_string(text, part, by)",
     .doc = "Every occurrence of the part replaced.",
     .min_args = 3,
     .max_args = 3,
     .types = "sss>s",
     .sql = "k_replace_string({0}, {1}, {2})"},
    {.name = "replace_strings",
     .syntax = "replace_strings(text, parts, by)",
     .doc = "Every occurrence of each part replaced.",
     .min_args = 3,
     .max_args = 3,
     .types = "sdd>s",
     .sql = "k_replace_strings({0}, {1}, {2})"},
    {.name = "split",
     .syntax = "split(text, delimiter [, index])",
     .doc = "An array of the parts, or of the one asked for.",
     .min_args = 2,
     .max_args = 3,
     .types = "ssl>d",
     .sql = "k_split({0}, {1}, {2})"},
    {.name = "reverse",
     .syntax = "reverse(text)",
     .doc = "The characters in reverse order.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "k_reverse({0})"},
    {.name = "strrep",
     .syntax = "strrep(value, count [, delimiter])",
     .doc = "The value repeated.",
     .min_args = 2,
     .max_args = 3,
     .emit = emit_strrep},
    {.name = "translate",
     .syntax = "translate(search, replacement, text)",
     .doc = "Replaces single characters by those at the same place.",
     .min_args = 3,
     .max_args = 3,
     .types = "sss>s",
     .sql = "k_translate({0}, {1}, {2})"},
    {.name = "strcmp",
     .syntax = "strcmp(a, b)",
     .doc = "-1, 0 or 1.",
     .min_args = 2,
     .max_args = 2,
     .types = "ss>l",
     .sql = "k_strcmp({0}, {1})"},
    {.name = "to_utf8",
     .syntax = "to_utf8(text)",
     .doc = "The code points as an array.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_to_utf8({0})"},
    {.name = "unicode_codepoints_from_string",
     .syntax = "unicode_codepoints_from_string(text)",
     .doc = "The code points as an array.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>d",
     .sql = "k_to_utf8({0})"},
    {.name = "unicode_codepoints_to_string",
     .syntax = "unicode_codepoints_to_string(code point or array, …)",
     .doc = "The text of these code points.",
     .min_args = 1,
     .max_args = 64,
     .types = "d*>s",
     .sql = "k_make_string({*})"},
    {.name = "make_string",
     .syntax = "make_string(code point or array, …)",
     .doc = "The text of these code points.",
     .min_args = 1,
     .max_args = 64,
     .types = "d*>s",
     .sql = "k_make_string({*})"},
    {.name = "has_any_index",
     .syntax = "has_any_index(text, terms)",
     .doc = "Index of the first term that the text has, or -1.",
     .min_args = 2,
     .max_args = 2,
     .types = "sd>l",
     .sql = "k_has_any_index({0}, {1})"},
    {.name = "format_bytes",
     .syntax = "format_bytes(bytes [, precision [, unit]])",
     .doc = "A size as people read it.",
     .min_args = 1,
     .max_args = 3,
     .types = "rls>s",
     .sql = "k_format_bytes({0}, {1}, {2})"},
};

}  // namespace

namespace functions {
const FunctionTable kStrings{kRows, kNatives};
}

}  // namespace egret::kql
