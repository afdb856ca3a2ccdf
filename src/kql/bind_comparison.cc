// Operators between values: comparison, text tests, arithmetic, between, in.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "kql/binder.h"
#include "kql/lexer.h"

namespace egret::kql {
namespace {

using model::Type;

bool is_text(Type t) { return t == Type::kString; }
bool never_null(const Typed& v) { return v.type == Type::kString || (v.literal && !std::holds_alternative<std::monostate>(*v.literal)); }

const std::string* literal_text(const Typed& v) {
  if (!v.literal) return nullptr;
  return std::get_if<std::string>(&*v.literal);
}

// The elements of a constant JSON array, or nothing when it is none or holds arrays and bags.
std::optional<std::vector<Typed>> elements(const Typed& v) {
  if (v.type != Type::kDynamic) return {};
  const std::string* json = literal_text(v);
  if (!json || !json->starts_with("[")) return {};
  std::vector<Typed> out;
  const std::vector<Token> tokens = tokenize(*json);
  for (size_t i = 1; i + 2 < tokens.size(); ++i) {
    const Token& t = tokens[i];
    const bool minus = t.is("-");
    const Token& n = minus ? tokens[++i] : t;
    if (t.kind == TokenKind::kString) {
      out.push_back(typed_literal(Type::kString, t.value));
    } else if (n.kind == TokenKind::kLong) {
      out.push_back(typed_literal(Type::kLong, minus ? -n.number : n.number));
    } else if (n.kind == TokenKind::kReal) {
      out.push_back(typed_literal(Type::kReal, minus ? -n.real : n.real));
    } else if (t.is("true") || t.is("false")) {
      out.push_back(typed_literal(Type::kBool, t.is("true")));
    } else if (!t.is("null")) {
      return {};
    }
    if (!tokens[i + 1].is(",") && !tokens[i + 1].is("]")) return {};
    ++i;
  }
  return out;
}

}  // namespace

Typed Binder::binary(const Syntax* s, Env* env, const Scope& scope, bool filter) {
  const std::string_view op = s->text;
  if (s->left->kind == Kind::kStar) return any_column(s, env, scope);
  Typed a = expression(s->left, env, scope);
  Typed b = expression(s->right, env, scope);
  if (is_bad(a) || is_bad(b)) return bad();
  if (op == "==" || op == "!=" || op == "<>" || op == "<" || op == ">" || op == "<=" || op == ">=")
    return compare(s, op == "<>" ? "!=" : op, std::move(a), std::move(b), filter);
  if (op == "+" || op == "-" || op == "*" || op == "/" || op == "%") return arithmetic(s, op, std::move(a), std::move(b));
  return text_test(s, op, std::move(a), std::move(b));
}

Typed Binder::compare(const Syntax* s, std::string_view op, Typed a, Typed b, bool filter) {
  const bool equality = op == "==" || op == "!=";
  if (a.type == Type::kDynamic && b.type == Type::kDynamic && !a.is_null_literal && !b.is_null_literal) {
    if (equality) {
      std::string sql = fmt::format("coalesce(k_dyn_equals({}, {}), false)", a.sql, b.sql);
      return {.sql = op == "==" ? sql : "(NOT " + sql + ")", .type = Type::kBool};
    }
    a = convert(a, Type::kReal);
    b = convert(b, Type::kReal);
  }
  if (a.is_null_literal && !b.is_null_literal) a = typed_null(b.type);
  if (b.is_null_literal && !a.is_null_literal) b = typed_null(a.type);
  if (a.type != b.type) {
    if (a.type == Type::kDynamic) {
      a = convert(a, b.type);
    } else if (b.type == Type::kDynamic) {
      b = convert(b, a.type);
    } else if (a.type == Type::kString && literal_text(a) && !is_numeric(b.type)) {
      a = convert(a, b.type);
    } else if (b.type == Type::kString && literal_text(b) && !is_numeric(a.type)) {
      b = convert(b, a.type);
    } else if (const auto t = common_type(a.type, b.type)) {
      if (!(is_numeric(a.type) && is_numeric(b.type))) {
        a = convert(a, *t);
        b = convert(b, *t);
      }
    } else if (a.type == Type::kBool && is_numeric(b.type)) {
      a = convert(a, Type::kLong);
    } else if (b.type == Type::kBool && is_numeric(a.type)) {
      b = convert(b, Type::kLong);
    } else if ((is_text(a.type) && is_numeric(b.type)) || (is_text(b.type) && is_numeric(a.type))) {
      // Published queries write EventID == "4624": a literal is read as the number, anything else compared as text.
      Typed& text = is_text(a.type) ? a : b;
      Typed& number = is_text(a.type) ? b : a;
      Typed as_number = literal_text(text) ? convert(text, number.type) : Typed{};
      if (as_number.literal && !as_number.is_null_literal) {
        text = std::move(as_number);
      } else if (equality) {
        number = convert(number, Type::kString);
      } else {
        text = convert(text, number.type);
      }
    } else {
      error(s, fmt::format("a {} cannot be compared with a {}", model::type_name(a.type), model::type_name(b.type)),
            fmt::format("convert one of them: {}",
                        is_text(a.type) || is_text(b.type) ? "tostring(…), tolong(…), todatetime(…)" : "tolong(…), todatetime(…)"));
      return bad();
    }
  }
  Typed out{.sql = {}, .type = Type::kBool, .is_constant = a.is_constant && b.is_constant};
  const std::string_view sql_op = op == "==" ? "=" : op == "!=" ? "<>" : op;
  const bool certain = never_null(a) && never_null(b);
  if (op == "!=" && !certain) {
    if (never_null(a) || never_null(b)) {
      out.sql = fmt::format("({} IS DISTINCT FROM {})", a.sql, b.sql);
    } else {
      out.sql = fmt::format("coalesce({} <> {}, CASE WHEN {} IS NULL AND {} IS NULL THEN NULL ELSE true END)", a.sql, b.sql, a.sql, b.sql);
    }
  } else if (op == "==" && !certain && !filter) {
    if (never_null(a) || never_null(b)) {
      out.sql = fmt::format("coalesce({} = {}, false)", a.sql, b.sql);
    } else {
      out.sql = fmt::format("coalesce({} = {}, CASE WHEN {} IS NULL AND {} IS NULL THEN NULL ELSE false END)", a.sql, b.sql, a.sql, b.sql);
    }
  } else {
    out.sql = fmt::format("({} {} {})", a.sql, sql_op, b.sql);
  }
  return out;
}

Typed Binder::text_test(const Syntax* s, std::string_view op, Typed a, Typed b) {
  a = convert(a, Type::kString);
  b = convert(b, Type::kString);
  Typed out{.sql = {}, .type = Type::kBool, .is_constant = a.is_constant && b.is_constant};
  bool negated = op.starts_with("!");
  if (negated) op.remove_prefix(1);
  if (op.starts_with("not")) {
    negated = true;
    op.remove_prefix(3);
  }
  const auto emit = [&](std::string_view function) { out.sql = fmt::format("{}({}, {})", function, a.sql, b.sql); };
  if (op == "=~" || op == "~") {
    const std::string* text = literal_text(b);
    const bool caseless = text && std::none_of(text->begin(), text->end(),
                                               [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80); });
    if (caseless) {
      out.sql = fmt::format("({} = {})", a.sql, b.sql);
    } else {
      emit("k_equals_ci");
    }
  } else if (op == "contains_cs" || op == "containscs") {
    emit("contains");
  } else if (op == "startswith_cs") {
    emit("starts_with");
  } else if (op == "endswith_cs") {
    emit("ends_with");
  } else if (op == ":") {
    emit("k_has");
  } else if (op == "matches") {
    emit("k_matches_regex");
  } else if (op == "has" || op == "has_cs" || op == "hasprefix" || op == "hasprefix_cs" || op == "hassuffix" || op == "hassuffix_cs" ||
             op == "contains" || op == "startswith" || op == "endswith") {
    emit(fmt::format("k_{}", op));
  } else {
    not_supported(s, fmt::format("the operator '{}'", s->text));
    return bad();
  }
  if (negated) out.sql = fmt::format("(NOT {})", out.sql);
  return out;
}

