// Names, paths, literals and calls.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "kql/aggregates.h"
#include "kql/binder.h"
#include "kql/lexer.h"

namespace egret::kql {
namespace {
constexpr std::string_view kBadSql = "NULL/*?*/";
// An expression that grows beyond this was made to (let a = x + x; let b = a + a; …).
constexpr size_t kMaxExpression = 1 << 20;
}  // namespace

Typed Binder::bad() { return {.sql = std::string(kBadSql), .type = model::Type::kDynamic, .is_null_literal = true}; }
bool Binder::is_bad(const Typed& t) { return t.sql == kBadSql; }

void Binder::error(const Syntax* at, std::string message, std::string hint) {
  if (diagnostics_.size() >= 25) return;
  Diagnostic d{.message = std::move(message), .hint = std::move(hint)};
  if (call_site_) {
    d.message = fmt::format("in the stored function {}: {}", call_name_, d.message);
    at = call_site_;
  }
  d.offset = at ? at->offset : 0;
  d.length = at ? std::max<size_t>(1, at->end - at->offset) : 1;
  for (const Diagnostic& other : diagnostics_)
    if (other.offset == d.offset && other.message == d.message) return;
  diagnostics_.push_back(std::move(d));
}

void Binder::not_supported(const Syntax* at, std::string what) { error(at, fmt::format("{} is not supported", what)); }

void Binder::cannot_run(std::string why) {
  if (unsupported.empty()) unsupported = std::move(why);
}

Bound Binder::bind(const Syntax* s, Env* env, const Scope& scope, bool filter) {
  std::vector<Dep> outer;
  outer.swap(deps_);
  Bound b;
  b.v = expression(s, env, scope, filter);
  b.bad = is_bad(b.v);
  b.deps = plan.keep(deps_);
  deps_.swap(outer);
  return b;
}

Typed Binder::use_column(Node* n, size_t i) {
  const Column& c = n->columns[i];
  deps_.insert(deps_.end(), c.deps.begin(), c.deps.end());
  if (c.bad) return bad();
  return {.sql = std::string(c.sql), .type = c.type, .is_constant = c.constant};
}

Typed Binder::name(const Syntax* s, std::string_view name, Env* env, const Scope& scope) {
  if (scope.node) {
    if (const int i = scope.node->find(name); i >= 0) return use_column(scope.node, static_cast<size_t>(i));
  }
  if (const Variable* v = env->find(name)) {
    if (v->kind == Variable::Kind::kScalar) {
      if (v->row && scope.node && scope.node != v->row) {
        error(s, fmt::format("'{}' belongs to one row and cannot be used inside another table", name));
        return bad();
      }
      deps_.insert(deps_.end(), v->deps.begin(), v->deps.end());
      return v->scalar;
    }
    error(s,
          v->kind == Variable::Kind::kTable ? fmt::format("'{}' is a table, not a value", name)
                                            : fmt::format("'{}' is a function; call it: {}(…)", name, name),
          v->kind == Variable::Kind::kTable ? "toscalar(…) takes the first value of a table" : "");
    return bad();
  }
  if (scope.node && scope.node->open_shape) {
    // An open table types its further columns by their suffix; one that no row has set is empty.
    const auto ends = [&](std::string_view suffix) { return name.ends_with(suffix); };
    if (scope.node->columns.empty()) return bad();
    if (scope.node->inputs.empty() == false && !unsupported.empty())
      return {.sql = "NULL", .type = model::Type::kDynamic, .is_constant = true};
    const model::Type t = ends("_d")   ? model::Type::kReal
                          : ends("_b") ? model::Type::kBool
                          : ends("_t") ? model::Type::kDatetime
                          : ends("_g") ? model::Type::kGuid
                                       : model::Type::kString;
    return typed_null(t);
  }
  if (scope.keys && scope.keys->find(name) >= 0) {
    error(s, fmt::format("'{}' is neither aggregated nor a key of this summarize", name),
          fmt::format("put it after 'by', or write take_any({})", name));
    return bad();
  }
  error(s, scope.node ? fmt::format("no column is named '{}'", name) : fmt::format("'{}' is not defined", name),
        near_column(name, scope, env));
  return bad();
}

std::string Binder::near_column(std::string_view name, const Scope& scope, Env* env) {
  std::vector<std::string_view> names;
  for (const Node* n : {scope.node, scope.keys}) {
    if (!n) continue;
    for (const Column& c : n->columns)
      if (!c.name.empty()) names.push_back(c.name);
  }
  for (const Env* e = env; e; e = e->parent)
    for (const auto& [n, v] : e->names) names.push_back(n);
  if (const std::string near = near_name(name, names); !near.empty()) return fmt::format("did you mean '{}'?", near);
  if (!scope.node) return {};
  std::string list;
  size_t shown = 0;
  for (const Column& c : scope.node->columns) {
    if (c.hidden) continue;
    if (++shown > 8) break;
    list += list.empty() ? "" : ", ";
    list += c.name;
  }
  return list.empty() ? std::string() : fmt::format("columns here are {}{}", list, shown > 8 ? ", …" : "");
}

Typed Binder::expression(const Syntax* s, Env* env, const Scope& scope, bool filter) {
  Typed out = [&]() -> Typed {
    switch (s->kind) {
      case Kind::kLiteral: {
        Typed t = std::holds_alternative<std::monostate>(s->value) ? typed_null(s->type) : typed_literal(s->type, s->value);
        return t;
      }
      case Kind::kName: return name(s, s->text, env, scope);
      case Kind::kMember:
      case Kind::kIndex: return path(s, env, scope);
      case Kind::kCall: return call(s, env, scope);
      case Kind::kBinary: return binary(s, env, scope, filter);
      case Kind::kAnd:
      case Kind::kOr: return logical(s, env, scope, filter);
      case Kind::kBetween: return between(s, env, scope);
      case Kind::kIn: return in_list(s, env, scope);
      case Kind::kNamed: return expression(s->left, env, scope, filter);
      case Kind::kUnary: {
        Typed v = expression(s->left, env, scope);
        if (is_bad(v)) return v;
        if (v.type == model::Type::kDynamic) v = convert(v, model::Type::kReal);
        if (!is_numeric(v.type) && v.type != model::Type::kTimespan) {
          error(s, fmt::format("'{}' needs a number or a timespan, not {}", s->text, model::type_name(v.type)));
          return bad();
        }
        if (s->text == "+") return v;
        if (v.literal) {
          if (const auto* i = std::get_if<int64_t>(&*v.literal))
            return typed_literal(v.type, static_cast<int64_t>(0 - static_cast<uint64_t>(*i)));
          if (const auto* d = std::get_if<double>(&*v.literal)) return typed_literal(v.type, -*d);
        }
        return {.sql = fmt::format("(-{})", v.sql), .type = v.type, .is_constant = v.is_constant};
      }
      case Kind::kPipe:
      case Kind::kOperator: return scalar_subquery(s, env);
      case Kind::kStar: error(s, "'*' cannot stand here"); return bad();
      case Kind::kBad: return bad();
      default: error(s, "expected a value"); return bad();
    }
  }();
  if (out.sql.size() > kMaxExpression) {
    if (!too_big_) error(s, "this expression grows too large when its names are filled in");
    too_big_ = true;
    return bad();
  }
  return out;
}

Typed Binder::as_bool(const Syntax* at, Typed v) {
  if (is_bad(v) || v.type == model::Type::kBool) return v;
  if (v.type == model::Type::kDynamic || is_numeric(v.type)) return convert(v, model::Type::kBool);
  error(at, fmt::format("expected a condition, this is {} {}", v.type == model::Type::kInt ? "an" : "a", model::type_name(v.type)));
  return bad();
}

Typed Binder::logical(const Syntax* s, Env* env, const Scope& scope, bool filter) {
  std::string sql = "(";
  bool constant = true, any_bad = false;
  for (const Syntax* arg : s->args) {
    const Typed v = as_bool(arg, expression(arg, env, scope, filter));
    any_bad |= is_bad(v);
    constant &= v.is_constant;
    if (sql.size() > 1) sql += s->kind == Kind::kAnd ? " AND " : " OR ";
    sql += v.sql;
  }
  if (any_bad) return bad();
  return {.sql = sql + ")", .type = model::Type::kBool, .is_constant = constant};
}

// x.a["b"][0]: constant steps become one path, so that the JSON is read once.
Typed Binder::path(const Syntax* s, Env* env, const Scope& scope) {
  std::vector<const Syntax*> steps;
  const Syntax* root = s;
  while (root->kind == Kind::kMember || root->kind == Kind::kIndex) {
    steps.push_back(root);
    root = root->left;
  }
  std::reverse(steps.begin(), steps.end());
  Typed base;
  if (root->kind == Kind::kName && (root->text == "$left" || root->text == "$right")) {
    error(root, fmt::format("{} may only stand in the keys of a join", root->text));
    return bad();
  }
  base = expression(root, env, scope);
  if (is_bad(base)) {
    for (const Syntax* step : steps)
      if (step->kind == Kind::kIndex) expression(step->args[0], env, scope);
    return base;
  }
  if (base.type == model::Type::kString && !base.is_null_literal) {
    error(steps.front(), "a string has no members", "parse it first: parse_json(…).name");
    return bad();
  }
  if (base.type != model::Type::kDynamic) {
    error(steps.front(), fmt::format("a {} has no members", model::type_name(base.type)));
    return bad();
  }
  std::string constant;
  const auto flush = [&] {
    if (constant.empty()) return;
    base.sql = fmt::format("k_dyn_path({}, {})", base.sql, sql_string(constant));
    constant.clear();
  };
  base.literal.reset();
  base.is_null_literal = false;
  for (const Syntax* step : steps) {
    if (step->kind == Kind::kMember) {
      constant += path_key(step->text);
      continue;
    }
    const Typed index = expression(step->args[0], env, scope);
    if (is_bad(index)) return index;
    if (index.literal) {
      if (const auto* i = std::get_if<int64_t>(&*index.literal)) {
        constant += path_index(*i);
        continue;
      }
      if (const auto* t = std::get_if<std::string>(&*index.literal); t && index.type == model::Type::kString) {
        constant += path_key(*t);
        continue;
      }
    }
    flush();
    if (index.type == model::Type::kString || index.type == model::Type::kDynamic || index.type == model::Type::kGuid) {
      base.sql = fmt::format("k_dyn_get({}, {})", base.sql, convert(index, model::Type::kString).sql);
    } else if (is_numeric(index.type)) {
      base.sql = fmt::format("k_dyn_at({}, {})", base.sql, convert(index, model::Type::kLong).sql);
    } else {
      error(step, fmt::format("an index is a number or a key, not a {}", model::type_name(index.type)));
      return bad();
    }
    base.is_constant = base.is_constant && index.is_constant;
  }
  flush();
  return base;
}

Typed Binder::scalar_call(const Syntax* at, std::string_view name, std::vector<Typed> args) {
  for (const Typed& a : args)
    if (is_bad(a)) return bad();
  // tostring(x.a.b) reads the path and makes the text in one go.
  if (name == "tostring" && args.size() == 1 && args[0].type == model::Type::kDynamic && args[0].sql.starts_with("k_dyn_path(") &&
      !args[0].literal) {
    return {.sql = "k_dyn_path_string" + args[0].sql.substr(10), .type = model::Type::kString, .is_constant = args[0].is_constant};
  }
  Emitted out = call_scalar(name, args, context_);
  if (out) return *std::move(out);
  error(at, out.error());
  return bad();
}

std::string Binder::constant_string(const Syntax* s, Env* env, std::string_view what) {
  const Bound b = bind(s, env, Scope{});
  if (b.bad) return {};
  if (b.v.literal)
    if (const auto* t = std::get_if<std::string>(&*b.v.literal)) return *t;
  error(s, fmt::format("{} must be a constant string", what));
  return {};
}

Typed Binder::call(const Syntax* s, Env* env, const Scope& scope) {
  bool handled = false;
  Typed special = special_call(s, env, scope, handled);
  if (handled) return special;
  if (const Variable* f = function_named(s->text, env)) {
    return call_function(*f, s, env, scope, nullptr, false).scalar;
  }
  if (is_aggregate(s->text) && (scope.aggregates || !find_scalar(s->text))) {
    if (scope.aggregates) return aggregate(s, env, scope);
    error(s, fmt::format("{}() is an aggregate: it may only stand in summarize", s->text));
    return bad();
  }
  if (is_window(s->text)) {
    if (scope.window) return window_call(s, env, scope);
    error(s, fmt::format("{}() may only stand in extend, project and serialize", s->text));
    return bad();
  }
  const ScalarFunction* f = find_scalar(s->text);
  if (!f) {
    for (const Syntax* arg : s->args)
      if (arg->kind != Kind::kTyped && arg->kind != Kind::kStar) expression(arg->kind == Kind::kNamed ? arg->left : arg, env, scope);
    if (const auto type = known_function_type(s->text)) {
      cannot_run(fmt::format("the function {}() is not supported", s->text));
      return {.sql = typed_null(*type).sql, .type = *type};
    }
    std::vector<std::string> names = scalar_names();
    for (const std::string_view a : aggregate_names()) names.emplace_back(a);
    const std::string near = near_name(s->text, names);
    error(s, fmt::format("no function is named '{}'", s->text), near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
    return bad();
  }
  std::vector<Typed> args;
  args.reserve(s->args.size());
  for (const Syntax* arg : s->args) {
    if (arg->kind == Kind::kTyped) {
      args.push_back({.sql = sql_string(model::type_name(arg->type)),
                      .type = model::Type::kString,
                      .is_constant = true,
                      .literal = std::string(model::type_name(arg->type))});
    } else {
      args.push_back(expression(arg, env, scope));
    }
  }
  return scalar_call(s, s->text, std::move(args));
}

// What needs more than values: the shape of the row, a table, a constant.
Typed Binder::special_call(const Syntax* s, Env* env, const Scope& scope, bool& handled) {
  handled = true;
  const std::string_view f = s->text;
  if (f == "toscalar") {
    if (s->args.empty()) {
      error(s, "toscalar needs a table");
      return bad();
    }
    return scalar_subquery(s->args[0], env);
  }
  if (f == "column_ifexists" || f == "columnifexists") {
    if (s->args.size() != 2) {
      error(s, fmt::format("{}() takes a name and a default", f));
      return bad();
    }
    const std::string wanted = constant_string(s->args[0], env, "the column's name");
    if (scope.node) {
      if (const int i = scope.node->find(wanted); i >= 0) return use_column(scope.node, static_cast<size_t>(i));
    }
    return expression(s->args[1], env, scope);
  }
  if (f == "ingestion_time") {
    if (scope.node) {
      if (const int i = scope.node->find("_IngestionTime"); i >= 0) return use_column(scope.node, static_cast<size_t>(i));
    }
    return typed_null(model::Type::kDatetime);
  }
  if (f == "pack_all" || f == "bag_pack_columns") {
    std::vector<Typed> args;
    bool ignore_null = false;
    if (f == "pack_all" && !s->args.empty()) {
      const Typed v = expression(s->args[0], env, scope);
      ignore_null = v.literal && std::get_if<bool>(&*v.literal) && std::get<bool>(*v.literal);
    }
    if (f == "pack_all") {
      if (!scope.node) {
        error(s, "there is no row here to pack");
        return bad();
      }
      for (size_t i = 0; i < scope.node->columns.size(); ++i) {
        if (scope.node->columns[i].hidden) continue;
        args.push_back(typed_literal(model::Type::kString, std::string(scope.node->columns[i].name)));
        args.push_back(use_column(scope.node, i));
      }
      if (args.empty()) return typed_literal(model::Type::kDynamic, std::string("{}"));
    } else {
      for (const Syntax* arg : s->args) {
        args.push_back(typed_literal(model::Type::kString, auto_name(arg, env)));
        args.push_back(expression(arg, env, scope));
      }
    }
    Typed v = scalar_call(s, "bag_pack", std::move(args));
    if (ignore_null && !is_bad(v)) v = {.sql = fmt::format("k_bag_without_empty({})", v.sql), .type = model::Type::kDynamic};
    return v;
  }
  if (f == "materialize" || f == "view") return scalar_subquery(s, env);
  if (f == "not" && s->args.size() == 1) {
    const Typed v = as_bool(s->args[0], expression(s->args[0], env, scope));
    if (is_bad(v)) return v;
    return {.sql = fmt::format("(NOT {})", v.sql), .type = model::Type::kBool, .is_constant = v.is_constant};
  }
  if (f == "current_cluster_endpoint" || f == "current_database" || f == "current_principal")
    return typed_literal(model::Type::kString, std::string("egret"));
  handled = false;
  return {};
}

// The name that an expression without one gets as a column; empty where it gets a numbered one.
std::string Binder::auto_name(const Syntax* s, Env* env) {
  switch (s->kind) {
    case Kind::kName: return std::string(s->text);
    case Kind::kNamed: return std::string(s->text);
    case Kind::kMember: {
      const std::string left = auto_name(s->left, env);
      return left.empty() ? std::string(s->text) : left + "_" + std::string(s->text);
    }
    case Kind::kIndex: {
      const std::string left = auto_name(s->left, env);
      std::string step;
      if (const Syntax* i = s->args[0]; i->kind == Kind::kLiteral) {
        if (const auto* t = std::get_if<std::string>(&i->value)) step = *t;
        if (const auto* n = std::get_if<int64_t>(&i->value)) step = std::to_string(*n);
      }
      for (char& c : step)
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) c = '_';
      if (left.empty() || step.empty()) return {};
      return left + "_" + step;
    }
    case Kind::kCall: {
      if (is_aggregate(s->text))
        return aggregate_name(s->text, s->args.empty() ? std::string() : auto_name(s->args[0], env), s->args.size());
      if ((s->text == "column_ifexists" || s->text == "columnifexists") && !s->args.empty() && s->args[0]->kind == Kind::kLiteral) {
        if (const auto* t = std::get_if<std::string>(&s->args[0]->value)) return *t;
      }
      // A function of one column is named after it; the rest is numbered.
      const FunctionNaming naming = function_naming(s->text);
      if (naming == FunctionNaming::kFirstArgument && !s->args.empty() && s->args[0]->kind != Kind::kCall)
        return auto_name(s->args[0], env);
      if (naming == FunctionNaming::kFirstArgument && !s->args.empty()) return auto_name(s->args[0], env);
      if (naming == FunctionNaming::kOwnName) return std::string(s->text) + "_";
      if (naming == FunctionNaming::kPrefix && !s->args.empty()) return std::string(s->text) + "_" + auto_name(s->args[0], env);
      return {};
    }
    default: return {};
  }
}

// Whether an expression names a column of the block that is more than a name or a literal.
bool Binder::names_computed(const Syntax* s, const Node* n, Env* env) const {
  if (!s) return false;
  switch (s->kind) {
    case Kind::kName: {
      const int i = n->find(s->text);
      return i >= 0 && !n->columns[static_cast<size_t>(i)].trivial;
    }
    case Kind::kStar: return std::any_of(n->columns.begin(), n->columns.end(), [](const Column& c) { return !c.trivial; });
    case Kind::kPipe:
    case Kind::kOperator: return false;
    case Kind::kCall:
      if (s->text == "pack_all" && std::any_of(n->columns.begin(), n->columns.end(), [](const Column& c) { return !c.trivial; }))
        return true;
      if ((s->text == "column_ifexists" || s->text == "columnifexists") && !s->args.empty() && s->args[0]->kind == Kind::kLiteral) {
        if (const auto* t = std::get_if<std::string>(&s->args[0]->value)) {
          if (const int i = n->find(*t); i >= 0 && !n->columns[static_cast<size_t>(i)].trivial) return true;
        }
      }
      break;
    default: break;
  }
  if (names_computed(s->left, n, env) || names_computed(s->right, n, env)) return true;
  for (const auto* list : {&s->args, &s->by})
    for (const Syntax* child : *list)
      if (names_computed(child, n, env)) return true;
  return false;
}

}  // namespace egret::kql
