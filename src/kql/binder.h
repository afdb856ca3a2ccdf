#pragma once
// Tree to plan: resolves names, gives every expression its type and SQL, and turns every operator into a block of the plan.
// One object binds one query. Internal to this room; the parts are bind_*.cc, one subject each.
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kql/compile.h"
#include "kql/function.h"
#include "kql/plan.h"
#include "kql/syntax.h"

namespace egret::kql {

struct Env;

// What a name may stand for besides a column.
struct Variable {
  enum class Kind : uint8_t { kScalar, kTable, kFunction } kind = Kind::kScalar;
  Typed scalar;
  Deps deps;
  Node* row = nullptr;  // kScalar: the block whose columns it needs, or null
  Node* table = nullptr;
  const Syntax* function = nullptr;
  Env* env = nullptr;  // kFunction: where it was defined
};

struct Env {
  Env* parent = nullptr;
  std::vector<std::pair<std::string_view, Variable>> names;
  const Variable* find(std::string_view name) const;
};

// Where an expression is evaluated.
struct Scope {
  Node* node = nullptr;     // whose columns may be named; null: no row
  Node* keys = nullptr;     // summarize: the block that is being grouped; its own columns may only be named through keys
  bool aggregates = false;  // aggregate functions may be called
  bool window = false;      // row_number() and its like may be called
};

struct Bound {
  Typed v;
  Deps deps;
  bool bad = false;
};

class Binder {
 public:
  Binder(std::string_view text, const Catalogue& catalogue, const Options& options, std::vector<Diagnostic>& diagnostics);
  Node* query(const Syntax* body);

  Plan plan;
  std::string render_kind;
  std::string unsupported;  // why the query binds but cannot run
  std::vector<Diagnostic> warnings;

  // The engine's window functions lose the order that they were computed in: the result gets it back.
  Node* in_row_order(Node* root);

 private:
  friend struct Aggregates;

  // bind_statement.cc: let, functions, tables
  Node* body_table(const Syntax* body, Env* env);
  void statement(const Syntax* s, Env* env);
  void let(const Syntax* s, Env* env);
  bool is_tabular(const Syntax* s, Env* env, int depth = 0);
  bool is_tabular_body(const Syntax* body, Env* env, int depth);
  Node* table(const Syntax* s, Env* env);
  Node* table_by_name(const Syntax* s, std::string_view name, Env* env);
  Node* stored_table(const model::Table& t);
  Node* pipe(const Syntax* s, Env* env, Node* input = nullptr);
  Node* table_call(const Syntax* s, Env* env, Node* input);
  const Variable* function_named(std::string_view name, Env* env);
  const Variable* stored_function(std::string_view name);
  // Exactly one of the two comes back.
  struct Returned {
    Node* table = nullptr;
    Typed scalar;
  };
  Returned call_function(const Variable& f, const Syntax* call, Env* env, const Scope& scope, Node* input, bool want_table);
  Node* broken_table();
  Typed scalar_subquery(const Syntax* s, Env* env);
  Typed subquery_value(Node* n, size_t column);
  std::string subquery_text(Node* n);

  // bind_expression.cc
  Bound bind(const Syntax* s, Env* env, const Scope& scope, bool filter = false);
  Typed expression(const Syntax* s, Env* env, const Scope& scope, bool filter = false);
  Typed name(const Syntax* s, std::string_view name, Env* env, const Scope& scope);
  Typed use_column(Node* n, size_t i);
  Typed path(const Syntax* s, Env* env, const Scope& scope);
  Typed call(const Syntax* s, Env* env, const Scope& scope);
  Typed special_call(const Syntax* s, Env* env, const Scope& scope, bool& handled);
  Typed scalar_call(const Syntax* at, std::string_view name, std::vector<Typed> args);
  Typed logical(const Syntax* s, Env* env, const Scope& scope, bool filter);
  Typed as_bool(const Syntax* at, Typed v);
  std::string constant_string(const Syntax* s, Env* env, std::string_view what);
  std::string auto_name(const Syntax* s, Env* env);
  bool names_computed(const Syntax* s, const Node* n, Env* env) const;

  // bind_comparison.cc
  Typed binary(const Syntax* s, Env* env, const Scope& scope, bool filter);
  Typed compare(const Syntax* s, std::string_view op, Typed a, Typed b, bool filter);
  Typed text_test(const Syntax* s, std::string_view op, Typed a, Typed b);
  Typed arithmetic(const Syntax* s, std::string_view op, Typed a, Typed b);
  Typed between(const Syntax* s, Env* env, const Scope& scope);
  Typed in_list(const Syntax* s, Env* env, const Scope& scope);
  Typed any_column(const Syntax* s, Env* env, const Scope& scope);
  Typed search_predicate(const Syntax* s, Env* env, const Scope& scope);

  // bind_aggregate.cc
  Node* summarize(const Syntax* op, Node* in, Env* env);
  Typed aggregate(const Syntax* call, Env* env, const Scope& scope);
  void add_aggregates(const Syntax* s, Node* group, Env* env, const Scope& scope, std::vector<std::string_view>& names);
  std::string order_of(Node* n);  // " ORDER BY …" for aggregates over a sorted block
  Node* make_series(const Syntax* op, Node* in, Env* env);
  Node* top_nested(const Syntax* op, Node* in, Env* env);
  Node* top_hitters(const Syntax* op, Node* in, Env* env);
  Syntax* made(Kind kind, const Syntax* at, std::string_view text, Syntax* left = nullptr);

