#pragma once
// Reading a query's result by column name; a column that the content's query does not give reads as empty.
#include <string>
#include <string_view>
#include <vector>

#include "model/batch.h"

namespace egret::investigate {

class ResultRow {
 public:
  ResultRow(const model::Batch& batch, size_t row) : batch_(batch), row_(row) {}
  std::string text(std::string_view column) const;                // any type, as KQL prints it; null is empty
  double real(std::string_view column) const;                     // of int, long and real; null is 0
  int64_t number(std::string_view column) const;                  // of int, long, datetime, timespan and bool; null is 0
  std::vector<int64_t> rows(std::string_view column) const;       // a dynamic list of numbers, or one number; nested lists are flattened
  std::vector<std::string> texts(std::string_view column) const;  // a dynamic list of strings, or text with commas

 private:
  const model::Batch& batch_;
  size_t row_;
};

}  // namespace egret::investigate
