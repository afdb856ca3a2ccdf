// Functions over the rows around: row_number, prev, next, row_cumsum and their like. Each call becomes a hidden column of a
// block of its own, so that one may stand inside another and filters stay above.
#include <fmt/format.h>

#include <algorithm>

#include "kql/binder.h"

namespace egret::kql {
namespace {
using model::Type;
constexpr std::string_view kWindow[] = {"row_number",     "prev",         "next",     "row_cumsum",
                                        "row_rank_dense", "row_rank_min", "row_rank", "row_window_session"};
constexpr std::string_view kRowName = "$row";
}  // namespace

bool Binder::is_window(std::string_view name) const { return std::find(std::begin(kWindow), std::end(kWindow), name) != std::end(kWindow); }

bool Binder::uses_window(const Syntax* s) const {
  if (!s || s->kind == Kind::kPipe || s->kind == Kind::kOperator) return false;
  if (s->kind == Kind::kCall && is_window(s->text)) return true;
  if (uses_window(s->left) || uses_window(s->right)) return true;
  for (const Syntax* child : s->args)
    if (uses_window(child)) return true;
  return false;
}

Typed Binder::window_call(const Syntax* s, Env*, const Scope& scope) {
  const auto it = hoisted_.find(s);
  if (it == hoisted_.end()) {
    error(s, fmt::format("{}() cannot stand here", s->text));
    return bad();
  }
  const int i = scope.node->find(it->second);
  return i < 0 ? bad() : use_column(scope.node, static_cast<size_t>(i));
}

Node* Binder::hoist_windows(const std::vector<Syntax*>& list, Node* in, Env* env) {
  if (in->find(kRowName) < 0) {
    std::vector<Dep> outer;
    outer.swap(deps_);
    Node* n = in;
    const bool open = in->kind == Node::Kind::kSelect && !in->shared && !in->limited() && !in->grouped && !in->distinct &&
                      in->distinct_on.empty() && !in->window;
    std::string order;
    if (open) {
      order = order_of(in);
    } else {
      n = prepare(in, {}, env, kOrder);
      order = order_of(n);
    }
    Column& c = plan.add(n, kRowName, Type::kLong,
                         plan.keep(fmt::format("row_number() OVER ({})", order.empty() ? order : order.substr(1))), plan.keep(deps_));
    c.hidden = true;
    deps_.swap(outer);
    n->window = true;
    in = n;
  }
  for (const Syntax* s : list) in = hoist_windows(s, in, env);
  return in;
}

Node* Binder::hoist_windows(const Syntax* s, Node* in, Env* env) {
  if (!s || !uses_window(s)) return in;
  in = hoist_windows(s->left, in, env);
  in = hoist_windows(s->right, in, env);
  for (const Syntax* child : s->args) in = hoist_windows(child, in, env);
  if (s->kind == Kind::kCall && is_window(s->text)) in = window_layer(s, in, env);
  return in;
}

Node* Binder::in_row_order(Node* root) {
  if (root->find(kRowName) < 0 || !root->order.empty()) return root;
  Node* n = plan.over(root);
  const Column& row = n->columns[static_cast<size_t>(n->find(kRowName))];
  n->order.push_back({row.sql, row.deps});
  return n;
}

Node* Binder::window_layer(const Syntax* call, Node* in, Env* env) {
  Node* n = plan.over(in);
  if (!in->order.empty() && !in->limited()) n = prepare(in, {}, env, kOrder) == in ? n : n;
  const auto hidden = [&](Node* node, const Bound& b) {
    const std::string_view name = plan.keep(fmt::format("$w{}", ++plan.next_id));
    std::vector<Dep> deps(b.deps.begin(), b.deps.end());
    const int row = node->find(kRowName);
    if (row >= 0) {
      const Deps more = node->columns[static_cast<size_t>(row)].deps;
      deps.insert(deps.end(), more.begin(), more.end());
    }
    Column& c = plan.add(node, name, b.v.type, plan.keep(b.v.sql), plan.keep(deps));
    c.hidden = true;
    c.bad = b.bad;
    node->window = true;
    return name;
  };
  const std::string_view row = n->columns[static_cast<size_t>(n->find(kRowName))].sql;
  std::vector<Bound> args;
  for (const Syntax* a : call->args) args.push_back(bind(a, env, Scope{.node = n, .window = true}));
  const auto wrong = [&](std::string_view what) {
    error(call, fmt::format("{}() takes {}", call->text, what));
    Bound b{.v = bad(), .deps = {}, .bad = true};
    hoisted_[call] = hidden(n, b);
    return n;
  };
  for (const Bound& a : args) {
    if (!a.bad) continue;
    hoisted_[call] = hidden(n, {.v = bad(), .deps = {}, .bad = true});
    return n;
  }
  Bound b;
  std::vector<Dep> deps;
  for (const Bound& a : args) deps.insert(deps.end(), a.deps.begin(), a.deps.end());
  b.deps = plan.keep(deps);
  // Restarts: a running count of them says to which stretch a row belongs.
  const auto stretches = [&](size_t index) -> std::string {
    if (args.size() <= index) return {};
    Bound flag{.v = {.sql = fmt::format("count(*) FILTER (WHERE {}) OVER (ORDER BY {})", args[index].v.sql, row), .type = Type::kLong},
               .deps = args[index].deps};
    const std::string_view name = hidden(n, flag);
    n = plan.over(n);
    return fmt::format("PARTITION BY {} ", n->columns[static_cast<size_t>(n->find(name))].sql);
  };
  const auto rebind = [&] {
    // Arguments again, over the block that has the stretches.
    args.clear();
    deps.clear();
    for (const Syntax* a : call->args) args.push_back(bind(a, env, Scope{.node = n, .window = true}));
    for (const Bound& a : args) deps.insert(deps.end(), a.deps.begin(), a.deps.end());
    for (const Column& c : n->columns)
      if (c.hidden && c.name.starts_with("$w")) deps.insert(deps.end(), c.deps.begin(), c.deps.end());
    b.deps = plan.keep(deps);
  };
  if (call->text == "row_number") {
    const std::string partition = stretches(1);
    if (!partition.empty()) rebind();
    b.v = {.sql = fmt::format("row_number() OVER ({}ORDER BY {})", partition, row), .type = Type::kLong};
    if (!args.empty()) b.v.sql = fmt::format("({} - 1 + {})", convert(args[0].v, Type::kLong).sql, b.v.sql);
  } else if (call->text == "prev" || call->text == "next") {
    if (args.empty() || args.size() > 3) return wrong("a value, an offset and a default");
    const std::string offset = args.size() > 1 ? convert(args[1].v, Type::kLong).sql : "1";
    std::string otherwise = args.size() > 2 ? convert(args[2].v, args[0].v.type).sql : args[0].v.type == Type::kString ? "''" : "NULL";
    b.v = args[0].v;
    b.v.literal.reset();
    b.v.is_constant = false;
    b.v.sql =
        fmt::format("{}({}, {}, {}) OVER (ORDER BY {})", call->text == "prev" ? "lag" : "lead", args[0].v.sql, offset, otherwise, row);
  } else if (call->text == "row_cumsum") {
    if (args.empty() || args.size() > 2) return wrong("a number and a restart condition");
    const std::string partition = stretches(1);
    if (!partition.empty()) rebind();
    const Type t = args[0].v.type == Type::kInt ? Type::kLong : args[0].v.type;
    const std::string sum = fmt::format("sum({}) OVER ({}ORDER BY {})", args[0].v.sql, partition, row);
    b.v = {.sql = t == Type::kReal || t == Type::kDecimal ? sum : fmt::format("CAST({} AS BIGINT)", sum), .type = t};
  } else if (call->text == "row_rank_dense" || call->text == "row_rank_min" || call->text == "row_rank") {
    if (args.empty() || args.size() > 2) return wrong("a value and a restart condition");
    const std::string partition = stretches(1);
    if (!partition.empty()) rebind();
    // A rank grows where the value differs from the one before.
    Bound change{.v = {.sql = fmt::format("({} IS DISTINCT FROM lag({}) OVER ({}ORDER BY {}) OR row_number() OVER ({}ORDER BY {}) = 1)",
                                          args[0].v.sql, args[0].v.sql, partition, row, partition, row),
                       .type = Type::kBool},
                 .deps = b.deps};
    const std::string_view changed = hidden(n, change);
    Bound number{.v = {.sql = fmt::format("row_number() OVER ({}ORDER BY {})", partition, row), .type = Type::kLong}, .deps = b.deps};
    const std::string_view numbered = hidden(n, number);
    n = plan.over(n);
    const std::string_view c = n->columns[static_cast<size_t>(n->find(changed))].sql,
                           i = n->columns[static_cast<size_t>(n->find(numbered))].sql;
    rebind();
    const std::string over = fmt::format("OVER ({}ORDER BY {})", partition, row);
    b.v = {.sql = call->text == "row_rank_min" ? fmt::format("max(CASE WHEN {} THEN {} END) {}", c, i, over)
                                               : fmt::format("count(*) FILTER (WHERE {}) {}", c, over),
           .type = Type::kLong};
  } else {
    if (args.size() < 3) return wrong("a datetime, two timespans and a restart condition");
    cannot_run("row_window_session() is not supported");
    b.v = {.sql = "CAST(NULL AS BIGINT)", .type = Type::kDatetime};
  }
  const std::string_view name = hidden(n, b);
  hoisted_[call] = name;
  return n;
}

}  // namespace egret::kql
