// Operators that take values apart: mv-expand, mv-apply, parse, parse-kv, evaluate, invoke.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "kql/binder.h"

namespace egret::kql {
using model::Type;

// Hidden columns with the lists that are expanded; `lists` has their indexes, `names` what the results are called.
Node* Binder::expand_lists(const Syntax* op, Node* in, Env* env, std::vector<std::string_view>& names, std::vector<size_t>& lists) {
  std::vector<const Syntax*> expressions;
  for (const Syntax* item : op->args) expressions.push_back(item->left);
  Node* n = prepare(in, expressions, env, kColumns);
  bool pairs = false;
  for (const std::string_view key : {"kind", "bagexpansion"})
    if (const Parameter* p = op->param(key); p && p->value) pairs = p->value->text == "array";
  std::string limit;
  if (op->left) {
    const Bound b = bind(op->left, env, Scope{});
    if (b.v.literal && std::get_if<int64_t>(&*b.v.literal)) limit = fmt::format("[1:{}]", std::get<int64_t>(*b.v.literal));
  }
  const Scope scope{.node = n};
  std::vector<Bound> bound;
  for (const Syntax* item : op->args) {
    Bound b = bind(item->left, env, scope);
    std::string name = item->text.empty() ? auto_name(item->left, env) : std::string(item->text);
    if (name.empty()) name = fmt::format("Column{}", names.size() + 1);
    names.push_back(item->text.empty() ? plan.keep(std::move(name)) : item->text);
    if (!b.bad && b.v.type != Type::kDynamic && b.v.type != Type::kString) {
      error(item->left, fmt::format("only a dynamic value can be expanded, this is a {}", model::type_name(b.v.type)));
      b.bad = true;
    }
    if (!b.bad) {
      b.v.sql = fmt::format("CAST(json_extract(k_expand({}, {}), '$[*]') AS VARCHAR[]){}", convert(b.v, Type::kDynamic).sql,
                            pairs ? "true" : "false", limit);
      b.v.literal.reset();
    }
    bound.push_back(std::move(b));
  }
  for (Bound& b : bound) {
    Column& c = plan.add(n, "", Type::kDynamic, plan.keep(b.bad ? "CAST(NULL AS VARCHAR[])" : b.v.sql), b.deps);
    c.hidden = true;
    lists.push_back(n->columns.size() - 1);
  }
  return n;
}

Node* Binder::mv_expand(const Syntax* op, Node* in, Env* env) {
  std::vector<std::string_view> names;
  std::vector<size_t> lists;
  Node* n = expand_lists(op, in, env, names, lists);
  Node* rows = prepare(plan.over(n), {}, env, kOrder);
  std::vector<size_t> made;
  std::string longest;
  for (const size_t list : lists) {
    const std::string_view id = n->columns[list].id;
    Column& c = plan.add(rows, "", Type::kDynamic, plan.keep(fmt::format("unnest({})", id)), plan.keep(std::vector<Dep>{dep(0, list)}));
    c.hidden = true;
    made.push_back(rows->columns.size() - 1);
    rows->always.push_back(made.back());
    longest += fmt::format("{}len({})", longest.empty() ? "" : ", ", id);
  }
  size_t index_column = 0;
  std::string_view index_name;
  if (const Parameter* p = op->param("with_itemindex"); p && p->value) {
    index_name = p->value->text;
    std::vector<Dep> deps;
    for (const size_t list : lists) deps.push_back(dep(0, list));
    Column& c = plan.add(rows, "", Type::kLong, plan.keep(fmt::format("unnest(range(greatest({}, 0)))", longest)), plan.keep(deps));
    c.hidden = true;
    index_column = rows->columns.size() - 1;
    rows->always.push_back(index_column);
  }
  rows->window = true;
  Node* out = plan.over(rows);
  for (size_t i = 0; i < lists.size(); ++i) {
    const Type type = op->args[i]->flag ? op->args[i]->type : Type::kDynamic;
    Bound b;
    b.v = convert({.sql = fmt::format("nullif({}, 'null')", rows->columns[made[i]].id), .type = Type::kDynamic}, type);
    b.deps = plan.keep(std::vector<Dep>{dep(0, made[i])});
    put_column(out, names[i], b);
  }
  if (!index_name.empty()) {
    Bound b;
    b.v = {.sql = std::string(rows->columns[index_column].id), .type = Type::kLong};
    b.deps = plan.keep(std::vector<Dep>{dep(0, index_column)});
    put_column(out, index_name, b);
  }
  return out;
}

// A lateral join: the subquery runs over the elements of one row and sees the row's columns beside them.
Node* Binder::mv_apply(const Syntax* op, Node* in, Env* env) {
  std::vector<std::string_view> names;
  std::vector<size_t> lists;
  Node* n = expand_lists(op, in, env, names, lists);
  n->shared = true;
  const std::string alias = fmt::format("t{}", ++plan.next_id), elements = fmt::format("e{}", ++plan.next_id),
                    result = fmt::format("r{}", ++plan.next_id);
  Node* source = plan.make(Node::Kind::kSelect);
  Node* out = plan.make(Node::Kind::kSelect);
  std::string from = "(SELECT ";
  std::string longest;
  for (size_t i = 0; i < lists.size(); ++i) {
    from += fmt::format("{}unnest({}.{}) AS e{}", i ? ", " : "", alias, n->columns[lists[i]].id, i);
    longest += fmt::format("{}len({}.{})", longest.empty() ? "" : ", ", alias, n->columns[lists[i]].id);
    out->uses.push_back(dep(0, lists[i]));
  }
  const Parameter* index = op->param("with_itemindex");
  if (index && index->value) from += fmt::format(", unnest(range(greatest({}, 0))) AS i", longest);
  source->from = plan.keep(from + ") AS " + elements);
  const auto expanded = [&](std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  for (size_t i = 0; i < n->columns.size(); ++i) {
    const Column& c = n->columns[i];
    if (c.hidden || expanded(c.name)) continue;
    Column copy = c;
    copy.sql = plan.keep(fmt::format("{}.{}", alias, c.id));
    copy.deps = {};
    copy.trivial = true;
    copy.used = false;
    source->columns.push_back(copy);
    out->outer.push_back(static_cast<int>(i));
  }
  for (size_t i = 0; i < lists.size(); ++i) {
    const Type type = op->args[i]->flag ? op->args[i]->type : Type::kDynamic;
    const Typed v = convert({.sql = fmt::format("nullif({}.e{}, 'null')", elements, i), .type = Type::kDynamic}, type);
    plan.add(source, names[i], type, plan.keep(v.sql), {});
  }
  if (index && index->value) plan.add(source, index->value->text, Type::kLong, plan.keep(elements + ".i"), {}).trivial = true;
  source->depth = n->depth + 1;
  source->shared = true;
  Node* sub = pipe(op->right, env, source);
  if (sub->kind != Node::Kind::kSelect || sub->shared) sub = plan.over(sub);
  out->inputs = {n, sub};
  out->depth = sub->depth + 1;
  out->lateral = true;
  out->outer_source = source;
  out->from =
      plan.keep(fmt::format("\x02"
                            "0\x02 AS {}, LATERAL \x02"
                            "1\x02 AS {}",
                            alias, result));
  const auto take = [&](Node* side, size_t input, size_t i, const std::string& prefix) {
    Column c = side->columns[i];
    c.sql = plan.keep(fmt::format("{}.{}", prefix, c.id));
    c.deps = plan.keep(std::vector<Dep>{dep(input, i)});
    c.trivial = true;
    c.used = false;
    for (const Column& other : out->columns)
      if (iequals(other.id, c.id)) {
        c.id = plan.fresh_id(*out, c.name);
        break;
      }
    out->columns.push_back(c);
  };
  for (size_t i = 0; i < n->columns.size(); ++i) {
    const Column& c = n->columns[i];
    if (c.hidden) continue;
    if (expanded(c.name)) {
      const int j = sub->find(c.name);
      if (j >= 0)
        take(sub, 1, static_cast<size_t>(j), result);
      else
        take(n, 0, i, alias);  // the subquery left it out: the row's own value shows again
    } else {
      take(n, 0, i, alias);
    }
  }
  for (size_t i = 0; i < sub->columns.size(); ++i)
    if (!sub->columns[i].hidden && out->find(sub->columns[i].name) < 0) take(sub, 1, i, result);
  return out;
}

namespace {

std::string quote_regex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").contains(c)) out += '\\';
    out += c;
  }
  return out;
}

int groups_in(std::string_view pattern) {
  int n = 0;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '[') {
      in_class = true;
    } else if (pattern[i] == ']') {
      in_class = false;
    } else if (pattern[i] == '(' && !in_class && !pattern.substr(i).starts_with("(?")) {
      ++n;
    }
  }
  return n;
}

}  // namespace

