#pragma once
// Tokens to tree. Recovers at `|`, `;` and closing brackets, so that one run reports every syntax error.
#include <string_view>
#include <vector>

#include "kql/compile.h"
#include "kql/lexer.h"
#include "kql/syntax.h"

namespace egret::kql {

// The text must outlive the tree. A tree comes back in any case; it is only fit for binding when there are no errors.
SyntaxTree parse(std::string_view text, std::vector<Diagnostic>& diagnostics);
// A stored function: "(a: long) { … }" becomes a kFunction; any other text the function without parameters that it is the body of.
SyntaxTree parse_function(std::string_view text, std::vector<Diagnostic>& diagnostics);

// Names of all tabular operators, for near names and completion.
std::vector<std::string_view> operator_names();

class Parser {
 public:
  Parser(std::string_view text, SyntaxTree& tree, std::vector<Diagnostic>& diagnostics);
  Syntax* query();
  Syntax* stored_function();

 private:
  // Nesting that is still read; deeper input is an error, so that no input overflows the stack here or later.
  static constexpr int kMaxDepth = 120;
  static constexpr size_t kMaxPipe = 400;
  static constexpr size_t kMaxErrors = 25;
  struct Deeper {
    explicit Deeper(Parser& parser) : p(parser) { ++p.depth_; }
    ~Deeper() { --p.depth_; }
    bool too_deep() const { return p.depth_ > kMaxDepth; }
    Parser& p;
  };

  // parser.cc: statements
  Syntax* body(std::string_view closer);
  Syntax* statement();
  Syntax* let_statement();
  Syntax* function();
  Syntax* parameter_list();
  Syntax* typed_name(bool with_default);
  Syntax* schema();

  // parser_expressions.cc
  Syntax* pipe();
  Syntax* source();
  Syntax* named_expression();
  Syntax* expression();
  Syntax* conjunction();
  Syntax* comparison();
  Syntax* in_list(Syntax* left, const Token& op);
  Syntax* additive();
  Syntax* multiplicative();
  Syntax* unary();
  Syntax* postfix();
  Syntax* primary();
  Syntax* call(const Token& name);
  Syntax* parenthesised();
  Syntax* string_literal();

  // parser_literals.cc
  Syntax* typed_literal_call(const Token& name);
  Syntax* dynamic_literal(const Token& name);
  bool json_value(std::string& out, int depth);

  // parser_operators.cc
  Syntax* tabular_operator(bool as_source);
  bool read_operator(Syntax* op, std::string_view name);
  void parameters(Syntax* op);
  void named_list(std::vector<Syntax*>& into);
  Syntax* ordered();
  void ordered_list(std::vector<Syntax*>& into);
  void read_summarize(Syntax* op);
  void read_join(Syntax* op);
  void read_union(Syntax* op);
  Syntax* table_reference();
  void read_mv(Syntax* op, bool apply);
  void read_parse(Syntax* op);
  void read_parse_kv(Syntax* op);
  void read_make_series(Syntax* op);
  void read_top_nested(Syntax* op);
  void read_find(Syntax* op);
  void read_partition(Syntax* op);
  void read_render(Syntax* op);
  void read_declared_rows(Syntax* op);
  Syntax* column_name();
  bool starts_source(const Token& t) const;

  // tokens
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool at(std::string_view s) const { return peek().is(s); }
  bool accept(std::string_view s);
  bool expect(std::string_view s, std::string_view where);
  bool is_name(const Token& t) const { return t.kind == TokenKind::kName || t.kind == TokenKind::kQuotedName; }
  bool at_quoted_name() const;
  bool at_name() const { return peek().kind == TokenKind::kName || at_quoted_name(); }
  std::string_view take_name();
  bool ends_operator() const;

  Syntax* node(Kind kind, uint32_t offset);
  Syntax* finish(Syntax* n);
  Syntax* literal(model::Type type, Typed::Value value, uint32_t offset);
  Syntax* bad();
  std::string_view keep(std::string text);
  void error(const Token& where, std::string message, std::string hint = {});
  void error_at(uint32_t offset, uint32_t end, std::string message, std::string hint = {});
  void expected(std::string_view what);
  void skip_to_recovery();

  std::string_view text_;
  SyntaxTree& tree_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  size_t last_error_at_ = SIZE_MAX;
};

}  // namespace egret::kql
