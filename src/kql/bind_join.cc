// join, lookup, union, find and search: what brings tables together.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "kql/binder.h"

namespace egret::kql {
namespace {
using model::Type;

enum class Join { kInner, kInnerUnique, kLeftOuter, kRightOuter, kFullOuter, kLeftSemi, kRightSemi, kLeftAnti, kRightAnti };
struct Kind_ {
  std::string_view name;
  Join join;
};
constexpr Kind_ kKinds[] = {
    {"inner", Join::kInner},           {"innerunique", Join::kInnerUnique}, {"leftouter", Join::kLeftOuter},
    {"rightouter", Join::kRightOuter}, {"fullouter", Join::kFullOuter},     {"leftsemi", Join::kLeftSemi},
    {"rightsemi", Join::kRightSemi},   {"leftanti", Join::kLeftAnti},       {"leftantisemi", Join::kLeftAnti},
    {"anti", Join::kLeftAnti},         {"rightanti", Join::kRightAnti},     {"rightantisemi", Join::kRightAnti},
};

// Rows of a side that nothing was found for: strings are '' there.
std::string from_missing_side(std::string sql, Type t) { return t == Type::kString ? fmt::format("coalesce({}, '')", sql) : sql; }

}  // namespace

Node* Binder::join(const Syntax* op, Node* in, Env* env) {
  const bool lookup = op->text == "lookup";
  Join kind = lookup ? Join::kLeftOuter : Join::kInnerUnique;
  if (const Parameter* p = op->param("kind")) {
    const auto found =
        std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind_& k) { return p->value && k.name == p->value->text; });
    if (found == std::end(kKinds) || (lookup && found->join != Join::kInner && found->join != Join::kLeftOuter)) {
      std::vector<std::string_view> names;
      for (const Kind_& k : kKinds) names.push_back(k.name);
      const std::string near = p->value ? near_name(p->value->text, names) : std::string();
      error(p->value, fmt::format("'{}' is no kind of {}", p->value ? p->value->text : "", op->text),
            near.empty() ? "kinds are inner, innerunique, leftouter, rightouter, fullouter, leftsemi, leftanti, …"
                         : fmt::format("did you mean '{}'?", near));
    } else {
      kind = found->join;
    }
  }
  if (!op->left) return in;
  Node* right_table = table(op->left, env);
  Node* left = in;
  Node* right = right_table;
  if (left == right) right = plan.over(right);
  // Keys: `on A, $left.B == $right.C`.
  struct Key {
    Bound left, right;
    int right_column = -1;
  };
  std::vector<Key> keys;
  // Expressions over one side are bound against a block over it.
  Node* l = plan.over(left);
  Node* r = plan.over(right);
  bool failed = false;
  const auto side_of = [](const Syntax* s) -> char {
    const Syntax* root = s;
    while (root->kind == Kind::kMember || root->kind == Kind::kIndex) root = root->left;
    if (root->kind == Kind::kCall && !root->args.empty()) {
      root = root->args[0];
      while (root->kind == Kind::kMember || root->kind == Kind::kIndex) root = root->left;
    }
    return root->kind == Kind::kName && root->text == "$left" ? 'l' : root->kind == Kind::kName && root->text == "$right" ? 'r' : '?';
  };
  const auto side_column = [&](const Syntax* s, Node* n) -> Bound {
    if (s->kind == Kind::kMember && s->left->kind == Kind::kName && s->left->text.starts_with("$")) {
      std::vector<Dep> outer;
      outer.swap(deps_);
      Bound b;
      b.v = name(s, s->text, env, Scope{.node = n});
      b.bad = is_bad(b.v);
      b.deps = plan.keep(deps_);
      deps_.swap(outer);
      return b;
    }
    error(s, "a key of a join is a column: $left.A == $right.B");
    return {.v = bad(), .deps = {}, .bad = true};
  };
  std::vector<const Syntax*> conditions;
  for (const Syntax* s : op->args) {
    if (s->kind == Kind::kAnd) {
      conditions.insert(conditions.end(), s->args.begin(), s->args.end());
    } else {
      conditions.push_back(s);
    }
  }
  for (const Syntax* s : conditions) {
    Key k;
    if (s->kind == Kind::kName) {
      const int i = l->find(s->text), j = r->find(s->text);
      if ((i < 0 && !l->open_shape) || (j < 0 && !r->open_shape)) {
        error(s, fmt::format("the {} side of the {} has no column '{}'", i < 0 ? "left" : "right", op->text, s->text),
              near_column(s->text, Scope{.node = i < 0 ? l : r}, env));
        failed = true;
        continue;
      }
      k.left = bind(s, env, Scope{.node = l});
      k.right = bind(s, env, Scope{.node = r});
      k.right_column = j;
    } else if (s->kind == Kind::kBinary && s->text == "==") {
      const char a = side_of(s->left), b = side_of(s->right);
      if (!((a == 'l' && b == 'r') || (a == 'r' && b == 'l'))) {
        error(s, "a key of a join compares $left.A with $right.B");
        failed = true;
        continue;
      }
      const Syntax* ls = a == 'l' ? s->left : s->right;
      const Syntax* rs = a == 'l' ? s->right : s->left;
      k.left = side_column(ls, l);
      k.right = side_column(rs, r);
      if (rs->kind == Kind::kMember) k.right_column = r->find(rs->text);
    } else if (s->kind == Kind::kBad) {
      failed = true;
      continue;
    } else {
      error(s, "a key of a join is a column, or $left.A == $right.B");
      failed = true;
      continue;
    }
    if (k.left.bad || k.right.bad) {
      failed = true;
      continue;
    }
    if (k.left.v.type != k.right.v.type && !(is_numeric(k.left.v.type) && is_numeric(k.right.v.type))) {
      const auto t = common_type(k.left.v.type, k.right.v.type);
      if (k.left.v.type == Type::kDynamic || k.right.v.type == Type::kDynamic) {
        const Type to = k.left.v.type == Type::kDynamic ? k.right.v.type : k.left.v.type;
        k.left.v = convert(k.left.v, to);
        k.right.v = convert(k.right.v, to);
      } else if (t) {
        k.left.v = convert(k.left.v, *t);
        k.right.v = convert(k.right.v, *t);
      } else if (k.left.v.type == Type::kString || k.right.v.type == Type::kString) {
        k.left.v = convert(k.left.v, Type::kString);
        k.right.v = convert(k.right.v, Type::kString);
      } else {
        error(s,
              fmt::format("the key is a {} on the left and a {} on the right", model::type_name(k.left.v.type),
                          model::type_name(k.right.v.type)),
              "convert one side before the join");
        failed = true;
        continue;
      }
    }
    keys.push_back(std::move(k));
  }
  if (keys.empty() && !failed && !op->args.empty()) failed = true;
  if (op->args.empty()) {
    error(op, fmt::format("{} needs keys", op->text), "as in join (T) on Name");
    failed = true;
  }
  // innerunique: one row of the left side for each key.
  Node* left_input = left;
  if (kind == Join::kInnerUnique && !failed) {
    left_input = l;
    std::string on;
    for (const Key& k : keys) {
      on += (on.empty() ? "" : ", ") + k.left.v.sql;
      l->uses.insert(l->uses.end(), k.left.deps.begin(), k.left.deps.end());
    }
    l->distinct_on = plan.keep(std::move(on));
  }
  Node* n = plan.make(Node::Kind::kSelect);
  n->depth = std::max(left->depth, right->depth) + 2;
  n->inputs = {left_input, right};
  n->open_shape = left->open_shape || right->open_shape;
  const bool only_left = kind == Join::kLeftSemi || kind == Join::kLeftAnti,
             only_right = kind == Join::kRightSemi || kind == Join::kRightAnti;
  const bool left_missing = kind == Join::kRightOuter || kind == Join::kFullOuter,
             right_missing = kind == Join::kLeftOuter || kind == Join::kFullOuter;
  const auto carry = [&](Node* side, size_t input, char alias, bool missing, bool hide) {
    for (size_t i = 0; i < side->columns.size(); ++i) {
      const Column& c = side->columns[i];
      if (c.hidden && hide) continue;
      if (lookup && input == 1) {
        bool is_key = false;
        for (const Key& k : keys) is_key |= k.right_column == static_cast<int>(i);
        if (is_key) continue;
      }
      Column out = c;
      std::string name(c.name);
      if (!c.hidden) {
        // Name, Name1, Name2 …: a number that an earlier join gave is counted up.
        const std::string_view stem = c.stem.empty() ? c.name : c.stem;
        for (int suffix = 1; n->find(name) >= 0; ++suffix) name = fmt::format("{}{}", stem, suffix);
        if (name != c.name) out.stem = stem;
      }
      if (name != c.name) out.name = plan.keep(name);
      std::string sql = fmt::format("{}.{}", alias, c.id);
      out.trivial = !(missing && c.type == Type::kString);
      out.sql = plan.keep(missing ? from_missing_side(std::move(sql), c.type) : std::move(sql));
      out.deps = plan.keep(std::vector<Dep>{dep(input, i)});
      out.used = false;
      for (const Column& other : n->columns)
        if (iequals(other.id, out.id)) {
          out.id = plan.fresh_id(*n, out.name);
          break;
        }
      n->columns.push_back(out);
    }
  };
  if (!only_right) carry(left_input, 0, 'l', left_missing, only_left ? false : false);
  if (!only_left) carry(right, 1, 'r', right_missing, !only_right);
  if (failed) {
    n->from = "(SELECT 1)";
    return n;
  }
  std::string on;
  for (const Key& k : keys) {
    // Bound against blocks over the sides: the identifiers are the sides' own, qualified here.
    const auto qualify = [&](const Bound& b, Node* over, char alias) {
      std::string sql = b.v.sql;
      for (const Dep d : b.deps) {
        if (d & kSubquery) continue;
        const std::string_view id = over->columns[d & 0xfffff].sql;
        for (size_t at = sql.find(id); at != std::string::npos; at = sql.find(id, at + id.size() + 2))
          sql.insert(at, fmt::format("{}.", alias));
      }
      return sql;
    };
    on += fmt::format("{}{} = {}", on.empty() ? "" : " AND ", qualify(k.left, l, 'l'), qualify(k.right, r, 'r'));
    for (const Dep d : k.left.deps) n->uses.push_back(dep(0, d & 0xfffff));
    for (const Dep d : k.right.deps) n->uses.push_back(dep(1, d & 0xfffff));
  }
  std::string_view word = "JOIN";
  switch (kind) {
    case Join::kInner:
    case Join::kInnerUnique: break;
    case Join::kLeftOuter: word = "LEFT JOIN"; break;
    case Join::kRightOuter: word = "RIGHT JOIN"; break;
    case Join::kFullOuter: word = "FULL JOIN"; break;
    case Join::kLeftSemi:
    case Join::kRightSemi: word = "SEMI JOIN"; break;
    case Join::kLeftAnti:
    case Join::kRightAnti: word = "ANTI JOIN"; break;
  }
  n->from = plan.keep(only_right ? fmt::format("\x02"
                                               "1\x02 AS r {} \x02"
                                               "0\x02 AS l ON {}",
                                               word, on)
                                 : fmt::format("\x02"
                                               "0\x02 AS l {} \x02"
                                               "1\x02 AS r ON {}",
                                               word, on));
  return n;
}