Node* Binder::parse_operator(const Syntax* op, Node* in, Env* env) {
  const bool filters = op->text == "parse-where";
  std::string_view kind = "simple";
  if (const Parameter* p = op->param("kind"); p && p->value) kind = p->value->text;
  if (kind != "simple" && kind != "regex" && kind != "relaxed")
    error(op->param("kind")->value, fmt::format("'{}' is no kind of parse", kind), "kinds are simple, regex, relaxed");
  std::string flags = "s";
  if (const Parameter* p = op->param("flags"); p && p->value)
    flags = std::string(p->value->text) + (p->value->text.contains('s') ? "" : "s");
  const bool regex = kind == "regex", relaxed = kind == "relaxed";
  std::string pattern = fmt::format("(?{})^", flags);
  std::vector<std::string> groups;
  struct Target {
    const Syntax* s;
    size_t group;
  };
  std::vector<Target> targets;
  for (size_t i = 0; i < op->args.size(); ++i) {
    const Syntax* item = op->args[i];
    const bool last = i + 1 == op->args.size();
    if (item->kind == Kind::kStar) {
      pattern += regex ? ".*" : last ? ".*" : ".*?";
    } else if (item->kind == Kind::kLiteral) {
      const std::string text = std::holds_alternative<std::string>(item->value) ? std::get<std::string>(item->value) : std::string();
      pattern += regex ? fmt::format("(?:{})", text) : quote_regex(text);
      if (regex)
        for (int g = groups_in(text); g > 0; --g) groups.push_back(fmt::format("g{}", groups.size()));
    } else {
      std::string one = last && !regex ? ".*" : regex ? ".*" : ".*?";
      if (!relaxed) {
        if (item->type == Type::kLong || item->type == Type::kInt) one = R"(\s*[-+]?\d+\s*)";
        if (item->type == Type::kReal || item->type == Type::kDecimal) one = R"(\s*[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?\s*)";
      } else if (item->type == Type::kLong || item->type == Type::kInt) {
        one = R"([-+]?\d+|.*?)";  // a number where there is one
      }
      pattern += "(" + one + ")";
      targets.push_back({item, groups.size()});
      groups.push_back(fmt::format("g{}", groups.size()));
    }
  }
  if (op->args.empty() || op->args.back()->kind != Kind::kStar) {
    // The rest of the text may follow a final literal; a final number ends where it ends.
  }
  Node* n = prepare(in, {op->left}, env, kColumns);
  Bound text = bind(op->left, env, Scope{.node = n});
  if (text.bad) {
    for (const Target& t : targets) put_column(n, t.s->text, {.v = bad(), .deps = {}, .bad = true});
    return n;
  }
  text.v = convert(text.v, Type::kString);
  if (filters) n->where.push_back({plan.keep(fmt::format("regexp_matches({}, {})", text.v.sql, sql_string(pattern))), text.deps});
  if (targets.empty()) return n;
  std::string list;
  for (const std::string& g : groups) list += fmt::format("{}'{}'", list.empty() ? "" : ", ", g);
  Column& found = plan.add(n, "", Type::kDynamic,
                           plan.keep(fmt::format("regexp_extract({}, {}, [{}])", text.v.sql, sql_string(pattern), list)), text.deps);
  found.hidden = true;
  const size_t at = n->columns.size() - 1;
  Node* out = plan.over(n);
  const Deps deps = plan.keep(std::vector<Dep>{dep(0, at)});
  std::vector<Typed> values;
  std::string all_typed;
  for (const Target& t : targets) {
    Typed v = convert({.sql = fmt::format("{}.{}", n->columns[at].id, groups[t.group]), .type = Type::kString}, t.s->type);
    if (t.s->type != Type::kString && !relaxed) all_typed += fmt::format("{}{} IS NOT NULL", all_typed.empty() ? "" : " AND ", v.sql);
    values.push_back(std::move(v));
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    Bound b{.v = values[i], .deps = deps};
    // A value that is not of its type makes the whole row no match, unless kind=relaxed.
    if (!all_typed.empty())
      b.v.sql = b.v.type == Type::kString ? fmt::format("CASE WHEN {} THEN {} ELSE '' END", all_typed, b.v.sql)
                                          : fmt::format("CASE WHEN {} THEN {} END", all_typed, b.v.sql);
    put_column(out, targets[i].s->text, b);
  }
  if (filters && !all_typed.empty()) {
    out->where.push_back({plan.keep(all_typed), deps});
  }
  return out;
}

