#pragma once
// KQL text in, one SQL statement of the embedded engine out, with the shape of its result.
//   lexer → parser (recovers; every error at once) → binder (names and types) → logical plan → SQL
// Semantics are Microsoft's: https://learn.microsoft.com/kusto/query. Types map as model/type.h says.
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/batch.h"
#include "model/table.h"

namespace egret::kql {

struct Diagnostic {
  size_t offset = 0, length = 1;  // bytes of the query text
  int line = 1, column = 1;       // 1-based; column counts code points
  std::string message;            // what is wrong and what was expected
  std::string hint;               // a near name, a documented replacement; may be empty
  bool warning = false;
};

// "name:line:column: error: message", the line, a caret under the place, and the hint; one block each.
std::string format_diagnostics(std::string_view text, std::string_view name, const std::vector<Diagnostic>& diagnostics,
                               bool colours = false);

// What a query may name. Table pointers must outlive the compiled query.
class Catalogue {
 public:
  virtual ~Catalogue() = default;
  virtual const model::Table* table(std::string_view name) const = 0;
  // Body of a stored function: "(a:string, b:long=3) { … }", or empty. See content/functions/.
  virtual std::optional<std::string> function(std::string_view name) const = 0;
  virtual std::vector<std::string> names() const = 0;  // tables and functions, for near names, wildcards and completion
};

struct Query {
  std::string sql;                      // one SELECT; tables are quoted by their KQL name
  std::shared_ptr<model::Table> shape;  // names and types of the result's columns
  std::vector<std::string> tables;      // read by it, sorted
  std::vector<Diagnostic> warnings;
  std::string render;       // chart kind of a final `render`, or empty
  std::string unsupported;  // why it cannot run although names and types are right (externaldata …); or empty
};

struct Options {
  Ticks now = 0;  // what now() and ago() mean
  // Runs a query while compiling: the columns of bag_unpack() and pivot() depend on the rows. Without it such a query binds, with
  // the columns that are known, and says in `unsupported` that it cannot run.
  std::function<Result<model::Batch>(const Query&)> look = {};
};

std::expected<Query, std::vector<Diagnostic>> compile(std::string_view text, const Catalogue& catalogue, const Options& options);

}  // namespace egret::kql
