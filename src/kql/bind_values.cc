// Tables that stand in the query itself: datatable, externaldata, print, range.
#include <fmt/format.h>

#include "base/text.h"
#include "kql/binder.h"

namespace egret::kql {
using model::Type;

Node* Binder::datatable(const Syntax* op, Env* env) {
  Node* n = plan.make(Node::Kind::kSelect);
  const size_t width = op->args.size();
  if (width == 0) {
    error(op, "datatable needs columns, as in datatable(Name: string) [\"a\"]");
    return broken_table();
  }
  if (op->by.size() % width != 0) {
    error(op, fmt::format("{} do not fill rows of {}", count_of(op->by.size(), "value"), count_of(width, "column")));
    return broken_table();
  }
  std::string rows;
  for (size_t i = 0; i < op->by.size(); ++i) {
    const Type to = op->args[i % width]->type;
    Typed v = expression(op->by[i], env, Scope{});
    if (!is_bad(v)) {
      if (v.type != Type::kString && to == Type::kString && v.is_null_literal) v = typed_literal(Type::kString, std::string());
      v = convert(v, to);
    }
    rows += i % width != 0 ? ", " : i > 0 ? "), (" : "(";
    rows += v.sql;
  }
  std::string names;
  for (size_t i = 0; i < width; ++i) names += fmt::format("{}c{}", i ? ", " : "", i);
  if (op->by.empty()) {
    std::string row;
    for (size_t i = 0; i < width; ++i) row += i ? ", NULL" : "NULL";
    n->from = plan.keep(fmt::format("(SELECT * FROM (VALUES ({})) AS w WHERE false) AS v({})", row, names));
  } else {
    n->from = plan.keep(fmt::format("(VALUES {})) AS v({})", rows, names));
  }
  for (size_t i = 0; i < width; ++i) {
    const Syntax* c = op->args[i];
    if (n->find(c->text) >= 0) error(c, fmt::format("there are two columns named '{}'", c->text));
    plan.add(n, c->text, c->type, plan.keep(fmt::format("CAST(c{} AS {})", i, model::sql_type(c->type))), {}).trivial = true;
  }
  return n;
}

Node* Binder::externaldata(const Syntax* op, Env* env) {
  for (const Syntax* address : op->by) expression(address, env, Scope{});
  cannot_run("externaldata is not supported: a query reads no files and no network");
  Node* n = plan.make(Node::Kind::kSelect);
  for (const Syntax* c : op->args) plan.add(n, c->text, c->type, plan.keep(typed_null(c->type).sql), {});
  n->shared = true;
  return n;
}

Node* Binder::print(const Syntax* op, Env* env) {
  Node* n = plan.make(Node::Kind::kSelect);
  int i = 0;
  for (const Syntax* s : op->args) {
    if (auto parts = several_columns(s, env, Scope{}); !parts.empty()) {
      for (const Part& part : parts) put_column(n, part.name, part.bound);
      continue;
    }
    const Bound b = bind(s->kind == Kind::kNamed ? s->left : s, env, Scope{});
    const std::string_view name = s->kind == Kind::kNamed ? s->text : plan.keep(fmt::format("print_{}", i));
    ++i;
    put_column(n, name, b);
  }
  return n;
}

Node* Binder::range(const Syntax* op, Env* env) {
  Bound from = bind(op->args[0], env, Scope{}), to = bind(op->args[1], env, Scope{}), step = bind(op->args[2], env, Scope{});
  Node* n = plan.make(Node::Kind::kSelect);
  std::vector<Dep> deps(from.deps.begin(), from.deps.end());
  deps.insert(deps.end(), to.deps.begin(), to.deps.end());
  deps.insert(deps.end(), step.deps.begin(), step.deps.end());
  Type type = from.v.type;
  if (is_numeric(type) && is_numeric(step.v.type)) type = *common_type(type, step.v.type);
  if (type == Type::kInt && to.v.type == Type::kLong) type = Type::kLong;
  std::string sql;
  if (!from.bad && !to.bad && !step.bad) {
    const Type step_type = type == Type::kDatetime ? Type::kTimespan : type;
    if (!(is_numeric(type) || type == Type::kDatetime || type == Type::kTimespan) || to.v.type == Type::kString) {
      error(op, fmt::format("range goes over numbers, datetimes and timespans, not {}", model::type_name(type)));
      return broken_table();
    }
    const std::string a = convert(from.v, type).sql, b = convert(to.v, type).sql, s = convert(step.v, step_type).sql;
    if (type == Type::kReal || type == Type::kDecimal) {
      sql = fmt::format("{} + unnest(generate_series(0, CAST(floor(({} - {}) / {} + 1e-9) AS BIGINT))) * {}", a, b, a, s, s);
    } else {
      sql = fmt::format("CAST(unnest(generate_series(CAST({} AS BIGINT), CAST({} AS BIGINT), CAST({} AS BIGINT))) AS {})", a, b, s,
                        model::sql_type(type));
    }
  }
  Column& c = plan.add(n, op->right->text, type, plan.keep(sql), plan.keep(deps));
  c.bad = sql.empty();
  n->always.push_back(0);
  n->window = true;
  return n;
}

}  // namespace egret::kql
