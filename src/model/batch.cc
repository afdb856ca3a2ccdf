#include "model/batch.h"

#include <fmt/format.h>

#include <bit>
#include <type_traits>

namespace egret::model {

Batch::Batch(std::shared_ptr<const Table> table) : Batch(*table) { owned_ = std::move(table); }

Batch::Batch(const Table& table) : table_(&table), columns_(table.columns.size()) {
  for (size_t c = 0; c < columns_.size(); ++c) {
    switch (table.columns[c].type) {
      case Type::kReal:
      case Type::kDecimal: columns_[c].storage = Storage::kReal; break;
      case Type::kString:
      case Type::kDynamic:
      case Type::kGuid: columns_[c].storage = Storage::kText; break;
      default: columns_[c].storage = Storage::kNumber;
    }
  }
}

int Batch::column(std::string_view name) const {
  const int c = table_->find(name);
  if (c < 0) fmt::print(stderr, "egret: table {} has no column {}\n", table_->name, name);
  assert(c >= 0 && "no such column");
  return c;
}

void Batch::add_row() { ++rows_; }

template <typename T>
void Batch::set_otherwise(Data& d, T v) {
  std::string kept;  // a text may be one of the column's own
  if constexpr (std::is_same_v<T, std::string_view>) v = kept = v;
  if (d.same && d.rows > 1) {  // the one value again for each row that has it
    switch (d.storage) {
      case Storage::kNumber: d.numbers.resize(d.rows, d.numbers.front()); break;
      case Storage::kReal: d.reals.resize(d.rows, d.reals.front()); break;
      case Storage::kText: {
        const std::string one = d.chars;
        for (size_t row = 1; row < d.rows; ++row) {
          d.chars += one;
          d.ends.push_back(d.chars.size());
        }
      }
    }
  }
  d.same = false;
  if (d.rows == rows_) {  // the row is set again
    switch (d.storage) {
      case Storage::kNumber: d.numbers.pop_back(); break;
      case Storage::kReal: d.reals.pop_back(); break;
      case Storage::kText:
        d.ends.pop_back();
        d.chars.resize(d.ends.empty() ? 0 : d.ends.back());
        break;
    }
    if (!d.valid.empty()) d.valid.pop_back();
    --d.rows;
  } else if (d.rows + 1 < rows_) {  // those in between are null
    if (d.valid.empty()) d.valid.assign(d.rows, 1);
    d.rows = rows_ - 1;
    d.valid.resize(d.rows, 0);
    switch (d.storage) {
      case Storage::kNumber: d.numbers.resize(d.rows, 0); break;
      case Storage::kReal: d.reals.resize(d.rows, 0); break;
      case Storage::kText: d.ends.resize(d.rows, d.chars.size()); break;
    }
  }
  if constexpr (std::is_same_v<T, std::string_view>) {
    d.chars.append(v);
    d.ends.push_back(d.chars.size());
  } else if constexpr (std::is_same_v<T, double>) {
    d.reals.push_back(v);
  } else {
    d.numbers.push_back(v);
  }
  append_valid(d);
  d.same = d.rows == 1;
}

template void Batch::set_otherwise(Data&, int64_t);
template void Batch::set_otherwise(Data&, std::string_view);

void Batch::set_real(int column, double v) {
  Data& d = data(column);
  assert(rows_ > 0 && d.storage == Storage::kReal);
  if (d.rows + 1 != rows_) return set_otherwise(d, v);
  if (d.same) {
    if (d.rows == 0 || std::bit_cast<uint64_t>(d.reals.front()) != std::bit_cast<uint64_t>(v)) return set_otherwise(d, v);
    ++d.rows;
    return;
  }
  d.reals.push_back(v);
  append_valid(d);
}

void Batch::drop_row() {
  assert(rows_ > 0);
  --rows_;
  for (Data& d : columns_) {
    if (d.rows <= rows_) continue;
    d.rows = rows_;
    if (d.same && rows_ > 0) continue;
    if (!d.valid.empty()) d.valid.resize(rows_);
    if (!d.numbers.empty()) d.numbers.resize(rows_);
    if (!d.reals.empty()) d.reals.resize(rows_);
    if (!d.ends.empty()) {
      d.ends.resize(rows_);
      d.chars.resize(rows_ ? d.ends[rows_ - 1] : 0);
    }
    if (rows_ == 0) d.same = true;
  }
}

void Batch::clear() {
  rows_ = 0;
  for (Data& d : columns_) {
    d.rows = 0;
    d.same = true;
    d.numbers.clear();
    d.reals.clear();
    d.ends.clear();
    d.chars.clear();
    d.valid.clear();
  }
}

bool Batch::is_null(int column, size_t row) const {
  const Data& d = data(column);
  return row >= d.rows || (!d.valid.empty() && !d.valid[row]);
}

int64_t Batch::number(int column, size_t row) const {
  const Data& d = data(column);
  return row < d.rows ? d.numbers[d.same ? 0 : row] : 0;
}

double Batch::real(int column, size_t row) const {
  const Data& d = data(column);
  return row < d.rows ? d.reals[d.same ? 0 : row] : 0;
}

std::string_view Batch::text(int column, size_t row) const {
  const Data& d = data(column);
  if (row >= d.rows) return {};
  if (d.same) return d.chars;
  const uint64_t from = row ? d.ends[row - 1] : 0;
  return std::string_view(d.chars).substr(from, d.ends[row] - from);
}

ColumnView<int64_t> Batch::numbers(int column) const {
  assert(data(column).storage == Storage::kNumber);
  return view(data(column), data(column).numbers);
}

ColumnView<double> Batch::reals(int column) const {
  assert(data(column).storage == Storage::kReal);
  return view(data(column), data(column).reals);
}

TextView Batch::texts(int column) const {
  assert(data(column).storage == Storage::kText);
  const Data& d = data(column);
  return {view(d, d.ends), d.chars.data()};
}

std::string Batch::to_text(int column, size_t row) const {
  if (is_null(column, row)) return {};
  switch (table_->columns[static_cast<size_t>(column)].type) {
    case Type::kBool: return number(column, row) ? "true" : "false";
    case Type::kInt:
    case Type::kLong: return std::to_string(number(column, row));
    case Type::kReal:
    case Type::kDecimal: return fmt::format("{}", real(column, row));
    case Type::kDatetime: return format_datetime(number(column, row));
    case Type::kTimespan: return format_timespan(number(column, row));
    default: return std::string(text(column, row));
  }
}

size_t Batch::bytes() const {
  size_t n = 0;
  for (const Data& d : columns_) n += d.numbers.size() * 8 + d.reals.size() * 8 + d.ends.size() * 8 + d.chars.size() + d.valid.size();
  return n;
}

}  // namespace egret::model
