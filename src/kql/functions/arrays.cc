// Arrays.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "kql/functions/json.h"
#include "kql/functions/list.h"
#include "kql/functions/tables.h"
#include "kql/functions/values.h"

namespace egret::kql {
namespace {

using functions::ArrayOut;
using json::is_array;
using json::Kind;
using model::Type;

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

namespace functions {
const FunctionTable kArrays{kRows, kNatives};
}

}  // namespace egret::kql
