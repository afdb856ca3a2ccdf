// Expected against found: every expected row must match a row of its own.
#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/text.h"
#include "store/sample_rows.h"

namespace egret::store {
namespace {

std::optional<double> number(std::string_view text) {
  text = trim(text);
  double v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return v;
}

std::string without_spaces(std::string_view json) {
  std::string out;
  bool inside = false;
  for (size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '"' && (i == 0 || json[i - 1] != '\\')) inside = !inside;
    if (inside || (json[i] != ' ' && json[i] != '\n')) out += json[i];
  }
  return out;
}

bool cell_matches(std::string_view wanted, std::string_view found) {
  for (const std::string_view op : {">=", "<=", ">", "<"}) {
    if (!wanted.starts_with(op)) continue;
    const auto bound = number(wanted.substr(op.size()));
    const auto value = number(found);
    if (!bound) break;  // "<nil>" is a text
    if (!value) return false;
    if (op == ">=") return *value >= *bound;
    if (op == "<=") return *value <= *bound;
    if (op == ">") return *value > *bound;
    return *value < *bound;
  }
  if (wanted == "*") return !found.empty();
  if (wanted.starts_with("!~")) return found.find(wanted.substr(2)) == std::string_view::npos;
  if (wanted.starts_with('~')) return found.find(wanted.substr(1)) != std::string_view::npos;
  if (wanted == found) return true;
  if (const auto a = number(wanted), b = number(found); a && b) return *a == *b;
  if (const auto a = parse_iso_datetime(wanted), b = parse_iso_datetime(found); a && b) return *a == *b;
  if (!wanted.empty() && (wanted[0] == '{' || wanted[0] == '[')) return without_spaces(wanted) == without_spaces(found);
  return false;
}

std::string show(const std::vector<ExpectedCell>& row) {
  std::string out;
  for (const ExpectedCell& c : row) out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", c.column, c.wanted);
  return "{" + out + "}";
}

std::string show(const model::Batch& result, size_t row) {
  std::string out;
  for (size_t c = 0; c < result.table().columns.size(); ++c) {
    const std::string text = result.to_text(static_cast<int>(c), row);
    if (!text.empty()) out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", result.table().columns[c].name, text.substr(0, 120));
  }
  return "{" + out + "}";
}

class Matching {
 public:
  Matching(const SampleCase& sample, const model::Batch& result) : sample_(sample), result_(result), taken_(result.rows(), -1) {}

  // Augmenting path: a row that matches two expectations is given up when its other one can go elsewhere.
  bool place(size_t wanted, std::vector<bool>& visited) {
    for (size_t row = 0; row < result_.rows(); ++row) {
      if (visited[row] || mismatches(wanted, row) > 0) continue;
      visited[row] = true;
      if (taken_[row] < 0 || place(static_cast<size_t>(taken_[row]), visited)) {
        taken_[row] = static_cast<int>(wanted);
        return true;
      }
    }
    return false;
  }

  size_t mismatches(size_t wanted, size_t row) const {
    size_t n = 0;
    for (const ExpectedCell& c : sample_.expect[wanted])
      if (!cell_matches(c.wanted, result_.to_text(result_.find_column(c.column), row))) ++n;
    return n;
  }

  bool taken(size_t row) const { return taken_[row] >= 0; }

 private:
  const SampleCase& sample_;
  const model::Batch& result_;
  std::vector<int> taken_;
};

}  // namespace

std::vector<std::string> compare_rows(const SampleCase& sample, const model::Batch& result) {
  std::vector<std::string> differences;
  for (const auto& row : sample.expect)
    for (const ExpectedCell& c : row)
      if (result.find_column(c.column) < 0) {
        std::vector<std::string> names;
        for (const model::Column& column : result.table().columns) names.push_back(column.name);
        const std::string near = near_name(c.column, names);
        differences.push_back(
            fmt::format("the result has no column '{}'{}", c.column, near.empty() ? "" : fmt::format(" (it has '{}')", near)));
      }
  if (!differences.empty()) return differences;

  Matching matching(sample, result);
  for (size_t i = 0; i < sample.expect.size(); ++i) {
    std::vector<bool> visited(result.rows(), false);
    if (matching.place(i, visited)) continue;
    std::string text = fmt::format("no row matches {}", show(sample.expect[i]));
    size_t best = result.rows();
    for (size_t row = 0; row < result.rows(); ++row)
      if (!matching.taken(row) && (best == result.rows() || matching.mismatches(i, row) < matching.mismatches(i, best))) best = row;
    text += best < result.rows() ? fmt::format("; the nearest is {}", show(result, best))
                                 : fmt::format("; the query found {}", count_of(result.rows(), "row"));
    differences.push_back(std::move(text));
  }
  if (!sample.other_rows)
    for (size_t row = 0; row < result.rows(); ++row)
      if (!matching.taken(row)) differences.push_back(fmt::format("unexpected row {}", show(result, row)));
  return differences;
}

}  // namespace egret::store
