// The kernels of the text operators: has, contains, startswith, in~ and their kin. No rows: they have no function form.
#include <algorithm>
#include <memory>
#include <unordered_set>

#include "kql/functions/json.h"
#include "kql/functions/tables.h"
#include "kql/functions/text.h"

namespace egret::kql {
namespace {

using functions::find_text;
using functions::lower;
using functions::same_text;

bool in_term(char c) {
  const auto u = static_cast<unsigned char>(c);
  return u >= 0x80 || (u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z');
}

// Whether `part` stands in `text` so that the wanted ends of it are ends of terms.
template <bool Cs>
bool has_bounded(std::string_view text, std::string_view part, bool from_start, bool to_end) {
  if (part.empty()) return true;
  for (size_t at = 0; (at = find_text<Cs>(text, part, at)) != std::string_view::npos; ++at) {
    const size_t end = at + part.size();
    const bool starts = !from_start || at == 0 || !in_term(text[at - 1]) || !in_term(part.front());
    const bool ends = !to_end || end == text.size() || !in_term(text[end]) || !in_term(part.back());
    if (starts && ends) return true;
  }
  return false;
}

template <bool Cs, bool FromStart, bool ToEnd>
void has(const Args& a, Out& out) {
  out.boolean(has_bounded<Cs>(a.text(0), a.text(1), FromStart, ToEnd));
}

template <bool Cs>
void contains(const Args& a, Out& out) {
  out.boolean(find_text<Cs>(a.text(0), a.text(1), 0) != std::string_view::npos);
}
template <bool Cs>
void starts(const Args& a, Out& out) {
  const std::string_view text = a.text(0), part = a.text(1);
  out.boolean(text.size() >= part.size() && same_text<Cs>(text.substr(0, part.size()), part));
}
template <bool Cs>
void ends(const Args& a, Out& out) {
  const std::string_view text = a.text(0), part = a.text(1);
  out.boolean(text.size() >= part.size() && same_text<Cs>(text.substr(text.size() - part.size()), part));
}
void equals_ci(const Args& a, Out& out) {
  const std::string_view x = a.text(0), y = a.text(1);
  out.boolean(x.size() == y.size() && same_text<false>(x, y));
}

// What a list of terms becomes, kept for the rows that repeat it. Plain terms are looked up, the rest is searched for.
struct TermList {
  std::string json;
  std::unordered_set<std::string> plain;
  std::vector<std::string> other;
  size_t longest = 0;

  explicit TermList(std::string_view list) : json(list) {
    json::Elements it(list);
    for (std::string_view e; it.next(e);) {
      std::string term = json::text(e);
      bool is_plain = !term.empty();
      for (char& c : term) {
        is_plain &= in_term(c);
        c = lower(c);
      }
      if (is_plain) {
        longest = std::max(longest, term.size());
        plain.insert(std::move(term));
      } else {
        other.push_back(std::move(term));
      }
    }
  }
};

const TermList& terms_of(const Args& a, size_t i) {
  thread_local std::unique_ptr<TermList> list;
  thread_local const char* seen = nullptr;
  const std::string_view text = a.text(i);
  // Within a chunk a repeated constant is the same memory; between chunks the bytes decide.
  if (list && text.size() == list->json.size() && ((a.row > 0 && seen == text.data()) || text == list->json)) {
    seen = text.data();
    return *list;
  }
  list = std::make_unique<TermList>(text);
  seen = text.data();
  return *list;
}

void has_any(const Args& a, Out& out) {
  const std::string_view text = a.text(0);
  const TermList& list = terms_of(a, 1);
  if (list.plain.size() <= 4) {
    for (const std::string& t : list.plain)
      if (has_bounded<false>(text, t, true, true)) return out.boolean(true);
  } else {
    for (size_t at = 0; at < text.size();) {
      while (at < text.size() && !in_term(text[at])) ++at;
      const size_t from = at;
      out.scratch.clear();
      for (; at < text.size() && in_term(text[at]); ++at) out.scratch += lower(text[at]);
      if (at > from && at - from <= list.longest && list.plain.contains(out.scratch)) return out.boolean(true);
    }
  }
  for (const std::string& t : list.other)
    if (has_bounded<false>(text, t, true, true)) return out.boolean(true);
  out.boolean(false);
}

void has_all(const Args& a, Out& out) {
  const std::string_view text = a.text(0);
  const TermList& list = terms_of(a, 1);
  for (const std::string& t : list.plain)
    if (!has_bounded<false>(text, t, true, true)) return out.boolean(false);
  for (const std::string& t : list.other)
    if (!has_bounded<false>(text, t, true, true)) return out.boolean(false);
  out.boolean(true);
}

template <bool Cs>
void in_list(const Args& a, Out& out) {
  const std::string_view value = a.text(0);
  const bool is_text = json::kind(value) == json::Kind::kString;
  const std::string text = Cs || !is_text ? std::string() : json::text(value);
  json::Elements it(a.text(1));
  for (std::string_view e; it.next(e);) {
    if (json::equal(value, e)) return out.boolean(true);
    if (!Cs && is_text && json::kind(e) == json::Kind::kString) {
      const std::string other = json::text(e);
      if (other.size() == text.size() && same_text<false>(other, text)) return out.boolean(true);
    }
  }
  out.boolean(false);
}

constexpr Native kNatives[] = {
    native<has<false, true, true>>("k_has", "ss>b"),
    native<has<true, true, true>>("k_has_cs", "ss>b"),
    native<has<false, true, false>>("k_hasprefix", "ss>b"),
    native<has<true, true, false>>("k_hasprefix_cs", "ss>b"),
    native<has<false, false, true>>("k_hassuffix", "ss>b"),
    native<has<true, false, true>>("k_hassuffix_cs", "ss>b"),
    native<contains<false>>("k_contains", "ss>b"),
    native<contains<true>>("k_contains_cs", "ss>b"),
    native<starts<false>>("k_startswith", "ss>b"),
    native<starts<true>>("k_startswith_cs", "ss>b"),
    native<ends<false>>("k_endswith", "ss>b"),
    native<ends<true>>("k_endswith_cs", "ss>b"),
    native<equals_ci>("k_equals_ci", "ss>b"),
    native<has_any>("k_has_any", "ss>b"),
    native<has_all>("k_has_all", "ss>b"),
    native<in_list<true>>("k_in", "dd>b"),
    native<in_list<false>>("k_in_ci", "dd>b"),
};

}  // namespace

namespace functions {
const FunctionTable kTerms{{}, kNatives};
}

}  // namespace egret::kql
