// Statements and expressions: one function per rule of the grammar, about 500 lines because they call each other.
#include "kql/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/text.h"

namespace egret::kql {

struct Parser::Deeper {
  explicit Deeper(Parser& parser) : p(parser) { ++p.depth_; }
  ~Deeper() { --p.depth_; }
  bool too_deep() const { return p.depth_ > kMaxDepth; }
  Parser& p;
};

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
  if (at("view") && peek(1).is("(")) take();
  if (at("(") && peek().match > 0 && tokens_[peek().match + 1].is("{")) {
    s->left = function();
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

// ---- expressions ----

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

// ---- literals with a type before them ----

// datetime(2022-04-01 06:14), guid(…), long(null), real(1e3) …; null when `name` is no type or what follows is an expression.
Syntax* Parser::typed_literal_call(const Token& name) {
  const auto type = model::type_from_name(name.text);
  if (!type || *type == model::Type::kString || peek().match == 0) return nullptr;
  const uint32_t close = peek().match;
  const std::string_view inside = trim(text_.substr(peek().end(), tokens_[close].offset - peek().end()));
  std::string_view raw = inside;
  if (raw.size() >= 2 && (raw.front() == '"' || raw.front() == '\'') && raw.back() == raw.front())
    raw = trim(raw.substr(1, raw.size() - 2));
  Typed::Value value;
  bool ok = iequals(raw, "null");
  if (!ok) {
    switch (*type) {
      case model::Type::kDatetime:
        // KQL's own forms beyond ISO go through the function of the same meaning.
        if (const auto t = parse_iso_datetime(raw)) {
          value = *t;
          ok = true;
        } else if (!raw.empty()) {
          Syntax* c = node(Kind::kCall, name.offset);
          c->text = "todatetime";
          at_ = close + 1;
          c->args.push_back(literal(model::Type::kString, std::string(raw), name.offset));
          return finish(c);
        }
        break;
      case model::Type::kGuid: {
        value = to_lower(raw);
        ok = raw.size() == 36 || raw.size() == 32;
        break;
      }
      case model::Type::kBool:
        ok = iequals(raw, "true") || iequals(raw, "false") || raw == "1" || raw == "0";
        value = iequals(raw, "true") || raw == "1";
        break;
      case model::Type::kTimespan: {
        const size_t unit = raw.find_first_not_of("0123456789.-");
        double number = 0;
        int64_t ticks = 0;
        if (unit != std::string_view::npos && raw[unit] != ':' && (ticks = timespan_unit(trim(raw.substr(unit)))) != 0 &&
            std::from_chars(raw.data(), raw.data() + unit, number).ec == std::errc()) {
          value = static_cast<int64_t>(std::llround(number * static_cast<double>(ticks)));
          ok = true;
        } else {
          Syntax* c = node(Kind::kCall, name.offset);
          c->text = "totimespan";
          at_ = close + 1;
          c->args.push_back(literal(model::Type::kString, std::string(raw), name.offset));
          return finish(c);
        }
        break;
      }
      case model::Type::kReal:
      case model::Type::kDecimal: {
        double v = 0;
        const auto r = std::from_chars(raw.data(), raw.data() + raw.size(), v);
        ok = r.ec == std::errc() && r.ptr == raw.data() + raw.size();
        if (raw == "+inf" || raw == "inf") v = INFINITY, ok = true;
        if (raw == "-inf") v = -INFINITY, ok = true;
        if (raw == "nan") v = NAN, ok = true;
        value = v;
        break;
      }
      case model::Type::kInt:
      case model::Type::kLong: {
        int64_t v = 0;
        const bool minus = raw.starts_with("-");
        const std::string_view digits = minus ? raw.substr(1) : raw;
        const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
        uint64_t u = 0;
        const auto r = std::from_chars(digits.data() + (hex ? 2 : 0), digits.data() + digits.size(), u, hex ? 16 : 10);
        ok = !digits.empty() && r.ec == std::errc() && r.ptr == digits.data() + digits.size();
        v = minus ? static_cast<int64_t>(0 - u) : static_cast<int64_t>(u);
        value = v;
        break;
      }
      default: break;
    }
  }
  if (!ok) {
    // int(x) and the like over an expression are not of the language, but mean toint(x).
    error_at(name.offset, tokens_[close].end(), fmt::format("'{}' is no {} literal", inside.substr(0, 40), model::type_name(*type)),
             fmt::format("to convert an expression write to{}(…)", *type == model::Type::kReal ? "double" : model::type_name(*type)));
  }
  at_ = close + 1;
  return literal(*type, ok && iequals(raw, "null") ? Typed::Value{} : std::move(value), name.offset);
}

Syntax* Parser::dynamic_literal(const Token& name) {
  take();  // (
  std::string json;
  const size_t errors = diagnostics_.size();
  if (!at(")")) json_value(json, 0);
  if (!expect(")", "after the dynamic literal")) {
    if (diagnostics_.size() > errors)
      diagnostics_.back().hint = "a dynamic literal holds JSON: dynamic([\"a\", 1]) or dynamic({\"key\": true})";
    skip_to_recovery();
    accept(")");
  }
  if (json.empty() || json == "null") return literal(model::Type::kDynamic, {}, name.offset);
  return literal(model::Type::kDynamic, std::move(json), name.offset);
}

bool Parser::json_value(std::string& out, int depth) {
  if (depth > kMaxDepth) {
    error(peek(), "the dynamic literal is nested too deeply");
    return false;
  }
  const Token& t = peek();
  if (t.kind == TokenKind::kString) {
    std::string value;
    while (peek().kind == TokenKind::kString) value += take().value;
    append_json_string(out, value);
    return true;
  }
  if (at("[")) {
    take();
    out += '[';
    bool first = true;
    while (!at("]") && peek().kind != TokenKind::kEnd) {
      if (!first) out += ',';
      first = false;
      if (!json_value(out, depth + 1)) return false;
      if (!accept(",")) break;
    }
    out += ']';
    return expect("]", "after the array");
  }
  if (at("{")) {
    take();
    out += '{';
    bool first = true;
    while (!at("}") && peek().kind != TokenKind::kEnd) {
      if (!first) out += ',';
      first = false;
      if (peek().kind == TokenKind::kString) {
        append_json_string(out, take().value);
      } else if (peek().kind == TokenKind::kName) {
        append_json_string(out, take().text);
      } else {
        expected("a key in quotation marks");
        return false;
      }
      out += ':';
      if (!expect(":", "after the key") || !json_value(out, depth + 1)) return false;
      if (!accept(",")) break;
    }
    out += '}';
    return expect("}", "after the property bag");
  }
  if (at("null") || at("true") || at("false")) {
    out += take().text;
    return true;
  }
  const bool minus = accept("-");
  const Token& n = peek();
  if (n.kind == TokenKind::kLong || n.kind == TokenKind::kReal) {
    if (minus) out += '-';
    take();
    if (n.kind == TokenKind::kLong) {
      out += std::to_string(n.number);
    } else {
      std::string digits = fmt::format("{}", n.real);
      if (digits.find_first_of(".eni") == std::string::npos) digits += ".0";
      out += digits;
    }
    return true;
  }
  if (n.kind == TokenKind::kName && peek(1).is("(")) {
    take();
    Syntax* v = n.is("dynamic") ? dynamic_literal(n) : typed_literal_call(n);
    if (v && v->kind == Kind::kLiteral) {
      if (std::holds_alternative<std::monostate>(v->value)) {
        out += "null";
      } else if (v->type == model::Type::kDynamic) {
        out += std::get<std::string>(v->value);
      } else if (v->type == model::Type::kDatetime) {
        append_json_string(out, format_datetime(std::get<int64_t>(v->value)));
      } else if (v->type == model::Type::kTimespan) {
        append_json_string(out, format_timespan(std::get<int64_t>(v->value)));
      } else if (const auto* i = std::get_if<int64_t>(&v->value)) {
        out += std::to_string(*i);
      } else if (const auto* d = std::get_if<double>(&v->value)) {
        out += fmt::format("{}", *d);
      } else if (const auto* b = std::get_if<bool>(&v->value)) {
        out += *b ? "true" : "false";
      } else if (const auto* s = std::get_if<std::string>(&v->value)) {
        append_json_string(out, *s);
      }
      return true;
    }
  }
  if (n.kind == TokenKind::kTimespan) {
    take();
    append_json_string(out, format_timespan(minus ? -n.number : n.number));
    return true;
  }
  expected("a JSON value");
  return false;
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