Node* Binder::parse_kv(const Syntax* op, Node* in, Env* env) {
  Node* n = prepare(in, {op->left}, env, kColumns);
  Bound text = bind(op->left, env, Scope{.node = n});
  std::string options = "{";
  for (const Parameter& p : op->params) {
    if (!p.value) continue;
    if (options.size() > 1) options += ',';
    append_json_string(options, p.name);
    options += ':';
    const Bound b = bind(p.value, env, Scope{});
    if (b.v.literal && std::get_if<std::string>(&*b.v.literal))
      append_json_string(options, std::get<std::string>(*b.v.literal));
    else if (b.v.literal && std::get_if<bool>(&*b.v.literal))
      options += std::get<bool>(*b.v.literal) ? "true" : "false";
    else
      options += "null";
    if (p.name == "regex") not_supported(op, "parse-kv with a regex");
  }
  options += '}';
  if (text.bad) {
    for (const Syntax* c : op->args) put_column(n, c->text, {.v = bad(), .deps = {}, .bad = true});
    return n;
  }
  Column& found =
      plan.add(n, "", Type::kDynamic, plan.keep(fmt::format("k_parse_kv({}, {})", convert(text.v, Type::kString).sql, sql_string(options))),
               text.deps);
  found.hidden = true;
  const size_t at = n->columns.size() - 1;
  Node* out = plan.over(n);
  for (const Syntax* c : op->args) {
    Bound b;
    b.v =
        convert({.sql = fmt::format("k_dyn_path_string({}, {})", n->columns[at].id, sql_string(path_key(c->text))), .type = Type::kString},
                c->type);
    b.deps = plan.keep(std::vector<Dep>{dep(0, at)});
    put_column(out, c->text, b);
  }
  return out;
}

Node* Binder::invoke(const Syntax* op, Node* in, Env* env) {
  in->shared = true;
  if (op->left->kind == Kind::kCall) return table_call(op->left, env, in);
  error(op->left, "invoke needs a function call");
  return broken_table();
}

}  // namespace egret::kql