Node* Binder::union_nodes(const std::vector<Node*>& legs, const std::vector<std::string>& names, std::string_view source_column,
                          bool inner) {
  struct Target {
    std::string_view name;
    Type type;
    std::vector<int> from;
  };
  std::vector<Target> targets;
  for (size_t leg = 0; leg < legs.size(); ++leg) {
    for (size_t i = 0; i < legs[leg]->columns.size(); ++i) {
      const Column& c = legs[leg]->columns[i];
      if (c.hidden) continue;
      auto found = std::find_if(targets.begin(), targets.end(), [&](const Target& t) {
        return t.name == c.name && (t.type == c.type || c.bad || legs[leg]->columns[i].sql == "NULL");
      });
      if (found == targets.end()) {
        // A second type of a name stands behind the first.
        auto place = targets.end();
        for (auto t = targets.begin(); t != targets.end(); ++t)
          if (t->name == c.name) place = t + 1;
        found = targets.insert(place, {c.name, c.type, std::vector<int>(legs.size(), -1)});
      }
      if (found->from[leg] < 0) found->from[leg] = static_cast<int>(i);
    }
  }
  if (inner) std::erase_if(targets, [](const Target& t) { return std::find(t.from.begin(), t.from.end(), -1) != t.from.end(); });
  // Hidden columns survive where every leg has them.
  if (!inner) {
    for (const std::string_view hidden : model::kHiddenColumns) {
      Target t{hidden, Type::kLong, {}};
      for (Node* leg : legs) {
        const int i = leg->find(hidden);
        if (i < 0 || !leg->columns[static_cast<size_t>(i)].hidden) break;
        t.type = leg->columns[static_cast<size_t>(i)].type;
        t.from.push_back(i);
      }
      if (t.from.size() == legs.size()) targets.push_back(t);
    }
  }
  Node* n = plan.make(Node::Kind::kUnion);
  n->shared = true;
  int depth = 0;
  for (size_t leg = 0; leg < legs.size(); ++leg) {
    Node* l = plan.over(legs[leg]);
    const std::vector<Column> all = std::move(l->columns);
    l->columns.clear();
    for (size_t t = 0; t < targets.size(); ++t) {
      Column c;
      const int from = targets[t].from[leg];
      if (from >= 0) {
        c = all[static_cast<size_t>(from)];
        c.bad = all[static_cast<size_t>(from)].bad;
      } else {
        c.sql =
            plan.keep(fmt::format("CAST({} AS {})", targets[t].type == Type::kString ? "''" : "NULL", model::sql_type(targets[t].type)));
      }
      c.id = plan.keep(fmt::format("\"u{}\"", t));
      c.name = targets[t].name;
      c.type = targets[t].type;
      l->columns.push_back(c);
    }
    if (!source_column.empty()) {
      Column c;
      c.sql = plan.keep(sql_string(names[leg]));
      c.id = plan.keep(fmt::format("\"u{}\"", targets.size()));
      c.name = source_column;
      l->columns.insert(l->columns.begin(), c);
    }
    l->order.clear();
    n->open_shape |= legs[leg]->open_shape;
    depth = std::max(depth, l->depth);
    n->inputs.push_back(l);
  }
  n->depth = depth + 1;
  const size_t first = source_column.empty() ? 0 : 1;
  for (size_t t = 0; t < targets.size() + first; ++t) {
    Column c = n->inputs[0]->columns[t];
    c.sql = c.id;
    c.trivial = true;
    c.deps = {};
    c.used = false;
    c.hidden = t >= first && std::find(std::begin(model::kHiddenColumns), std::end(model::kHiddenColumns), targets[t - first].name) !=
                                 std::end(model::kHiddenColumns);
    c.bad = false;
    for (const Node* leg : n->inputs) c.bad |= leg->columns[t].bad;
    if (t >= first) {
      const Target& target = targets[t - first];
      // One name with two types becomes two columns.
      const bool clash = std::count_if(targets.begin(), targets.end(), [&](const Target& other) { return other.name == target.name; }) > 1;
      if (clash) c.name = plan.keep(fmt::format("{}_{}", target.name, model::type_name(target.type)));
      std::string name(c.name);
      for (int suffix = 1; n->find(name) >= 0 && !c.hidden; ++suffix) name = fmt::format("{}{}", c.name, suffix);
      if (name != c.name) c.name = plan.keep(std::move(name));
    }
    n->columns.push_back(c);
  }
  return n;
}

