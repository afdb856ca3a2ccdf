#include "kql/compile.h"

#include "kql/binder.h"
#include "kql/diagnostics.h"
#include "kql/parser.h"

namespace egret::kql {

std::expected<Query, std::vector<Diagnostic>> compile(std::string_view text, const Catalogue& catalogue, const Options& options) {
  std::vector<Diagnostic> diagnostics;
  if (text.size() > (1u << 30)) return std::unexpected(std::vector{Diagnostic{.message = "the query is longer than 1 GiB", .hint = {}}});
  const SyntaxTree tree = parse(text, diagnostics);
  // What did not parse is not bound: its errors would only follow from the first ones.
  if (!diagnostics.empty()) {
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