Typed Binder::arithmetic(const Syntax* s, std::string_view op, Typed a, Typed b) {
  const auto cannot = [&] {
    error(s, fmt::format("'{}' does not go with {} and {}", op, model::type_name(a.type), model::type_name(b.type)),
          op == "+" && (is_text(a.type) || is_text(b.type)) ? "strcat(a, b) joins strings" : "");
    return bad();
  };
  if (a.is_null_literal && !b.is_null_literal && a.type == Type::kDynamic) a = typed_null(b.type);
  if (a.type == Type::kDynamic && b.type == Type::kDynamic) {
    a = convert(a, Type::kReal);
    b = convert(b, Type::kReal);
  } else if (a.type == Type::kDynamic) {
    a = convert(a, b.type == Type::kDatetime && op == "+" ? Type::kTimespan : b.type);
  } else if (b.type == Type::kDynamic) {
    b = convert(b, b.type == Type::kDynamic && a.type == Type::kDatetime ? Type::kDatetime : a.type);
  }
  Typed out{.sql = {}, .is_constant = a.is_constant && b.is_constant};
  const auto fold = [&](auto f) {
    if (!a.literal || !b.literal) return;
    const auto* x = std::get_if<int64_t>(&*a.literal);
    const auto* y = std::get_if<int64_t>(&*b.literal);
    if (x && y) out = typed_literal(out.type, f(*x, *y));
  };
  const auto add = [](int64_t x, int64_t y) { return static_cast<int64_t>(static_cast<uint64_t>(x) + static_cast<uint64_t>(y)); };
  const auto subtract = [](int64_t x, int64_t y) { return static_cast<int64_t>(static_cast<uint64_t>(x) - static_cast<uint64_t>(y)); };
  const bool a_time = a.type == Type::kDatetime, b_time = b.type == Type::kDatetime, a_span = a.type == Type::kTimespan,
             b_span = b.type == Type::kTimespan;
  if (a_time || b_time || a_span || b_span) {
    if (op == "+" && ((a_time && b_span) || (a_span && b_time) || (a_span && b_span))) {
      out.type = a_span && b_span ? Type::kTimespan : Type::kDatetime;
      out.sql = fmt::format("({} + {})", a.sql, b.sql);
      fold(add);
    } else if (op == "-" && ((a_time && (b_span || b_time)) || (a_span && b_span))) {
      out.type = a_time && b_span ? Type::kDatetime : Type::kTimespan;
      out.sql = fmt::format("({} - {})", a.sql, b.sql);
      fold(subtract);
    } else if (op == "/" && a_span && b_span) {
      out.type = Type::kReal;
      out.sql = fmt::format("(CAST({} AS DOUBLE) / {})", a.sql, b.sql);
    } else if (op == "/" && a_span && is_numeric(b.type)) {
      out.type = Type::kTimespan;
      out.sql = fmt::format("CAST(round({} / CAST({} AS DOUBLE)) AS BIGINT)", a.sql, b.sql);
    } else if (op == "*" && ((a_span && is_numeric(b.type)) || (b_span && is_numeric(a.type)))) {
      out.type = Type::kTimespan;
      const bool whole = b.type != Type::kReal && b.type != Type::kDecimal && a.type != Type::kReal && a.type != Type::kDecimal;
      out.sql = whole ? fmt::format("({} * {})", a.sql, b.sql) : fmt::format("CAST(round({} * {}) AS BIGINT)", a.sql, b.sql);
      if (whole) fold([](int64_t x, int64_t y) { return static_cast<int64_t>(static_cast<uint64_t>(x) * static_cast<uint64_t>(y)); });
    } else if (op == "%" && a_span && b_span) {
      out.type = Type::kTimespan;
      out.sql = fmt::format("({} % {})", a.sql, b.sql);
    } else if (op == "%" && a_time && b_span) {
      out.type = Type::kTimespan;
      out.sql = fmt::format("({} % {})", a.sql, b.sql);
    } else {
      return cannot();
    }
    return out;
  }
  if (a.type == Type::kBool && is_numeric(b.type)) a = convert(a, Type::kLong);
  if (b.type == Type::kBool && is_numeric(a.type)) b = convert(b, Type::kLong);
  if (!is_numeric(a.type) || !is_numeric(b.type)) return cannot();
  out.type = *common_type(a.type, b.type);
  if (out.type == Type::kInt) out.type = Type::kLong;
  const bool whole = out.type == Type::kLong;
  const auto widen = [&](const Typed& v) {
    return v.type == Type::kInt && whole && !v.literal ? fmt::format("CAST({} AS BIGINT)", v.sql) : v.sql;
  };
  if (op == "/") {
    out.sql = whole ? fmt::format("({} // {})", widen(a), widen(b)) : fmt::format("(CAST({} AS DOUBLE) / {})", a.sql, b.sql);
  } else {
    out.sql = fmt::format("({} {} {})", widen(a), op, widen(b));
  }
  if (whole && op == "+") fold(add);
  if (whole && op == "-") fold(subtract);
  return out;
}