Node* Binder::union_of(const Syntax* op, Node* in, Env* env) {
  std::vector<Node*> legs;
  std::vector<std::string> names;
  if (in) {
    legs.push_back(in);
    names.emplace_back("union_arg0");
  }
  bool fuzzy = false;
  if (const Parameter* p = op->param("isfuzzy"))
    fuzzy = p->value && std::holds_alternative<bool>(p->value->value) && std::get<bool>(p->value->value);
  for (const Syntax* s : op->args) {
    if (s->kind == Kind::kWildcard || s->kind == Kind::kStar) {
      const std::string_view pattern = s->kind == Kind::kStar ? "*" : s->text;
      size_t found = 0;
      for (const std::string& name : catalogue_.names()) {
        const model::Table* t = matches(pattern, name) ? catalogue_.table(name) : nullptr;
        if (!t) continue;
        legs.push_back(stored_table(*t));
        names.push_back(name);
        ++found;
      }
      // Of functions that the query itself defines, those that are views.
      std::vector<std::string_view> views;
      for (const Env* e = env; e; e = e->parent)
        for (const auto& [name, variable] : e->names)
          if (variable.kind == Variable::Kind::kFunction && variable.function->flag && variable.function->args.empty() &&
              matches(pattern, name) && std::find(views.begin(), views.end(), name) == views.end())
            views.push_back(name);
      for (const std::string_view name : views) {
        legs.push_back(table(made(Kind::kName, s, name), env));
        names.emplace_back(name);
        ++found;
      }
      if (found == 0 && fuzzy)
        warnings.push_back({.offset = s->offset,
                            .length = s->end - s->offset,
                            .message = fmt::format("no table matches '{}'; this leg of the union is left out", pattern),
                            .hint = {},
                            .warning = true});
      else if (found == 0)
        error(s, fmt::format("no table matches '{}'", pattern));
      continue;
    }
    if (s->kind == Kind::kBad) continue;
    if (fuzzy && s->kind == Kind::kName && !is_tabular(s, env)) {
      Diagnostic d{.offset = s->offset,
                   .length = s->end - s->offset,
                   .message = fmt::format("no table is named '{}'; this leg of the union is left out", s->text),
                   .hint = near_table(s->text, env),
                   .warning = true};
      warnings.push_back(std::move(d));
      continue;
    }
    Node* leg = table(s, env);
    legs.push_back(leg);
    names.emplace_back(s->kind == Kind::kName            ? std::string(s->text)
                       : leg->kind == Node::Kind::kTable ? std::string(leg->table)
                                                         : fmt::format("union_arg{}", legs.size() - 1));
  }
  if (legs.empty()) {
    if (!fuzzy && diagnostics_.empty()) error(op, "union needs a table");
    return broken_table();
  }
  std::string_view source;
  for (const std::string_view key : {"withsource", "with_source"})
    if (const Parameter* p = op->param(key); p && p->value)
      source =
          p->value->kind == Kind::kName ? p->value->text : std::string_view(plan.keep(constant_string(p->value, env, "the column's name")));
  bool inner = false;
  if (const Parameter* p = op->param("kind"); p && p->value) inner = p->value->text == "inner";
  if (legs.size() == 1 && source.empty()) return legs[0];
  return union_nodes(legs, names, source, inner);
}

