// Conversions between the types: toX(), and what arguments do by themselves.
#include <fmt/format.h>

#include <cmath>

#include "base/json.h"
#include "kql/functions/json.h"
#include "kql/functions/tables.h"
#include "kql/functions/values.h"

namespace egret::kql {
namespace {

using model::Type;
using Value = Typed::Value;

// ---- kernels ----

template <typename T>
void put(Out& out, const std::optional<T>& v) {
  if (!v) return out.null();
  if constexpr (std::is_same_v<T, bool>) {
    out.boolean(*v);
  } else if constexpr (std::is_same_v<T, double>) {
    out.real(*v);
  } else if constexpr (std::is_same_v<T, std::string>) {
    out.text(*v);
  } else {
    out.integer(*v);
  }
}

void string_to_long(const Args& a, Out& out) { put(out, values::to_long(a.text(0))); }
void string_to_real(const Args& a, Out& out) { put(out, values::to_real(a.text(0))); }
void string_to_bool(const Args& a, Out& out) { put(out, values::to_bool(a.text(0))); }
void string_to_datetime(const Args& a, Out& out) { put(out, values::to_datetime(a.text(0))); }
void string_to_timespan(const Args& a, Out& out) { put(out, values::to_timespan(a.text(0))); }
void string_to_guid(const Args& a, Out& out) { put(out, values::to_guid(a.text(0))); }
void real_to_long(const Args& a, Out& out) { put(out, values::real_to_long(a.real(0))); }

void dyn_to_string(const Args& a, Out& out) {
  if (a.null(0)) return out.text({});
  const std::string_view raw = a.text(0);
  switch (json::kind(raw)) {
    case json::Kind::kInvalid:
    case json::Kind::kNull: return out.text({});
    case json::Kind::kString:
      if (raw.find('\\') == std::string_view::npos && raw.size() >= 2) return out.text(raw.substr(1, raw.size() - 2));
      out.scratch.clear();
      json::append_unquoted(out.scratch, json::trimmed(raw));
      return out.text(out.scratch);
    default: return out.text(raw);
  }
}
void dyn_to_long(const Args& a, Out& out) {
  const std::string_view raw = a.text(0);
  switch (json::kind(raw)) {
    case json::Kind::kInteger: return put(out, json::integer(raw));
    case json::Kind::kReal: {
      const auto v = json::number(raw);
      return put(out, v ? values::real_to_long(*v) : std::nullopt);
    }
    case json::Kind::kBool: return out.integer(json::trimmed(raw) == "true");
    case json::Kind::kString: return put(out, values::to_long(json::text(raw)));
    default: return out.null();
  }
}
void dyn_to_real(const Args& a, Out& out) {
  const std::string_view raw = a.text(0);
  switch (json::kind(raw)) {
    case json::Kind::kInteger:
    case json::Kind::kReal: return put(out, json::number(raw));
    case json::Kind::kBool: return out.real(json::trimmed(raw) == "true");
    case json::Kind::kString: return put(out, values::to_real(json::text(raw)));
    default: return out.null();
  }
}
void dyn_to_bool(const Args& a, Out& out) {
  const std::string_view raw = a.text(0);
  switch (json::kind(raw)) {
    case json::Kind::kInteger:
    case json::Kind::kReal: return out.boolean(json::number(raw).value_or(0) != 0);
    case json::Kind::kBool: return out.boolean(json::trimmed(raw) == "true");
    case json::Kind::kString: return put(out, values::to_bool(json::text(raw)));
    default: return out.null();
  }
}
void dyn_to_datetime(const Args& a, Out& out) {
  const std::string_view raw = a.text(0);
  if (json::kind(raw) != json::Kind::kString) return out.null();
  put(out, values::to_datetime(json::text(raw)));
}
void dyn_to_timespan(const Args& a, Out& out) {
  const std::string_view raw = a.text(0);
  if (json::kind(raw) != json::Kind::kString) return out.null();
  put(out, values::to_timespan(json::text(raw)));
}
void dyn_to_guid(const Args& a, Out& out) { put(out, values::to_guid(json::text(a.text(0)))); }

void datetime_text(const Args& a, Out& out) { a.null(0) ? out.text({}) : out.text(values::datetime_text(a.integer(0))); }
void timespan_text(const Args& a, Out& out) { a.null(0) ? out.text({}) : out.text(values::timespan_text(a.integer(0))); }
void real_text(const Args& a, Out& out) { a.null(0) ? out.text({}) : out.text(values::real_text(a.real(0))); }

void dyn_from_string(const Args& a, Out& out) {
  out.scratch.clear();
  append_json_string(out.scratch, a.text(0));
  out.text(out.scratch);
}
void dyn_from_datetime(const Args& a, Out& out) { out.text('"' + values::datetime_text(a.integer(0)) + '"'); }
void dyn_from_timespan(const Args& a, Out& out) { out.text('"' + values::timespan_text(a.integer(0)) + '"'); }
void dyn_from_real(const Args& a, Out& out) { out.text(values::json_real(a.real(0))); }

void dyn_parse(const Args& a, Out& out) {
  const std::string_view text = json::trimmed(a.text(0));
  if (text.empty()) return out.null();
  if (json::kind(text) != json::Kind::kInvalid) {
    if (const auto good = json::normalised(text)) {
      return *good == "null" ? out.null() : out.text(*good);
    }
  }
  out.scratch.clear();
  append_json_string(out.scratch, a.text(0));
  out.text(out.scratch);
}

constexpr Native kNatives[] = {
    native<string_to_long>("k_to_long", "s>l"),
    native<string_to_real>("k_to_real", "s>r"),
    native<string_to_bool>("k_to_bool", "s>b"),
    native<string_to_datetime>("k_to_datetime", "s>l"),
    native<string_to_timespan>("k_to_timespan", "s>l"),
    native<string_to_guid>("k_to_guid", "s>d"),
    native<real_to_long>("k_real_to_long", "r>l"),
    native<dyn_to_string>("k_dyn_to_string", "D>s"),
    native<dyn_to_long>("k_dyn_to_long", "d>l"),
    native<dyn_to_real>("k_dyn_to_real", "d>r"),
    native<dyn_to_bool>("k_dyn_to_bool", "d>b"),
    native<dyn_to_datetime>("k_dyn_to_datetime", "d>l"),
    native<dyn_to_timespan>("k_dyn_to_timespan", "d>l"),
    native<dyn_to_guid>("k_dyn_to_guid", "d>d"),
    native<datetime_text>("k_datetime_text", "L>s"),
    native<timespan_text>("k_timespan_text", "L>s"),
    native<real_text>("k_real_text", "R>s"),
    native<dyn_from_string>("k_dyn_from_string", "s>d"),
    native<dyn_from_datetime>("k_dyn_from_datetime", "l>d"),
    native<dyn_from_timespan>("k_dyn_from_timespan", "l>d"),
    native<dyn_from_real>("k_dyn_from_real", "r>d"),
    native<dyn_parse>("k_dyn_parse", "s>d"),
};

// ---- SQL of a conversion ----

bool is_integer(Type t) { return t == Type::kInt || t == Type::kLong; }
bool is_real(Type t) { return t == Type::kReal || t == Type::kDecimal; }

std::string call(std::string_view f, const std::string& arg) { return fmt::format("{}({})", f, arg); }

std::string to_string_sql(const Typed& v) {
  switch (v.type) {
    case Type::kString: return v.sql;
    case Type::kBool: return fmt::format("coalesce(CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END, '')", v.sql);
    case Type::kInt:
    case Type::kLong: return fmt::format("coalesce(CAST({} AS VARCHAR), '')", v.sql);
    case Type::kReal:
    case Type::kDecimal: return call("k_real_text", v.sql);
    case Type::kDatetime: return call("k_datetime_text", v.sql);
    case Type::kTimespan: return call("k_timespan_text", v.sql);
    case Type::kDynamic: return call("k_dyn_to_string", v.sql);
    case Type::kGuid: return fmt::format("coalesce({}, '')", v.sql);
  }
  return v.sql;
}

std::string to_dynamic_sql(const Typed& v) {
  switch (v.type) {
    case Type::kDynamic: return v.sql;
    case Type::kString: return call("k_dyn_from_string", v.sql);
    case Type::kBool:
    case Type::kInt:
    case Type::kLong: return fmt::format("CAST({} AS VARCHAR)", v.sql);
    case Type::kReal:
    case Type::kDecimal: return call("k_dyn_from_real", v.sql);
    case Type::kDatetime: return call("k_dyn_from_datetime", v.sql);
    case Type::kTimespan: return call("k_dyn_from_timespan", v.sql);
    case Type::kGuid: return fmt::format("('\"' || {} || '\"')", v.sql);
  }
  return v.sql;
}

// Nothing: there is no such conversion, the result is null.
std::optional<std::string> convert_sql(const Typed& v, Type to) {
  const Type from = v.type;
  if (to == Type::kString) return to_string_sql(v);
  if (to == Type::kDynamic) return to_dynamic_sql(v);
  if (from == Type::kDynamic) {
    switch (to) {
      case Type::kBool: return call("k_dyn_to_bool", v.sql);
      case Type::kInt: return fmt::format("TRY_CAST(k_dyn_to_long({}) AS INTEGER)", v.sql);
      case Type::kLong: return call("k_dyn_to_long", v.sql);
      case Type::kReal:
      case Type::kDecimal: return call("k_dyn_to_real", v.sql);
      case Type::kDatetime: return call("k_dyn_to_datetime", v.sql);
      case Type::kTimespan: return call("k_dyn_to_timespan", v.sql);
      default: return call("k_dyn_to_guid", v.sql);
    }
  }
  if (from == Type::kString) {
    switch (to) {
      case Type::kBool: return call("k_to_bool", v.sql);
      case Type::kInt: return fmt::format("TRY_CAST(k_to_long({}) AS INTEGER)", v.sql);
      case Type::kLong: return call("k_to_long", v.sql);
      case Type::kReal:
      case Type::kDecimal: return call("k_to_real", v.sql);
      case Type::kDatetime: return call("k_to_datetime", v.sql);
      case Type::kTimespan: return call("k_to_timespan", v.sql);
      default: return call("k_to_guid", v.sql);
    }
  }
  if (to == Type::kGuid || from == Type::kGuid) return {};
  const bool span = from == Type::kDatetime || from == Type::kTimespan;
  switch (to) {
    case Type::kBool:
      return span ? std::nullopt
                  : std::optional(fmt::format("({} <> 0)", from == Type::kBool ? call("CAST", v.sql + " AS INTEGER") : v.sql));
    case Type::kInt:
      if (is_real(from)) return fmt::format("TRY_CAST(k_real_to_long({}) AS INTEGER)", v.sql);
      return fmt::format("TRY_CAST({} AS INTEGER)", v.sql);
    case Type::kLong:
      if (is_real(from)) return call("k_real_to_long", v.sql);
      return fmt::format("CAST({} AS BIGINT)", v.sql);
    case Type::kReal:
    case Type::kDecimal: return fmt::format("CAST({} AS DOUBLE)", v.sql);
    case Type::kDatetime:
    case Type::kTimespan:
      if (is_integer(from)) return fmt::format("CAST({} AS BIGINT)", v.sql);  // ticks
      if (is_real(from)) return fmt::format("k_real_to_long({} * {}.0)", v.sql, to == Type::kTimespan ? kTicksPerDay : 1);
      return span ? std::optional(v.sql) : std::nullopt;
    default: return {};
  }
}

std::string literal_sql(Type type, const Value& value) {
  if (std::holds_alternative<std::monostate>(value))
    return type == Type::kString ? "''" : fmt::format("CAST(NULL AS {})", model::sql_type(type));
  if (const bool* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const int64_t* i = std::get_if<int64_t>(&value)) {
    if (type == Type::kInt) return fmt::format("CAST({} AS INTEGER)", *i);
    // The least BIGINT has no literal of its own.
    if (*i == INT64_MIN) return "CAST('-9223372036854775808' AS BIGINT)";
    return *i < 0 ? fmt::format("CAST({} AS BIGINT)", *i) : fmt::format("{}::BIGINT", *i);
  }
  if (const double* d = std::get_if<double>(&value)) {
    if (std::isnan(*d)) return "CAST('nan' AS DOUBLE)";
    if (std::isinf(*d)) return *d > 0 ? "CAST('inf' AS DOUBLE)" : "CAST('-inf' AS DOUBLE)";
    return fmt::format("CAST('{}' AS DOUBLE)", *d);
  }
  return sql_string(std::get<std::string>(value));
}

// The literal's value as another type; the outer optional: whether folding knows it.
std::optional<Value> fold(const Value& v, Type from, Type to) {
  if (std::holds_alternative<std::monostate>(v)) return to == Type::kString ? Value(std::string()) : Value();
  const auto text_or_null = [](auto parsed) { return parsed ? Value(*parsed) : Value(); };
  if (from == to) return v;
  const std::string* s = std::get_if<std::string>(&v);
  const int64_t* i = std::get_if<int64_t>(&v);
  if (from == Type::kString && s) {
    switch (to) {
      case Type::kLong: return text_or_null(values::to_long(*s));
      case Type::kReal:
      case Type::kDecimal: return text_or_null(values::to_real(*s));
      case Type::kDatetime: return text_or_null(values::to_datetime(*s));
      case Type::kTimespan: return text_or_null(values::to_timespan(*s));
      case Type::kGuid: return text_or_null(values::to_guid(*s));
      case Type::kDynamic: return Value(json_quote(*s));
      default: return {};
    }
  }
  if (is_integer(from) && i) {
    if (to == Type::kLong) return Value(*i);
    if (is_real(to)) return Value(static_cast<double>(*i));
    if (to == Type::kString || to == Type::kDynamic) return Value(std::to_string(*i));
  }
  if (from == Type::kDatetime && i && to == Type::kString) return Value(values::datetime_text(*i));
  if (from == Type::kTimespan && i && to == Type::kString) return Value(values::timespan_text(*i));
  if (from == Type::kDatetime && i && to == Type::kDynamic) return Value('"' + values::datetime_text(*i) + '"');
  if (from == Type::kTimespan && i && to == Type::kDynamic) return Value('"' + values::timespan_text(*i) + '"');
  if (from == Type::kDynamic && s && to == Type::kString) return Value(json::text(*s));
  return {};
}

template <Type to>
Emitted to_type(std::span<const Typed> args, const EmitContext&) {
  return convert(args[0], to);
}

Emitted parse_json(std::span<const Typed> args, const EmitContext&) {
  const Typed& a = args[0];
  if (a.type == Type::kDynamic) return a;
  if (a.type != Type::kString) return convert(a, Type::kDynamic);
  return Typed{.sql = "k_dyn_parse(" + a.sql + ")", .type = Type::kDynamic, .is_constant = a.is_constant};
}

constexpr ScalarFunction kRows[] = {
    {.name = "tostring",
     .syntax = "tostring(value)",
     .doc = "The value as text; null is ''.",
     .min_args = 1,
     .max_args = 1,
     .emit = to_type<Type::kString>},
    {.name = "toint",
     .syntax = "toint(value)",
     .doc = "The value as int, null where it is none.",
     .min_args = 1,
     .max_args = 1,
     .emit = to_type<Type::kInt>},
    {.name = "tolong",
     .syntax = "tolong(value)",
     .doc = "The value as long, null where it is none.",
     .min_args = 1,
     .max_args = 1,
     .emit = to_type<Type::kLong>},
    {.name = "toreal",
     .syntax = "toreal(value)",
     .doc = "The value as real, null where it is none.",
     .min_args = 1,
     .max_args = 1,
     .emit = to_type<Type::kReal>},
    {.name = "todouble",
     .syntax = "todouble(value)",
     .doc = "The value as real, null where it is none.",
     .min_args = 1,
     .max_args = 1,
     .emit = to_type<Type::kReal>},
    {.name = "todecimal",
     .syntax = "todecimal(value)",
     .doc = "The value as decimal, null where it is none.",
     .min_args = 1,
     .max_args = 1,
     .emit = to_type<Type::kDecimal>},
    {.name = "tobool",
     .syntax = "tobool(value)",
     .doc = "The value as bool, null where it is none.",
     .min_args = 1,
     .max_args = 1,
     .emit = to_type<Type::kBool>},
    {.name = "toboolean",
     .syntax = "toboolean(value)",
     .doc = "The value as bool, null where it is none.",
     .min_args = 1,
     .max_args = 1,
     .emit = to_type<Type::kBool>},
    {.name = "todatetime",
     .syntax = "todatetime(value)",
     .doc = "The value as datetime, null where it is none.",
     .min_args = 1,
     .max_args = 1,
     .emit = to_type<Type::kDatetime>},
    {.name = "totimespan",
     .syntax = "totimespan(value)",
     .doc = "The value as timespan, null where it is none.",
     .min_args = 1,
     .max_args = 1,
     .emit = to_type<Type::kTimespan>},
    {.name = "toguid",
     .syntax = "toguid(value)",
     .doc = "The value as guid, null where it is none.",
     .min_args = 1,
     .max_args = 1,
     .emit = to_type<Type::kGuid>},
    {.name = "parse_json",
     .syntax = "parse_json(text)",
     .doc = "JSON text as dynamic; other text as a dynamic string.",
     .min_args = 1,
     .max_args = 1,
     .emit = parse_json},
    {.name = "todynamic", .syntax = "todynamic(text)", .doc = "The same as parse_json.", .min_args = 1, .max_args = 1, .emit = parse_json},
    {.name = "parsejson",
     .syntax = "parsejson(text)",
     .doc = "The same as parse_json.",
     .min_args = 1,
     .max_args = 1,
     .emit = parse_json,
     .replaced_by = "parse_json"},
    {.name = "toobject",
     .syntax = "toobject(text)",
     .doc = "The same as parse_json.",
     .min_args = 1,
     .max_args = 1,
     .emit = parse_json,
     .replaced_by = "parse_json"},
    {.name = "dynamic_to_json",
     .syntax = "dynamic_to_json(value)",
     .doc = "The value as JSON text with sorted keys.",
     .min_args = 1,
     .max_args = 1,
     .types = "d>s",
     .sql = "k_dyn_sorted({0})"},
};

}  // namespace

namespace functions {
const FunctionTable kConversions{kRows, kNatives};
}

bool is_numeric(Type t) { return is_integer(t) || is_real(t); }

std::string sql_string(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    if (c == '\0') {  // the engine's texts may not hold it in a statement
      out += "' || chr(0) || '";
    } else {
      out += c;
    }
  }
  out += '\'';
  return text.find('\0') == std::string_view::npos ? out : "(" + out + ")";
}

