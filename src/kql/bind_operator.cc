// The operators that work row by row or on the list of columns.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "kql/aggregates.h"
#include "kql/binder.h"

namespace egret::kql {
namespace {
using model::Type;

std::vector<const Syntax*> views(const std::vector<Syntax*>& list) { return {list.begin(), list.end()}; }
}  // namespace

Node* Binder::prepare(Node* in, const std::vector<const Syntax*>& expressions, Env* env, Need need) {
  bool reuse = in->kind == Node::Kind::kSelect && !in->shared && !in->limited() && !in->grouped && !in->distinct && in->distinct_on.empty();
  if (need != kColumns && in->window) reuse = false;
  if (need == kGroup && in->window) reuse = false;
  for (size_t i = 0; reuse && i < expressions.size(); ++i) reuse = !names_computed(expressions[i], in, env);
  if (reuse) return in;
  Node* n = plan.over(in);
  // A sort holds for what follows: its keys go along as hidden columns, and the outermost block sorts.
  if (!in->order.empty() && in->kind == Node::Kind::kSelect && !in->grouped && !in->distinct) {
    std::vector<Clause> order = in->order;
    for (Clause& key : order) {
      int found = -1;
      for (size_t i = 0; i < in->columns.size(); ++i)
        if (in->columns[i].sql == key.sql) found = static_cast<int>(i);
      if (found < 0) {
        Column& c = plan.add(in, "", Type::kLong, key.sql, key.deps);
        c.hidden = true;
        found = static_cast<int>(in->columns.size()) - 1;
        Column copy = c;
        copy.sql = copy.id;
        copy.trivial = true;
        copy.deps = plan.keep(std::vector<Dep>{dep(0, static_cast<size_t>(found))});
        n->columns.push_back(copy);
      }
      n->order.push_back(
          {in->columns[static_cast<size_t>(found)].id, plan.keep(std::vector<Dep>{dep(0, static_cast<size_t>(found))}), key.suffix});
    }
    if (!in->limited() && !in->shared) in->order.clear();
  }
  return n;
}

// Sets or adds a column.
void Binder::put_column(Node* n, std::string_view name, const Bound& b) {
  Column c;
  c.name = name;
  c.type = b.v.type;
  c.sql = plan.keep(b.v.sql);
  c.deps = b.deps;
  c.bad = b.bad;
  c.constant = b.v.is_constant;
  c.trivial = b.v.literal && b.v.sql.size() < 200;
  // A copy of a column stays one.
  for (const Column& other : n->columns)
    if (other.trivial && other.sql == c.sql) c.trivial = true;
  c.id = plan.fresh_id(*n, name);
  if (const int i = n->find(name); i >= 0 && !name.empty()) {
    n->columns[static_cast<size_t>(i)] = c;
  } else {
    n->columns.push_back(c);
  }
}

bool Binder::matches(std::string_view pattern, std::string_view name) {
  size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  while ((star = pattern.find('*')) != std::string_view::npos) {
    const size_t at = name.find(pattern.substr(0, star));
    if (at == std::string_view::npos) return false;
    name.remove_prefix(at + star);
    pattern.remove_prefix(star + 1);
  }
  return name.ends_with(pattern);
}

Node* Binder::apply(const Syntax* op, Node* in, Env* env) {
  const std::string_view name = op->text;
  if (name == "where") return where(op->args[0], in, env);
  if (name == "extend") return extend(op->args, in, env, true);
  if (name == "serialize") return extend(op->args, in, env, true);
  if (name == "project") return project(op, in, env);
  if (name == "project-away" || name == "project-keep") return project_names(op, in);
  if (name == "project-rename") return project_rename(op, in);
  if (name == "project-reorder") return project_reorder(op, in);
  if (name == "summarize") return summarize(op, in, env);
  if (name == "join" || name == "lookup") return join(op, in, env);
  if (name == "union") return union_of(op, in, env);
  if (name == "sort") return sort(op->args, in, env);
  if (name == "top") return limit(op->left, sort(op->args, in, env), env);
  if (name == "take") return limit(op->left, in, env);
  if (name == "sample") return sample(op, in, env);
  if (name == "sample-distinct") return sample_distinct(op, in, env);
  if (name == "distinct") return distinct(op, in, env);
  if (name == "count") return count(in);
  if (name == "mv-expand") return mv_expand(op, in, env);
  if (name == "mv-apply") return mv_apply(op, in, env);
  if (name == "parse" || name == "parse-where") return parse_operator(op, in, env);
  if (name == "parse-kv") return parse_kv(op, in, env);
  if (name == "evaluate") return evaluate(op, in, env);
  if (name == "invoke") return invoke(op, in, env);
  if (name == "make-series") return make_series(op, in, env);
  if (name == "top-nested") return top_nested(op, in, env);
  if (name == "top-hitters") return top_hitters(op, in, env);
  if (name == "search") return search(op, in, env);
  if (name == "partition") return partition(op, in, env);
  if (name == "getschema") return getschema(in);
  if (name == "render") {
    if (op->right) render_kind = std::string(op->right->text);
    return in;
  }
  if (name == "consume") {
    Node* n = plan.over(in);
    n->limit = "0";
    return n;
  }
  if (name == "datatable" || name == "externaldata" || name == "print" || name == "range" || name == "find") {
    error(op, fmt::format("'{}' begins a query; it cannot follow '|'", name));
    return in;
  }
  not_supported(op, fmt::format("the operator '{}'", name));
  return broken_table();
}

Node* Binder::source_operator(const Syntax* op, Env* env) {
  const std::string_view name = op->text;
  if (name == "datatable") return datatable(op, env);
  if (name == "externaldata") return externaldata(op, env);
  if (name == "print") return print(op, env);
  if (name == "range") return range(op, env);
  if (name == "union") return union_of(op, nullptr, env);
  if (name == "find") return find(op, nullptr, env);
  if (name == "search") return search(op, nullptr, env);
  not_supported(op, fmt::format("'{}' without a table before it", name));
  return broken_table();
}

Node* Binder::where(const Syntax* predicate, Node* in, Env* env) {
  if (uses_window(predicate)) in = hoist_windows(std::vector<Syntax*>{const_cast<Syntax*>(predicate)}, in, env);
  Node* n = prepare(in, {predicate}, env, kFilter);
  const Scope scope{.node = n, .window = true};
  // Each condition of the conjunction becomes a clause of its own.
  const std::vector<Syntax*> one{const_cast<Syntax*>(predicate)};
  for (const Syntax* part : predicate->kind == Kind::kAnd ? predicate->args : one) {
    Bound b = bind(part, env, scope, true);
    if (!b.bad) {
      b.v = as_bool(part, std::move(b.v));
      if (!is_bad(b.v)) n->where.push_back({plan.keep(std::move(b.v.sql)), b.deps});
    }
  }
  return n;
}

std::vector<Binder::Part> Binder::several_columns(const Syntax* s, Env* env, const Scope& scope) {
  const Syntax* e = s->kind == Kind::kNamed ? s->left : s;
  const bool listed = s->kind == Kind::kNamed && !s->by.empty();
  const bool call = e && e->kind == Kind::kCall;
  auto results = call ? columns_of_result(e->text) : std::span<const ColumnOfResult>();
  const bool sorts = !results.empty() && results[0].name == "sorted";
  size_t arrays = 0;
  if (sorts) {
    // Arrays that are sorted together; a final flag is none of them.
    for (const Syntax* arg : e->args) arrays += arg->kind != Kind::kLiteral || arg->type != Type::kBool;
    if (arrays < 2) results = {};
  }
  if (!listed && results.empty()) return {};
  const Bound b = bind(e, env, scope);
  std::vector<Part> parts;
  const size_t count = s->kind == Kind::kNamed ? (listed ? s->by.size() : 1) : sorts ? arrays : results.size();
  for (size_t i = 0; i < count; ++i) {
    Part part{{}, b};
    const Type type = i < results.size() && !sorts ? results[i].type : Type::kDynamic;
    if (!b.bad) {
      part.bound.v = convert({.sql = fmt::format("k_dyn_at({}, {})", convert(b.v, Type::kDynamic).sql, i), .type = Type::kDynamic}, type);
      part.bound.v.is_constant = b.v.is_constant;
    }
    if (listed) {
      part.name = s->by[i]->text;
    } else if (s->kind == Kind::kNamed) {
      part.name = s->text;
    } else if (sorts) {
      part.name = plan.keep(auto_name(e->args[i], env) + "_sorted");
    } else {
      part.name =
          plan.keep(fmt::format("{}_{}_{}", e->text, e->args.empty() ? std::string() : auto_name(e->args[0], env), results[i].name));
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

Node* Binder::extend(const std::vector<Syntax*>& list, Node* in, Env* env, bool window) {
  if (list.empty()) return in;
  bool windowed = false;
  for (const Syntax* s : list) windowed |= uses_window(s);
  if (windowed && window) in = hoist_windows(list, in, env);
  Node* n = prepare(in, views(list), env, kColumns);
  const Scope scope{.node = n, .window = window};
  struct New {
    const Syntax* s;
    Bound b;
    std::string name;
  };
  std::vector<New> made;
  made.reserve(list.size());
  int numbered = 0;
  for (const Syntax* s : list) {
    if (auto parts = several_columns(s, env, scope); !parts.empty()) {
      for (Part& part : parts) made.push_back({nullptr, std::move(part.bound), std::string(part.name)});
      continue;
    }
    const Syntax* e = s->kind == Kind::kNamed ? s->left : s;
    Bound b = bind(e, env, scope);
    std::string name = s->kind == Kind::kNamed ? std::string(s->text) : auto_name(e, env);
    if (name.empty()) name = fmt::format("Column{}", ++numbered);
    made.push_back({s, std::move(b), std::move(name)});
  }
  // All see the row as it was before.
  for (New& m : made) put_column(n, m.s && m.s->kind == Kind::kNamed ? m.s->text : plan.keep(std::move(m.name)), m.b);
  return n;
}

Node* Binder::project(const Syntax* op, Node* in, Env* env) {
  bool windowed = false;
  for (const Syntax* s : op->args) windowed |= uses_window(s);
  if (windowed) in = hoist_windows(op->args, in, env);
  Node* n = prepare(in, views(op->args), env, kColumns);
  const Scope scope{.node = n, .window = true};
  std::vector<Column> columns;
  int numbered = 0;
  Node* target = plan.make(Node::Kind::kSelect);  // collects the new columns; its inputs make identifiers unique
  target->inputs = n->inputs;
  for (const Syntax* s : op->args) {
    if (s->kind == Kind::kStar) {
      for (const Column& c : n->columns)
        if (!c.hidden && target->find(c.name) < 0) target->columns.push_back(c);
      continue;
    }
    if (auto parts = several_columns(s, env, scope); !parts.empty()) {
      for (const Part& part : parts) put_column(target, part.name, part.bound);
      continue;
    }
    const Syntax* e = s->kind == Kind::kNamed ? s->left : s;
    const Bound b = bind(e, env, scope);
    std::string name = s->kind == Kind::kNamed ? std::string(s->text) : auto_name(e, env);
    if (name.empty()) name = fmt::format("Column{}", ++numbered);
    if (s->kind != Kind::kNamed && target->find(name) >= 0) {
      std::string candidate;
      for (int i = 1; candidate = name + std::to_string(i), target->find(candidate) >= 0; ++i) {
      }
      name = candidate;
    }
    // An untouched column keeps its identifier.
    const int same = e->kind == Kind::kName && scope.node ? n->find(e->text) : -1;
    if (same >= 0 && target->find(name) < 0) {
      Column c = n->columns[static_cast<size_t>(same)];
      c.name = s->kind == Kind::kNamed ? s->text : c.name;
      c.hidden = false;
      const bool taken =
          std::any_of(target->columns.begin(), target->columns.end(), [&](const Column& other) { return iequals(other.id, c.id); });
      if (taken) c.id = plan.fresh_id(*target, c.name);
      target->columns.push_back(c);
      continue;
    }
    put_column(target, s->kind == Kind::kNamed ? s->text : plan.keep(std::move(name)), b);
    Column& put =
        target
            ->columns[static_cast<size_t>(target->find(s->kind == Kind::kNamed ? s->text : std::string_view(target->columns.back().name)))];
    for (const Column& c : n->columns)
      if (c.trivial && c.sql == put.sql) put.trivial = true;
  }
  n->columns = std::move(target->columns);
  n->open_shape = n->open_shape && n->columns.empty();
  return n;
}

namespace {
// Column lists change in place: no expression is touched.
bool may_change_columns(const Node* in) { return !in->shared && in->kind == Node::Kind::kSelect && !in->distinct; }
}  // namespace

Node* Binder::project_names(const Syntax* op, Node* in) {
  const bool away = op->text == "project-away";
  Node* n = may_change_columns(in) ? in : plan.over(in);
  std::vector<bool> named(n->columns.size());
  for (const Syntax* s : op->args) {
    bool any = false;
    for (size_t i = 0; i < n->columns.size(); ++i) {
      if (n->columns[i].hidden && s->kind != Kind::kName) continue;
      if (s->kind == Kind::kStar || (s->kind == Kind::kWildcard ? matches(s->text, n->columns[i].name) : n->columns[i].name == s->text)) {
        named[i] = any = true;
      }
    }
    if (!any && s->kind == Kind::kName && !n->open_shape)
      error(s, fmt::format("no column is named '{}'", s->text), near_column(s->text, Scope{.node = n}, nullptr));
  }
  std::vector<Column> kept;
  for (size_t i = 0; i < n->columns.size(); ++i) {
    if (named[i] != away || (n->columns[i].hidden && away)) kept.push_back(n->columns[i]);
  }
  n->columns = std::move(kept);
  return n;
}

Node* Binder::project_rename(const Syntax* op, Node* in) {
  Node* n = may_change_columns(in) ? in : plan.over(in);
  for (const Syntax* s : op->args) {
    if (s->kind != Kind::kNamed || !s->by.empty() || s->left->kind != Kind::kName) {
      error(s, "expected New = Old");
      continue;
    }
    const int i = n->find(s->left->text);
    if (i < 0) {
      if (!n->open_shape)
        error(s->left, fmt::format("no column is named '{}'", s->left->text), near_column(s->left->text, Scope{.node = n}, nullptr));
      continue;
    }
    if (const int other = n->find(s->text); other >= 0 && other != i) {
      error(s, fmt::format("there is already a column named '{}'", s->text));
      continue;
    }
    n->columns[static_cast<size_t>(i)].name = s->text;
    n->columns[static_cast<size_t>(i)].hidden = false;
  }
  return n;
}

Node* Binder::project_reorder(const Syntax* op, Node* in) {
  Node* n = may_change_columns(in) ? in : plan.over(in);
  std::vector<bool> placed(n->columns.size());
  std::vector<Column> out;
  for (const Syntax* s : op->args) {
    std::vector<size_t> found;
    for (size_t i = 0; i < n->columns.size(); ++i) {
      if (placed[i] || (n->columns[i].hidden && s->kind != Kind::kName)) continue;
      if (s->kind == Kind::kStar || (s->kind == Kind::kWildcard ? matches(s->text, n->columns[i].name) : n->columns[i].name == s->text))
        found.push_back(i);
    }
    if (found.empty() && s->kind == Kind::kName && n->find(s->text) < 0 && !n->open_shape) {
      error(s, fmt::format("no column is named '{}'", s->text), near_column(s->text, Scope{.node = n}, nullptr));
    }
    if (const auto* order = std::get_if<std::string>(&s->value)) {
      std::sort(found.begin(), found.end(), [&](size_t a, size_t b) {
        return order->ends_with("desc") ? n->columns[a].name > n->columns[b].name : n->columns[a].name < n->columns[b].name;
      });
    }
    for (const size_t i : found) {
      placed[i] = true;
      out.push_back(n->columns[i]);
    }
  }
  for (size_t i = 0; i < n->columns.size(); ++i)
    if (!placed[i]) out.push_back(n->columns[i]);
  n->columns = std::move(out);
  return n;
}

Node* Binder::sort(const std::vector<Syntax*>& keys, Node* in, Env* env) {
  std::vector<const Syntax*> expressions;
  for (const Syntax* k : keys) expressions.push_back(k->left);
  bool constant = false;
  Node* n = prepare(in, expressions, env, kOrder);
  const Scope scope{.node = n};
  n->order.clear();
  for (const Syntax* k : keys) {
    const Bound b = bind(k->left, env, scope);
    if (b.bad) continue;
    const bool ascending = k->text == "asc";
    const bool* nulls_first = std::get_if<bool>(&k->value);
    const bool first = nulls_first ? *nulls_first : ascending;
    std::string sql = b.v.sql;
    if (b.v.literal) continue;
    if (b.v.type == Type::kDynamic) sql = fmt::format("{}", convert(b.v, Type::kString).sql);
    constant |= b.v.is_constant;
    n->order.push_back({plan.keep(std::move(sql)), b.deps,
                        ascending ? (first ? " ASC NULLS FIRST" : " ASC NULLS LAST") : (first ? " DESC NULLS FIRST" : " DESC NULLS LAST")});
  }
  return n;
}

Node* Binder::limit(const Syntax* count, Node* in, Env* env) {
  const bool reuse = in->kind == Node::Kind::kSelect && !in->shared && !in->limited();
  Node* n = reuse ? in : prepare(in, {}, env, kOrder);
  const Bound b = bind(count, env, Scope{});
  if (b.bad) return n;
  if (!is_numeric(b.v.type)) {
    error(count, "the number of rows must be a number");
    return n;
  }
  if (b.v.literal && std::get_if<int64_t>(&*b.v.literal)) {
    const int64_t rows = std::get<int64_t>(*b.v.literal);
    if (rows < 0) error(count, "the number of rows cannot be negative");
    n->limit = plan.keep(std::to_string(rows));
  } else {
    n->limit = plan.keep(convert(b.v, Type::kLong).sql);
    n->uses.insert(n->uses.end(), b.deps.begin(), b.deps.end());
  }
  return n;
}

Node* Binder::distinct(const Syntax* op, Node* in, Env* env) {
  Node* n = project(op, in, env);
  if (n->shared || n->window) n = plan.over(n);
  std::erase_if(n->columns, [](const Column& c) { return c.hidden; });
  n->order.clear();
  n->distinct = true;
  return n;
}

Node* Binder::count(Node* in) {
  Node* n = prepare(in, {}, nullptr, kGroup);
  n->columns.clear();
  n->order.clear();
  n->grouped = true;
  n->open_shape = false;
  plan.add(n, "Count", Type::kLong, "count(*)", {});
  return n;
}

Node* Binder::sample(const Syntax* op, Node* in, Env* env) {
  Node* n = plan.over(in);
  n->order = {{"random()", {}}};
  return limit(op->left, n, env);
}

Node* Binder::sample_distinct(const Syntax* op, Node* in, Env* env) {
  Syntax* list = nullptr;
  (void)list;
  Node* n = distinct(op, in, env);
  return limit(op->left, plan.over(n), env);
}

Node* Binder::getschema(Node* in) {
  std::string rows;
  int i = 0;
  for (const Column& c : in->columns) {
    if (c.hidden) continue;
    constexpr std::string_view kNet[] = {
        "System.SByte",  "System.Int32",    "System.Int64",    "System.Double", "System.Data.SqlTypes.SqlDecimal",
        "System.String", "System.DateTime", "System.TimeSpan", "System.Object", "System.Guid"};
    rows += fmt::format("{}({}, {}, {}, {})", rows.empty() ? "" : ", ", sql_string(c.name), i++, sql_string(kNet[static_cast<int>(c.type)]),
                        sql_string(model::type_name(c.type)));
  }
  Node* n = plan.make(Node::Kind::kSelect);
  n->from = plan.keep(fmt::format("(VALUES {}) AS v(c0, c1, c2, c3)", rows.empty() ? "('', 0, '', '')" : rows));
  constexpr std::pair<std::string_view, Type> kColumnsOfSchema[] = {
      {"ColumnName", Type::kString}, {"ColumnOrdinal", Type::kInt}, {"DataType", Type::kString}, {"ColumnType", Type::kString}};
  for (size_t c = 0; c < 4; ++c)
    plan.add(n, kColumnsOfSchema[c].first, kColumnsOfSchema[c].second, plan.keep(fmt::format("c{}", c)), {}).trivial = true;
  return n;
}

// The subquery over the rows of each key: a lateral join of the distinct keys with it.
Node* Binder::partition(const Syntax* op, Node* in, Env* env) {
  if (!op->left || !op->right || op->right->kind != Kind::kPipe) {
    not_supported(op, "partition with a subquery in braces");
    return broken_table();
  }
  in->shared = true;
  const int key = in->find(op->left->text);
  if (key < 0) {
    if (!in->open_shape)
      error(op->left, fmt::format("no column is named '{}'", op->left->text), near_column(op->left->text, Scope{.node = in}, env));
    return broken_table();
  }
  const size_t index = static_cast<size_t>(key);
  const std::string alias = fmt::format("t{}", ++plan.next_id), result = fmt::format("r{}", ++plan.next_id);
  Node* keys = plan.over(in);
  keys->order.clear();
  Column k = keys->columns[index];
  k.hidden = false;
  keys->columns = {k};
  keys->distinct = true;
  Node* source = plan.over(in);
  source->where.push_back(
      {plan.keep(fmt::format("{} IS NOT DISTINCT FROM {}.{}", source->columns[index].sql, alias, k.id)), source->columns[index].deps});
  Node* sub = pipe(op->right, env, source);
  if (sub->kind != Node::Kind::kSelect || sub->shared) sub = plan.over(sub);
  Node* n = plan.make(Node::Kind::kSelect);
  n->inputs = {keys, sub};
  n->depth = sub->depth + 1;
  n->open_shape = sub->open_shape;
  n->uses = {dep(0, 0)};
  n->from =
      plan.keep(fmt::format("\x02"
                            "0\x02 AS {}, LATERAL \x02"
                            "1\x02 AS {}",
                            alias, result));
  for (size_t i = 0; i < sub->columns.size(); ++i) {
    Column c = sub->columns[i];
    c.sql = plan.keep(fmt::format("{}.{}", result, c.id));
    c.deps = plan.keep(std::vector<Dep>{dep(1, i)});
    c.trivial = true;
    c.used = false;
    n->columns.push_back(c);
  }
  return n;
}

}  // namespace egret::kql
