// Bags: dynamic values with named members.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/json.h"
#include "base/text.h"
#include "kql/functions/json.h"
#include "kql/functions/list.h"
#include "kql/functions/tables.h"

namespace egret::kql {
namespace {

using functions::ArrayOut;
using functions::ObjectOut;
using json::Kind;
using model::Type;

bool is_bag(std::string_view raw) { return json::kind(raw) == Kind::kObject; }

// key, value, key, value …; keys are dynamic strings, so that one kernel takes all.
void pack_bag(const Args& a, Out& out) {
  ObjectOut bag(out.scratch);
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i + 1 < a.count(); i += 2) {
    std::string key = json_quote(a.null(i) ? "" : json::text(a.text(i)));
    const std::string_view value = a.null(i + 1) ? "null" : a.text(i + 1);
    if (seen.insert(key).second) bag.add(key, value);
  }
  out.text(bag.done());
}

void merge_into(ObjectOut& bag, std::unordered_set<std::string>& seen, std::string_view from) {
  json::Members it(from);
  for (std::string_view key, value; it.next(key, value);)
    if (seen.insert(std::string(key)).second) bag.add(key, value);
}

void bag_merge(const Args& a, Out& out) {
  ObjectOut bag(out.scratch);
  std::unordered_set<std::string> seen;
  bool any = false;
  for (size_t i = 0; i < a.count(); ++i) {
    if (a.null(i) || !is_bag(a.text(i))) continue;
    any = true;
    merge_into(bag, seen, a.text(i));
  }
  any ? out.text(bag.done()) : out.null();
}

void bag_merge_all(const Args& a, Out& out) {
  ObjectOut bag(out.scratch);
  std::unordered_set<std::string> seen;
  json::Elements it(a.text(0));
  for (std::string_view e; it.next(e);) merge_into(bag, seen, e);
  out.text(bag.done());
}

void bag_keys(const Args& a, Out& out) {
  if (!is_bag(a.text(0))) return out.null();
  ArrayOut keys(out.scratch);
  json::Members it(a.text(0));
  for (std::string_view key, value; it.next(key, value);) keys.add(key);
  out.text(keys.done());
}

// A plain key, or a path that begins with "$".
std::string_view find(std::string_view bag, std::string_view key) {
  if (!key.starts_with("$.") && !key.starts_with("$[")) return json::member(bag, key);
  key.remove_prefix(1);
  while (!key.empty() && bag.data()) {
    if (key.front() == '.') {
      const size_t end = key.find_first_of(".[", 1);
      bag = json::member(bag, key.substr(1, end == std::string_view::npos ? end : end - 1));
      key = end == std::string_view::npos ? std::string_view{} : key.substr(end);
    } else {
      const size_t end = key.find(']');
      if (end == std::string_view::npos || end < 2) return {};
      const std::string_view inside = key.substr(1, end - 1);
      if (inside.front() == '\'' || inside.front() == '"') {
        bag = inside.size() >= 2 ? json::member(bag, inside.substr(1, inside.size() - 2)) : std::string_view{};
      } else {
        int64_t index = 0;
        for (const char c : inside) {
          if (c < '0' || c > '9') return {};
          index = std::min<int64_t>(index * 10 + (c - '0'), 1 << 30);
        }
        bag = json::element(bag, index);
      }
      key.remove_prefix(end + 1);
    }
  }
  return bag;
}

void bag_has_key(const Args& a, Out& out) {
  if (!is_bag(a.text(0))) return out.null();
  out.boolean(find(a.text(0), a.text(1)).data() != nullptr);
}

// Without the members that the paths (already without "$.") name; a path may lead into an inner bag.
void append_without(std::string& out, std::string_view bag, const std::vector<std::string>& paths) {
  ObjectOut kept(out);
  json::Members it(bag);
  for (std::string_view key, value; it.next(key, value);) {
    const std::string name = json::unquoted(key);
    if (std::find(paths.begin(), paths.end(), name) != paths.end()) continue;
    std::vector<std::string> inner;
    for (const std::string& p : paths)
      if (p.starts_with('\x01') && p.substr(1).starts_with(name + ".")) inner.push_back(p.substr(name.size() + 2));
    if (inner.empty() || !is_bag(value)) {
      kept.add(key, value);
      continue;
    }
    for (std::string& p : inner)
      if (p.find('.') != std::string::npos) p.insert(p.begin(), '\x01');
    std::string part;
    append_without(part, value, inner);
    kept.add(key, part);
  }
  kept.done();
}

void bag_remove_keys(const Args& a, Out& out) {
  if (!is_bag(a.text(0))) return out.null();
  std::vector<std::string> paths;
  json::Elements it(a.text(1));
  for (std::string_view e; it.next(e);) {
    std::string key = json::text(e);
    if (key.starts_with("$.")) {
      key.erase(0, 2);
      if (key.find('.') != std::string::npos) key.insert(key.begin(), '\x01');  // marks a path of several steps
    }
    paths.push_back(std::move(key));
  }
  out.scratch.clear();
  append_without(out.scratch, a.text(0), paths);
  out.text(out.scratch);
}

// Sets the member that the path's steps lead to; what is missing on the way is made.
void append_with(std::string& out, std::string_view bag, std::span<const std::string> steps, std::string_view value) {
  ObjectOut changed(out);
  const auto inner = [&](std::string_view old) {
    if (steps.size() == 1) return std::string(value);
    std::string part;
    append_with(part, is_bag(old) ? old : std::string_view("{}"), steps.subspan(1), value);
    return part;
  };
  bool done = false;
  json::Members it(bag);
  for (std::string_view key, old; it.next(key, old);) {
    const bool same = json::key_is(key, steps[0]);
    changed.add(key, same ? inner(old) : std::string(old));
    done |= same;
  }
  if (!done) changed.add(json_quote(steps[0]), inner("{}"));
  changed.done();
}

void bag_set_key(const Args& a, Out& out) {
  if (!is_bag(a.text(0))) return out.null();
  std::string_view key = a.text(1);
  std::vector<std::string> steps{std::string(key)};
  if (key.starts_with("$.")) steps = split(key.substr(2), '.');
  out.scratch.clear();
  append_with(out.scratch, a.text(0), steps, a.null(2) ? "null" : a.text(2));
  out.text(out.scratch);
}

void bag_zip(const Args& a, Out& out) {
  if (json::kind(a.text(0)) != Kind::kArray) return out.null();
  const auto values = json::elements(a.text(1));
  ObjectOut bag(out.scratch);
  size_t i = 0;
  json::Elements it(a.text(0));
  for (std::string_view e; it.next(e); ++i) {
    if (json::kind(e) != Kind::kString) continue;
    bag.add(e, i < values.size() ? values[i] : "null");
  }
  out.text(bag.done());
}

void append_paths(ArrayOut& out, std::string_view value, const std::string& path, int depth) {
  if (!path.empty()) out.add(json_quote(path));
  if (depth > 64) return;
  if (is_bag(value)) {
    json::Members it(value);
    for (std::string_view key, inner; it.next(key, inner);) {
      const std::string name = "['" + json::unquoted(key) + "']";
      append_paths(out, inner, path + name, depth + 1);
    }
  } else if (json::kind(value) == Kind::kArray) {
    json::Elements it(value);
    int64_t i = 0;
    for (std::string_view e; it.next(e); ++i) append_paths(out, e, fmt::format("{}[{}]", path, i), depth + 1);
  }
}
void treepath(const Args& a, Out& out) {
  ArrayOut paths(out.scratch);
  append_paths(paths, a.text(0), "", 0);
  out.text(paths.done());
}

void json_path(const Args& a, Out& out) {
  const auto found = find(a.text(0), a.text(1));
  if (!found.data()) return out.text({});
  out.scratch.clear();
  json::append_text(out.scratch, found);
  out.text(out.scratch);
}

constexpr Native kNatives[] = {
    native<pack_bag>("k_pack_bag", "D*>d"),          native<bag_merge>("k_bag_merge", "D*>d"),
    native<bag_merge_all>("k_bag_merge_all", "d>d"), native<bag_keys>("k_bag_keys", "d>d"),
    native<bag_has_key>("k_bag_has_key", "ds>b"),    native<bag_remove_keys>("k_bag_remove_keys", "dd>d"),
    native<bag_set_key>("k_bag_set_key", "dsD>d"),   native<bag_zip>("k_bag_zip", "dd>d"),
    native<treepath>("k_treepath", "d>d"),           native<json_path>("k_json_path", "ss>s"),
};

// extract_json(path, text [, type]): the third argument is a typeof() literal.
Emitted emit_extract_json(std::span<const Typed> args, const EmitContext&) {
  Typed found{.sql = fmt::format("k_json_path({}, {})", convert(args[1], Type::kString).sql, args[0].sql),
              .is_constant = args[0].is_constant && args[1].is_constant};
  if (args.size() < 3) return found;
  const std::string* name = args[2].literal ? std::get_if<std::string>(&*args[2].literal) : nullptr;
  const auto type = name ? model::type_from_name(*name) : std::nullopt;
  if (!type) return std::unexpected(std::string("argument 3 of extract_json() must be typeof(TYPE)"));
  if (*type == Type::kDynamic)
    return Typed{.sql = "k_dyn_parse(" + found.sql + ")", .type = Type::kDynamic, .is_constant = found.is_constant};
  return convert(found, *type);
}

constexpr ScalarFunction kRows[] = {
    {.name = "bag_pack",
     .syntax = "bag_pack(key, value, …)",
     .doc = "A bag of the keys and values.",
     .min_args = 0,
     .max_args = kAnyNumber,
     .types = "d*>d",
     .sql = "k_pack_bag({*})"},
    {.name = "pack",
     .syntax = "pack(key, value, …)",
     .doc = "A bag of the keys and values.",
     .min_args = 0,
     .max_args = kAnyNumber,
     .types = "d*>d",
     .sql = "k_pack_bag({*})",
     .replaced_by = "bag_pack"},
    {.name = "pack_dictionary",
     .syntax = "pack_dictionary(key, value, …)",
     .doc = "A bag of the keys and values.",
     .min_args = 0,
     .max_args = kAnyNumber,
     .types = "d*>d",
     .sql = "k_pack_bag({*})",
     .replaced_by = "bag_pack"},
    {.name = "bag_merge",
     .syntax = "bag_merge(bag, …)",
     .doc = "One bag; of a repeated key the first value counts.",
     .min_args = 1,
     .max_args = 64,
     .types = "d*>d",
     .sql = "k_bag_merge({*})"},
    {.name = "bag_keys",
     .syntax = "bag_keys(bag)",
     .doc = "The keys of the top level.",
     .min_args = 1,
     .max_args = 1,
     .types = "d>d",
     .sql = "k_bag_keys({0})"},
    {.name = "bag_has_key",
     .syntax = "bag_has_key(bag, key)",
     .doc = "Whether the bag has the key or path ($.a.b).",
     .min_args = 2,
     .max_args = 2,
     .types = "ds>b",
     .sql = "k_bag_has_key({0}, {1})"},
    {.name = "bag_remove_keys",
     .syntax = "bag_remove_keys(bag, keys)",
     .doc = "The bag without these keys or paths.",
     .min_args = 2,
     .max_args = 2,
     .types = "dd>d",
     .sql = "k_bag_remove_keys({0}, {1})"},
    {.name = "bag_set_key",
     .syntax = "bag_set_key(bag, key, value)",
     .doc = "The bag with the key set.",
     .min_args = 3,
     .max_args = 3,
     .types = "dsd>d",
     .sql = "k_bag_set_key({0}, {1}, {2})"},
    {.name = "bag_zip",
     .syntax = "bag_zip(keys, values)",
     .doc = "A bag of two arrays.",
     .min_args = 2,
     .max_args = 2,
     .types = "dd>d",
     .sql = "k_bag_zip({0}, {1})"},
    {.name = "treepath",
     .syntax = "treepath(value)",
     .doc = "All paths that lead into the value.",
     .min_args = 1,
     .max_args = 1,
     .types = "d>d",
     .sql = "k_treepath({0})"},
    {.name = "extract_json",
     .syntax = "extract_json(path, text [, type])",
     .doc = "What a JSON path finds in a text.",
     .min_args = 2,
     .max_args = 3,
     .emit = emit_extract_json},
    {.name = "extractjson",
     .syntax = "extractjson(path, text [, type])",
     .doc = "What a JSON path finds in a text.",
     .min_args = 2,
     .max_args = 3,
     .emit = emit_extract_json,
     .replaced_by = "extract_json"},
};

}  // namespace

namespace functions {
const FunctionTable kBags{kRows, kNatives};
}

}  // namespace egret::kql
