#include "kql/compile.h"

#include <algorithm>

#include "kql/binder.h"
#include "kql/diagnostics.h"
#include "kql/parser.h"

namespace egret::kql {
namespace {

// What did not parse is not bound: its errors would only follow from the first ones. What stands before the pipe of the first
// mistake is a query of its own, whose mistakes come back as well.
void bind_before_first_mistake(std::string_view text, const Catalogue& catalogue, const Options& options,
                               std::vector<Diagnostic>& diagnostics) {
  size_t first = text.size();
  for (const Diagnostic& d : diagnostics) first = std::min(first, d.offset);
  const size_t pipe = text.substr(0, first).rfind('|');
  if (pipe == std::string_view::npos) return;
  const std::string_view before = text.substr(0, pipe);
  std::vector<Diagnostic> found;
  const SyntaxTree tree = parse(before, found);
  if (!found.empty()) return;  // the pipe stood in parentheses or in a string
  Binder binder(before, catalogue, options, found);
  binder.query(tree.root);
  diagnostics.insert(diagnostics.begin(), found.begin(), found.end());
}

}  // namespace

std::expected<Query, std::vector<Diagnostic>> compile(std::string_view text, const Catalogue& catalogue, const Options& options) {
  std::vector<Diagnostic> diagnostics;
  if (text.size() > (1u << 30)) return std::unexpected(std::vector{Diagnostic{.message = "the query is longer than 1 GiB", .hint = {}}});
  const SyntaxTree tree = parse(text, diagnostics);
  if (!diagnostics.empty()) {
    bind_before_first_mistake(text, catalogue, options, diagnostics);
    place_diagnostics(text, diagnostics);
    return std::unexpected(std::move(diagnostics));
  }
  Binder binder(text, catalogue, options, diagnostics);
  Node* root = binder.query(tree.root);
  if (!diagnostics.empty()) {
    place_diagnostics(text, diagnostics);
    return std::unexpected(std::move(diagnostics));
  }
  if (root->kind != Node::Kind::kSelect || root->shared) root = binder.plan.over(root);
  root = binder.in_row_order(root);
  Query query;
  query.shape = std::make_shared<model::Table>();
  for (const Column& c : root->columns)
    if (!c.hidden) query.shape->columns.push_back({.name = std::string(c.name), .type = c.type});
  query.shape->build_index();
  query.sql = render(binder.plan, root, query.tables);
  query.warnings = std::move(binder.warnings);
  place_diagnostics(text, query.warnings);
  query.render = std::move(binder.render_kind);
  query.unsupported = std::move(binder.unsupported);
  return query;
}

}  // namespace egret::kql
