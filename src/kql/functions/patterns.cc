// Regular expressions (RE2).
#include <fmt/format.h>
#include <re2/re2.h>

#include <unordered_map>

#include "base/json.h"
#include "kql/functions/json.h"
#include "kql/functions/list.h"
#include "kql/functions/tables.h"
#include "kql/functions/text.h"

namespace egret::kql {
namespace {

using functions::ArrayOut;
using model::Type;

// Compiled once a pattern and thread. A pattern that is none matches nothing; constant ones were refused while compiling.
const RE2& compiled(std::string_view pattern) {
  thread_local std::string last_text;
  thread_local const RE2* last = nullptr;
  if (last && pattern == last_text) return *last;
  thread_local std::unordered_map<std::string, std::unique_ptr<RE2>> cache;
  if (cache.size() > 256) cache.clear();  // patterns that come from a column
  std::unique_ptr<RE2>& re = cache[std::string(pattern)];
  if (!re) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(16 << 20);
    re = std::make_unique<RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  }
  last_text = pattern;
  last = re.get();
  return *last;
}

re2::StringPiece piece(std::string_view s) { return {s.data(), s.size()}; }
std::string_view view(re2::StringPiece s) { return {s.data(), s.size()}; }

void matches(const Args& a, Out& out) { out.boolean(RE2::PartialMatch(piece(a.text(0)), compiled(a.text(1)))); }

void extract(const Args& a, Out& out) {  // (pattern, group, text)
  const RE2& re = compiled(a.text(0));
  const std::string_view s = a.text(2);
  const int64_t group = a.null(1) ? 0 : a.integer(1);
  if (!re.ok() || group < 0 || group > re.NumberOfCapturingGroups()) return out.text({});
  std::vector<re2::StringPiece> groups(static_cast<size_t>(group) + 1);
  if (!re.Match(piece(s), 0, s.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) return out.text({});
  out.text(view(groups.back()));
}

template <typename F>
void each_match(const RE2& re, std::string_view s, int groups, F&& f) {
  if (!re.ok()) return;
  std::vector<re2::StringPiece> found(static_cast<size_t>(groups) + 1);
  size_t at = 0;
  while (at <= s.size() && re.Match(piece(s), at, s.size(), RE2::UNANCHORED, found.data(), groups + 1)) {
    const size_t begin = static_cast<size_t>(found[0].data() - s.data()), end = begin + found[0].size();
    if (!f(found, begin, end)) return;
    at = end > begin ? end : end + (end < s.size() ? functions::code_point_bytes(s[end]) : 1);
  }
}

// (pattern, groups or null, text): one group gives its texts, several give arrays of texts.
void extract_all(const Args& a, Out& out) {
  const RE2& re = compiled(a.text(0));
  const std::string_view s = a.text(2);
  const int all = re.ok() ? re.NumberOfCapturingGroups() : 0;
  std::vector<int> wanted;
  if (a.null(1)) {
    for (int g = 1; g <= all; ++g) wanted.push_back(g);
  } else {
    json::Elements it(a.text(1));
    for (std::string_view e; it.next(e);) {
      if (const auto n = json::integer(e)) {
        wanted.push_back(*n >= 0 && *n <= all ? static_cast<int>(*n) : -1);
      } else {
        const auto named = re.NamedCapturingGroups().find(json::text(e));
        wanted.push_back(named == re.NamedCapturingGroups().end() ? -1 : named->second);
      }
    }
  }
  if (wanted.empty()) wanted.push_back(0);
  ArrayOut list(out.scratch);
  bool any = false;
  each_match(re, s, all, [&](const auto& found, size_t, size_t) {
    any = true;
    if (wanted.size() == 1) {
      list.add(wanted[0] < 0 ? "\"\"" : json_quote(view(found[static_cast<size_t>(wanted[0])])));
      return true;
    }
    std::string row;
    ArrayOut tuple(row);
    for (const int g : wanted) tuple.add(g < 0 ? "\"\"" : json_quote(view(found[static_cast<size_t>(g)])));
    list.add(tuple.done());
    return true;
  });
  if (!any) return out.null();
  out.text(list.done());
}

void replace_regex(const Args& a, Out& out) {  // (text, pattern, rewrite)
  const RE2& re = compiled(a.text(1));
  out.scratch.assign(a.text(0));
  if (re.ok()) RE2::GlobalReplace(&out.scratch, re, piece(a.text(2)));
  out.text(out.scratch);
}

void count_of(const Args& a, Out& out) {
  int64_t n = 0;
  each_match(compiled(a.text(1)), a.text(0), 0, [&](const auto&, size_t, size_t) { return ++n > 0; });
  out.integer(n);
}

void index_of(const Args& a, Out& out) {  // (text, pattern, start, length, occurrence)
  const std::string_view s = a.text(0);
  const auto n = static_cast<int64_t>(s.size());
  int64_t from = a.null(2) ? 0 : a.integer(2);
  if (from < 0) from = std::max<int64_t>(from + n, 0);
  const int64_t length = a.null(3) || a.integer(3) < 0 ? n : a.integer(3);
  int64_t occurrence = a.null(4) ? 1 : a.integer(4);
  int64_t found_at = -1;
  if (from <= n) {
    const std::string_view part = s.substr(static_cast<size_t>(from), static_cast<size_t>(std::min(length, n - from)));
    each_match(compiled(a.text(1)), part, 0, [&](const auto&, size_t begin, size_t) {
      if (--occurrence > 0) return true;
      found_at = from + static_cast<int64_t>(begin);
      return false;
    });
  }
  out.integer(found_at);
}

// (pattern, text): what the pattern matches is cut off.
template <bool Start, bool End>
void trim(const Args& a, Out& out) {
  std::string_view s = a.text(1);
  if constexpr (Start) {
    const RE2& re = compiled("^(?:" + std::string(a.text(0)) + ")");
    re2::StringPiece found;
    if (re.ok() && re.Match(piece(s), 0, s.size(), RE2::ANCHOR_START, &found, 1)) s.remove_prefix(found.size());
  }
  if constexpr (End) {
    const RE2& re = compiled("(?:" + std::string(a.text(0)) + ")$");
    re2::StringPiece found;
    if (re.ok() && re.Match(piece(s), 0, s.size(), RE2::UNANCHORED, &found, 1)) s.remove_suffix(found.size());
  }
  out.text(s);
}

void quote(const Args& a, Out& out) {
  out.scratch.clear();
  for (const char c : a.text(0)) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out.scratch += '\\';
    out.scratch += c;
  }
  out.text(out.scratch);
}

constexpr Native kNatives[] = {
    native<matches>("k_matches_regex", "ss>b"),      native<extract>("k_extract", "sLs>s"),
    native<extract_all>("k_extract_all", "sDs>d"),   native<replace_regex>("k_replace_regex", "sss>s"),
    native<count_of>("k_count_regex", "ss>l"),       native<index_of>("k_indexof_regex", "ssLLL>l"),
    native<trim<true, true>>("k_trim", "ss>s"),      native<trim<true, false>>("k_trim_start", "ss>s"),
    native<trim<false, true>>("k_trim_end", "ss>s"), native<quote>("k_regex_quote", "s>s"),
};

// A constant pattern that is none is the user's mistake, and it is known now.
std::optional<std::string> pattern_error(const Typed& pattern) {
  const std::string* text = pattern.literal ? std::get_if<std::string>(&*pattern.literal) : nullptr;
  if (!text) return {};
  const RE2& re = compiled(*text);
  if (re.ok()) return {};
  return fmt::format("this is no regular expression: {}", re.error());
}

Emitted emit_extract(std::span<const Typed> args, const EmitContext&) {
  if (auto bad = pattern_error(args[0])) return std::unexpected(*bad);
  auto group = coerce(args[1], Type::kLong);
  auto text = coerce(args[2], Type::kString);
  if (!group) return std::unexpected("argument 2 of extract() " + group.error());
  if (!text) return std::unexpected("argument 3 of extract() " + text.error());
  Typed found{.sql = fmt::format("k_extract({}, {}, {})", convert(args[0], Type::kString).sql, group->sql, text->sql),
              .is_constant = text->is_constant};
  if (args.size() < 4) return found;
  const std::string* name = args[3].literal ? std::get_if<std::string>(&*args[3].literal) : nullptr;
  const auto type = name ? model::type_from_name(*name) : std::nullopt;
  if (!type) return std::unexpected(std::string("argument 4 of extract() must be typeof(TYPE)"));
  return convert(found, *type);
}

Emitted emit_extract_all(std::span<const Typed> args, const EmitContext&) {
  if (auto bad = pattern_error(args[0])) return std::unexpected(*bad);
  const bool with_groups = args.size() == 3;
  auto text = coerce(args.back(), Type::kString);
  if (!text) return std::unexpected("the text of extract_all() " + text.error());
  return Typed{.sql = fmt::format("k_extract_all({}, {}, {})", convert(args[0], Type::kString).sql,
                                  with_groups ? convert(args[1], Type::kDynamic).sql : "NULL", text->sql),
               .type = Type::kDynamic,
               .is_constant = text->is_constant};
}

Emitted emit_replace(std::span<const Typed> args, const EmitContext&) {
  if (auto bad = pattern_error(args[1])) return std::unexpected(*bad);
  return Typed{.sql = fmt::format("k_replace_regex({}, {}, {})", convert(args[0], Type::kString).sql, convert(args[1], Type::kString).sql,
                                  convert(args[2], Type::kString).sql),
               .is_constant = args[0].is_constant};
}

Emitted emit_countof(std::span<const Typed> args, const EmitContext&) {
  const std::string* kind = args.size() > 2 && args[2].literal ? std::get_if<std::string>(&*args[2].literal) : nullptr;
  if (args.size() > 2 && (!kind || (*kind != "normal" && *kind != "regex")))
    return std::unexpected(std::string("argument 3 of countof() must be \"normal\" or \"regex\""));
  const bool regex = kind && *kind == "regex";
  if (regex)
    if (auto bad = pattern_error(args[1])) return std::unexpected(*bad);
  return Typed{.sql = fmt::format("{}({}, {})", regex ? "k_count_regex" : "k_count_plain", convert(args[0], Type::kString).sql,
                                  convert(args[1], Type::kString).sql),
               .type = Type::kLong,
               .is_constant = args[0].is_constant};
}

template <int Side>
Emitted emit_trim(std::span<const Typed> args, const EmitContext&) {
  if (auto bad = pattern_error(args[0])) return std::unexpected(*bad);
  constexpr std::string_view kKernels[] = {"k_trim", "k_trim_start", "k_trim_end"};
  return Typed{.sql = fmt::format("{}({}, {})", kKernels[Side], convert(args[0], Type::kString).sql, convert(args[1], Type::kString).sql),
               .is_constant = args[1].is_constant};
}

constexpr ScalarFunction kRows[] = {
    {.name = "extract",
     .syntax = "extract(pattern, group, text [, typeof(type)])",
     .doc = "What the group of a regular expression matches, or ''.",
     .min_args = 3,
     .max_args = 4,
     .emit = emit_extract},
    {.name = "extract_all",
     .syntax = "extract_all(pattern [, groups], text)",
     .doc = "An array of what the groups match, match by match.",
     .min_args = 2,
     .max_args = 3,
     .emit = emit_extract_all},
    {.name = "extractall",
     .syntax = "extractall(pattern [, groups], text)",
     .doc = "The same as extract_all.",
     .min_args = 2,
     .max_args = 3,
     .emit = emit_extract_all,
     .replaced_by = "extract_all"},
    {.name = "replace_regex",
     .syntax = "replace_regex(text, pattern, rewrite)",
     .doc = "Every match replaced; \\1 is the first group.",
     .min_args = 3,
     .max_args = 3,
     .emit = emit_replace},
    {.name = "countof",
     .syntax = "countof(text, part [, kind])",
     .doc = "Occurrences of a text (they may overlap), or of a \"regex\".",
     .min_args = 2,
     .max_args = 3,
     .emit = emit_countof},
    {.name = "indexof_regex",
     .syntax = "indexof_regex(text, pattern [, start [, length [, occurrence]]])",
     .doc = "Where the first match begins, -1 when nowhere.",
     .min_args = 2,
     .max_args = 5,
     .types = "sslll>l",
     .sql = "k_indexof_regex({0}, {1}, {2}, {3}, {4})"},
    {.name = "trim",
     .syntax = "trim(pattern, text)",
     .doc = "What the pattern matches at both ends is cut off.",
     .min_args = 2,
     .max_args = 2,
     .emit = emit_trim<0>},
    {.name = "trim_start",
     .syntax = "trim_start(pattern, text)",
     .doc = "What the pattern matches at the start is cut off.",
     .min_args = 2,
     .max_args = 2,
     .emit = emit_trim<1>},
    {.name = "trim_end",
     .syntax = "trim_end(pattern, text)",
     .doc = "What the pattern matches at the end is cut off.",
     .min_args = 2,
     .max_args = 2,
     .emit = emit_trim<2>},
    {.name = "regex_quote",
     .syntax = "regex_quote(text)",
     .doc = "The text as a pattern that matches just it.",
     .min_args = 1,
     .max_args = 1,
     .types = "s>s",
     .sql = "k_regex_quote({0})"},
};

// replace(pattern, rewrite, text) is the old order of replace_regex.
Emitted emit_old_replace(std::span<const Typed> args, const EmitContext& context) {
  const Typed reordered[] = {args[2], args[0], args[1]};
  return emit_replace(reordered, context);
}
constexpr ScalarFunction kOldRows[] = {
    {.name = "replace",
     .syntax = "replace(pattern, rewrite, text)",
     .doc = "Every match replaced.",
     .min_args = 3,
     .max_args = 3,
     .emit = emit_old_replace,
     .replaced_by = "replace_regex"},
};

}  // namespace

namespace functions {
const FunctionTable kPatterns{kRows, kNatives};
const FunctionTable kOldPatterns{kOldRows, {}};
}  // namespace functions

}  // namespace egret::kql
