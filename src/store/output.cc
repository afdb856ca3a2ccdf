#include "store/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/text.h"

namespace egret::store {
namespace {

using model::Batch;
using model::Type;

struct Name {
  std::string_view name;
  Format format;
};
constexpr Name kNames[] = {{"table", Format::kTable},
                           {"json", Format::kJson},
                           {"ndjson", Format::kNdjson},
                           {"csv", Format::kCsv},
                           {"markdown", Format::kMarkdown}};

bool is_number(Type t) { return t == Type::kInt || t == Type::kLong || t == Type::kReal || t == Type::kDecimal; }

std::string real_text(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "Infinity" : "-Infinity";
  return fmt::format("{}", v);
}

std::string cell_text(const Batch& b, int column, size_t row) {
  if (b.is_null(column, row)) return {};
  const Type type = b.table().columns[static_cast<size_t>(column)].type;
  if (type == Type::kReal || type == Type::kDecimal) return real_text(b.real(column, row));
  return b.to_text(column, row);
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : terminal_safe(text)) {
    if (c == '|' || c == '\\' || c == '`' || c == '<') out += '\\';
    out += c;
  }
  return out;
}

// Columns of the terminal that a text takes, near enough: code points, wide ones twice.
size_t text_width(std::string_view s) {
  size_t n = 0;
  for (size_t i = 0; i < s.size();) {
    const auto u = static_cast<unsigned char>(s[i]);
    const size_t bytes = u < 0x80 ? 1 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
    const bool wide = bytes == 4 || (bytes == 3 && u >= 0xe3 && u <= 0xed);
    n += wide ? 2 : 1;
    i += bytes;
  }
  return n;
}

std::string cut(const std::string& s, size_t width) {
  if (text_width(s) <= width) return s;
  std::string out;
  size_t n = 0;
  for (size_t i = 0; i < s.size();) {
    const auto u = static_cast<unsigned char>(s[i]);
    const size_t bytes = u < 0x80 ? 1 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
    const std::string_view c = std::string_view(s).substr(i, bytes);
    const size_t w = text_width(c);
    if (n + w + 1 > width) break;
    out += c;
    n += w;
    i += bytes;
  }
  return out + "…";
}

// Widths that fit into the line: the widest columns give first, none below what its heading or 8 characters need.
std::vector<size_t> fit(std::vector<size_t> natural, size_t line) {
  if (line == 0 || natural.empty()) return natural;
  const size_t gaps = 2 * (natural.size() - 1);
  const auto total = [&] {
    size_t n = gaps;
    for (const size_t w : natural) n += w;
    return n;
  };
  while (total() > line) {
    const auto widest = std::max_element(natural.begin(), natural.end());
    if (*widest <= 8) break;
    const auto second = [&] {
      size_t s = 8;
      for (const size_t w : natural)
        if (w < *widest) s = std::max(s, w);
      return s;
    }();
    const size_t over = total() - line;
    *widest = std::max(second, *widest > over ? *widest - over : 8);
    if (*widest == second && second > 8) continue;
    if (total() > line && *widest > 8) --*widest;
  }
  return natural;
}

}  // namespace

std::optional<Format> format_from_name(std::string_view name) {
  for (const Name& n : kNames)
    if (n.name == name) return n.format;
  return {};
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const Name& n : kNames) names.emplace_back(n.name);
  return names;
}

void append_json_value(std::string& out, const Batch& b, int column, size_t row) {
  const Type type = b.table().columns[static_cast<size_t>(column)].type;
  if (b.is_null(column, row)) {
    out += type == Type::kString ? "\"\"" : "null";
    return;
  }
  switch (type) {
    case Type::kBool: out += b.number(column, row) ? "true" : "false"; return;
    case Type::kInt:
    case Type::kLong: out += std::to_string(b.number(column, row)); return;
    case Type::kReal:
    case Type::kDecimal: {
      const double v = b.real(column, row);
      out += std::isfinite(v) ? fmt::format("{}", v) : "\"" + real_text(v) + "\"";
      return;
    }
    case Type::kDynamic: {
      // Stored as it came: only what stands on one line may go out as it is.
      const std::string_view json = b.text(column, row);
      for (const char c : json) out += c == '\n' || c == '\r' ? ' ' : c;
      return;
    }
    case Type::kDatetime:
    case Type::kTimespan: append_json_string(out, b.to_text(column, row)); return;
    default: append_json_string(out, b.text(column, row)); return;
  }
}

Output::Output(const model::Table& shape, const OutputOptions& options, Write write)
    : shape_(shape), options_(options), write_(std::move(write)) {
  if (options_.format == Format::kJson) {
    buffer_ = "{\"columns\":[";
    for (size_t i = 0; i < shape_.columns.size(); ++i) {
      if (i) buffer_ += ',';
      buffer_ += "{\"name\":" + json_quote(shape_.columns[i].name) + ",\"type\":\"" +
                 std::string(model::type_name(shape_.columns[i].type)) + "\"}";
    }
    buffer_ += "],\"rows\":[";
  } else if (options_.format == Format::kCsv) {
    for (size_t i = 0; i < shape_.columns.size(); ++i) buffer_ += (i ? "," : "") + csv_cell(shape_.columns[i].name);
    buffer_ += '\n';
  }
}

Output::~Output() = default;