Typed Binder::between(const Syntax* s, Env* env, const Scope& scope) {
  Typed v = expression(s->left, env, scope);
  Typed low = expression(s->args[0], env, scope);
  Typed high = expression(s->args[1], env, scope);
  if (is_bad(v) || is_bad(low) || is_bad(high)) return bad();
  if ((v.type == Type::kDatetime || low.type == Type::kDatetime) && high.type == Type::kTimespan) high = arithmetic(s, "+", low, high);
  if (v.type == Type::kDynamic) v = convert(v, low.type);
  for (Typed* end : {&low, &high}) {
    if (end->type == v.type || (is_numeric(end->type) && is_numeric(v.type))) continue;
    if (end->type == Type::kDynamic || (end->type == Type::kString && literal_text(*end))) {
      *end = convert(*end, v.type);
    } else {
      error(s, fmt::format("between needs both ends to be {}, not {}", model::type_name(v.type), model::type_name(end->type)));
      return bad();
    }
  }
  const std::string_view negated = s->text.starts_with("!") ? "NOT " : "";
  return {.sql = fmt::format("({} {}BETWEEN {} AND {})", v.sql, negated, low.sql, high.sql), .type = Type::kBool};
}

Typed Binder::in_list(const Syntax* s, Env* env, const Scope& scope) {
  std::string_view op = s->text;
  const bool negated = op.starts_with("!");
  if (negated) op.remove_prefix(1);
  const bool caseless = op.ends_with("~");
  const bool terms = op == "has_any" || op == "has_all";
  if (s->left->kind == Kind::kStar) return any_column(s, env, scope);
  Typed v = expression(s->left, env, scope);
  bool any_bad = is_bad(v);
  const auto finish = [&](std::string sql, bool nullable) -> Typed {
    if (!negated) return {.sql = std::move(sql), .type = Type::kBool};
    return {.sql = nullable ? fmt::format("coalesce(NOT {}, true)", sql) : fmt::format("(NOT {})", sql), .type = Type::kBool};
  };
  // Over a table: its first column.
  if (s->args.size() == 1 && is_tabular(s->args[0], env)) {
    Node* n = table(s->args[0], env);
    size_t column = 0;
    while (column < n->columns.size() && n->columns[column].hidden) ++column;
    if (n->columns.empty() || column == n->columns.size()) {
      if (!n->open_shape) error(s->args[0], "this table has no column");
      return bad();
    }
    if (any_bad) return bad();
    Node* values = plan.over(n);
    Column c = values->columns[column];
    std::erase_if(values->columns, [&](const Column& other) { return other.id != c.id; });
    if (c.bad) return bad();
    Typed element{.sql = std::string(c.sql), .type = c.type};
    if (terms) {
      element = convert(convert(element, Type::kString), Type::kDynamic);
      values->columns[0].sql = plan.keep(fmt::format("'[' || coalesce(string_agg({}, ','), '') || ']'", element.sql));
      values->columns[0].id = "\"terms\"";
      values->grouped = true;
      const std::string list = subquery_text(values);
      v = convert(v, Type::kString);
      return finish(fmt::format("k_{}({}, {})", op, v.sql, list), false);
    }
    const Type t = v.type == Type::kDynamic         ? element.type == Type::kDynamic ? Type::kString : element.type
                   : element.type == Type::kDynamic ? v.type
                                                    : common_type(v.type, element.type).value_or(Type::kString);
    v = convert(v, t);
    element = convert(element, t);
    std::string sql = v.sql, inner = element.sql;
    if (caseless && t == Type::kString) {
      sql = fmt::format("lower({})", sql);
      inner = fmt::format("lower({})", inner);
    }
    if (inner != c.sql) {
      values->columns[0].sql = plan.keep(std::move(inner));
      values->columns[0].id = "\"element\"";
    }
    // Nulls among the values would make NOT IN unknown for every row.
    if (t != Type::kString)
      values->where.push_back({plan.keep(fmt::format("{} IS NOT NULL", values->columns[0].sql)), values->columns[0].deps});
    return finish(fmt::format("({} IN {})", sql, subquery_text(values)), t != Type::kString);
  }
  std::vector<Typed> values;
  std::vector<Typed> arrays;
  for (const Syntax* arg : s->args) {
    const std::vector<Syntax*> one{const_cast<Syntax*>(arg)};
    for (const Syntax* item : arg->kind == Kind::kList ? arg->args : one) {
      Typed e = expression(item, env, scope);
      if (is_bad(e)) {
        any_bad = true;
      } else if (auto list = elements(e)) {
        for (Typed& x : *list) values.push_back(std::move(x));
      } else if (e.type == Type::kDynamic && !e.is_null_literal) {
        arrays.push_back(std::move(e));
      } else {
        values.push_back(std::move(e));
      }
    }
  }
  if (any_bad) return bad();
  if (terms) {
    v = convert(v, Type::kString);
    std::string json;
    bool constant = arrays.empty();
    for (const Typed& e : values) constant = constant && literal_text(e);
    if (constant) {
      json = "[";
      for (const Typed& e : values) {
        if (json.size() > 1) json += ',';
        append_json_string(json, *literal_text(e));
      }
      return finish(fmt::format("k_{}({}, {})", op, v.sql, sql_string(json + "]")), false);
    }
    if (arrays.size() == 1 && values.empty()) return finish(fmt::format("coalesce(k_{}({}, {}), false)", op, v.sql, arrays[0].sql), false);
    std::string list;
    for (const Typed& e : values) list += (list.empty() ? "" : ", ") + convert(convert(e, Type::kString), Type::kDynamic).sql;
    json = fmt::format("k_pack_array({})", list);
    for (const Typed& e : arrays) json = fmt::format("k_array_concat({}, {})", json, e.sql);
    return finish(fmt::format("coalesce(k_{}({}, {}), false)", op, v.sql, json), false);
  }
  std::vector<std::string> tests;
  if (!values.empty()) {
    Type t = v.type;
    if (t == Type::kDynamic) t = values[0].type;
    for (const Typed& e : values)
      if (e.type != t && is_numeric(t) && is_numeric(e.type)) t = *common_type(t, e.type);
    const Typed left = convert(v, t);
    std::string list, json;
    // A long list (indicators) goes over as one JSON text: the engine reads that much faster than as many literals.
    bool as_json = values.size() > 300 && (t == Type::kString || t == Type::kLong);
    for (const Typed& e : values) {
      if (e.is_null_literal) continue;
      if (e.type != t && !is_numeric(e.type) && e.type != Type::kString && t != Type::kString && e.type != Type::kDynamic) {
        error(s, fmt::format("'{}' looks for {} among {}", s->text, model::type_name(t), model::type_name(e.type)));
        return bad();
      }
      const Typed x = convert(e, t);
      if (as_json) {
        json += json.empty() ? '[' : ',';
        const auto* whole = x.literal ? std::get_if<int64_t>(&*x.literal) : nullptr;
        const std::string* text = literal_text(x);
        const bool ascii = text && std::none_of(text->begin(), text->end(), [](char c) { return (c & 0x80) != 0; });
        if (whole) {
          json += std::to_string(*whole);
        } else if (text && (ascii || !caseless)) {
          append_json_string(json, caseless ? to_lower(*text) : *text);
        } else {
          as_json = false;
        }
      }
      if (!list.empty()) list += ", ";
      if (caseless && t == Type::kString) {
        const std::string* text = literal_text(x);
        const bool ascii = text && std::none_of(text->begin(), text->end(), [](char c) { return (c & 0x80) != 0; });
        list += ascii ? sql_string(to_lower(*text)) : fmt::format("lower({})", x.sql);
      } else {
        list += x.sql;
      }
    }
    if (as_json && !json.empty())
      list = fmt::format("SELECT unnest(CAST(CAST({} AS JSON) AS {}[]))", sql_string(json + "]"), model::sql_type(t));
    if (!list.empty())
      tests.push_back(fmt::format("({} IN ({}))", caseless && t == Type::kString ? fmt::format("lower({})", left.sql) : left.sql, list));
  }
  for (const Typed& array : arrays) {
    tests.push_back(fmt::format("coalesce({}({}, {}), false)", caseless ? "k_in_ci" : "k_in", convert(v, Type::kDynamic).sql, array.sql));
  }
  if (tests.empty()) return typed_literal(Type::kBool, negated);
  std::string sql = tests[0];
  if (tests.size() > 1) sql = "(" + egret::join(tests, " OR ") + ")";
  return finish(std::move(sql), v.type != Type::kString);
}

