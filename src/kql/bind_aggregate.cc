// summarize: group keys, aggregate functions and the names of what they make.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "kql/aggregates.h"
#include "kql/binder.h"

namespace egret::kql {
namespace {
using model::Type;

std::string filter_clause(const Typed& condition) {
  return condition.sql.empty() ? std::string() : fmt::format(" FILTER (WHERE {})", condition.sql);
}

// Aggregates of strings give '' where there was no row.
std::string never_null(std::string sql, Type t) { return t == Type::kString ? fmt::format("coalesce({}, '')", sql) : sql; }

}  // namespace

std::string Binder::order_of(Node* n) {
  if (n->order.empty()) return {};
  std::string out;
  for (const Clause& c : n->order) {
    out += out.empty() ? " ORDER BY " : ", ";
    out += c.sql;
    out += c.suffix;
    deps_.insert(deps_.end(), c.deps.begin(), c.deps.end());
  }
  return out;
}

Typed Binder::aggregate(const Syntax* call, Env* env, const Scope& scope) {
  std::string_view f = call->text;
  Scope row{.node = scope.keys};
  std::vector<Typed> args;
  bool any_bad = false;
  for (const Syntax* arg : call->args) {
    if (arg->kind == Kind::kStar) {
      args.push_back({.sql = "*", .type = Type::kLong});
      continue;
    }
    args.push_back(expression(arg, env, row));
    any_bad |= is_bad(args.back());
  }
  const auto wrong = [&](std::string_view what) {
    error(call, fmt::format("{}() takes {}", f, what));
    return bad();
  };
  // X_if(value, condition …) is X with a filter.
  Typed condition{.sql = ""};
  if (f == "countif") {
    if (args.size() != 1) return wrong("one condition");
    if (any_bad) return bad();
    return {.sql = fmt::format("count(*) FILTER (WHERE {})", as_bool(call->args[0], args[0]).sql), .type = Type::kLong};
  }
  if (f == "makelist") f = "make_list";
  if (f == "makeset") f = "make_set";
  if (f.ends_with("if") && f != "countif") {
    if (args.size() < 2) return wrong("a value and a condition");
    condition = as_bool(call->args[1], args[1]);
    if (is_bad(condition)) any_bad = true;
    args.erase(args.begin() + 1);
    f.remove_suffix(f.ends_with("_if") ? 3 : 2);
  }
  if (any_bad) return bad();
  const std::string filter = filter_clause(condition);
  if (f == "count" || f == "cnt") return {.sql = args.empty() ? "count(*)" : fmt::format("count({})", args[0].sql), .type = Type::kLong};
  if (args.empty()) return wrong("a value");
  Typed v = args[0];
  if (v.sql == "*") return wrong("a value, not *");
  const auto numeric = [&](bool spans) {
    if (v.type == Type::kDynamic) v = convert(v, Type::kReal);
    if (v.type == Type::kBool) v = convert(v, Type::kLong);
    if (is_numeric(v.type) || (spans && (v.type == Type::kTimespan || v.type == Type::kDatetime))) return true;
    error(call, fmt::format("{}() needs numbers, this is a {}", f, model::type_name(v.type)));
    return false;
  };
  if (f == "sum") {
    if (!numeric(true)) return bad();
    const bool real = v.type == Type::kReal || v.type == Type::kDecimal;
    const Type t = v.type == Type::kInt ? Type::kLong : v.type;
    return {.sql = real ? fmt::format("coalesce(sum({}){}, 0)", v.sql, filter)
                        : fmt::format("CAST(coalesce(sum({}){}, 0) AS BIGINT)", v.sql, filter),
            .type = t};
  }
  if (f == "avg") {
    if (!numeric(true)) return bad();
    if (v.type == Type::kTimespan || v.type == Type::kDatetime)
      return {.sql = fmt::format("CAST(sum(CAST({} AS HUGEINT)){} // count({}){} AS BIGINT)", v.sql, filter, v.sql, filter),
              .type = v.type};
    return {.sql = fmt::format("avg({}){}", v.sql, filter), .type = v.type == Type::kDecimal ? Type::kDecimal : Type::kReal};
  }
  if (f == "min" || f == "max") {
    if (v.type == Type::kBool) return {.sql = fmt::format("{}({}){}", f, v.sql, filter), .type = v.type};
    return {.sql = never_null(fmt::format("{}({}){}", f, v.sql, filter), v.type), .type = v.type};
  }
  if (f == "dcount" || f == "count_distinct") return {.sql = fmt::format("count(DISTINCT {}){}", v.sql, filter), .type = Type::kLong};
  if (f == "stdev" || f == "stdevp" || f == "variance" || f == "variancep") {
    if (!numeric(true)) return bad();
    const std::string_view sql = f == "stdev" ? "stddev_samp" : f == "stdevp" ? "stddev_pop" : f == "variance" ? "var_samp" : "var_pop";
    return {.sql = fmt::format("coalesce({}({}){}, 0)", sql, v.sql, filter), .type = Type::kReal};
  }
  if ((f == "covariance" || f == "covariancep") && args.size() == 2) {
    return {.sql = fmt::format("coalesce({}({}, {}){}, 0)", f == "covariance" ? "covar_samp" : "covar_pop", v.sql,
                               convert(args[1], Type::kReal).sql, filter),
            .type = Type::kReal};
  }
  if (f == "percentile" || f == "percentiles_array") {
    if (!numeric(true)) return bad();
    std::vector<std::string> parts;
    std::vector<Typed> ranks;
    for (size_t i = 1; i < args.size(); ++i) ranks.push_back(args[i]);
    if (ranks.empty()) return wrong("a value and a percentage");
    for (const Typed& rank : ranks) {
      if (rank.type == Type::kDynamic || (!is_numeric(rank.type))) return wrong("constant percentages");
      // The fraction must be a literal for the engine.
      double percent = 0;
      if (rank.literal && std::get_if<int64_t>(&*rank.literal))
        percent = static_cast<double>(std::get<int64_t>(*rank.literal));
      else if (rank.literal && std::get_if<double>(&*rank.literal))
        percent = std::get<double>(*rank.literal);
      else
        return wrong("constant percentages");
      parts.push_back(fmt::format("quantile_disc({}, {}){}", v.sql, std::clamp(percent / 100, 0.0, 1.0), filter));
    }
    if (f == "percentile") return {.sql = parts[0], .type = v.type == Type::kInt ? Type::kLong : v.type};
    std::string list;
    for (const std::string& p : parts) list += (list.empty() ? "" : ", ") + convert({.sql = p, .type = v.type}, Type::kDynamic).sql;
    return {.sql = fmt::format("k_pack_array({})", list), .type = Type::kDynamic};
  }
  if (f == "make_list" || f == "make_set" || f == "make_list_with_nulls") {
    std::string max;
    if (args.size() > 1) {
      if (!args[1].literal || !std::get_if<int64_t>(&*args[1].literal)) return wrong("a value and a constant size");
      max = std::to_string(std::clamp<int64_t>(std::get<int64_t>(*args[1].literal), 0, 1'048'576));
    }
    const bool set = f == "make_set";
    std::string element = convert(v, Type::kDynamic).sql;
    if (f == "make_list_with_nulls") element = fmt::format("coalesce({}, 'null')", element);
    std::string condition_sql = filter;
    if (set && (v.type == Type::kDynamic || !max.empty())) {
      // The set of arrays is the set of their elements.
      return {.sql = fmt::format("k_set_of('[' || coalesce(string_agg({}, ','){}, '') || ']', {})", element, filter,
                                 max.empty() ? "1048576" : max),
              .type = Type::kDynamic};
    }
    const std::string order = set ? std::string() : order_of(scope.keys);
    if (max.empty()) {
      return {.sql = fmt::format("('[' || coalesce(string_agg({}{}, ','{}){}, '') || ']')", set ? "DISTINCT " : "", element, order,
                                 condition_sql),
              .type = Type::kDynamic};
    }
    const std::string not_null = condition.sql.empty() ? fmt::format(" FILTER (WHERE {} IS NOT NULL)", element)
                                                       : fmt::format(" FILTER (WHERE {} AND {} IS NOT NULL)", condition.sql, element);
    return {.sql = fmt::format("('[' || coalesce(array_to_string(list({}{}{}){}[1:{}], ','), '') || ']')", set ? "DISTINCT " : "", element,
                               order, not_null, max),
            .type = Type::kDynamic};
  }
  if (f == "make_bag" || f == "make_dictionary") {
    v = convert(v, Type::kDynamic);
    if (args.size() > 1) {
      if (!args[1].literal || !std::get_if<int64_t>(&*args[1].literal)) return wrong("a value and a constant size");
      return {.sql = fmt::format("k_bag_merge_all('[' || coalesce(array_to_string(list({}){}[1:{}], ','), '') || ']')", v.sql, filter,
                                 std::get<int64_t>(*args[1].literal)),
              .type = Type::kDynamic};
    }
    return {.sql = fmt::format("k_bag_merge_all('[' || coalesce(string_agg({}, ','{}){}, '') || ']')", v.sql, order_of(scope.keys), filter),
            .type = Type::kDynamic};
  }
  if (f == "take_any" || f == "any")
    return {.sql = never_null(fmt::format("{}({}){}", "any_value", v.sql, filter), v.type), .type = v.type};
  if (f == "arg_max" || f == "arg_min" || f == "argmax" || f == "argmin") {
    // Inside an expression: the extreme itself.
    const bool max = f.ends_with("max");
    return {.sql = never_null(fmt::format("{}({})", max ? "max" : "min", v.sql), v.type), .type = v.type};
  }
  if (f == "binary_all_and" || f == "binary_all_or" || f == "binary_all_xor") {
    v = convert(v, Type::kLong);
    return {.sql = fmt::format("{}({}){}",
                               f == "binary_all_and"  ? "bit_and"
                               : f == "binary_all_or" ? "bit_or"
                                                      : "bit_xor",
                               v.sql, filter),
            .type = Type::kLong};
  }
  cannot_run(fmt::format("the aggregate {}() is not supported", call->text));
  return {.sql = "NULL", .type = f == "percentilew" ? v.type : Type::kDynamic};
}

// One aggregate expression of summarize; arg_max(x, *), percentiles(x, 5, 50) and take_any(a, b) make several columns.
void Binder::add_aggregates(const Syntax* s, Node* group, Env* env, const Scope& scope, std::vector<std::string_view>& names) {
  const Syntax* e = s->kind == Kind::kNamed ? s->left : s;
  const auto unique = [&](std::string name) {
    std::string candidate = name;
    for (int i = 1; std::find(names.begin(), names.end(), candidate) != names.end(); ++i) candidate = name + std::to_string(i);
    names.push_back(plan.keep(candidate));
    return names.back();
  };
  const auto put = [&](std::string_view name, const Bound& b) {
    Column& c = plan.add(group, name, b.v.type, plan.keep(b.v.sql), b.deps);
    c.bad = b.bad;
  };
  std::vector<std::string> given;
  if (s->kind == Kind::kNamed) {
    if (s->by.empty()) given.emplace_back(s->text);
    for (const Syntax* n : s->by) given.emplace_back(n->text);
  }
  Scope row{.node = scope.keys};
  if (e->kind == Kind::kCall && (e->text == "arg_max" || e->text == "arg_min" || e->text == "argmax" || e->text == "argmin") &&
      !e->args.empty()) {
    const bool max = e->text.ends_with("max");
    const bool legacy = !e->text.contains('_');
    const Bound by = bind(e->args[0], env, row);
    std::string extreme_name = auto_name(e->args[0], env);
    if (legacy) extreme_name = (max ? "max_" : "min_") + extreme_name;
    if (extreme_name.empty()) extreme_name = max ? "max_" : "min_";
    if (!given.empty()) extreme_name = given[0];
    if (by.bad) {
      put(unique(extreme_name), by);
    } else {
      Bound extreme = by;
      extreme.v.sql = never_null(fmt::format("{}({})", max ? "max" : "min", by.v.sql), by.v.type);
      put(unique(extreme_name), extreme);
    }
    const std::string by_name = auto_name(e->args[0], env);
    size_t target = 1;
    const auto carry = [&](const Bound& b, std::string name) {
      Bound out = b;
      std::vector<Dep> deps(b.deps.begin(), b.deps.end());
      deps.insert(deps.end(), by.deps.begin(), by.deps.end());
      out.deps = plan.keep(deps);
      out.bad = b.bad || by.bad;
      // Columns of strings are never null, the others keep their nulls.
      if (!out.bad) out.v.sql = never_null(fmt::format("{}({}, {})", max ? "arg_max_null" : "arg_min_null", b.v.sql, by.v.sql), b.v.type);
      put(unique(std::move(name)), out);
    };
    for (size_t i = 1; i < e->args.size(); ++i) {
      if (e->args[i]->kind == Kind::kStar) {
        for (size_t c = 0; c < scope.keys->columns.size(); ++c) {
          const Column& column = scope.keys->columns[c];
          if (column.hidden || column.name == by_name) continue;
          if (std::find(names.begin(), names.end(), column.name) != names.end()) continue;  // a key, or there already
          std::vector<Dep> outer;
          outer.swap(deps_);
          Bound b;
          b.v = use_column(scope.keys, c);
          b.bad = is_bad(b.v);
          b.deps = plan.keep(deps_);
          deps_.swap(outer);
          carry(b, std::string(column.name));
        }
        if (scope.keys->open_shape) group->open_shape = true;
        continue;
      }
      const Bound b = bind(e->args[i], env, row);
      std::string name = target < given.size() ? given[target] : auto_name(e->args[i], env);
      if (name.empty()) name = fmt::format("Column{}", i);
      if (legacy && target >= given.size()) name = fmt::format("{}_{}_{}", max ? "max" : "min", auto_name(e->args[0], env), name);
      ++target;
      carry(b, std::move(name));
    }
    return;
  }
  if (e->kind == Kind::kCall && (e->text == "take_any" || e->text == "any") &&
      (e->args.size() > 1 || (e->args.size() == 1 && e->args[0]->kind == Kind::kStar))) {
    const std::string_view prefix = e->text == "any" ? "any_" : "";
    size_t target = 0;
    for (const Syntax* arg : e->args) {
      if (arg->kind == Kind::kStar) {
        for (size_t c = 0; c < scope.keys->columns.size(); ++c) {
          const Column& column = scope.keys->columns[c];
          if (column.hidden || std::find(names.begin(), names.end(), column.name) != names.end()) continue;
          std::vector<Dep> outer;
          outer.swap(deps_);
          Bound b;
          b.v = use_column(scope.keys, c);
          b.bad = is_bad(b.v);
          b.deps = plan.keep(deps_);
          deps_.swap(outer);
          if (!b.bad) b.v.sql = fmt::format("first({})", b.v.sql);
          put(unique(std::string(prefix) + std::string(column.name)), b);
        }
        continue;
      }
      Bound b = bind(arg, env, row);
      if (!b.bad) b.v.sql = never_null(fmt::format("any_value({})", b.v.sql), b.v.type);
      std::string name = target < given.size() ? given[target] : std::string(prefix) + auto_name(arg, env);
      ++target;
      put(unique(std::move(name)), b);
    }
    return;
  }
  if (e->kind == Kind::kCall && e->text == "percentiles" && e->args.size() > 1) {
    const Bound v = bind(e->args[0], env, row);
    const std::string base = auto_name(e->args[0], env);
    for (size_t i = 1; i < e->args.size(); ++i) {
      const Bound rank = bind(e->args[i], env, Scope{});
      double percent = -1;
      if (rank.v.literal && std::get_if<int64_t>(&*rank.v.literal)) percent = static_cast<double>(std::get<int64_t>(*rank.v.literal));
      if (rank.v.literal && std::get_if<double>(&*rank.v.literal)) percent = std::get<double>(*rank.v.literal);
      std::string name = i - 1 < given.size() ? given[i - 1] : fmt::format("percentile_{}_{}", base, fmt::format("{}", percent));
      std::replace(name.begin(), name.end(), '.', '_');
      Bound b = v;
      if (percent < 0 && !rank.bad) {
        error(e->args[i], "a percentage must be a constant number");
        b.bad = true;
      }
      if (!b.bad) {
        if (b.v.type == Type::kDynamic) b.v = convert(b.v, Type::kReal);
        b.v.sql = fmt::format("quantile_disc({}, {})", b.v.sql, std::clamp(percent / 100, 0.0, 1.0));
        if (b.v.type == Type::kInt) b.v.type = Type::kLong;
      }
      put(unique(std::move(name)), b);
    }
    return;
  }
  const Bound b = bind(e, env, scope);
  std::string name = given.empty() ? auto_name(e, env) : given[0];
  if (e->kind == Kind::kCall && e->text == "percentile" && given.empty() && e->args.size() == 2) {
    const Bound rank = bind(e->args[1], env, Scope{});
    if (rank.v.literal && std::get_if<int64_t>(&*rank.v.literal)) name += "_" + std::to_string(std::get<int64_t>(*rank.v.literal));
    if (rank.v.literal && std::get_if<double>(&*rank.v.literal)) name += "_" + fmt::format("{}", std::get<double>(*rank.v.literal));
    std::replace(name.begin(), name.end(), '.', '_');
  }
  if (name.empty()) name = fmt::format("Column{}", group->columns.size() - group->group.size() + 1);
  put(given.empty() ? unique(std::move(name)) : (names.push_back(plan.keep(name)), names.back()), b);
}

Node* Binder::summarize(const Syntax* op, Node* in, Env* env) {
  std::vector<const Syntax*> all(op->args.begin(), op->args.end());
  all.insert(all.end(), op->by.begin(), op->by.end());
  Node* n = prepare(in, all, env, kGroup);
  Scope row{.node = n};
  Node* group = plan.make(Node::Kind::kSelect);
  group->inputs = n->inputs;
  group->from = n->from;
  group->uses = n->uses;
  group->where = n->where;
  group->lateral = n->lateral;
  group->outer_source = n->outer_source;
  group->outer = n->outer;
  group->depth = n->depth;
  group->grouped = true;
  std::vector<std::string_view> names;
  int numbered = 0;
  for (const Syntax* key : op->by) {
    const Syntax* e = key->kind == Kind::kNamed ? key->left : key;
    if (e->kind == Kind::kStar) {
      error(e, "'*' cannot be a group key");
      continue;
    }
    const Bound b = bind(e, env, row);
    std::string name = key->kind == Kind::kNamed ? std::string(key->text) : auto_name(e, env);
    if (name.empty()) name = fmt::format("Column{}", ++numbered);
    std::string candidate = name;
    for (int i = 1; std::find(names.begin(), names.end(), candidate) != names.end(); ++i) candidate = name + std::to_string(i);
    names.push_back(plan.keep(candidate));
    Column& c = plan.add(group, names.back(), b.v.type, plan.keep(b.v.sql), b.deps);
    c.bad = b.bad;
    if (b.bad) continue;
    // A literal as a key would be read as the number of a column.
    if (b.v.literal) c.sql = plan.keep(fmt::format("CAST({} AS {})", b.v.sql, model::sql_type(b.v.type)));
    group->group.push_back({c.sql, b.deps});
  }
  Scope scope{.node = nullptr, .keys = n, .aggregates = true};
  // A key may be named beside aggregates.
  Node* keys = plan.make(Node::Kind::kSelect);
  for (const Column& c : group->columns) keys->columns.push_back(c);
  if (!op->by.empty()) scope.node = keys;
  keys->open_shape = false;
  for (const Syntax* s : op->args) add_aggregates(s, group, env, scope, names);
  if (op->args.empty() && op->by.empty()) error(op, "summarize needs an aggregate or a key");
  if (group->columns.empty()) group->open_shape = true;
  return group;
}

}  // namespace egret::kql
