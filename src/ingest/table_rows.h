#pragma once
// Rows of any published table, from values of any form: exports give numbers as text, booleans as 0 and 1, dynamic values as quoted
// JSON. The column's type decides. What follows from a row is added here once for all ways in which it may come: audit rows give
// objects, container logs give DNS and web rows, firewall rows give sessions, and each table gives coverage.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"

namespace egret::ingest {

struct Cell {
  enum Kind { kNull, kText, kInt, kReal, kBool, kJson };
  Kind kind = kNull;
  std::string_view text = {};  // kText: the value; kJson: an object or array as JSON
  int64_t number = 0;          // kInt, kBool
  double real = 0;

  static Cell of(std::string_view t) { return {.kind = kText, .text = t}; }
  static Cell of(int64_t n) { return {.kind = kInt, .text = {}, .number = n}; }
  static Cell json(std::string_view j) { return {.kind = kJson, .text = j}; }
};

// False when the value does not fit the type; the cell then stays null.
bool set_cell(model::Batch& batch, int column, const Cell& cell, const TimeForm& form);

class TableRows {
 public:
  TableRows(const Source& source, Sink& sink);
  ~TableRows();  // calls finish()
  TableRows(const TableRows&) = delete;

  bool knows(std::string_view table) const;
  // One row: begin, set for each value (in any order; columns by name, any case, with the portal's " [UTC]"), end.
  void begin(std::string_view table);
  void set(std::string_view column, const Cell& cell);
  bool has(std::string_view column) const;  // set in this row, and not empty
  // Where the row comes from when its own columns do not say.
  void resource(std::string_view id);
  // False, after sink.error(), when the row has no time. `beginning` is what the error row shows.
  bool end(uint64_t line, std::string_view beginning);
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The table that rows with these columns come from, or empty. `path`: a file or folder named after a table decides.
std::string_view table_of_columns(const std::vector<std::string>& columns, std::string_view path);
// A table's name in any case; empty when there is none.
std::string_view table_of_name(std::string_view name);
// "TimeGenerated [UTC]" → "TimeGenerated".
std::string_view bare_column(std::string_view header);

}  // namespace egret::ingest