  // bind_operator.cc
  Node* apply(const Syntax* op, Node* in, Env* env);
  Node* source_operator(const Syntax* op, Env* env);
  Node* where(const Syntax* predicate, Node* in, Env* env);
  Node* extend(const std::vector<Syntax*>& list, Node* in, Env* env, bool window);
  Node* project(const Syntax* op, Node* in, Env* env);
  Node* project_names(const Syntax* op, Node* in);
  Node* project_rename(const Syntax* op, Node* in);
  Node* project_reorder(const Syntax* op, Node* in);
  Node* sort(const std::vector<Syntax*>& keys, Node* in, Env* env);
  Node* limit(const Syntax* n, Node* in, Env* env);
  Node* distinct(const Syntax* op, Node* in, Env* env);
  Node* count(Node* in);
  Node* sample(const Syntax* op, Node* in, Env* env);
  Node* sample_distinct(const Syntax* op, Node* in, Env* env);
  Node* getschema(Node* in);
  Node* partition(const Syntax* op, Node* in, Env* env);
  // The block to extend: `in` itself where that keeps its meaning, else a new one over it.
  enum Need { kColumns, kFilter, kGroup, kOrder };
  Node* prepare(Node* in, const std::vector<const Syntax*>& expressions, Env* env, Need need);
  void put_column(Node* n, std::string_view name, const Bound& b);
  struct Part {
    std::string_view name;
    Bound bound;
  };
  // The columns of an item whose function makes several, or of (a, b) = f(); nothing when it makes one.
  std::vector<Part> several_columns(const Syntax* s, Env* env, const Scope& scope);
  Node* check_depth(const Syntax* at, Node* n);
  static bool matches(std::string_view pattern, std::string_view name);

  // bind_join.cc
  Node* join(const Syntax* op, Node* in, Env* env);
  Node* union_of(const Syntax* op, Node* in, Env* env);
  Node* union_nodes(const std::vector<Node*>& legs, const std::vector<std::string>& names, std::string_view source_column, bool inner);
  Node* find(const Syntax* op, Node* in, Env* env);
  Node* search(const Syntax* op, Node* in, Env* env);

  // bind_values.cc
  Node* datatable(const Syntax* op, Env* env);
  Node* externaldata(const Syntax* op, Env* env);
  Node* print(const Syntax* op, Env* env);
  Node* range(const Syntax* op, Env* env);

  // bind_expand.cc
  Node* mv_expand(const Syntax* op, Node* in, Env* env);
  Node* mv_apply(const Syntax* op, Node* in, Env* env);
  Node* parse_operator(const Syntax* op, Node* in, Env* env);
  Node* parse_kv(const Syntax* op, Node* in, Env* env);
  Node* evaluate(const Syntax* op, Node* in, Env* env);
  Node* expand_lists(const Syntax* op, Node* in, Env* env, std::vector<std::string_view>& names, std::vector<size_t>& lists);
  Node* bag_unpack(const Syntax* op, Node* in, Env* env);
  Node* pivot(const Syntax* op, Node* in, Env* env);
  Node* ipv4_lookup(const Syntax* op, Node* in, Env* env);
  Node* narrow(Node* in);
  // The rows of a block while compiling; nothing when no engine is at hand or it failed (which is reported).
  std::optional<model::Batch> look(const Syntax* at, Node* n);
  Node* invoke(const Syntax* op, Node* in, Env* env);

  // bind_window.cc
  bool is_window(std::string_view name) const;
  bool uses_window(const Syntax* s) const;
  Typed window_call(const Syntax* s, Env* env, const Scope& scope);
  // Adds the hidden column that window functions order by, and one for each window call of the expressions.
  Node* hoist_windows(const std::vector<Syntax*>& list, Node* in, Env* env);
  Node* hoist_windows(const Syntax* s, Node* in, Env* env);
  Node* window_layer(const Syntax* call, Node* in, Env* env);

  // diagnostics
  void error(const Syntax* at, std::string message, std::string hint = {});
  void not_supported(const Syntax* at, std::string what);
  void cannot_run(std::string why);
  std::string near_column(std::string_view name, const Scope& scope, Env* env);
  std::string near_table(std::string_view name, Env* env);
  static Typed bad();
  static bool is_bad(const Typed& t);

  std::string_view text_;
  const Catalogue& catalogue_;
  const Options& options_;
  EmitContext context_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<Dep> deps_;  // of the expression that is being bound
  std::deque<Env> envs_;
  std::deque<SyntaxTree> trees_;  // of stored functions
  std::deque<std::string> texts_;
  std::map<std::string, Variable, std::less<>> stored_;
  const Syntax* call_site_ = nullptr;  // in a stored function: the call that diagnostics point to
  std::string_view call_name_;
  int call_depth_ = 0, calls_ = 0;
  std::map<const Syntax*, std::string_view> hoisted_;  // window call → hidden column that holds its value
  std::deque<Syntax> made_;                            // trees that operators are taken apart into
  bool too_big_ = false;
};

}  // namespace egret::kql
