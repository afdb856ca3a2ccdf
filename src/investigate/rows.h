#pragma once
// Reading a query's result by column name.
#include <string>
#include <string_view>
#include <vector>

#include "model/batch.h"

namespace egret::investigate {

class Rows {
 public:
  explicit Rows(const model::Batch& batch) : b_(batch) {}
  size_t size() const { return b_.rows(); }
  bool has(std::string_view column) const { return b_.find_column(column) >= 0; }
  bool null(std::string_view column, size_t row) const { return b_.is_null(b_.column(column), row); }
  std::string text(std::string_view column, size_t row) const { return std::string(b_.text(b_.column(column), row)); }
  int64_t number(std::string_view column, size_t row) const { return b_.number(b_.column(column), row); }
  bool flag(std::string_view column, size_t row) const { return b_.number(b_.column(column), row) != 0; }
  // Any number as a real; 0 when null.
  double real(std::string_view column, size_t row) const {
    const int c = b_.column(column);
    if (b_.is_null(c, row)) return 0;
    const model::Type t = b_.table().columns[static_cast<size_t>(c)].type;
    return t == model::Type::kReal || t == model::Type::kDecimal ? b_.real(c, row) : static_cast<double>(b_.number(c, row));
  }
  // Row ids: a long, or a dynamic array of them.
  std::vector<int64_t> ids(std::string_view column, size_t row) const;

 private:
  const model::Batch& b_;
};

}  // namespace egret::investigate
