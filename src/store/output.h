#pragma once
// A query's result as people and programs want it.
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/batch.h"

namespace egret::store {

enum class Format { kTable, kJson, kNdjson, kCsv, kMarkdown };
std::optional<Format> format_from_name(std::string_view name);
std::vector<std::string> format_names();

struct OutputOptions {
  Format format = Format::kTable;
  size_t width = 0;     // of the terminal, for tables; 0: do not cut
  size_t max_rows = 0;  // of tables and markdown; 0: all
  bool colours = false;
};

// One value as JSON: datetime as ISO text, timespan as KQL writes it, dynamic as itself, long as a number, NaN and
// infinities as the texts that KQL's JSON has for them.
void append_json_value(std::string& out, const model::Batch& batch, int column, size_t row);

// Takes a result chunk by chunk and hands text to `write`; call end() once.
class Output {
 public:
  using Write = std::function<void(std::string_view)>;
  Output(const model::Table& shape, const OutputOptions& options, Write write);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  void rows(const model::Batch& batch);
  void end();

 private:
  void json_rows(const model::Batch& batch);
  void table_end();
  void records_end();
  void more_rows();
  void markdown_end();

  const model::Table& shape_;
  OutputOptions options_;
  Write write_;
  size_t count_ = 0;
  std::string buffer_;
  std::vector<std::vector<std::string>> cells_;  // what a table shows: widths are known when all rows are
};

}  // namespace egret::store
