// The query of a rule, checked at its place in the YAML.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "detect/rule_reader.h"

namespace egret::detect {
namespace {

// Where a place of the query lies in the file. A literal block keeps the query's lines; of other scalars the lines are folded, so
// the words at the place are looked up in the source.
Diagnostic place(const RuleFile& file, const kql::Diagnostic& d) {
  const std::string& query = file.query.text;
  Diagnostic out{.length = static_cast<int>(std::max<size_t>(d.length, 1)), .message = d.message, .hint = d.hint, .warning = d.warning};
  const size_t offset = std::min(d.offset, query.size());
  if (file.query.literal) {
    const size_t line_start = offset == 0 ? 0 : query.rfind('\n', offset - 1) == std::string::npos ? 0 : query.rfind('\n', offset - 1) + 1;
    out.line =
        file.query.first_line + static_cast<int>(std::count(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
    out.column = file.query.indent + static_cast<int>(offset - line_start) + 1;
    const size_t line_end = query.find('\n', offset);
    if (line_end != std::string::npos && line_end > offset)
      out.length = static_cast<int>(std::min<size_t>(static_cast<size_t>(out.length), line_end - offset));
    return out;
  }
  out.line = file.query.line;
  out.column = file.query.column;
  size_t from = 0;
  for (int n = 1; n < file.query.line; ++n) from = file.text.find('\n', from) + 1;
  from += static_cast<size_t>(file.query.column) - 1;
  // The word itself may come often: its ordinal among equal words of the query finds it again in the source.
  const std::string word = query.substr(offset, std::max<size_t>(d.length, 1));
  size_t ordinal = 0;
  for (size_t at = query.find(word); at != std::string::npos && at < offset; at = query.find(word, at + 1)) ++ordinal;
  size_t found = file.text.find(word, from);
  for (size_t i = 0; i < ordinal && found != std::string::npos; ++i) found = file.text.find(word, found + 1);
  if (found == std::string::npos || word.find('\n') != std::string::npos) {
    out.message = fmt::format("{} (line {}, column {} of the query)", d.message, d.line, d.column);
    out.length = 1;
    return out;
  }
  out.line += static_cast<int>(
      std::count(file.text.begin() + static_cast<std::ptrdiff_t>(from), file.text.begin() + static_cast<std::ptrdiff_t>(found), '\n'));
  const size_t line_start = file.text.rfind('\n', found);
  out.column = static_cast<int>(found - (line_start == std::string::npos ? 0 : line_start + 1)) + 1;
  return out;
}

}  // namespace

void check_query(RuleFile& file, const kql::Catalogue& catalogue, Ticks now) {
  if (file.query.text.empty()) return;
  const auto query = kql::compile(file.query.text, catalogue, {.now = now});
  if (!query) {
    for (const kql::Diagnostic& d : query.error()) file.diagnostics.push_back(place(file, d));
    return;
  }
  for (const kql::Diagnostic& d : query->warnings) {
    Diagnostic placed = place(file, d);
    placed.warning = true;
    file.diagnostics.push_back(std::move(placed));
  }
  if (query->shape->open) return;
  std::vector<std::string> names;
  for (const model::Column& c : query->shape->columns) names.push_back(c.name);
  for (const ColumnUse& use : file.columns) {
    if (query->shape->find(use.column) >= 0) continue;
    const std::string near = near_name(use.column, names);
    std::string hint = near.empty() ? fmt::format("its columns are {}", join(names, ", ")) : fmt::format("did you mean '{}'?", near);
    if (hint.size() > 200) hint = hint.substr(0, 200) + " …";
    file.diagnostics.push_back({use.line, use.yaml_column, use.length,
                                fmt::format("{}: the query's result has no column '{}'", use.used_for, use.column), std::move(hint),
                                false});
  }
  const size_t tables_without = query->tables.size();
  if (tables_without == 0)
    file.diagnostics.push_back(
        {file.query.line, file.query.column, 1, "the query reads no table: it would say the same at every time", {}, true});
}

}  // namespace egret::detect
