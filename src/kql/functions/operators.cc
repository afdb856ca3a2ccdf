// Kernels that operators need: mv-expand, parse-kv, make_set, pack_all.
#include <string>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "kql/functions/json.h"
#include "kql/functions/tables.h"

namespace egret::kql::functions {
namespace {

// Calls each(key, value) with the texts as they stand; the key is empty in arrays.
template <typename Each>
void top_level(std::string_view json, Each each) {
  std::string_view key, value;
  if (json::kind(json) == json::Kind::kObject) {
    for (json::Members members(json); members.next(key, value);) each(key, value);
  } else {
    for (json::Elements elements(json); elements.next(value);) each(std::string_view(), value);
  }
}

// An array as it is; a bag as an array of bags of one (or of pairs); anything else as an array of one.
void expand(Args& a, Out& out) {
  if (a.null(0)) return out.text("[null]");
  const std::string_view v = a.text(0);
  if (v.starts_with("[")) return out.text(v);
  std::string& s = out.scratch;
  s = "[";
  if (v.starts_with("{")) {
    const bool pairs = !a.null(1) && a.boolean(1);
    top_level(v, [&](std::string_view key, std::string_view value) {
      if (s.size() > 1) s += ',';
      s += pairs ? '[' : '{';
      s += key;
      s += pairs ? ',' : ':';
      s += value;
      s += pairs ? ']' : '}';
    });
  } else {
    s += v;
  }
  s += ']';
  out.text(s);
}

// Distinct elements of an array, in order; arrays among them count as their elements. At most n.
void set_of(Args& a, Out& out) {
  std::vector<std::string_view> seen;
  std::string& s = out.scratch;
  s = "[";
  const int64_t most = a.integer(1);
  std::vector<size_t> buckets(64, SIZE_MAX);
  std::vector<size_t> next;
  const auto add = [&](std::string_view v) {
    if (v == "null" || static_cast<int64_t>(seen.size()) >= most) return;
    const size_t h = std::hash<std::string_view>()(v);
    for (size_t i = buckets[h % buckets.size()]; i != SIZE_MAX; i = next[i])
      if (seen[i] == v) return;
    if (seen.size() >= buckets.size() * 2) {
      buckets.assign(buckets.size() * 4, SIZE_MAX);
      for (size_t i = 0; i < seen.size(); ++i) {
        size_t& b = buckets[std::hash<std::string_view>()(seen[i]) % buckets.size()];
        next[i] = b;
        b = i;
      }
    }
    seen.push_back(v);
    size_t& b = buckets[h % buckets.size()];
    next.push_back(b);
    b = seen.size() - 1;
    if (s.size() > 1) s += ',';
    s += v;
  };
  top_level(a.text(0), [&](std::string_view, std::string_view v) {
    if (v.starts_with("[")) {
      top_level(v, [&](std::string_view, std::string_view inner) { add(inner); });
    } else {
      add(v);
    }
  });
  s += ']';
  out.text(s);
}

void bag_without_empty(Args& a, Out& out) {
  std::string& s = out.scratch;
  s = "{";
  top_level(a.text(0), [&](std::string_view key, std::string_view value) {
    if (value == "null" || value == "\"\"") return;
    if (s.size() > 1) s += ',';
    s += key;
    s += ':';
    s += value;
  });
  s += '}';
  out.text(s);
}

std::string option(std::string_view options, std::string_view name, std::string_view otherwise) {
  std::string found(otherwise);
  top_level(options, [&](std::string_view key, std::string_view value) {
    if (key.size() < 2 || key.substr(1, key.size() - 2) != name) return;
    if (value.size() >= 2 && value[0] == '"') {
      value = value.substr(1, value.size() - 2);
      found.clear();
      for (size_t i = 0; i < value.size(); ++i) {
        if (value[i] != '\\' || i + 1 == value.size()) {
          found += value[i];
        } else {
          const char c = value[++i];
          found += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        }
      }
    } else {
      found = std::string(value);
    }
  });
  return found;
}

// Text of pairs to a bag of strings. Options: pair_delimiter, kv_delimiter, quote (one or two characters), escape, greedy.
void parse_kv(Args& a, Out& out) {
  const std::string_view text = a.text(0);
  const std::string_view options = a.text(1);
  const std::string pair = option(options, "pair_delimiter", " "), kv = option(options, "kv_delimiter", "=");
  const std::string quote = option(options, "quote", ""), escape = option(options, "escape", "");
  const bool greedy = option(options, "greedy", "false") == "true";
  const char opens = quote.empty() ? '\0' : quote[0], closes = quote.size() > 1 ? quote[1] : opens;
  std::string& s = out.scratch;
  s = "{";
  size_t i = 0;
  // One key or value, quoted or up to a delimiter.
  const auto word = [&](std::string_view stop, std::string_view other_stop, bool is_value) {
    std::string w;
    while (i < text.size() && text[i] == ' ' && (stop != " " || is_value)) ++i;
    if (opens && i < text.size() && text[i] == opens) {
      for (++i; i < text.size() && text[i] != closes; ++i) {
        if (!escape.empty() && text[i] == escape[0] && i + 1 < text.size()) ++i;
        w += text[i];
      }
      if (i < text.size()) ++i;
      return w;
    }
    while (i < text.size() && !text.substr(i).starts_with(stop) && (other_stop.empty() || !text.substr(i).starts_with(other_stop)))
      w += text[i++];
    return std::string(trim(w));
  };
  while (i < text.size()) {
    if (!pair.empty() && text.substr(i).starts_with(pair)) {
      i += pair.size();
      continue;
    }
    const size_t before = i;
    const std::string key = word(kv, greedy ? std::string_view() : std::string_view(pair), false);
    if (i < text.size() && text.substr(i).starts_with(kv)) {
      i += kv.size();
      std::string value;
      if (greedy) {
        // Up to the last pair delimiter before the next key.
        const size_t next_kv = text.find(kv, i);
        size_t end = next_kv == std::string_view::npos ? text.size() : text.rfind(pair, next_kv);
        if (end == std::string_view::npos || end < i) end = text.size();
        value = std::string(trim(text.substr(i, end - i)));
        i = end;
      } else {
        value = word(pair, {}, true);
      }
      if (!key.empty()) {
        if (s.size() > 1) s += ',';
        append_json_string(s, key);
        s += ':';
        append_json_string(s, value);
      }
    }
    if (i == before) ++i;
  }
  s += '}';
  out.text(s);
}

constexpr Native kNatives[] = {
    native<expand>("k_expand", "Db>d"),
    native<set_of>("k_set_of", "dl>d"),
    native<bag_without_empty>("k_bag_without_empty", "d>d"),
    native<parse_kv>("k_parse_kv", "ss>d"),
};

}  // namespace

const FunctionTable kOperators = {{}, kNatives};

}  // namespace egret::kql::functions
