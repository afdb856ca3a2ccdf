#pragma once
// Sentinel rule YAML in, a Rule or every mistake in it out.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/diagnostic.h"
#include "detect/rule.h"
#include "kql/compile.h"

namespace egret::detect {

// A place in the YAML that a later stage may complain about: a column that the rule names.
struct ColumnUse {
  std::string column;
  int line = 1, yaml_column = 1, length = 1;
  std::string used_for;  // "entityMappings", "customDetails", …
};

// Where the query's text lies in the YAML.
struct QueryPlace {
  std::string text;                // the query, also where another mistake made the rule unusable
  int line = 1, column = 1;        // of the scalar's own beginning
  bool literal = false;            // block scalar with '|': lines of the query are lines of the file
  int first_line = 1, indent = 0;  // of its text, when literal
};

struct RuleFile {
  std::optional<Rule> rule;  // absent when an error makes it unusable
  std::vector<Diagnostic> diagnostics;
  std::vector<ColumnUse> columns;
  QueryPlace query;
  std::string text;
};

RuleFile read_rule(std::string_view yaml, std::string_view file);
// Is this text an analytics rule at all (not a .test.yaml, a playbook, a list)?
bool looks_like_rule(std::string_view yaml);

// Compiles the query and checks the columns that the rule names against the result's; appends to file.diagnostics.
void check_query(RuleFile& file, const kql::Catalogue& catalogue, Ticks now);

}  // namespace egret::detect
