// top-hitters, which is a summarize and a top, and top-nested: the greatest groups, and within each of them the greatest of the next level.
// Each level is a summarize over all values down to it, of which the first N of every parent stay; the levels are then joined from the top
// down.
#include <fmt/format.h>

#include <algorithm>

#include "kql/binder.h"

namespace egret::kql {
using model::Type;

Syntax* Binder::made(Kind kind, const Syntax* at, std::string_view text, Syntax* left) {
  Syntax& s = made_.emplace_back();
  s.kind = kind;
  s.offset = at->offset;
  s.end = at->end;
  s.text = text;
  s.left = left;
  return &s;
}

// op->left: how many; args[0]: of what; by[0]: summed instead of counting rows. Exact, though the name of the column says approximate.
Node* Binder::top_hitters(const Syntax* op, Node* in, Env* env) {
  if (op->args.empty() || !op->left) return broken_table();
  Syntax* value = op->args[0];
  Syntax* weight = op->by.empty() ? nullptr : op->by[0];
  const std::string of = auto_name(weight ? weight : value, env);
  Syntax* count = made(Kind::kCall, op, weight ? "sum" : "count");
  if (weight) count->args = {weight};
  const std::string_view name = plan.keep(fmt::format("approximate_{}_{}", weight ? "sum" : "count", of));
  Syntax* groups = made(Kind::kOperator, op, "summarize");
  groups->args = {made(Kind::kNamed, op, name, count)};
  groups->by = {value};
  return limit(op->left, sort({made(Kind::kOrdered, op, "desc", made(Kind::kName, op, name))}, summarize(groups, in, env), env), env);
}

// op->args: the levels, each with args {N or null, value, aggregate, value of the others or null}; text: asc, desc or none.
Node* Binder::top_nested(const Syntax* op, Node* in, Env* env) {
  const auto inside = [](Syntax* s) { return s->kind == Kind::kNamed ? s->left : s; };
  const size_t levels = op->args.size();
  std::vector<Syntax*> values, keys;
  std::vector<std::string_view> names;
  int numbered = 0;
  for (const Syntax* level : op->args) {
    Syntax* value = level->args[1];
    std::string name = value->kind == Kind::kNamed ? std::string(value->text) : auto_name(value, env);
    if (name.empty()) name = fmt::format("Column{}", ++numbered);
    names.push_back(plan.keep(name));
    const std::string_view hidden = plan.keep(fmt::format("$n{}", ++plan.next_id));
    values.push_back(made(Kind::kNamed, op, hidden, inside(value)));
    keys.push_back(made(Kind::kName, op, hidden));
    if (level->args[3] && level != op->args.back()) {
      not_supported(level->args[3], "'with others' above the last level of top-nested");
      return broken_table();
    }
  }
  Node* base = plan.over(extend(values, in, env, true));
  base->order.clear();
  base->shared = true;
  // Groups of the first `count` levels over some rows; their keys come first, the aggregate behind them.
  const auto groups = [&](Node* rows, size_t count) {
    Syntax* s = made(Kind::kOperator, op, "summarize");
    s->args = {inside(op->args[count - 1]->args[2])};
    s->by.assign(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(count));
    return plan.over(summarize(s, rows, env));
  };
  Node* result = nullptr;
  for (size_t i = 0; i < levels; ++i) {
    const Syntax* level = op->args[i];
    Node* group = groups(base, i + 1);
    if (group->columns.size() != i + 2) {
      if (diagnostics_.empty()) error(level->args[2], "a level of top-nested has one aggregate");
      return broken_table();
    }
    if (level->args[0]) {
      const Bound limit = bind(level->args[0], env, Scope{});
      if (limit.bad) return broken_table();
      if (!is_numeric(limit.v.type)) {
        error(level->args[0], "the number of values must be a number");
        return broken_table();
      }
      std::string partition, order = fmt::format("{}{} NULLS LAST", group->columns[i + 1].sql, level->text == "asc" ? "" : " DESC");
      std::vector<Dep> deps;
      for (size_t k = 0; k < group->columns.size(); ++k) {
        const Column& c = group->columns[k];
        deps.insert(deps.end(), c.deps.begin(), c.deps.end());
        if (k < i) partition += (k ? ", " : "PARTITION BY ") + std::string(c.sql);
      }
      order += fmt::format(", {}", group->columns[i].sql);  // so that a tie is not decided anew each time
      Column& rank = plan.add(group, "$rank", Type::kLong, plan.keep(fmt::format("row_number() OVER ({} ORDER BY {})", partition, order)),
                              plan.keep(deps));
      rank.hidden = true;
      group->window = true;
      Node* chosen = plan.over(group);
      const Column& place = chosen->columns[static_cast<size_t>(chosen->find("$rank"))];
      chosen->where.push_back({plan.keep(fmt::format("{} <= {}", place.sql, convert(limit.v, Type::kLong).sql)), place.deps});
      std::erase_if(chosen->columns, [](const Column& c) { return c.name == "$rank"; });
      if (level->args[3]) {
        // The rows whose value is none of the chosen are aggregated again under the name of the others.
        const Bound others = bind(level->args[3], env, Scope{});
        if (others.bad) return broken_table();
        chosen->shared = true;
        Node* named = plan.make(Node::Kind::kSelect);
        named->inputs = {base, chosen};
        named->depth = std::max(base->depth, chosen->depth) + 1;
        std::string on;
        for (size_t k = 0; k <= i; ++k) {
          const size_t at = static_cast<size_t>(base->find(keys[k]->text));
          on += fmt::format("{}b.{} IS NOT DISTINCT FROM c.{}", k ? " AND " : "", base->columns[at].id, chosen->columns[k].id);
          named->uses.push_back(dep(0, at));
          named->uses.push_back(dep(1, k));
        }
        named->uses.push_back(dep(1, i + 1));
        named->from =
            plan.keep(fmt::format("\x02"
                                  "0\x02 AS b LEFT JOIN (SELECT *, true AS chosen FROM \x02"
                                  "1\x02) AS c ON {}",
                                  on));
        for (size_t c = 0; c < base->columns.size(); ++c) {
          Column column = base->columns[c];
          column.sql = plan.keep(fmt::format("b.{}", column.id));
          column.deps = plan.keep(std::vector<Dep>{dep(0, c)});
          column.trivial = true;
          column.used = false;
          if (column.name == keys[i]->text) {
            const Typed other = convert(others.v, column.type);
            column.sql = plan.keep(fmt::format("CASE WHEN c.chosen THEN {} ELSE {} END", column.sql, other.sql));
            column.trivial = false;
          }
          named->columns.push_back(column);
        }
        chosen = groups(named, i + 1);
      }
      group = chosen;
    }
    group->shared = true;
    const std::string_view aggregate =
        level->args[2]->kind == Kind::kNamed ? level->args[2]->text : plan.keep(fmt::format("aggregated_{}", names[i]));
    Node* n = plan.make(Node::Kind::kSelect);
    n->inputs = {group};
    n->depth = group->depth + 1;
    std::string from =
        "\x02"
        "0\x02 AS g";
    if (result) {
      n->inputs.push_back(result);
      n->depth = std::max(n->depth, result->depth + 1);
      from +=
          " JOIN \x02"
          "1\x02 AS r ON ";
      for (size_t k = 0; k < i; ++k) {
        from += fmt::format("{}g.{} IS NOT DISTINCT FROM r.{}", k ? " AND " : "", group->columns[k].id, result->columns[2 * k].id);
        n->uses.push_back(dep(0, k));
        n->uses.push_back(dep(1, 2 * k));
      }
      for (size_t c = 0; c < result->columns.size(); ++c)
        plan.add(n, result->columns[c].name, result->columns[c].type, plan.keep(fmt::format("r.{}", result->columns[c].id)),
                 plan.keep(std::vector<Dep>{dep(1, c)}));
    }
    n->from = plan.keep(from);
    for (const size_t c : {i, i + 1}) {
      std::string name(c == i ? names[i] : aggregate);
      for (int again = 1; n->find(name) >= 0; ++again) name = fmt::format("{}{}", c == i ? names[i] : aggregate, again);
      plan.add(n, plan.keep(name), group->columns[c].type, plan.keep(fmt::format("g.{}", group->columns[c].id)),
               plan.keep(std::vector<Dep>{dep(0, c)}));
    }
    result = n;
    if (i + 1 < levels) result->shared = true;
  }
  return result ? plan.over(result) : in;
}

}  // namespace egret::kql
