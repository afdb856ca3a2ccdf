// Sets: arrays whose order and repetitions do not count.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_set>

#include "kql/functions/json.h"
#include "kql/functions/list.h"
#include "kql/functions/tables.h"

namespace egret::kql {
namespace {

using functions::ArrayOut;
using json::is_array;
using json::Kind;

// Equality for sets: as written, numbers by value.
std::string identity(std::string_view raw) {
  const Kind k = json::kind(raw);
  if (k == Kind::kInteger || k == Kind::kReal) return fmt::format("{}", json::number(raw).value_or(0));
  if (k != Kind::kObject && k != Kind::kArray) return std::string(raw);
  std::string out;
  json::append_sorted(out, raw, 0);
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

constexpr Native kNatives[] = {
    native<set_union>("k_set_union", "D*>d"),
    native<set_union>("k_array_distinct", "d>d"),
    native<set_filter<true>>("k_set_intersect", "d*>d"),
    native<set_filter<false>>("k_set_difference", "d*>d"),
    native<set_has_element>("k_set_has_element", "dd>b"),
    native<jaccard_index>("k_jaccard_index", "dd>r"),
};

constexpr ScalarFunction kRows[] = {
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
};

}  // namespace

namespace functions {
const FunctionTable kSets{kRows, kNatives};
}

}  // namespace egret::kql