Typed typed_literal(Type type, Value value) {
  Typed t{.sql = literal_sql(type, value), .type = type, .is_constant = true};
  t.is_null_literal = std::holds_alternative<std::monostate>(value);
  t.literal = std::move(value);
  return t;
}

Typed typed_null(Type type) { return typed_literal(type, {}); }

Typed convert(const Typed& value, Type to) {
  if (value.type == to) return value;
  if (value.literal)
    if (auto folded = fold(*value.literal, value.type, to)) return typed_literal(to, *std::move(folded));
  auto sql = convert_sql(value, to);
  if (!sql) return typed_null(to);
  return {.sql = *std::move(sql), .type = to, .is_constant = value.is_constant};
}

std::expected<Typed, std::string> coerce(const Typed& value, Type to) {
  const Type from = value.type;
  if (from == to || value.is_null_literal) return convert(value, to);
  // Anything scalar may stand where text is wanted: strlen(12), tolower(guid).
  const bool fits = to == Type::kDynamic || to == Type::kString || from == Type::kDynamic || (is_numeric(from) && is_real(to)) ||
                    (is_integer(from) && is_integer(to)) || (is_numeric(from) && is_integer(to)) ||
                    (from == Type::kString && value.literal && (to == Type::kGuid || to == Type::kDatetime || to == Type::kTimespan)) ||
                    (is_integer(from) && to == Type::kBool) || (from == Type::kBool && is_numeric(to));
  if (!fits) return std::unexpected(fmt::format("must be {}, it is {}", model::type_name(to), model::type_name(from)));
  return convert(value, to);
}

std::optional<Type> common_type(Type a, Type b) {
  if (a == b) return a;
  if (a == Type::kDynamic) return b;  // the type that is known wins: iff(x, Bag.name, "") is a string
  if (b == Type::kDynamic) return a;
  if (is_numeric(a) && is_numeric(b)) {
    for (const Type t : {Type::kDecimal, Type::kReal, Type::kLong})
      if (a == t || b == t) return t;
  }
  if ((a == Type::kGuid && b == Type::kString) || (a == Type::kString && b == Type::kGuid)) return Type::kString;
  return {};
}

}  // namespace egret::kql
