// Statements, names of tables, functions and their calls.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "kql/binder.h"
#include "kql/parser.h"

namespace egret::kql {
namespace {
constexpr int kMaxCallDepth = 32, kMaxCalls = 3'000, kMaxNodeDepth = 900;
constexpr std::string_view kElsewhere[] = {"database", "cluster", "workspace", "app", "resource", "adx", "arg"};
bool names_place(std::string_view f) { return std::find(std::begin(kElsewhere), std::end(kElsewhere), f) != std::end(kElsewhere); }
}  // namespace

const Variable* Env::find(std::string_view name) const {
  for (const Env* e = this; e; e = e->parent)
    for (size_t i = e->names.size(); i-- > 0;)
      if (e->names[i].first == name) return &e->names[i].second;
  return nullptr;
}

Binder::Binder(std::string_view text, const Catalogue& catalogue, const Options& options, std::vector<Diagnostic>& diagnostics)
    : text_(text), catalogue_(catalogue), options_(options), context_{.now = options.now}, diagnostics_(diagnostics) {}

Node* Binder::query(const Syntax* body) {
  Env& env = envs_.emplace_back();
  return body_table(body, &env);
}

// The statements, then the value of the last one.
Node* Binder::body_table(const Syntax* body, Env* env) {
  const Syntax* last = nullptr;
  Node* result = nullptr;
  for (const Syntax* s : body->args) {
    if (s->kind == Kind::kLet || s->kind == Kind::kSet || s->kind == Kind::kDeclare || s->kind == Kind::kIgnored || s->kind == Kind::kBad) {
      statement(s, env);
      continue;
    }
    if (last) {
      error(s, "there is a second query here; one query gives one result", "name the first one with let, or remove it");
      return result;
    }
    last = s;
    result = table(s, env);
  }
  if (!last) {
    if (diagnostics_.empty()) error(body, "there is no query here, only statements", "end with a table or with print");
    return broken_table();
  }
  return result;
}

void Binder::statement(const Syntax* s, Env* env) {
  switch (s->kind) {
    case Kind::kLet: let(s, env); break;
    case Kind::kDeclare:
      for (const Syntax* p : s->args) {
        Variable v;
        v.scalar = typed_null(p->type);
        if (p->left) v.scalar = convert(expression(p->left, env, Scope{}), p->type);
        env->names.emplace_back(p->text, v);
      }
      break;
    default: break;  // `set` changes nothing that Egret has
  }
}

void Binder::let(const Syntax* s, Env* env) {
  if (!s->left) return;
  Variable v;
  if (s->left->kind == Kind::kFunction) {
    v.kind = Variable::Kind::kFunction;
    v.function = s->left;
    v.env = &envs_.emplace_back(Env{.parent = env->parent, .names = env->names});  // later names are not seen by it
  } else if (is_tabular(s->left, env)) {
    v.kind = Variable::Kind::kTable;
    v.table = table(s->left, env);
    v.table->shared = true;
  } else {
    const Bound b = bind(s->left, env, Scope{});
    v.scalar = b.v;
    v.deps = b.deps;
  }
  env->names.emplace_back(s->text, std::move(v));
}

bool Binder::is_tabular_body(const Syntax* body, Env* env, int depth) {
  Env inner{env, {}};
  for (const Syntax* s : body->args) {
    if (s->kind == Kind::kLet && s->left) {
      Variable v;
      if (s->left->kind == Kind::kFunction) {
        v.kind = Variable::Kind::kFunction;
        v.function = s->left;
        v.env = &inner;
        inner.names.emplace_back(s->text, v);
        continue;
      }
      v.kind = is_tabular(s->left, &inner, depth) ? Variable::Kind::kTable : Variable::Kind::kScalar;
      inner.names.emplace_back(s->text, v);
      continue;
    }
    if (s->kind == Kind::kSet || s->kind == Kind::kDeclare || s->kind == Kind::kBad) continue;
    return is_tabular(s, &inner, depth);
  }
  return false;
}

bool Binder::is_tabular(const Syntax* s, Env* env, int depth) {
  if (depth > kMaxCallDepth) return false;
  switch (s->kind) {
    case Kind::kPipe: return !s->args.empty();
    case Kind::kOperator: return true;
    case Kind::kName:
      if (const Variable* v = env->find(s->text)) {
        if (v->kind == Variable::Kind::kFunction && v->function && v->function->args.empty() && v->function->right)
          return is_tabular_body(v->function->right, v->env, depth + 1);
        return v->kind == Variable::Kind::kTable;
      }
      if (catalogue_.table(s->text)) return true;
      if (const Variable* f = stored_function(s->text)) return is_tabular_body(f->function->right, f->env, depth + 1);
      return false;
    case Kind::kMember: return s->left->kind == Kind::kCall && names_place(s->left->text);
    case Kind::kCall: {
      if (s->text == "materialize" || s->text == "table" || s->text == "_GetWatchlist" || s->text == "external_table") return true;
      if (s->left && s->left->kind == Kind::kCall && names_place(s->left->text)) return true;
      const Variable* f = function_named(s->text, env);
      if (!f || !f->function->right) return false;
      Env inner{f->env, {}};
      for (const Syntax* p : f->function->args) {
        Variable v;
        v.kind = p->right ? Variable::Kind::kTable : Variable::Kind::kScalar;
        inner.names.emplace_back(p->text, v);
      }
      return is_tabular_body(f->function->right, &inner, depth + 1);
    }
    default: return false;
  }
}

Node* Binder::broken_table() {
  Node* n = plan.make(Node::Kind::kSelect);
  n->open_shape = true;
  n->shared = true;
  return n;
}

std::string Binder::near_table(std::string_view name, Env* env) {
  std::vector<std::string> names = catalogue_.names();
  for (const Env* e = env; e; e = e->parent)
    for (const auto& [n, v] : e->names)
      if (v.kind != Variable::Kind::kScalar) names.emplace_back(n);
  const std::string near = near_name(name, names);
  return near.empty() ? std::string() : fmt::format("did you mean '{}'?", near);
}

Node* Binder::stored_table(const model::Table& t) {
  Node* n = plan.make(Node::Kind::kTable);
  n->table = t.name;
  n->shared = true;
  n->open_shape = t.open || t.name == "AzureDiagnostics";  // its columns come with the resources that write to it
  n->columns.reserve(t.columns.size() + 3);
  for (const model::Column& c : t.columns) {
    Column column;
    column.name = c.name;
    column.type = c.type;
    column.id = column.sql = plan.keep(quote_id(c.name));
    column.trivial = true;
    n->columns.push_back(column);
  }
  constexpr std::pair<std::string_view, model::Type> kHidden[] = {
      {"_RowId", model::Type::kLong}, {"_IngestionTime", model::Type::kDatetime}, {"_SourceId", model::Type::kInt}};
  for (const auto& [name, type] : kHidden) {
    if (t.find(name) >= 0) continue;
    Column column;
    column.name = name;
    column.type = type;
    column.id = column.sql = plan.keep(quote_id(name));
    column.trivial = true;
    column.hidden = true;
    n->columns.push_back(column);
  }
  return n;
}

Node* Binder::table_by_name(const Syntax* s, std::string_view name, Env* env) {
  if (const Variable* v = env->find(name)) {
    if (v->kind == Variable::Kind::kTable) return v->table;
    if (v->kind == Variable::Kind::kFunction && v->function && v->function->args.empty()) {
      Returned r = call_function(*v, s, env, Scope{}, nullptr, true);
      return r.table ? r.table : broken_table();
    }
    if (v->kind == Variable::Kind::kFunction) {
      error(s, fmt::format("'{}' is a function; call it: {}()", name, name));
    } else {
      error(s, fmt::format("'{}' is a value, not a table", name), "print shows a value");
    }
    return broken_table();
  }
  if (const model::Table* t = catalogue_.table(name)) return stored_table(*t);
  if (const Variable* f = stored_function(name)) {
    Returned r = call_function(*f, s, env, Scope{}, nullptr, true);
    return r.table ? r.table : broken_table();
  }
  error(s, fmt::format("no table is named '{}'", name), near_table(name, env));
  return broken_table();
}

Node* Binder::table(const Syntax* s, Env* env) {
  switch (s->kind) {
    case Kind::kName: return table_by_name(s, s->text, env);
    case Kind::kPipe: return pipe(s, env);
    case Kind::kOperator: return source_operator(s, env);
    case Kind::kCall: return table_call(s, env, nullptr);
    case Kind::kMember:
      if (s->left->kind == Kind::kCall) return table_by_name(s, s->text, env);  // workspace("x").T: there is one workspace
      break;
    case Kind::kBad: return broken_table();
    default: break;
  }
  if (s->kind == Kind::kLiteral || s->kind == Kind::kBinary || s->kind == Kind::kUnary || s->kind == Kind::kMember ||
      s->kind == Kind::kIndex || s->kind == Kind::kAnd || s->kind == Kind::kOr) {
    error(s, "expected a table, this is a value", "print shows a value: print 1 + 1");
  } else {
    error(s, "expected a table");
  }
  return broken_table();
}

Node* Binder::check_depth(const Syntax* at, Node* n) {
  if (n->depth <= kMaxNodeDepth && plan.nodes.size() < 60'000 && plan.text_bytes < (64u << 20)) return n;
  if (!too_big_) error(at, "the query is too large: too many operators on top of each other");
  too_big_ = true;
  return broken_table();
}

Node* Binder::pipe(const Syntax* s, Env* env, Node* input) {
  Node* n = input ? input : table(s->args[0], env);
  Env* scope = env;
  for (size_t i = 1; i < s->args.size(); ++i) {
    const Syntax* op = s->args[i];
    if (op->kind != Kind::kOperator) continue;
    if (op->text == "as" && op->right) {
      // The name holds for what follows in this pipeline.
      if (scope == env) scope = &envs_.emplace_back(Env{env, {}});
      n->shared = true;
      Variable v;
      v.kind = Variable::Kind::kTable;
      v.table = n;
      scope->names.emplace_back(op->right->text, v);
      continue;
    }
    n = check_depth(op, apply(op, n, scope));
    if (too_big_) break;
  }
  return n;
}

// ---- functions ----

const Variable* Binder::stored_function(std::string_view name) {
  if (const auto it = stored_.find(name); it != stored_.end()) return it->second.function ? &it->second : nullptr;
  Variable v;
  v.kind = Variable::Kind::kFunction;
  if (auto text = catalogue_.function(name)) {
    std::vector<Diagnostic> errors;
    trees_.push_back(parse_function(texts_.emplace_back(*std::move(text)), errors));
    trees_.back().root = trees_.back().root ? trees_.back().root : nullptr;
    v.function = trees_.back().root;
    v.env = &envs_.emplace_back();
    if (!errors.empty()) {
      error(call_site_, fmt::format("the stored function {} does not parse: {}", name, errors.front().message));
      v.function = nullptr;
    }
  }
  const auto it = stored_.emplace(std::string(name), std::move(v)).first;
  return it->second.function ? &it->second : nullptr;
}

const Variable* Binder::function_named(std::string_view name, Env* env) {
  if (const Variable* v = env->find(name)) return v->kind == Variable::Kind::kFunction ? v : nullptr;
  return stored_function(name);
}

Node* Binder::table_call(const Syntax* s, Env* env, Node* input) {
  const std::string_view f = s->text;
  if (f == "materialize" && !s->args.empty()) {
    Node* n = table(s->args[0], env);
    n->shared = true;
    return n;
  }
  if (f == "table" && !s->args.empty()) {
    const std::string name = constant_string(s->args[0], env, "the table's name");
    if (name.empty()) return broken_table();
    return table_by_name(s, plan.keep(name), env);
  }
  if (const Variable* v = function_named(f, env)) {
    Returned r = call_function(*v, s, env, Scope{}, input, true);
    return r.table ? r.table : broken_table();
  }
  if (f == "_GetWatchlist") {
    // Watchlists live in the workspace; the columns that every one has are known, the others are not.
    cannot_run("watchlists are not supported");
    Node* n = plan.make(Node::Kind::kSelect);
    n->open_shape = true;
    for (const auto& [name, type] : {std::pair{"_DTItemId", model::Type::kString},
                                     {"LastUpdatedTimeUTC", model::Type::kDatetime},
                                     {"SearchKey", model::Type::kString},
                                     {"WatchlistItem", model::Type::kDynamic}})
      plan.add(n, name, type, plan.keep(typed_null(type).sql), {});
    n->shared = true;
    return n;
  }
  error(s, fmt::format("no function or table is named '{}'", f), near_table(f, env));
  return broken_table();
}

Binder::Returned Binder::call_function(const Variable& f, const Syntax* call, Env* env, const Scope& scope, Node* input, bool want_table) {
  Returned out;
  out.scalar = bad();
  const Syntax* function = f.function;
  if (!function || !function->right) return out;
  if (++calls_ > kMaxCalls || call_depth_ >= kMaxCallDepth) {
    if (!too_big_) error(call, "functions call each other too deeply here", "KQL functions cannot be recursive");
    too_big_ = true;
    return out;
  }
  const std::string_view function_name = call->text;
  Env& inner = envs_.emplace_back(Env{f.env, {}});
  std::vector<const Syntax*> given(function->args.size(), nullptr);
  size_t next = 0;
  bool failed = false;
  if (input) {
    if (function->args.empty() || !function->args[0]->right) {
      error(call, fmt::format("{}() cannot be invoked: its first parameter is no table", function_name));
      return out;
    }
    next = 1;
  }
  static const std::vector<Syntax*> none;
  for (const Syntax* arg : call->kind == Kind::kCall ? call->args : none) {
    size_t index = next;
    const Syntax* value = arg;
    if (arg->kind == Kind::kNamed && arg->by.empty()) {
      for (index = 0; index < function->args.size() && function->args[index]->text != arg->text; ++index) {
      }
      value = arg->left;
      if (index == function->args.size()) {
        error(arg, fmt::format("{}() has no parameter '{}'", function_name, arg->text));
        failed = true;
        continue;
      }
    } else if (index >= function->args.size()) {
      error(arg, fmt::format("{}() takes {}", function_name, count_of(function->args.size(), "argument")));
      failed = true;
      break;
    }
    given[index] = value;
    next = index + 1;
  }
  for (size_t i = 0; i < function->args.size(); ++i) {
    const Syntax* p = function->args[i];
    Variable v;
    if (p->right) {
      v.kind = Variable::Kind::kTable;
      if (i == 0 && input) {
        v.table = input;
      } else if (given[i]) {
        v.table = table(given[i], env);
      } else {
        error(call, fmt::format("{}() misses its table '{}'", function_name, p->text));
        failed = true;
        continue;
      }
      v.table->shared = true;
    } else if (given[i]) {
      const Bound b = bind(given[i], env, scope);
      v.deps = b.deps;
      v.scalar = b.v;
      if (std::any_of(b.deps.begin(), b.deps.end(), [](Dep d) { return !(d & kSubquery); })) v.row = scope.node;
      if (!b.bad && p->flag) {
        auto c = coerce(b.v, p->type);
        if (c) {
          v.scalar = *std::move(c);
        } else {
          error(given[i], fmt::format("'{}' of {}() is a {}, this is a {}", p->text, function_name, model::type_name(p->type),
                                      model::type_name(b.v.type)));
          failed = true;
        }
      }
    } else if (p->left) {
      v.scalar = p->flag ? convert(expression(p->left, env, Scope{}), p->type) : expression(p->left, env, Scope{});
    } else {
      error(call, fmt::format("{}() misses its argument '{}'", function_name, p->text));
      failed = true;
      continue;
    }
    inner.names.emplace_back(p->text, std::move(v));
  }
  if (failed) return out;
  const bool is_stored = stored_.contains(function_name) && stored_.find(function_name)->second.function == function;
  const Syntax* outer_site = call_site_;
  const std::string_view outer_name = call_name_;
  if (is_stored && !call_site_) {
    call_site_ = call;
    call_name_ = function_name;
  }
  ++call_depth_;
  Env* body_env = &inner;
  const Syntax* last = nullptr;
  for (const Syntax* s : function->right->args) {
    if (s->kind == Kind::kLet || s->kind == Kind::kSet || s->kind == Kind::kDeclare) {
      statement(s, body_env);
    } else {
      last = s;
    }
  }
  if (!last) {
    error(function->right, fmt::format("the function {} returns nothing", function_name));
  } else if (is_tabular(last, body_env)) {
    Node* n = table(last, body_env);
    if (want_table) {
      out.table = n;
    } else {
      out.scalar = subquery_value(n, 0);
    }
  } else if (want_table) {
    error(call, fmt::format("{}() returns a value, not a table", function_name));
    out.table = broken_table();
  } else {
    // Its parameters bring what they need of the row with them; the row itself is not visible here.
    out.scalar = expression(last, body_env, Scope{});
  }
  --call_depth_;
  call_site_ = outer_site;
  call_name_ = outer_name;
  return out;
}

// ---- tables as values ----

std::string Binder::subquery_text(Node* n) {
  plan.subqueries.push_back(n);
  deps_.push_back(kSubquery | static_cast<Dep>(plan.subqueries.size() - 1));
  return subquery_mark(plan.subqueries.size() - 1);
}

Typed Binder::subquery_value(Node* n, size_t column) {
  size_t seen = 0;
  for (size_t i = 0; i < n->columns.size(); ++i) {
    if (n->columns[i].hidden || seen++ < column) continue;
    if (n->columns[i].bad) return bad();
    Node* one = plan.over(n);
    const Column c = one->columns[i];
    std::erase_if(one->columns, [&](const Column& other) { return other.id != c.id; });
    one->limit = "1";
    one->columns[0].hidden = false;
    std::string sql = subquery_text(one);
    if (c.type == model::Type::kString) sql = fmt::format("coalesce({}, '')", sql);
    return {.sql = std::move(sql), .type = c.type, .is_constant = true};
  }
  return bad();
}

Typed Binder::scalar_subquery(const Syntax* s, Env* env) {
  if (!is_tabular(s, env)) {
    if (s->kind == Kind::kName || s->kind == Kind::kCall || s->kind == Kind::kLiteral || s->kind == Kind::kBinary) {
      if (!(s->kind == Kind::kName && !env->find(s->text))) return expression(s, env, Scope{});
    }
  }
  Node* n = table(s, env);
  if (n->columns.empty()) return bad();
  return subquery_value(n, 0);
}

}  // namespace egret::kql