// search "term": every column of the given tables, or of the pipeline before it.
Node* Binder::search(const Syntax* op, Node* in, Env* env) {
  std::vector<Node*> legs;
  std::vector<std::string> names;
  if (in) {
    Node* n = prepare(in, {}, env, kFilter);
    if (std::any_of(n->columns.begin(), n->columns.end(), [](const Column& c) { return !c.trivial; })) n = plan.over(n);
    std::vector<Dep> outer;
    outer.swap(deps_);
    const Typed v = search_predicate(op->left, env, Scope{.node = n});
    if (!is_bad(v)) n->where.push_back({plan.keep(v.sql), plan.keep(deps_)});
    deps_.swap(outer);
    return n;
  }
  const auto add = [&](Node* t, std::string name) {
    Node* n = plan.over(t);
    std::vector<Dep> outer;
    outer.swap(deps_);
    const Typed v = search_predicate(op->left, env, Scope{.node = n});
    if (!is_bad(v)) n->where.push_back({plan.keep(v.sql), plan.keep(deps_)});
    deps_.swap(outer);
    legs.push_back(n);
    names.push_back(std::move(name));
  };
  for (const Syntax* s : op->by) {
    if (s->kind == Kind::kWildcard || s->kind == Kind::kStar) {
      for (const std::string& name : catalogue_.names())
        if (const model::Table* t = matches(s->kind == Kind::kStar ? "*" : s->text, name) ? catalogue_.table(name) : nullptr)
          add(stored_table(*t), name);
      continue;
    }
    Node* t = table(s, env);
    add(t, s->kind == Kind::kName          ? std::string(s->text)
           : t->kind == Node::Kind::kTable ? std::string(t->table)
                                           : fmt::format("table{}", legs.size()));
  }
  if (op->by.empty()) {
    not_supported(op, "search over all tables");
    if (!diagnostics_.empty() && !call_site_) diagnostics_.back().hint = "name them: search in (SecurityAlert, ContainerLogV2) \"term\"";
    return broken_table();
  }
  if (legs.empty()) return broken_table();
  return union_nodes(legs, names, "$table", false);
}

