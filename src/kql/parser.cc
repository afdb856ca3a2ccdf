// Tokens, recovery and statements.
#include "kql/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/text.h"

namespace egret::kql {

Parser::Parser(std::string_view text, SyntaxTree& tree, std::vector<Diagnostic>& diagnostics)
    : text_(text), tree_(tree), diagnostics_(diagnostics), tokens_(tokenize(text)) {}

// ---- tokens and nodes ----

bool Parser::accept(std::string_view s) {
  if (!at(s)) return false;
  take();
  return true;
}

bool Parser::expect(std::string_view s, std::string_view where) {
  if (accept(s)) return true;
  expected(fmt::format("'{}' {}", s, where));
  return false;
}

Syntax* Parser::node(Kind kind, uint32_t offset) {
  Syntax& n = tree_.nodes.emplace_back();
  n.kind = kind;
  n.offset = n.end = offset;
  return &n;
}

Syntax* Parser::finish(Syntax* n) {
  n->end = at_ > 0 ? std::max(n->offset, tokens_[at_ - 1].end()) : n->offset;
  return n;
}

Syntax* Parser::literal(model::Type type, Typed::Value value, uint32_t offset) {
  Syntax* n = node(Kind::kLiteral, offset);
  n->type = type;
  n->value = std::move(value);
  return finish(n);
}

Syntax* Parser::bad() { return node(Kind::kBad, peek().offset); }

std::string_view Parser::keep(std::string text) { return tree_.texts.emplace_back(std::move(text)); }

void Parser::error_at(uint32_t offset, uint32_t end, std::string message, std::string hint) {
  if (at_ == last_error_at_ || diagnostics_.size() >= kMaxErrors) return;  // one error a place
  last_error_at_ = at_;
  diagnostics_.push_back(
      {.offset = offset, .length = std::max<size_t>(1, end - offset), .message = std::move(message), .hint = std::move(hint)});
}

void Parser::error(const Token& where, std::string message, std::string hint) {
  error_at(where.offset, where.end(), std::move(message), std::move(hint));
}

void Parser::expected(std::string_view what) {
  const Token& t = peek();
  if (t.kind == TokenKind::kBad) {
    error(t, t.value);
  } else if (t.kind == TokenKind::kEnd) {
    error(t, fmt::format("expected {}, found the end of the query", what));
  } else {
    error(t, fmt::format("expected {}, found '{}'", what, t.text.substr(0, 40)));
  }
}

// To the next `|`, `,`-free end of an operator: a pipe, a semicolon or the bracket that closes what we are in.
void Parser::skip_to_recovery() {
  while (peek().kind != TokenKind::kEnd && !at("|") && !at(";") && !at(")") && !at("}") && !at("]")) {
    const Token& t = peek();
    if (t.match > at_) at_ = t.match;
    take();
  }
}

bool Parser::at_quoted_name() const { return at("[") && peek(1).kind == TokenKind::kString && peek(2).is("]"); }

std::string_view Parser::take_name() {
  if (at_quoted_name()) {
    take();
    const Token& t = take();
    take();
    return keep(t.value);
  }
  return take().text;
}

bool Parser::ends_operator() const { return peek().kind == TokenKind::kEnd || at("|") || at(";") || at(")") || at("}") || at("]"); }

// ---- statements ----

Syntax* Parser::query() {
  Syntax* b = body("");
  if (peek().kind != TokenKind::kEnd) expected("the end of the query");
  return b;
}

Syntax* Parser::stored_function() {
  if (at("(") && peek().match > 0 && tokens_[peek().match + 1].is("{")) {
    Syntax* f = function();
    accept(";");
    if (peek().kind != TokenKind::kEnd) expected("the end of the function");
    return f;
  }
  Syntax* f = node(Kind::kFunction, 0);
  if (at("{") && peek().match > 0 && tokens_[peek().match + 1].kind == TokenKind::kEnd) {
    take();
    f->right = body("}");
    accept("}");
  } else {
    f->right = query();
  }
  return finish(f);
}

Syntax* Parser::body(std::string_view closer) {
  Syntax* b = node(Kind::kBody, peek().offset);
  const Deeper deeper(*this);
  if (deeper.too_deep()) {
    error(peek(), "the query is nested too deeply");
    at_ = tokens_.size() - 1;
    return finish(b);
  }
  while (peek().kind != TokenKind::kEnd && !(!closer.empty() && at(closer))) {
    if (accept(";")) continue;
    const size_t before = at_;
    b->args.push_back(statement());
    if (at(";") || peek().kind == TokenKind::kEnd || (!closer.empty() && at(closer))) continue;
    expected(b->args.back()->kind == Kind::kLet ? "';' after the let statement" : "'|' and an operator, or ';' and another statement");
    // A new `let` on its own line is most likely the next statement.
    while (peek().kind != TokenKind::kEnd && !at(";") && !(!closer.empty() && at(closer)) && !(at("let") && at_ > before)) {
      const Token& t = peek();
      if (t.match > at_) at_ = t.match;
      take();
    }
    if (at_ == before) take();
  }
  return finish(b);
}

Syntax* Parser::statement() {
  const Token& t = peek();
  if (t.is("let") && (is_name(peek(1)) || peek(1).is("["))) return let_statement();
  if (t.is("set") && is_name(peek(1))) {
    Syntax* s = node(Kind::kSet, take().offset);
    s->text = take_name();
    if (accept("=")) s->left = unary();
    return finish(s);
  }
  if (t.is("declare") && peek(1).is("query_parameters")) {
    Syntax* s = node(Kind::kDeclare, take().offset);
    take();
    Syntax* list = parameter_list();
    s->args = list->args;
    return finish(s);
  }
  if ((t.is("declare") && peek(1).is("pattern")) || (t.is("alias") && peek(1).is("database")) ||
      (t.is("restrict") && peek(1).is("access"))) {
    error(t, fmt::format("the statement '{} {}' is not supported", t.text, peek(1).text));
    skip_to_recovery();
    return bad();
  }
  if (t.is("|")) {
    error(t, "expected a table before '|'", "a query begins with a table, for example ASimNetworkSessionLogs | take 10");
    take();
    skip_to_recovery();
    while (at("|")) {
      take();
      skip_to_recovery();
    }
    return bad();
  }
  return pipe();
}

Syntax* Parser::let_statement() {
  Syntax* s = node(Kind::kLet, take().offset);
  s->text = take_name();
  if (!expect("=", "after the name of the let statement")) {
    skip_to_recovery();
    return finish(s);
  }
  const bool view = at("view") && peek(1).is("(");
  if (view) take();
  if (at("(") && peek().match > 0 && tokens_[peek().match + 1].is("{")) {
    s->left = function();
    s->left->flag = view;
  } else {
    s->left = pipe();
  }
  return finish(s);
}

Syntax* Parser::function() {
  Syntax* f = node(Kind::kFunction, peek().offset);
  f->args = parameter_list()->args;
  if (expect("{", "before the function's body")) {
    f->right = body("}");
    expect("}", "after the function's body");
  }
  return finish(f);
}

Syntax* Parser::parameter_list() {
  Syntax* list = node(Kind::kList, peek().offset);
  if (!expect("(", "before the parameters")) return list;
  while (!at(")") && peek().kind != TokenKind::kEnd) {
    list->args.push_back(typed_name(true));
    if (!accept(",")) break;
  }
  if (!expect(")", "after the parameters")) skip_to_recovery();
  return finish(list);
}

// name: type [= literal], or name: (columns)
Syntax* Parser::typed_name(bool with_default) {
  Syntax* n = node(Kind::kTyped, peek().offset);
  if (!at_name()) {
    expected("a name");
    return n;
  }
  n->text = take_name();
  if (accept(":")) {
    n->flag = true;
    if (at("(")) {
      n->right = schema();
    } else if (peek().kind == TokenKind::kName) {
      const Token& type = take();
      if (const auto t = model::type_from_name(type.text)) {
        n->type = *t;
      } else {
        --at_;
        std::vector<std::string_view> names = {"bool",   "int",      "long",     "real",    "decimal",
                                               "string", "datetime", "timespan", "dynamic", "guid"};
        const std::string near = near_name(type.text, names);
        error(type, fmt::format("'{}' is no type", type.text),
              near.empty() ? "types are bool, int, long, real, decimal, string, datetime, timespan, dynamic, guid"
                           : fmt::format("did you mean '{}'?", near));
        ++at_;
      }
    } else {
      expected("a type");
    }
  }
  if (with_default && accept("=")) n->left = unary();
  return finish(n);
}

Syntax* Parser::schema() {
  Syntax* s = node(Kind::kSchema, peek().offset);
  if (!expect("(", "before the columns")) return s;
  while (!at(")") && peek().kind != TokenKind::kEnd) {
    if (at("*")) {
      s->args.push_back(node(Kind::kStar, take().offset));
    } else {
      s->args.push_back(typed_name(false));
    }
    if (!accept(",")) break;
  }
  expect(")", "after the columns");
  return finish(s);
}

// ---- entry points ----

SyntaxTree parse(std::string_view text, std::vector<Diagnostic>& diagnostics) {
  SyntaxTree tree;
  Parser parser(text, tree, diagnostics);
  tree.root = parser.query();
  return tree;
}

SyntaxTree parse_function(std::string_view text, std::vector<Diagnostic>& diagnostics) {
  SyntaxTree tree;
  Parser parser(text, tree, diagnostics);
  tree.root = parser.stored_function();
  return tree;
}

}  // namespace egret::kql