void Output::json_rows(const Batch& b) {
  const bool lines = options_.format == Format::kNdjson;
  for (size_t row = 0; row < b.rows(); ++row) {
    buffer_ += lines ? "{" : count_ + row == 0 ? "\n[" : ",\n[";
    for (size_t c = 0; c < shape_.columns.size(); ++c) {
      if (c) buffer_ += ',';
      if (lines) buffer_ += json_quote(shape_.columns[c].name) + ":";
      append_json_value(buffer_, b, static_cast<int>(c), row);
    }
    buffer_ += lines ? "}\n" : "]";
  }
}

void Output::rows(const Batch& b) {
  switch (options_.format) {
    case Format::kJson:
    case Format::kNdjson: json_rows(b); break;
    case Format::kCsv:
      for (size_t row = 0; row < b.rows(); ++row) {
        for (size_t c = 0; c < shape_.columns.size(); ++c) buffer_ += (c ? "," : "") + csv_cell(cell_text(b, static_cast<int>(c), row));
        buffer_ += '\n';
      }
      break;
    case Format::kTable:
    case Format::kMarkdown:
      for (size_t row = 0; row < b.rows() && (options_.max_rows == 0 || cells_.size() < options_.max_rows); ++row) {
        auto& line = cells_.emplace_back();
        for (size_t c = 0; c < shape_.columns.size(); ++c) {
          const std::string text = cell_text(b, static_cast<int>(c), row);
          line.push_back(options_.format == Format::kTable ? terminal_safe(text) : markdown_cell(text));
        }
      }
  }
  count_ += b.rows();
  if (buffer_.size() > 1 << 16) {
    write_(buffer_);
    buffer_.clear();
  }
}

void Output::table_end() {
  std::vector<size_t> widths;
  for (size_t c = 0; c < shape_.columns.size(); ++c) {
    size_t w = text_width(terminal_safe(shape_.columns[c].name));
    for (const auto& row : cells_) w = std::max(w, text_width(row[c]));
    widths.push_back(std::max<size_t>(w, 1));
  }
  widths = fit(std::move(widths), options_.width);
  size_t total = 2 * (widths.size() - std::min<size_t>(widths.size(), 1));
  for (const size_t w : widths) total += w;
  if (options_.width > 0 && total > options_.width && !cells_.empty()) return records_end();
  const auto line = [&](const std::vector<std::string>& cells, std::string_view before, std::string_view after) {
    std::string text;
    for (size_t c = 0; c < cells.size(); ++c) {
      const std::string shown = cut(cells[c], widths[c]);
      const std::string pad(widths[c] - std::min(widths[c], text_width(shown)), ' ');
      const bool right = is_number(shape_.columns[c].type);
      text += (c ? "  " : "") + (right ? pad + shown : shown + pad);
    }
    while (text.ends_with(' ')) text.pop_back();
    buffer_ += std::string(before) + text + std::string(after) + "\n";
  };
  std::vector<std::string> names, rules;
  for (size_t c = 0; c < shape_.columns.size(); ++c) {
    names.push_back(terminal_safe(shape_.columns[c].name));
    std::string rule;
    for (size_t i = 0; i < widths[c]; ++i) rule += "─";
    rules.push_back(std::move(rule));
  }
  line(names, options_.colours ? "\x1b[1m" : "", options_.colours ? "\x1b[0m" : "");
  line(rules, "", "");
  for (const auto& row : cells_) line(row, "", "");
  more_rows();
}

// Too many columns for the line: row by row, a line for each column that says something.
void Output::records_end() {
  size_t names = 0;
  for (const model::Column& c : shape_.columns) names = std::max(names, text_width(terminal_safe(c.name)));
  const size_t left = options_.width > names + 12 ? options_.width - names - 2 : 0;
  for (size_t row = 0; row < cells_.size(); ++row) {
    buffer_ += fmt::format("{}── row {} ──{}\n", options_.colours ? "\x1b[1m" : "", row + 1, options_.colours ? "\x1b[0m" : "");
    for (size_t c = 0; c < shape_.columns.size(); ++c) {
      if (cells_[row][c].empty()) continue;
      const std::string name = terminal_safe(shape_.columns[c].name);
      buffer_ += name + std::string(names - text_width(name) + 2, ' ') + (left ? cut(cells_[row][c], left) : cells_[row][c]) + "\n";
    }
  }
  more_rows();
}

void Output::more_rows() {
  if (cells_.size() < count_) buffer_ += fmt::format("… {} of {} shown\n", with_thousands(cells_.size()), count_of(count_, "row"));
  if (count_ == 0) buffer_ += "(no rows)\n";
}

void Output::markdown_end() {
  for (const model::Column& c : shape_.columns) buffer_ += "| " + markdown_cell(c.name) + " ";
  buffer_ += "|\n";
  for (const model::Column& c : shape_.columns) buffer_ += is_number(c.type) ? "| ---: " : "| --- ";
  buffer_ += "|\n";
  for (const auto& row : cells_) {
    for (const std::string& cell : row) buffer_ += "| " + cell + " ";
    buffer_ += "|\n";
  }
  if (cells_.size() < count_) buffer_ += fmt::format("\n{} of {} shown\n", with_thousands(cells_.size()), count_of(count_, "row"));
}

void Output::end() {
  if (options_.format == Format::kJson) buffer_ += count_ ? "\n]}\n" : "]}\n";
  if (options_.format == Format::kTable) table_end();
  if (options_.format == Format::kMarkdown) markdown_end();
  write_(buffer_);
  buffer_.clear();
}

}  // namespace egret::store