Node* Binder::find(const Syntax* op, Node* in, Env* env) {
  (void)in;
  if (op->by.empty()) {
    not_supported(op, "find over all tables");
    return broken_table();
  }
  std::string_view source = "source_";
  for (const std::string_view key : {"withsource", "with_source"})
    if (const Parameter* p = op->param(key); p && p->value && p->value->kind == Kind::kName) source = p->value->text;
  std::vector<Node*> legs;
  std::vector<std::string> names;
  for (const Syntax* s : op->by) {
    Node* t = table(s, env);
    Node* n = where(op->left, plan.over(t), env);
    names.push_back(s->kind == Kind::kName ? std::string(s->text) : fmt::format("table{}", legs.size()));
    if (!op->args.empty()) {
      Node* target = plan.over(n);
      const std::vector<Column> all = std::move(target->columns);
      target->columns.clear();
      for (const Syntax* column : op->args) {
        if (column->kind == Kind::kCall && (column->text == "pack_all" || column->text == "pack")) {
          Node* whole = plan.over(n);
          std::vector<Dep> outer;
          outer.swap(deps_);
          Bound b;
          Syntax call = *column;
          call.text = "pack_all";
          call.args.clear();
          b.v = expression(&call, env, Scope{.node = whole});
          b.deps = plan.keep(deps_);
          deps_.swap(outer);
          put_column(target, "pack_", b);
          continue;
        }
        const auto found = std::find_if(all.begin(), all.end(), [&](const Column& c) { return c.name == column->text; });
        if (found != all.end()) {
          target->columns.push_back(*found);
        } else if (column->kind == Kind::kTyped) {
          put_column(target, column->text, {.v = typed_null(column->type), .deps = {}});
        }
      }
      n = target;
    }
    legs.push_back(n);
  }
  return union_nodes(legs, names, source, false);
}

}  // namespace egret::kql
