// The tabular operators: what may stand after `|`, and the few that may begin a query. Longer than most files: a short reader for each
// operator beside the table that dispatches to them.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "kql/parser.h"

namespace egret::kql {
namespace {

constexpr std::string_view kOperators[] = {
    "where",
    "filter",
    "extend",
    "project",
    "project-away",
    "project-keep",
    "project-rename",
    "project-reorder",
    "summarize",
    "join",
    "lookup",
    "union",
    "sort",
    "order",
    "top",
    "take",
    "limit",
    "sample",
    "distinct",
    "count",
    "mv-expand",
    "mvexpand",
    "mv-apply",
    "mvapply",
    "parse",
    "parse-where",
    "parse-kv",
    "evaluate",
    "datatable",
    "externaldata",
    "external_data",
    "print",
    "range",
    "make-series",
    "serialize",
    "top-nested",
    "top-hitters",
    "search",
    "find",
    "as",
    "render",
    "invoke",
    "partition",
    "getschema",
    "consume",
    "fork",
    "facet",
    "scan",
    "sample-distinct",
    "reduce",
    "make-graph",
    "graph-match",
    "graph-shortest-paths",
    "graph-to-table",
    "graph-mark-components",
    "graph-where-nodes",
    "graph-where-edges",
    "assert-schema",
    "execute-and-cache",
    "macro-expand",
    "project-by-names",
    "partition-by",
};

// name=value pairs that may follow the name of an operator.
constexpr std::string_view kParameters[] = {
    "kind",         "isfuzzy",      "withsource",    "with_source",    "with_itemindex", "bagexpansion", "flags",     "hint", "bin_legacy",
    "decodeblocks", "expandoutput", "with_match_id", "with_step_name", "cycles",         "force_remote", "datascope", "id",
};

}  // namespace

std::vector<std::string_view> operator_names() {
  std::vector<std::string_view> names(std::begin(kOperators), std::end(kOperators));
  std::erase_if(names, [](std::string_view n) { return n == "filter" || n == "mvexpand" || n == "mvapply" || n == "external_data"; });
  std::sort(names.begin(), names.end());
  return names;
}

bool Parser::starts_source(const Token& t) const {
  if (t.kind != TokenKind::kName) return false;
  const Token& n = peek(1);
  if (t.is("datatable") || t.is("externaldata") || t.is("external_data")) return n.is("(") || n.kind == TokenKind::kName;
  if (t.is("print")) return !n.is("|") && !n.is("=") && !n.is(".") && !n.is(")") && !n.is(";");
  if (t.is("range")) return is_name(n) && peek(2).is("from");
  if (t.is("union")) return n.is("(") || n.is("*") || n.kind == TokenKind::kName;
  if (t.is("search")) return n.kind == TokenKind::kString || n.kind == TokenKind::kName || n.is("(") || n.is("*") || n.is("[");
  if (t.is("find")) return n.is("in") || n.is("where") || n.is("withsource") || n.is("with_source") || n.is("(") || n.is("datascope");
  if (t.is("evaluate")) return n.kind == TokenKind::kName && peek(2).is("(");
  return false;
}

Syntax* Parser::tabular_operator(bool as_source) {
  const Token& t = peek();
  if (t.kind != TokenKind::kName) {
    expected("an operator such as where, summarize or project");
    skip_to_recovery();
    return bad();
  }
  Syntax* op = node(Kind::kOperator, t.offset);
  if (std::find(std::begin(kOperators), std::end(kOperators), t.text) == std::end(kOperators)) {
    const auto names = operator_names();
    std::string near = near_name(t.text, names);
    error(t, fmt::format("'{}' is no operator", t.text),
          near.empty() ? std::string("operators are where, extend, project, summarize, join, …") : fmt::format("did you mean '{}'?", near));
    take();
    skip_to_recovery();
    return bad();
  }
  take();
  op->text = t.text;
  op->flag = as_source;
  const size_t errors = diagnostics_.size();
  if (!read_operator(op, t.text)) {
    skip_to_recovery();
  } else if (!ends_operator() && !at(",")) {
    if (diagnostics_.size() == errors) expected(fmt::format("'|' or the end of {}", t.text));
    skip_to_recovery();
  } else if (at(",") && !as_source && diagnostics_.size() == errors && depth_ <= 2) {
    expected(fmt::format("'|' or the end of {}", t.text));
    skip_to_recovery();
  }
  return finish(op);
}

void Parser::parameters(Syntax* op) {
  while (peek().kind == TokenKind::kName) {
    const bool hint = at("hint") && peek(1).is(".") && is_name(peek(2)) && peek(3).is("=");
    const bool known = std::find(std::begin(kParameters), std::end(kParameters), peek().text) != std::end(kParameters) && peek(1).is("=");
    if (!hint && !known) return;
    Parameter p{.name = peek().text, .value = nullptr, .offset = peek().offset, .end = 0};
    if (hint) {
      const uint32_t from = peek().offset;
      take();
      take();
      p.name = text_.substr(from, peek().end() - from);
    }
    take();
    take();  // =
    if (at("[")) {
      take();
      p.value = primary();
      accept("]");
    } else if (at("(")) {
      p.value = parenthesised();
    } else if (peek().kind == TokenKind::kName && !at("true") && !at("false")) {
      // A word, never a call: in `kind=inner (T)` the parenthesis is the table.
      const Token& word = take();
      p.value = node(Kind::kName, word.offset);
      p.value->text = word.text;
      finish(p.value);
    } else {
      p.value = primary();
    }
    p.end = tokens_[at_ - 1].end();
    op->params.push_back(p);
    accept(",");
  }
}

void Parser::named_list(std::vector<Syntax*>& into) {
  do {
    if (!into.empty() && ends_operator()) {
      expected("another expression after ','");
      return;
    }
    into.push_back(named_expression());
  } while (accept(","));
}

Syntax* Parser::ordered() {
  Syntax* n = node(Kind::kOrdered, peek().offset);
  n->left = named_expression();
  if (at("asc") || at("desc") || at("granny-asc") || at("granny-desc")) n->text = take().text;
  if (accept("nulls")) {
    if (accept("first")) {
      n->value = true;
    } else if (accept("last")) {
      n->value = false;
    } else {
      expected("'first' or 'last' after 'nulls'");
    }
  }
  return finish(n);
}

void Parser::ordered_list(std::vector<Syntax*>& into) {
  do into.push_back(ordered());
  while (accept(","));
}

// A name that may hold or end with *, for project-away and its like.
Syntax* Parser::column_name() {
  const Token& t = peek();
  Syntax* n = node(Kind::kName, t.offset);
  if (at_quoted_name()) {
    n->text = take_name();
    return finish(n);
  }
  uint32_t end = t.offset;
  bool wild = false;
  while ((peek().kind == TokenKind::kName || at("*") || peek().kind == TokenKind::kLong) && (peek().offset == end)) {
    wild |= at("*");
    end = take().end();
  }
  if (end == t.offset) {
    expected("a column name");
    return n;
  }
  n->text = text_.substr(t.offset, end - t.offset);
  if (wild) n->kind = n->text == "*" ? Kind::kStar : Kind::kWildcard;
  return finish(n);
}

bool Parser::read_operator(Syntax* op, std::string_view name) {
  if (name == "where" || name == "filter") {
    op->text = "where";
    parameters(op);
    op->args.push_back(expression());
  } else if (name == "extend" || name == "project" || name == "print" || name == "distinct") {
    parameters(op);
    named_list(op->args);
  } else if (name == "serialize") {
    if (!ends_operator()) named_list(op->args);
  } else if (name == "project-away" || name == "project-keep" || name == "project-reorder") {
    do {
      Syntax* column = column_name();
      if (name == "project-reorder" && (at("asc") || at("desc") || at("granny-asc") || at("granny-desc")))
        column->value = std::string(take().text);
      op->args.push_back(column);
    } while (accept(","));
  } else if (name == "project-rename") {
    named_list(op->args);
  } else if (name == "summarize") {
    read_summarize(op);
  } else if (name == "join" || name == "lookup") {
    read_join(op);
  } else if (name == "union") {
    read_union(op);
  } else if (name == "sort" || name == "order") {
    op->text = "sort";
    parameters(op);
    if (!expect("by", fmt::format("after '{}'", name))) return false;
    ordered_list(op->args);
  } else if (name == "top") {
    op->left = additive();
    if (!expect("by", "after the number of rows, as in top 10 by Count")) return false;
    ordered_list(op->args);
  } else if (name == "take" || name == "limit" || name == "sample") {
    if (name == "limit") op->text = "take";
    op->left = additive();
  } else if (name == "sample-distinct") {
    op->left = additive();
    if (!expect("of", "after the number of values")) return false;
    op->args.push_back(expression());
  } else if (name == "top-hitters") {
    op->left = additive();
    if (!expect("of", "after the number of values")) return false;
    op->args.push_back(expression());
    if (accept("by")) op->by.push_back(expression());
  } else if (name == "count") {
    if (accept("as") && at_name()) take_name();
  } else if (name == "mv-expand" || name == "mvexpand") {
    op->text = "mv-expand";
    read_mv(op, false);
  } else if (name == "mv-apply" || name == "mvapply") {
    op->text = "mv-apply";
    read_mv(op, true);
  } else if (name == "parse" || name == "parse-where") {
    read_parse(op);
  } else if (name == "parse-kv") {
    read_parse_kv(op);
  } else if (name == "evaluate") {
    parameters(op);
    if (peek().kind != TokenKind::kName || !peek(1).is("(")) {
      expected("a plugin, as in evaluate bag_unpack(Column)");
      return false;
    }
    const Token& plugin = take();
    op->left = call(plugin);
    if (accept(":")) op->right = schema();
  } else if (name == "invoke") {
    if (peek().kind != TokenKind::kName) {
      expected("a function");
      return false;
    }
    op->left = postfix();
  } else if (name == "datatable" || name == "externaldata" || name == "external_data") {
    if (name == "external_data") op->text = "externaldata";
    read_declared_rows(op);
  } else if (name == "range") {
    op->right = node(Kind::kName, peek().offset);
    op->right->text = take_name();
    finish(op->right);
    for (const std::string_view word : {"from", "to", "step"}) {
      if (!expect(word, "in range NAME from A to B step C")) return false;
      op->args.push_back(additive());
    }
  } else if (name == "make-series") {
    read_make_series(op);
  } else if (name == "top-nested") {
    read_top_nested(op);
  } else if (name == "search" || name == "find") {
    read_find(op);
  } else if (name == "as") {
    parameters(op);
    op->right = node(Kind::kName, peek().offset);
    if (!at_name()) {
      expected("a name");
      return false;
    }
    op->right->text = take_name();
    finish(op->right);
  } else if (name == "render") {
    read_render(op);
  } else if (name == "partition") {
    read_partition(op);
  } else if (name == "getschema" || name == "consume") {
    parameters(op);
  } else {
    // Known by name, not supported: what belongs to it is passed over, the binder reports it.
    while (!ends_operator()) {
      const Token& t = peek();
      if (t.match > at_) at_ = t.match;
      take();
    }
  }
  return true;
}

void Parser::read_summarize(Syntax* op) {
  parameters(op);
  if (!at("by") && !ends_operator()) named_list(op->args);
  if (accept("by")) {
    if (ends_operator()) {
      expected("a group key after 'by'");
      return;
    }
    parameters(op);
    named_list(op->by);
  }
}

void Parser::read_join(Syntax* op) {
  parameters(op);
  op->left = at("(") ? parenthesised() : table_reference();
  // (T | where …) | … needs parentheses; a bare table may be followed by hints.
  parameters(op);
  if (accept("on")) {
    do op->args.push_back(expression());
    while (accept(","));
  } else if (!ends_operator() && !at("where")) {
    expected("'on' and the join's keys");
  }
}

// A table, a wildcard name, a function call, or a pipeline in parentheses.
Syntax* Parser::table_reference() {
  if (at("(")) return parenthesised();
  const Token& t = peek();
  if ((t.kind == TokenKind::kName && peek(1).is("*") && peek(1).offset == t.end()) || t.is("*")) {
    Syntax* n = column_name();
    n->kind = Kind::kWildcard;
    return n;
  }
  return postfix();
}

void Parser::read_union(Syntax* op) {
  parameters(op);
  do {
    if (ends_operator()) {
      expected("a table");
      return;
    }
    op->args.push_back(table_reference());
  } while (accept(","));
}

void Parser::read_mv(Syntax* op, bool apply) {
  parameters(op);
  do {
    Syntax* item = node(Kind::kNamed, peek().offset);
    if (at_name() && peek(at_quoted_name() ? 3 : 1).is("=")) {
      item->text = take_name();
      take();
    }
    item->left = expression();
    if (at("to") && peek(1).is("typeof")) {
      take();
      take();
      if (expect("(", "after typeof")) {
        const Token& type = take();
        if (const auto t = model::type_from_name(type.text)) {
          item->type = *t;
          item->flag = true;
        } else {
          error(type, fmt::format("'{}' is no type", type.text));
        }
        expect(")", "after the type");
      }
    }
    op->args.push_back(finish(item));
  } while (accept(","));
  if (accept("limit")) op->left = unary();
  if (apply) {
    if (!expect("on", "and the subquery of mv-apply")) return;
    if (!expect("(", "before the subquery of mv-apply")) return;
    op->right = node(Kind::kPipe, peek().offset);
    op->right->args.push_back(nullptr);
    do op->right->args.push_back(tabular_operator(false));
    while (accept("|"));
    finish(op->right);
    expect(")", "after the subquery of mv-apply");
  }
}

void Parser::read_parse(Syntax* op) {
  parameters(op);
  op->left = expression();
  if (!expect("with", "and the pattern")) return;
  while (!ends_operator()) {
    if (peek().kind == TokenKind::kString) {
      op->args.push_back(string_literal());
    } else if (at("*")) {
      op->args.push_back(node(Kind::kStar, take().offset));
    } else if (at_name()) {
      op->args.push_back(typed_name(false));
    } else {
      expected("a string, a column or * in the pattern");
      return;
    }
  }
}

void Parser::read_parse_kv(Syntax* op) {
  op->left = expression();
  if (!expect("as", "and the columns, as in parse-kv Text as (a: string)")) return;
  op->args = schema()->args;
  if (accept("with") && expect("(", "after with")) {
    while (peek().kind == TokenKind::kName && peek(1).is("=")) {
      Parameter p{.name = take().text, .value = nullptr, .offset = peek().offset, .end = 0};
      take();
      p.value = primary();
      op->params.push_back(p);
      if (!accept(",")) break;
    }
    expect(")", "after the options of parse-kv");
  }
}

void Parser::read_make_series(Syntax* op) {
  parameters(op);
  do {
    Syntax* n = node(Kind::kOrdered, peek().offset);  // left: aggregate; right: default
    n->left = named_expression();
    if (accept("default")) {
      expect("=", "after default");
      n->right = unary();
    }
    op->args.push_back(finish(n));
  } while (accept(","));
  if (!expect("on", "and the axis of make-series")) return;
  const bool renamed = at_name() && peek(at_quoted_name() ? 3 : 1).is("=");
  op->left = renamed ? named_expression() : additive();  // `Axis in range(…)` is no comparison
  const auto bound = [&](std::string_view name) {
    if (!at(name)) return;
    const Token& word = take();
    op->params.push_back({.name = name, .value = additive(), .offset = word.offset, .end = word.end()});
  };
  if (at("in") && peek(1).is("range")) {
    take();
    take();
    if (!expect("(", "after range")) return;
    for (const std::string_view name : {"from", "to", "step"}) {
      op->params.push_back({.name = name, .value = additive(), .offset = peek().offset, .end = peek().end()});
      if (name != "step") expect(",", "in range(from, to, step)");
    }
    op->params.push_back({.name = "inclusive", .value = nullptr, .offset = 0, .end = 0});
    expect(")", "after the range");
  } else {
    bound("from");
    bound("to");
    bound("step");
  }
  if (accept("by")) named_list(op->by);
}

void Parser::read_top_nested(Syntax* op) {
  for (;;) {
    Syntax* level = node(Kind::kOrdered, peek().offset);  // args: [count or null, of, by, others or null]; text: asc, desc
    level->args.resize(4);
    if (!at("of")) level->args[0] = additive();
    if (!expect("of", "in top-nested N of EXPRESSION by AGGREGATE")) return;
    level->args[1] = named_expression();
    if (at("with") && peek(1).is("others")) {
      take();
      take();
      expect("=", "after others");
      level->args[3] = unary();
    }
    if (!expect("by", "in top-nested N of EXPRESSION by AGGREGATE")) return;
    level->args[2] = named_expression();
    if (at("asc") || at("desc")) level->text = take().text;
    op->args.push_back(finish(level));
    if (!accept(",")) return;
    if (!accept("top-nested")) {
      expected("'top-nested' and the next level");
      return;
    }
  }
}

// search [kind=…] [in (tables)] predicate;   find [withsource=…] [in (tables)] [where] predicate [project …]
void Parser::read_find(Syntax* op) {
  const bool find = op->text == "find";
  parameters(op);
  if (at("in") && peek(1).is("(")) {
    take();
    take();
    while (!at(")") && peek().kind != TokenKind::kEnd) {
      op->by.push_back(table_reference());
      if (!accept(",")) break;
    }
    expect(")", "after the tables");
  }
  if (find) {
    accept("where");
    op->left = expression();
    if (at("project") || at("project-smart")) {
      take();
      op->params.push_back({.name = "project", .value = nullptr, .offset = peek().offset, .end = peek().offset});
      do {
        if (at("pack") && peek(1).is("(")) {
          op->args.push_back(expression());
        } else if (at_name() && peek(1).is(":")) {
          op->args.push_back(typed_name(false));
        } else {
          op->args.push_back(expression());
        }
      } while (accept(","));
    }
  } else {
    op->left = expression();
  }
}

void Parser::read_partition(Syntax* op) {
  parameters(op);
  if (!expect("by", "after partition")) return;
  op->left = node(Kind::kName, peek().offset);
  if (!at_name()) {
    expected("a column");
    return;
  }
  op->left->text = take_name();
  finish(op->left);
  parameters(op);
  if (at("{")) {
    take();
    op->right = body("}");
    expect("}", "after the subquery");
    return;
  }
  if (!expect("(", "before the subquery")) return;
  op->right = node(Kind::kPipe, peek().offset);
  op->right->args.push_back(nullptr);
  do op->right->args.push_back(tabular_operator(false));
  while (accept("|"));
  finish(op->right);
  expect(")", "after the subquery");
}

// render CHART [with (name=value, …)]: nothing of it changes the rows.
void Parser::read_render(Syntax* op) {
  if (at_name()) {
    op->right = node(Kind::kName, peek().offset);
    op->right->text = take_name();
    finish(op->right);
  }
  while (!ends_operator()) {
    const Token& t = peek();
    if (t.kind == TokenKind::kBad) {
      error(t, t.value);
      return;
    }
    if (t.match > at_) at_ = t.match;
    take();
  }
}

void Parser::read_declared_rows(Syntax* op) {
  parameters(op);
  op->args = schema()->args;
  const bool external = op->text == "externaldata";
  if (!expect("[", external ? "and the addresses" : "and the values")) return;
  while (!at("]") && peek().kind != TokenKind::kEnd) {
    op->by.push_back(expression());
    if (!accept(",")) break;
  }
  if (!expect("]", "or ',' in the values")) {
    while (peek().kind != TokenKind::kEnd && !at("]") && !at(";") && !at("|")) take();
    accept("]");
  }
  if (external && accept("with")) {
    if (at("(") && peek().match > at_) at_ = peek().match;
    take();
  }
}

}  // namespace egret::kql
