// Expressions: one function per level of precedence.
#include "kql/parser.h"

#include <fmt/format.h>

#include <algorithm>

namespace egret::kql {

Syntax* Parser::pipe() {
  const Deeper deeper(*this);
  if (deeper.too_deep()) {
    error(peek(), "the query is nested too deeply");
    at_ = tokens_.size() - 1;
    return bad();
  }
  const uint32_t from = peek().offset;
  Syntax* first = source();
  if (!at("|")) return first;
  Syntax* p = node(Kind::kPipe, from);
  p->args.push_back(first);
  while (at("|")) {
    const Token& bar = take();
    if (p->args.size() > kMaxPipe) {
      error(bar, fmt::format("more than {} operators in one pipeline", kMaxPipe));
      at_ = tokens_.size() - 1;
      break;
    }
    p->args.push_back(tabular_operator(false));
  }
  return finish(p);
}

Syntax* Parser::source() { return starts_source(peek()) ? tabular_operator(true) : expression(); }

// [name =] expression, or (a, b) = f(…)
Syntax* Parser::named_expression() {
  const uint32_t from = peek().offset;
  if (at_name()) {
    const size_t length = at_quoted_name() ? 3 : 1;
    if (peek(length).is("=")) {
      Syntax* n = node(Kind::kNamed, from);
      n->text = take_name();
      take();
      n->left = expression();
      return finish(n);
    }
  }
  if (at("(") && peek().match > 0 && tokens_[peek().match + 1].is("=")) {
    Syntax* n = node(Kind::kNamed, take().offset);
    while (at_name()) {
      Syntax* name = node(Kind::kName, peek().offset);
      name->text = take_name();
      n->by.push_back(finish(name));
      if (!accept(",")) break;
    }
    if (expect(")", "after the names")) {
      take();
      n->left = expression();
    }
    return finish(n);
  }
  return expression();
}

Syntax* Parser::expression() {
  const Deeper deeper(*this);
  if (deeper.too_deep()) {
    error(peek(), "the expression is nested too deeply");
    at_ = tokens_.size() - 1;
    return bad();
  }
  const uint32_t from = peek().offset;
  Syntax* first = conjunction();
  if (!at("or")) return first;
  Syntax* n = node(Kind::kOr, from);
  n->args.push_back(first);
  while (accept("or")) n->args.push_back(conjunction());
  return finish(n);
}

Syntax* Parser::conjunction() {
  const uint32_t from = peek().offset;
  Syntax* first = comparison();
  if (!at("and")) return first;
  Syntax* n = node(Kind::kAnd, from);
  n->args.push_back(first);
  while (accept("and")) n->args.push_back(comparison());
  return finish(n);
}

namespace {
constexpr std::string_view kComparisons[] = {
    "==",
    "!=",
    "<>",
    "<",
    ">",
    "<=",
    ">=",
    "=~",
    "!~",
    ":",
    "has",
    "!has",
    "has_cs",
    "!has_cs",
    "hasprefix",
    "!hasprefix",
    "hasprefix_cs",
    "!hasprefix_cs",
    "hassuffix",
    "!hassuffix",
    "hassuffix_cs",
    "!hassuffix_cs",
    "contains",
    "!contains",
    "contains_cs",
    "!contains_cs",
    "notcontains",
    "containscs",
    "notcontainscs",
    "startswith",
    "!startswith",
    "startswith_cs",
    "!startswith_cs",
    "endswith",
    "!endswith",
    "endswith_cs",
    "!endswith_cs",
    "matches",
    "like",
    "!like",
    "notlike",
};
constexpr std::string_view kListComparisons[] = {"in", "!in", "in~", "!in~", "has_any", "has_all"};
}  // namespace

Syntax* Parser::comparison() {
  const uint32_t from = peek().offset;
  Syntax* left = additive();
  for (int chain = 0;; ++chain) {
    const Token& op = peek();
    if (op.kind != TokenKind::kPunctuation && op.kind != TokenKind::kName) return left;
    if (chain > 20) {
      error(op, "too many comparisons in a row");
      return left;
    }
    if (std::find(std::begin(kListComparisons), std::end(kListComparisons), op.text) != std::end(kListComparisons)) {
      take();
      left = in_list(left, op);
      continue;
    }
    if (op.is("between") || op.is("!between")) {
      Syntax* n = node(Kind::kBetween, from);
      take();
      n->text = op.text;
      n->left = left;
      expect("(", "after between, as in between (1 .. 10)");
      n->args.push_back(additive());
      expect("..", "between the two ends of the range");
      n->args.push_back(additive());
      expect(")", "after the range");
      left = finish(n);
      continue;
    }
    if (std::find(std::begin(kComparisons), std::end(kComparisons), op.text) == std::end(kComparisons)) {
      if (op.is("=")) {
        error(op, "'=' assigns; it does not compare", "write == (or =~ without regard to case)");
        take();
        additive();
      }
      return left;
    }
    if (op.is("matches") && !peek(1).is("regex")) return left;
    Syntax* n = node(Kind::kBinary, from);
    take();
    n->text = op.text;
    if (op.is("matches")) take();
    n->left = left;
    n->right = additive();
    left = finish(n);
  }
}

Syntax* Parser::in_list(Syntax* left, const Token& op) {
  Syntax* n = node(Kind::kIn, left->offset);
  n->text = op.text;
  n->left = left;
  if (at("(")) {
    take();
    while (!at(")") && peek().kind != TokenKind::kEnd) {
      n->args.push_back(pipe());
      if (!accept(",")) break;
    }
    expect(")", fmt::format("after the values of '{}'", op.text));
  } else {
    n->args.push_back(additive());
  }
  return finish(n);
}

Syntax* Parser::additive() {
  const uint32_t from = peek().offset;
  Syntax* left = multiplicative();
  for (int chain = 0; at("+") || at("-"); ++chain) {
    if (chain > 300) {
      error(peek(), "too many terms in one sum");
      at_ = tokens_.size() - 1;
      return left;
    }
    Syntax* n = node(Kind::kBinary, from);
    n->text = take().text;
    n->left = left;
    n->right = multiplicative();
    left = finish(n);
  }
  return left;
}

Syntax* Parser::multiplicative() {
  const uint32_t from = peek().offset;
  Syntax* left = unary();
  for (int chain = 0; at("*") || at("/") || at("%"); ++chain) {
    if (chain > 300) {
      error(peek(), "too many factors in one product");
      at_ = tokens_.size() - 1;
      return left;
    }
    Syntax* n = node(Kind::kBinary, from);
    n->text = take().text;
    n->left = left;
    n->right = unary();
    left = finish(n);
  }
  return left;
}

Syntax* Parser::unary() {
  if (at("-") || at("+")) {
    const Deeper deeper(*this);
    Syntax* n = node(Kind::kUnary, peek().offset);
    n->text = take().text;
    if (deeper.too_deep()) {
      error(peek(), "the expression is nested too deeply");
      at_ = tokens_.size() - 1;
      return n;
    }
    n->left = unary();
    return finish(n);
  }
  return postfix();
}

Syntax* Parser::postfix() {
  const uint32_t from = peek().offset;
  Syntax* left = primary();
  for (int chain = 0;; ++chain) {
    if (chain > 100) {
      error(peek(), "too many steps in one path");
      return left;
    }
    if (at(".")) {
      take();
      if (peek().kind == TokenKind::kName && peek(1).is("(")) {
        const Token& name = take();
        Syntax* c = call(name);
        c->left = left;
        left = finish(c);
        continue;
      }
      if (at("[") && !at_quoted_name()) continue;  // a.[0] is a[0]
      Syntax* n = node(Kind::kMember, from);
      n->left = left;
      if (!at_name()) {
        expected("a name after '.'");
        return finish(n);
      }
      n->text = take_name();
      left = finish(n);
    } else if (at("[")) {
      Syntax* n = node(Kind::kIndex, from);
      take();
      n->left = left;
      n->args.push_back(expression());
      expect("]", "after the index");
      left = finish(n);
    } else {
      return left;
    }
  }
}

Syntax* Parser::string_literal() {
  const uint32_t from = peek().offset;
  std::string value;
  while (peek().kind == TokenKind::kString) value += take().value;  // adjacent strings are one
  return literal(model::Type::kString, std::move(value), from);
}

Syntax* Parser::primary() {
  const Token& t = peek();
  switch (t.kind) {
    case TokenKind::kString: return string_literal();
    case TokenKind::kLong: take(); return literal(model::Type::kLong, t.number, t.offset);
    case TokenKind::kReal: take(); return literal(model::Type::kReal, t.real, t.offset);
    case TokenKind::kTimespan: take(); return literal(model::Type::kTimespan, t.number, t.offset);
    case TokenKind::kBad:
    case TokenKind::kEnd:
    case TokenKind::kQuotedName: break;
    case TokenKind::kPunctuation:
      if (at("(")) return parenthesised();
      if (at("*")) {
        take();
        return finish(node(Kind::kStar, t.offset));
      }
      if (at_quoted_name()) {
        Syntax* n = node(Kind::kName, t.offset);
        n->text = take_name();
        return finish(n);
      }
      if (at("[")) {
        error(t, "an array is written dynamic([…])");
        if (t.match > at_) at_ = t.match;
        take();
        return bad();
      }
      break;
    case TokenKind::kName: {
      if (t.is("true") || t.is("false") || t.is("True") || t.is("False") || t.is("TRUE") || t.is("FALSE")) {
        take();
        return literal(model::Type::kBool, t.text[0] == 't' || t.text[0] == 'T', t.offset);
      }
      if (t.is("not") && peek(1).is("(")) {
        take();
        return call(t);
      }
      if (peek(1).is("(")) {
        take();
        if (t.is("dynamic")) return dynamic_literal(t);
        if (Syntax* n = typed_literal_call(t)) return n;
        return call(t);
      }
      if (t.is("and") || t.is("or")) break;
      take();
      Syntax* n = node(Kind::kName, t.offset);
      n->text = t.text;
      return finish(n);
    }
  }
  expected("an expression");
  Syntax* b = bad();
  if (t.kind == TokenKind::kBad) take();
  return b;
}

Syntax* Parser::parenthesised() {
  const uint32_t from = take().offset;
  Syntax* first = pipe();
  if (at(",")) {
    Syntax* n = node(Kind::kList, from);
    n->args.push_back(first);
    while (accept(",")) {
      if (at(")")) break;
      n->args.push_back(pipe());
    }
    expect(")", "after the list");
    return finish(n);
  }
  if (!expect(")", "to close the parenthesis")) {
    skip_to_recovery();
    accept(")");
  }
  return first;
}

Syntax* Parser::call(const Token& name) {
  Syntax* c = node(Kind::kCall, name.offset);
  c->text = name.text;
  take();  // (
  while (!at(")") && peek().kind != TokenKind::kEnd) {
    const uint32_t from = peek().offset;
    if (at_name() && peek(at_quoted_name() ? 3 : 1).is("=")) {
      Syntax* n = node(Kind::kNamed, from);
      n->text = take_name();
      take();
      n->left = pipe();
      c->args.push_back(finish(n));
    } else if (at("typeof") && peek(1).is("(")) {
      take();
      take();
      Syntax* n = node(Kind::kTyped, from);
      n->text = take().text;
      if (const auto type = model::type_from_name(n->text)) n->type = *type;
      expect(")", "after the type");
      c->args.push_back(finish(n));
    } else {
      c->args.push_back(pipe());
    }
    if (!accept(",")) break;
  }
  if (!expect(")", fmt::format("or ',' in the arguments of {}()", c->text))) {
    skip_to_recovery();
    accept(")");
  }
  return finish(c);
}

}  // namespace egret::kql
