// Looking into dynamic values, and arrays.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/json.h"
#include "kql/functions/json.h"
#include "kql/functions/list.h"
#include "kql/functions/tables.h"
#include "kql/functions/values.h"

namespace egret::kql {
namespace {

using functions::ArrayOut;
using json::Kind;
using model::Type;

void put_raw(Out& out, std::string_view raw) {
  if (!raw.data() || json::kind(raw) == Kind::kNull || json::kind(raw) == Kind::kInvalid) return out.null();
  out.text(raw);
}

void get(const Args& a, Out& out) { put_raw(out, json::member(a.text(0), a.text(1))); }

void at(const Args& a, Out& out) { put_raw(out, json::element(a.text(0), a.integer(1))); }

// Follows ".key#3.key"; nothing where a step leads nowhere.
std::string_view follow(std::string_view value, std::string_view path, std::string& key) {
  while (!path.empty() && value.data()) {
    const char step = path.front();
    path.remove_prefix(1);
    const size_t end = path.find_first_of(".#");
    const std::string_view part = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
    if (step == '#') {
      int64_t index = 0;
      const bool minus = part.starts_with('-');
      for (const char c : part.substr(minus)) index = index * 10 + (c - '0');
      value = json::element(value, minus ? -index : index);
    } else if (part.find('~') == std::string_view::npos) {
      value = json::member(value, part);
    } else {
      key.clear();
      for (size_t i = 0; i < part.size(); ++i) {
        if (part[i] != '~' || i + 1 == part.size()) {
          key += part[i];
        } else {
          const char c = part[++i];
          key += c == '1' ? '.' : c == '2' ? '#' : '~';
        }
      }
      value = json::member(value, key);
    }
  }
  return value;
}

void path(const Args& a, Out& out) { put_raw(out, follow(a.text(0), a.text(1), out.scratch)); }
void path_string(const Args& a, Out& out) {
  const std::string_view v = a.null(0) ? std::string_view{} : follow(a.text(0), a.text(1), out.scratch);
  out.scratch.clear();
  json::append_text(out.scratch, v);
  out.text(out.scratch);
}

void equals(const Args& a, Out& out) { out.boolean(json::equal(a.text(0), a.text(1))); }

void type_of(const Args& a, Out& out) {
  if (a.null(0)) return out.text("null");
  const std::string_view raw = a.text(0);
  switch (json::kind(raw)) {
    case Kind::kArray: return out.text("array");
    case Kind::kObject: return out.text("dictionary");
    case Kind::kString: return out.text("string");
    case Kind::kBool: return out.text("bool");
    case Kind::kInteger: return out.text("long");
    case Kind::kReal: return out.text("double");
    default: return out.text("null");
  }
}

// Keys in order, everywhere.
void append_sorted(std::string& out, std::string_view raw, int depth) {
  const Kind k = json::kind(raw);
  if (depth > 200 || (k != Kind::kObject && k != Kind::kArray)) {
    out += json::trimmed(raw);
    return;
  }
  if (k == Kind::kArray) {
    out += '[';
    json::Elements it(raw);
    bool first = true;
    for (std::string_view e; it.next(e); first = false) {
      if (!first) out += ',';
      append_sorted(out, e, depth + 1);
    }
    out += ']';
    return;
  }
  std::vector<std::pair<std::string_view, std::string_view>> members;
  json::Members it(raw);
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
void sorted(const Args& a, Out& out) {
  out.scratch.clear();
  if (!a.null(0)) append_sorted(out.scratch, a.text(0), 0);
  out.text(out.scratch);
}

// ---- arrays ----

bool is_array(std::string_view raw) { return json::kind(raw) == Kind::kArray; }

void pack_array(const Args& a, Out& out) {
  ArrayOut list(out.scratch);
  for (size_t i = 0; i < a.count(); ++i) list.add(a.null(i) ? "null" : a.text(i));
  out.text(list.done());
}

void array_length(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  int64_t n = 0;
  json::Elements it(a.text(0));
  for (std::string_view e; it.next(e);) ++n;
  out.integer(n);
}

void array_concat(const Args& a, Out& out) {
  ArrayOut list(out.scratch);
  for (size_t i = 0; i < a.count(); ++i) {
    if (a.null(i)) continue;
    json::Elements it(a.text(i));
    for (std::string_view e; it.next(e);) list.add(e);
  }
  out.text(list.done());
}

void array_slice(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  const auto all = json::elements(a.text(0));
  const auto n = static_cast<int64_t>(all.size());
  int64_t from = a.integer(1), to = a.integer(2);
  if (from < 0) from = std::max<int64_t>(from + n, 0);
  if (to < 0) to += n;
  ArrayOut list(out.scratch);
  for (int64_t i = from; i <= to && i < n; ++i) list.add(all[static_cast<size_t>(i)]);
  out.text(list.done());
}

void array_split(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  const auto all = json::elements(a.text(0));
  const auto n = static_cast<int64_t>(all.size());
  std::vector<int64_t> cuts;
  const auto cut = [&](std::string_view raw) {
    const auto v = json::integer(raw);
    if (v) cuts.push_back(std::clamp<int64_t>(*v < 0 ? *v + n : *v, 0, n));
  };
  if (is_array(a.text(1))) {
    json::Elements it(a.text(1));
    for (std::string_view e; it.next(e);) cut(e);
  } else {
    cut(a.text(1));
  }
  cuts.push_back(n);
  ArrayOut list(out.scratch);
  int64_t from = 0;
  for (const int64_t to : cuts) {
    std::string part;
    ArrayOut inner(part);
    for (; from < to; ++from) inner.add(all[static_cast<size_t>(from)]);
    list.add(inner.done());
  }
  out.text(list.done());
}

void array_reverse(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  const auto all = json::elements(a.text(0));
  ArrayOut list(out.scratch);
  for (auto it = all.rbegin(); it != all.rend(); ++it) list.add(*it);
  out.text(list.done());
}

void array_rotate(const Args& a, Out& out) {  // to the left
  if (!is_array(a.text(0))) return out.null();
  const auto all = json::elements(a.text(0));
  const auto n = static_cast<int64_t>(all.size());
  ArrayOut list(out.scratch);
  for (int64_t i = 0; i < n; ++i) list.add(all[static_cast<size_t>(((i + a.integer(1) % n) % n + n) % n)]);
  out.text(list.done());
}

void array_shift(const Args& a, Out& out) {  // to the left, filling up
  if (!is_array(a.text(0))) return out.null();
  const auto all = json::elements(a.text(0));
  const auto n = static_cast<int64_t>(all.size());
  std::string_view fill = "null";
  if (!a.null(2)) {
    fill = a.text(2);
  } else if (n > 0 && json::kind(all[0]) == Kind::kString) {
    fill = "\"\"";
  }
  ArrayOut list(out.scratch);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t from = i + std::clamp<int64_t>(a.integer(1), -n, n);
    list.add(from >= 0 && from < n ? all[static_cast<size_t>(from)] : fill);
  }
  out.text(list.done());
}

void array_index_of(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  const auto all = json::elements(a.text(0));
  const auto n = static_cast<int64_t>(all.size());
  int64_t from = a.null(2) ? 0 : a.integer(2);
  if (from < 0) from = std::max<int64_t>(from + n, 0);
  const int64_t length = a.null(3) || a.integer(3) < 0 ? n : a.integer(3);
  int64_t occurrence = a.null(4) ? 1 : a.integer(4);
  for (int64_t i = from; i < n && i - from < length; ++i)
    if (json::equal(all[static_cast<size_t>(i)], a.text(1)) && --occurrence == 0) return out.integer(i);
  out.integer(-1);
}

void array_iff(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  const auto conditions = json::elements(a.text(0));
  const auto part = [&](size_t i) { return a.null(i) ? std::vector<std::string_view>{} : json::elements(a.text(i)); };
  const auto yes = part(1), no = part(2);
  const bool yes_is_array = is_array(a.text(1)), no_is_array = is_array(a.text(2));
  ArrayOut list(out.scratch);
  for (size_t i = 0; i < conditions.size(); ++i) {
    const Kind k = json::kind(conditions[i]);
    const bool number = k == Kind::kInteger || k == Kind::kReal;
    if (k != Kind::kBool && !number) {
      list.add("null");
      continue;
    }
    const bool is = number ? json::number(conditions[i]).value_or(0) != 0 : conditions[i] == "true";
    const size_t which = is ? 1 : 2;
    if (!(is ? yes_is_array : no_is_array)) {
      list.add(a.null(which) ? "null" : a.text(which));
    } else {
      const auto& from = is ? yes : no;
      list.add(i < from.size() ? from[i] : "null");
    }
  }
  out.text(list.done());
}

void array_sum(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  double sum = 0;
  json::Elements it(a.text(0));
  for (std::string_view e; it.next(e);) {
    const auto v = json::number(e);
    if (!v) return out.null();
    sum += *v;
  }
  out.real(sum);
}

void strcat_array(const Args& a, Out& out) {
  out.scratch.clear();
  json::Elements it(a.text(0));
  bool first = true;
  for (std::string_view e; it.next(e); first = false) {
    if (!first) out.scratch += a.text(1);
    json::append_text(out.scratch, e);
  }
  out.text(out.scratch);
}

// Whether x comes before y: numbers before text in either direction.
bool before(std::string_view x, std::string_view y, bool ascending) {
  const auto n = json::number(x), m = json::number(y);
  if (n && m) return ascending ? *n < *m : *n > *m;
  if (n || m) return n.has_value();
  const std::string s = json::text(x), t = json::text(y);
  return ascending ? s < t : s > t;
}

// (ascending, nulls last, first array, further arrays that follow its order …) → array of the arrays
void array_sort(const Args& a, Out& out) {
  if (!is_array(a.text(2))) return out.null();
  const bool ascending = a.boolean(0), nulls_last = a.boolean(1);
  const auto keys = json::elements(a.text(2));
  std::vector<size_t> index(keys.size());
  for (size_t i = 0; i < index.size(); ++i) index[i] = i;
  std::stable_sort(index.begin(), index.end(), [&](size_t i, size_t j) {
    const bool x = json::kind(keys[i]) == Kind::kNull, y = json::kind(keys[j]) == Kind::kNull;
    if (x || y) return x != y && (nulls_last ? y : x);
    return before(keys[i], keys[j], ascending);
  });
  ArrayOut all(out.scratch);
  for (size_t k = 2; k < a.count(); ++k) {
    const auto values = a.null(k) ? std::vector<std::string_view>{} : json::elements(a.text(k));
    if (values.size() != keys.size()) {
      all.add("null");
      continue;
    }
    std::string part;
    ArrayOut list(part);
    for (const size_t i : index) list.add(values[i]);
    all.add(list.done());
  }
  out.text(all.done());
}

// ---- sets ----

// Equality for sets: as written, numbers by value.
std::string identity(std::string_view raw) {
  const Kind k = json::kind(raw);
  if (k == Kind::kInteger || k == Kind::kReal) return fmt::format("{}", json::number(raw).value_or(0));
  if (k != Kind::kObject && k != Kind::kArray) return std::string(raw);
  std::string out;
  append_sorted(out, raw, 0);
  return out;
}

void set_union(const Args& a, Out& out) {
  ArrayOut list(out.scratch);
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < a.count(); ++i) {
    if (a.null(i)) continue;
    json::Elements it(a.text(i));
    for (std::string_view e; it.next(e);)
      if (seen.insert(identity(e)).second) list.add(e);
  }
  out.text(list.done());
}

std::unordered_set<std::string> set_of(std::string_view array) {
  std::unordered_set<std::string> all;
  json::Elements it(array);
  for (std::string_view e; it.next(e);) all.insert(identity(e));
  return all;
}

template <bool Keep>
void set_filter(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  std::vector<std::unordered_set<std::string>> others;
  for (size_t i = 1; i < a.count(); ++i) others.push_back(set_of(a.text(i)));
  ArrayOut list(out.scratch);
  std::unordered_set<std::string> seen;
  json::Elements it(a.text(0));
  for (std::string_view e; it.next(e);) {
    std::string id = identity(e);
    const auto has = [&](const auto& s) { return s.contains(id); };
    const bool wanted = Keep ? std::all_of(others.begin(), others.end(), has) : std::none_of(others.begin(), others.end(), has);
    if (wanted && seen.insert(std::move(id)).second) list.add(e);
  }
  out.text(list.done());
}

void set_has_element(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  json::Elements it(a.text(0));
  for (std::string_view e; it.next(e);)
    if (json::equal(e, a.text(1))) return out.boolean(true);
  out.boolean(false);
}

void jaccard_index(const Args& a, Out& out) {
  const auto x = set_of(a.text(0)), y = set_of(a.text(1));
  size_t both = 0;
  for (const std::string& e : x) both += y.contains(e);
  const size_t all = x.size() + y.size() - both;
  out.real(all ? static_cast<double>(both) / static_cast<double>(all) : NAN);
}

void zip(const Args& a, Out& out) {
  std::vector<std::vector<std::string_view>> parts;
  size_t longest = 0;
  for (size_t i = 0; i < a.count(); ++i) {
    parts.push_back(a.null(i) ? std::vector<std::string_view>{} : json::elements(a.text(i)));
    longest = std::max(longest, parts.back().size());
  }
  ArrayOut list(out.scratch);
  for (size_t i = 0; i < longest; ++i) {
    std::string row;
    ArrayOut tuple(row);
    for (const auto& p : parts) tuple.add(i < p.size() ? p[i] : "null");
    list.add(tuple.done());
  }
  out.text(list.done());
}

constexpr int64_t kMaxRange = 1'048'576;

void range_long(const Args& a, Out& out) {
  const int64_t from = a.integer(0), to = a.integer(1), step = a.integer(2);
  ArrayOut list(out.scratch);
  int64_t n = 0;
  if (step != 0)
    for (int64_t v = from; (step > 0 ? v <= to : v >= to) && n < kMaxRange; v += step, ++n) list.add(std::to_string(v));
  out.text(list.done());
}
template <bool Datetime>
void range_ticks(const Args& a, Out& out) {
  const int64_t from = a.integer(0), to = a.integer(1), step = a.integer(2);
  ArrayOut list(out.scratch);
  int64_t n = 0;
  if (step != 0)
    for (int64_t v = from; (step > 0 ? v <= to : v >= to) && n < kMaxRange; v += step, ++n)
      list.add('"' + (Datetime ? values::datetime_text(v) : values::timespan_text(v)) + '"');
  out.text(list.done());
}
void range_real(const Args& a, Out& out) {
  const double from = a.real(0), to = a.real(1), step = a.real(2);
  ArrayOut list(out.scratch);
  for (int64_t i = 0; step != 0 && i < kMaxRange; ++i) {
    const double v = from + static_cast<double>(i) * step;
    if (step > 0 ? v > to + step * 1e-9 : v < to + step * 1e-9) break;
    list.add(values::json_real(v));
  }
  out.text(list.done());
}

void repeat(const Args& a, Out& out) {
  if (a.integer(1) < 0) return out.null();
  ArrayOut list(out.scratch);
  for (int64_t i = 0; i < std::min(a.integer(1), kMaxRange); ++i) list.add(a.null(0) ? "null" : a.text(0));
  out.text(list.done());
}

constexpr Native kNatives[] = {
    native<get>("k_dyn_get", "ds>d"),
    native<at>("k_dyn_at", "dl>d"),
    native<path>("k_dyn_path", "ds>d"),
    native<path_string>("k_dyn_path_string", "Ds>s"),
    native<equals>("k_dyn_equals", "dd>b"),
    native<type_of>("k_dyn_type", "D>s"),
    native<sorted>("k_dyn_sorted", "D>s"),
    native<pack_array>("k_pack_array", "D*>d"),
    native<array_length>("k_array_length", "d>l"),
    native<array_concat>("k_array_concat", "D*>d"),
    native<array_slice>("k_array_slice", "dll>d"),
    native<array_split>("k_array_split", "dd>d"),
    native<array_reverse>("k_array_reverse", "d>d"),
    native<array_rotate>("k_array_rotate", "dl>d"),
    native<array_shift>("k_array_shift", "dlD>d"),
    native<array_index_of>("k_array_index_of", "ddLLL>l"),
    native<array_iff>("k_array_iff", "dDD>d"),
    native<array_sum>("k_array_sum", "d>r"),
    native<strcat_array>("k_strcat_array", "Ds>s"),
    native<array_sort>("k_array_sort", "bbD*>d"),
    native<set_union>("k_set_union", "D*>d"),
    native<set_union>("k_array_distinct", "d>d"),
    native<set_filter<true>>("k_set_intersect", "d*>d"),
    native<set_filter<false>>("k_set_difference", "d*>d"),
    native<set_has_element>("k_set_has_element", "dd>b"),
    native<jaccard_index>("k_jaccard_index", "dd>r"),
    native<zip>("k_zip", "D*>d"),
    native<range_long>("k_range_long", "lll>d"),
    native<range_ticks<true>>("k_range_datetime", "lll>d"),
    native<range_ticks<false>>("k_range_timespan", "lll>d"),
    native<range_real>("k_range_real", "rrr>d"),
    native<repeat>("k_repeat", "Dl>d"),
};

// array_sort_asc(a [, b …] [, nulls_last]): of one array the sorted array, of several an array with each of them.
template <bool Ascending>
Emitted emit_sort(std::span<const Typed> args, const EmitContext&) {
  std::string nulls_last = "true", list;
  bool constant = true;
  size_t arrays = args.size();
  if (args.size() > 1 && args.back().type == Type::kBool) {
    nulls_last = args.back().sql;
    --arrays;
  }
  for (size_t i = 0; i < arrays; ++i) {
    auto array = coerce(args[i], Type::kDynamic);
    list += ", " + array->sql;
    constant &= args[i].is_constant;
  }
  std::string sql = fmt::format("k_array_sort({}, {}{})", Ascending, nulls_last, list);
  if (arrays == 1) sql = "k_dyn_at(" + sql + ", 0)";
  return Typed{.sql = std::move(sql), .type = Type::kDynamic, .is_constant = constant};
}

Emitted emit_range(std::span<const Typed> args, const EmitContext&) {
  const Type from = args[0].type, to = args[1].type;
  const bool constant = args[0].is_constant && args[1].is_constant && (args.size() < 3 || args[2].is_constant);
  const auto make = [&](std::string_view f, Type type, Type step, std::string_view step_default) -> Emitted {
    auto a = coerce(args[0], type), b = coerce(args[1], type);
    if (!a) return a;
    if (!b) return b;
    std::string by(step_default);
    if (args.size() > 2) {
      auto c = coerce(args[2], step);
      if (!c) return c;
      by = c->sql;
    }
    return Typed{.sql = fmt::format("{}({}, {}, {})", f, a->sql, b->sql, by), .type = Type::kDynamic, .is_constant = constant};
  };
  if (from == Type::kDatetime) return make("k_range_datetime", Type::kDatetime, Type::kTimespan, "36000000000");
  if (from == Type::kTimespan) return make("k_range_timespan", Type::kTimespan, Type::kTimespan, "36000000000");
  const bool real = from == Type::kReal || to == Type::kReal || (args.size() > 2 && args[2].type == Type::kReal);
  return real ? make("k_range_real", Type::kReal, Type::kReal, "1.0") : make("k_range_long", Type::kLong, Type::kLong, "1");
}

constexpr ScalarFunction kRows[] = {
    {.name = "pack_array",
     .syntax = "pack_array(value, …)",
     .doc = "An array of the values.",
     .min_args = 0,
     .max_args = kAnyNumber,
     .types = "d*>d",
     .sql = "k_pack_array({*})"},
    {.name = "array_length",
     .syntax = "array_length(array)",
     .doc = "Number of elements, null when it is no array.",
     .min_args = 1,
     .max_args = 1,
     .types = "d>l",
     .sql = "k_array_length({0})"},
    {.name = "arraylength",
     .syntax = "arraylength(array)",
     .doc = "Number of elements.",
     .min_args = 1,
     .max_args = 1,
     .types = "d>l",
     .sql = "k_array_length({0})",
     .replaced_by = "array_length"},
    {.name = "array_concat",
     .syntax = "array_concat(array, …)",
     .doc = "One array of all elements.",
     .min_args = 1,
     .max_args = kAnyNumber,
     .types = "d*>d",
     .sql = "k_array_concat({*})"},
    {.name = "array_slice",
     .syntax = "array_slice(array, start, end)",
     .doc = "Elements start to end, both included; negative from the end.",
     .min_args = 3,
     .max_args = 3,
     .types = "dll>d",
     .sql = "k_array_slice({0}, {1}, {2})"},
    {.name = "array_split",
     .syntax = "array_split(array, index or indices)",
     .doc = "Arrays between the given indices.",
     .min_args = 2,
     .max_args = 2,
     .types = "dd>d",
     .sql = "k_array_split({0}, {1})"},
    {.name = "array_reverse",
     .syntax = "array_reverse(array)",
     .doc = "The elements in reverse order.",
     .min_args = 1,
     .max_args = 1,
     .types = "d>d",
     .sql = "k_array_reverse({0})"},
    {.name = "array_rotate_left",
     .syntax = "array_rotate_left(array, count)",
     .doc = "Rotates the elements to the left.",
     .min_args = 2,
     .max_args = 2,
     .types = "dl>d",
     .sql = "k_array_rotate({0}, {1})"},
    {.name = "array_rotate_right",
     .syntax = "array_rotate_right(array, count)",
     .doc = "Rotates the elements to the right.",
     .min_args = 2,
     .max_args = 2,
     .types = "dl>d",
     .sql = "k_array_rotate({0}, -({1}))"},
    {.name = "array_shift_left",
     .syntax = "array_shift_left(array, count [, fill])",
     .doc = "Shifts the elements to the left.",
     .min_args = 2,
     .max_args = 3,
     .types = "dld>d",
     .sql = "k_array_shift({0}, {1}, {2})"},
    {.name = "array_shift_right",
     .syntax = "array_shift_right(array, count [, fill])",
     .doc = "Shifts the elements to the right.",
     .min_args = 2,
     .max_args = 3,
     .types = "dld>d",
     .sql = "k_array_shift({0}, -({1}), {2})"},
    {.name = "array_index_of",
     .syntax = "array_index_of(array, value [, start [, length [, occurrence]]])",
     .doc = "Where the value stands, -1 when it does not.",
     .min_args = 2,
     .max_args = 5,
     .types = "ddlll>l",
     .sql = "k_array_index_of({0}, {1}, {2}, {3}, {4})"},
    {.name = "array_iff",
     .syntax = "array_iff(conditions, if_true, if_false)",
     .doc = "Element by element: the one or the other.",
     .min_args = 3,
     .max_args = 3,
     .types = "ddd>d",
     .sql = "k_array_iff({0}, {1}, {2})"},
    {.name = "array_iif",
     .syntax = "array_iif(conditions, if_true, if_false)",
     .doc = "Element by element: the one or the other.",
     .min_args = 3,
     .max_args = 3,
     .types = "ddd>d",
     .sql = "k_array_iff({0}, {1}, {2})"},
    {.name = "array_sum",
     .syntax = "array_sum(array)",
     .doc = "Sum of the numbers; null when an element is none.",
     .min_args = 1,
     .max_args = 1,
     .types = "d>r",
     .sql = "k_array_sum({0})"},
    {.name = "array_strcat",
     .syntax = "array_strcat(array, delimiter)",
     .doc = "The same as strcat_array.",
     .min_args = 2,
     .max_args = 2,
     .types = "ds>s",
     .sql = "k_strcat_array({0}, {1})",
     .replaced_by = "strcat_array"},
    {.name = "strcat_array",
     .syntax = "strcat_array(array, delimiter)",
     .doc = "The elements as text, joined.",
     .min_args = 2,
     .max_args = 2,
     .types = "ds>s",
     .sql = "k_strcat_array({0}, {1})"},
    {.name = "array_sort_asc",
     .syntax = "array_sort_asc(array [, more arrays …] [, nulls_last])",
     .doc = "Sorted upwards; further arrays follow the order of the first.",
     .min_args = 1,
     .max_args = 64,
     .emit = emit_sort<true>},
    {.name = "array_sort_desc",
     .syntax = "array_sort_desc(array [, more arrays …] [, nulls_last])",
     .doc = "Sorted downwards; further arrays follow the order of the first.",
     .min_args = 1,
     .max_args = 64,
     .emit = emit_sort<false>},
    {.name = "set_union",
     .syntax = "set_union(array, …)",
     .doc = "The distinct elements of all.",
     .min_args = 1,
     .max_args = kAnyNumber,
     .types = "d*>d",
     .sql = "k_set_union({*})"},
    {.name = "set_intersect",
     .syntax = "set_intersect(array, …)",
     .doc = "The distinct elements that all have.",
     .min_args = 1,
     .max_args = kAnyNumber,
     .types = "d*>d",
     .sql = "k_set_intersect({*})"},
    {.name = "set_difference",
     .syntax = "set_difference(array, …)",
     .doc = "The distinct elements of the first that no other has.",
     .min_args = 1,
     .max_args = kAnyNumber,
     .types = "d*>d",
     .sql = "k_set_difference({*})"},
    {.name = "set_has_element",
     .syntax = "set_has_element(array, value)",
     .doc = "Whether the array holds the value.",
     .min_args = 2,
     .max_args = 2,
     .types = "dd>b",
     .sql = "k_set_has_element({0}, {1})"},
    {.name = "jaccard_index",
     .syntax = "jaccard_index(a, b)",
     .doc = "Size of the intersection over the size of the union.",
     .min_args = 2,
     .max_args = 2,
     .types = "dd>r",
     .sql = "k_jaccard_index({0}, {1})"},
    {.name = "zip",
     .syntax = "zip(array, array, …)",
     .doc = "Arrays of the elements at the same place.",
     .min_args = 2,
     .max_args = 16,
     .types = "d*>d",
     .sql = "k_zip({*})"},
    {.name = "range",
     .syntax = "range(start, stop [, step])",
     .doc = "An array of evenly spaced values.",
     .min_args = 2,
     .max_args = 3,
     .emit = emit_range},
    {.name = "repeat",
     .syntax = "repeat(value, count)",
     .doc = "An array of equal values.",
     .min_args = 2,
     .max_args = 2,
     .types = "dl>d",
     .sql = "k_repeat({0}, {1})"},
};

}  // namespace

std::string path_key(std::string_view key) {
  std::string out = ".";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '.') {
      out += "~1";
    } else if (c == '#') {
      out += "~2";
    } else {
      out += c;
    }
  }
  return out;
}

std::string path_index(int64_t index) { return "#" + std::to_string(index); }

namespace functions {
const FunctionTable kDynamic{kRows, kNatives};
}

}  // namespace egret::kql