// * has "x": in any of the row's columns.
Typed Binder::any_column(const Syntax* s, Env* env, const Scope& scope) {
  if (!scope.node) {
    error(s, "'*' needs a row");
    return bad();
  }
  std::vector<std::string> tests;
  if (s->kind == Kind::kIn) {
    error(s, "'*' cannot stand before this operator");
    return bad();
  }
  const Typed wanted = expression(s->right, env, scope);
  if (is_bad(wanted)) return bad();
  const bool equality = s->text == "==" || s->text == "!=";
  for (size_t i = 0; i < scope.node->columns.size(); ++i) {
    const Column& c = scope.node->columns[i];
    if (c.hidden || c.bad || (equality && wanted.type == Type::kString && c.type != Type::kString && c.type != Type::kDynamic)) continue;
    Typed v = use_column(scope.node, i);
    Typed test = equality ? compare(s, s->text, std::move(v), wanted, true) : text_test(s, s->text, std::move(v), wanted);
    if (!is_bad(test)) tests.push_back(std::move(test.sql));
  }
  if (tests.empty()) return typed_literal(Type::kBool, false);
  return {.sql = "(" + egret::join(tests, s->text.starts_with("!") ? " AND " : " OR ") + ")", .type = Type::kBool};
}

// The predicate of search: a bare string is looked for as a term in every column.
Typed Binder::search_predicate(const Syntax* s, Env* env, const Scope& scope) {
  if (s->kind == Kind::kAnd || s->kind == Kind::kOr) {
    std::string sql;
    for (const Syntax* arg : s->args) {
      const Typed v = search_predicate(arg, env, scope);
      if (is_bad(v)) return v;
      sql += (sql.empty() ? "(" : s->kind == Kind::kAnd ? " AND " : " OR ") + v.sql;
    }
    return {.sql = sql + ")", .type = Type::kBool};
  }
  if (s->kind == Kind::kCall && s->text == "not" && s->args.size() == 1) {
    const Typed v = search_predicate(s->args[0], env, scope);
    return is_bad(v) ? v : Typed{.sql = "(NOT " + v.sql + ")", .type = Type::kBool};
  }
  const bool star = s->kind == Kind::kStar;
  if (star) return typed_literal(Type::kBool, true);
  const Typed wanted = s->kind == Kind::kLiteral ? expression(s, env, scope) : Typed{};
  if (s->kind != Kind::kLiteral || wanted.type != Type::kString) {
    // A column that this table lacks matches nothing.
    if (s->kind == Kind::kBinary && s->left->kind == Kind::kName && scope.node->find(s->left->text) < 0 && !env->find(s->left->text))
      return typed_literal(Type::kBool, false);
    return as_bool(s, expression(s, env, scope, true));
  }
  std::string term = *literal_text(wanted);
  std::string_view function = "k_has";
  const bool head = term.starts_with("*"), tail = term.size() > 1 && term.ends_with("*");
  if (head) term.erase(0, 1);
  if (tail) term.pop_back();
  if (head && tail)
    function = "k_contains";
  else if (tail)
    function = "k_hasprefix";
  else if (head)
    function = "k_hassuffix";
  if (term.empty()) return typed_literal(Type::kBool, true);
  if (term.find('*') != std::string::npos) {
    not_supported(s, "'*' inside a search term");
    return bad();
  }
  std::vector<std::string> tests;
  for (size_t i = 0; i < scope.node->columns.size(); ++i) {
    if (scope.node->columns[i].hidden || scope.node->columns[i].bad) continue;
    tests.push_back(fmt::format("{}({}, {})", function, convert(use_column(scope.node, i), Type::kString).sql, sql_string(term)));
  }
  if (tests.empty()) return typed_literal(Type::kBool, false);
  return {.sql = "(" + egret::join(tests, " OR ") + ")", .type = Type::kBool};
}

}  // namespace egret::kql
