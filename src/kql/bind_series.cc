// make-series: aggregates by bins of an axis, as one array for each series.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "kql/binder.h"

namespace egret::kql {
using model::Type;

// Built of four blocks: rows by key and bin (cells), the keys, every bin of every key joined to its cell, and the arrays.
Node* Binder::make_series(const Syntax* op, Node* in, Env* env) {
  const Syntax* axis = op->left;
  const auto param = [&](std::string_view name) -> const Syntax* {
    const Parameter* p = op->param(name);
    return p ? p->value : nullptr;
  };
  if (!axis || !param("step")) {
    error(op, "make-series needs an axis and a step", "as in make-series Count = count() on TimeGenerated from ago(1d) to now() step 1h");
    return broken_table();
  }
  const Syntax* axis_expression = axis->kind == Kind::kNamed ? axis->left : axis;
  std::string axis_name = axis->kind == Kind::kNamed ? std::string(axis->text) : auto_name(axis, env);
  if (axis_name.empty()) axis_name = "Axis";
  Node* rows = prepare(plan.over(in), {}, env, kColumns);
  rows->order.clear();
  const Bound at = bind(axis_expression, env, Scope{.node = rows});
  Bound from = param("from") ? bind(param("from"), env, Scope{}) : Bound{}, to = param("to") ? bind(param("to"), env, Scope{}) : Bound{},
        step = bind(param("step"), env, Scope{});
  const auto give_up = [&] {
    Node* n = plan.make(Node::Kind::kSelect);
    n->open_shape = true;
    return n;
  };
  if (at.bad || from.bad || to.bad || step.bad) return give_up();
  const bool real = at.v.type == Type::kReal || at.v.type == Type::kDecimal;
  if (!is_numeric(at.v.type) && at.v.type != Type::kDatetime && at.v.type != Type::kTimespan) {
    error(axis, fmt::format("the axis of make-series is a number, a datetime or a timespan, not a {}", model::type_name(at.v.type)));
    return give_up();
  }
  const Type step_type = at.v.type == Type::kDatetime ? Type::kTimespan : at.v.type;
  step.v = convert(step.v, step_type);
  std::vector<Dep> bound_deps;
  const auto edge = [&](const Syntax* given, Bound& b, bool first) -> std::string {
    if (given) {
      bound_deps.insert(bound_deps.end(), b.deps.begin(), b.deps.end());
      return convert(b.v, at.v.type).sql;
    }
    // Without an edge the data's own first or last bin is one.
    Node* ends = plan.over(in);
    ends->order.clear();
    const Bound value = bind(axis_expression, env, Scope{.node = ends});
    ends->columns.clear();
    ends->grouped = true;
    plan.add(ends, "edge", at.v.type, plan.keep(fmt::format("{}({})", first ? "min" : "max", value.v.sql)), value.deps);
    std::vector<Dep> outer;
    outer.swap(deps_);
    std::string sql = subquery_text(ends);
    bound_deps.insert(bound_deps.end(), deps_.begin(), deps_.end());
    deps_.swap(outer);
    const std::string binned =
        real ? fmt::format("(floor({} / {}) * {})", sql, step.v.sql, step.v.sql) : fmt::format("({} - {} % {})", sql, sql, step.v.sql);
    return first ? binned : fmt::format("({} + {})", binned, step.v.sql);
  };
  in->shared = true;
  const std::string first = edge(param("from"), from, true), last = edge(param("to"), to, false);
  bound_deps.insert(bound_deps.end(), step.deps.begin(), step.deps.end());
  const bool inclusive = op->param("inclusive") != nullptr;
  const std::string index = real ? fmt::format("CAST(floor(({} - {}) / {}) AS BIGINT)", at.v.sql, first, step.v.sql)
                                 : fmt::format("(({} - {}) // {})", at.v.sql, first, step.v.sql);
  std::vector<Dep> where_deps(at.deps.begin(), at.deps.end());
  where_deps.insert(where_deps.end(), bound_deps.begin(), bound_deps.end());
  const Deps all = plan.keep(where_deps);
  rows->where.push_back({plan.keep(fmt::format("{} >= {} AND {} {} {}", at.v.sql, first, at.v.sql, inclusive ? "<=" : "<", last)), all});
  Column& bin_column = plan.add(rows, "$bin", Type::kLong, plan.keep(index), all);
  bin_column.hidden = true;

  SyntaxTree& tree = trees_.emplace_back();
  const auto make = [&](Kind kind, std::string_view text) {
    Syntax& s = tree.nodes.emplace_back();
    s.kind = kind;
    s.text = text;
    s.offset = op->offset;
    s.end = op->end;
    return &s;
  };
  Syntax* cells_op = make(Kind::kOperator, "summarize");
  for (const Syntax* a : op->args) cells_op->args.push_back(a->left);
  cells_op->by = op->by;
  cells_op->by.push_back(make(Kind::kName, "$bin"));
  Node* cells = summarize(cells_op, rows, env);
  cells->shared = true;
  const size_t keys = op->by.size();
  if (cells->columns.size() < keys + 1 + op->args.size()) return give_up();

  Node* series = plan.over(cells);
  series->columns.resize(keys);
  series->distinct = keys > 0;
  if (keys == 0) {
    // One series, if there is any row (or kind=nonempty).
    const Parameter* kind = op->param("kind");
    if (kind && kind->value && kind->value->text == "nonempty") series->inputs.clear();
    plan.add(series, "$one", Type::kLong, "1", {});
    series->distinct = true;
  }
  const std::string count = real ? fmt::format("CAST(ceil(({} - {}) / {}) AS BIGINT){}", last, first, step.v.sql, inclusive ? " + 1" : "")
                            : inclusive ? fmt::format("(({} - {}) // {} + 1)", last, first, step.v.sql)
                                        : fmt::format("(({} - {} + {} - 1) // {})", last, first, step.v.sql, step.v.sql);
  Node* n = plan.make(Node::Kind::kSelect);
  n->inputs = {series, cells};
  n->depth = cells->depth + 2;
  n->grouped = true;
  n->uses = bound_deps;
  std::string on = fmt::format("r.{} = s.i", cells->columns[keys].id);
  n->uses.push_back(dep(1, keys));
  for (size_t i = 0; i < keys; ++i) {
    on += fmt::format(" AND r.{} IS NOT DISTINCT FROM l.{}", cells->columns[i].id, series->columns[i].id);
    n->uses.push_back(dep(0, i));
    n->uses.push_back(dep(1, i));
  }
  if (keys == 0) n->uses.push_back(dep(0, 0));
  n->from =
      plan.keep(fmt::format("\x02"
                            "0\x02 AS l CROSS JOIN (SELECT unnest(range(least({}, 1000000))) AS i) AS s LEFT JOIN \x02"
                            "1\x02 AS r ON {}",
                            count, on));
  for (size_t i = 0; i < keys; ++i) {
    const Column& c = series->columns[i];
    Column& key = plan.add(n, c.name, c.type, plan.keep(fmt::format("l.{}", c.id)), plan.keep(std::vector<Dep>{dep(0, i)}));
    key.bad = c.bad;
    n->group.push_back({key.sql, key.deps});
  }
  for (size_t a = 0; a < op->args.size(); ++a) {
    const size_t c = keys + 1 + a;
    const Column& cell = cells->columns[c];
    Typed otherwise = typed_literal(Type::kLong, int64_t{0});
    if (op->args[a]->right) otherwise = expression(op->args[a]->right, env, Scope{});
    const std::string value = convert({.sql = fmt::format("r.{}", cell.id), .type = cell.type}, Type::kDynamic).sql;
    const std::string fill = otherwise.is_null_literal ? "'null'" : convert(otherwise, Type::kDynamic).sql;
    // The bin of the cell tells a missing cell from a null value.
    Column& list = plan.add(n, cell.name, Type::kDynamic,
                            plan.keep(fmt::format("('[' || string_agg(coalesce({}, {}), ',' ORDER BY s.i) || ']')", value, fill)),
                            plan.keep(std::vector<Dep>{dep(1, c)}));
    list.bad = cell.bad;
  }
  const Typed place = convert({.sql = fmt::format("({} + s.i * {})", first, step.v.sql), .type = at.v.type}, Type::kDynamic);
  plan.add(n, plan.keep(axis_name), Type::kDynamic, plan.keep(fmt::format("('[' || string_agg({}, ',' ORDER BY s.i) || ']')", place.sql)),
           plan.keep(bound_deps));
  return n;
}

}  // namespace egret::kql
