// Choosing between values, and asking what a value is.
#include <fmt/format.h>

#include "kql/functions/tables.h"

namespace egret::kql {
namespace {

using model::Type;

std::string is_null_sql(const Typed& v) {
  if (v.type == Type::kString) return "false";  // strings are never null
  return "(" + v.sql + " IS NULL)";
}

Typed boolean(std::string sql, bool constant) { return {.sql = std::move(sql), .type = Type::kBool, .is_constant = constant}; }

// The type that all of these fit into, null literals aside; a sentence where there is none.
std::expected<Type, std::string> joint_type(std::string_view function, std::span<const Typed* const> values) {
  std::optional<Type> type;
  for (const Typed* v : values) {
    if (v->is_null_literal && v->type != Type::kString) continue;
    const auto both = type ? common_type(*type, v->type) : v->type;
    if (!both)
      return std::unexpected(
          fmt::format("{}() cannot give {} here and {} there", function, model::type_name(*type), model::type_name(v->type)));
    type = both;
  }
  return type.value_or(values.empty() ? Type::kString : values[0]->type);
}

Emitted condition(const Typed& v, std::string_view function) {
  auto as_bool = coerce(v, Type::kBool);
  if (!as_bool) return std::unexpected(fmt::format("the condition of {}() {}", function, as_bool.error()));
  return as_bool;
}

bool all_constant(std::span<const Typed> args) {
  for (const Typed& a : args)
    if (!a.is_constant) return false;
  return true;
}

// if, then, [if, then …] else
Emitted choose(std::string_view name, std::span<const Typed> args) {
  if (args.size() % 2 == 0) return std::unexpected(fmt::format("{}() takes pairs of condition and value and a last value", name));
  std::vector<const Typed*> values;
  for (size_t i = 1; i < args.size(); i += 2) values.push_back(&args[i]);
  values.push_back(&args.back());
  const auto type = joint_type(name, values);
  if (!type) return std::unexpected(type.error());
  std::string sql = "(CASE";
  for (size_t i = 0; i + 1 < args.size(); i += 2) {
    auto test = condition(args[i], name);
    if (!test) return test;
    sql += fmt::format(" WHEN {} THEN {}", test->sql, convert(args[i + 1], *type).sql);
  }
  sql += fmt::format(" ELSE {} END)", convert(args.back(), *type).sql);
  return Typed{.sql = std::move(sql), .type = *type, .is_constant = all_constant(args)};
}

Emitted emit_iff(std::span<const Typed> args, const EmitContext&) { return choose("iff", args); }
Emitted emit_case(std::span<const Typed> args, const EmitContext&) { return choose("case", args); }

Emitted emit_coalesce(std::span<const Typed> args, const EmitContext&) {
  std::vector<const Typed*> values;
  for (const Typed& a : args) values.push_back(&a);
  const auto type = joint_type("coalesce", values);
  if (!type) return std::unexpected(type.error());
  std::string sql;
  for (const Typed& a : args) {
    const std::string value = convert(a, *type).sql;
    if (!sql.empty()) sql += ", ";
    // Of strings the first that is not empty.
    sql += *type == Type::kString ? fmt::format("nullif({}, '')", value) : value;
  }
  return Typed{.sql = *type == Type::kString ? "coalesce(" + sql + ", '')" : "coalesce(" + sql + ")",
               .type = *type,
               .is_constant = all_constant(args)};
}

template <bool Not>
Emitted emit_isnull(std::span<const Typed> args, const EmitContext&) {
  const std::string sql = is_null_sql(args[0]);
  return boolean(Not ? "(NOT " + sql + ")" : sql, args[0].is_constant);
}

template <bool Not>
Emitted emit_isempty(std::span<const Typed> args, const EmitContext&) {
  const Typed& v = args[0];
  std::string sql;
  if (v.type == Type::kString) {
    sql = fmt::format("({} {} '')", v.sql, Not ? "<>" : "=");
  } else if (v.type == Type::kDynamic) {
    sql = fmt::format("({} {} '')", convert(v, Type::kString).sql, Not ? "<>" : "=");
  } else {
    sql = fmt::format("({} IS {}NULL)", v.sql, Not ? "NOT " : "");
  }
  return boolean(std::move(sql), v.is_constant);
}

Emitted emit_gettype(std::span<const Typed> args, const EmitContext&) {
  const Typed& v = args[0];
  if (v.type == Type::kDynamic) return Typed{.sql = "k_dyn_type(" + v.sql + ")", .is_constant = v.is_constant};
  return typed_literal(Type::kString, std::string(model::type_name(v.type)));
}

template <bool Least>
Emitted emit_extreme(std::span<const Typed> args, const EmitContext&) {
  std::vector<const Typed*> values;
  for (const Typed& a : args) values.push_back(&a);
  const auto type = joint_type(Least ? "min_of" : "max_of", values);
  if (!type) return std::unexpected(type.error());
  std::string sql;
  for (const Typed& a : args) sql += (sql.empty() ? "" : ", ") + convert(a, *type).sql;
  return Typed{.sql = fmt::format("{}({})", Least ? "least" : "greatest", sql), .type = *type, .is_constant = all_constant(args)};
}

// Three-valued: a null condition stays null.
Emitted emit_not(std::span<const Typed> args, const EmitContext&) {
  auto v = condition(args[0], "not");
  if (!v) return v;
  return boolean("(NOT " + v->sql + ")", v->is_constant);
}

Emitted emit_geo_info(std::span<const Typed> args, const EmitContext&) {
  (void)args;  // no geographic database is part of Egret: the documented answer for an address without one
  return typed_literal(Type::kDynamic, std::string("{}"));
}

Emitted emit_assert(std::span<const Typed> args, const EmitContext&) {
  auto test = condition(args[0], "assert");
  if (!test) return test;
  return boolean(fmt::format("(CASE WHEN {} THEN true ELSE error({}) END)", test->sql, args[1].sql), test->is_constant);
}

constexpr ScalarFunction kRows[] = {
    {.name = "iff",
     .syntax = "iff(condition, if_true, if_false)",
     .doc = "The one or the other; a null condition takes the latter.",
     .min_args = 3,
     .max_args = 3,
     .emit = emit_iff},
    {.name = "iif",
     .syntax = "iif(condition, if_true, if_false)",
     .doc = "The same as iff.",
     .min_args = 3,
     .max_args = 3,
     .emit = emit_iff},
    {.name = "case",
     .syntax = "case(condition, value [, condition, value …], otherwise)",
     .doc = "The value of the first condition that holds.",
     .min_args = 3,
     .max_args = kAnyNumber,
     .emit = emit_case},
    {.name = "coalesce",
     .syntax = "coalesce(value, value, …)",
     .doc = "The first value that is not null (of strings: not empty).",
     .min_args = 1,
     .max_args = 64,
     .emit = emit_coalesce},
    {.name = "isnull",
     .syntax = "isnull(value)",
     .doc = "Whether the value is null; a string never is.",
     .min_args = 1,
     .max_args = 1,
     .emit = emit_isnull<false>},
    {.name = "isnotnull",
     .syntax = "isnotnull(value)",
     .doc = "Whether the value is not null.",
     .min_args = 1,
     .max_args = 1,
     .emit = emit_isnull<true>},
    {.name = "notnull",
     .syntax = "notnull(value)",
     .doc = "Whether the value is not null.",
     .min_args = 1,
     .max_args = 1,
     .emit = emit_isnull<true>,
     .replaced_by = "isnotnull"},
    {.name = "isempty",
     .syntax = "isempty(value)",
     .doc = "Whether the value is null or the empty string.",
     .min_args = 1,
     .max_args = 1,
     .emit = emit_isempty<false>},
    {.name = "isnotempty",
     .syntax = "isnotempty(value)",
     .doc = "Whether the value is neither null nor the empty string.",
     .min_args = 1,
     .max_args = 1,
     .emit = emit_isempty<true>},
    {.name = "notempty",
     .syntax = "notempty(value)",
     .doc = "The same as isnotempty.",
     .min_args = 1,
     .max_args = 1,
     .emit = emit_isempty<true>,
     .replaced_by = "isnotempty"},
    {.name = "gettype",
     .syntax = "gettype(value)",
     .doc = "The name of the value's type.",
     .min_args = 1,
     .max_args = 1,
     .emit = emit_gettype},
    {.name = "min_of",
     .syntax = "min_of(value, value, …)",
     .doc = "The least of the values that are not null.",
     .min_args = 1,
     .max_args = 64,
     .emit = emit_extreme<true>},
    {.name = "max_of",
     .syntax = "max_of(value, value, …)",
     .doc = "The greatest of the values that are not null.",
     .min_args = 1,
     .max_args = 64,
     .emit = emit_extreme<false>},
    {.name = "not", .syntax = "not(condition)", .doc = "The opposite.", .min_args = 1, .max_args = 1, .emit = emit_not},
    {.name = "geo_info_from_ip_address",
     .syntax = "geo_info_from_ip_address(address)",
     .doc = "Always an empty bag: Egret has no geographic database.",
     .min_args = 1,
     .max_args = 1,
     .emit = emit_geo_info},
    {.name = "assert",
     .syntax = "assert(condition, message)",
     .doc = "true, or the query fails with the message.",
     .min_args = 2,
     .max_args = 2,
     .emit = emit_assert},
};

}  // namespace

namespace functions {
const FunctionTable kLogic{kRows, {}};
}

}  // namespace egret::kql
