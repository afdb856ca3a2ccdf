#include "model/batch.h"

#include <fmt/format.h>

namespace egret::model {
namespace {

enum class Storage { kNumber, kReal, kText };

Storage storage_of(Type t) {
  switch (t) {
    case Type::kReal:
    case Type::kDecimal: return Storage::kReal;
    case Type::kString:
    case Type::kDynamic:
    case Type::kGuid: return Storage::kText;
    default: return Storage::kNumber;
  }
}

}  // namespace

Batch::Batch(const Table& table) : table_(&table), columns_(table.columns.size()) {}
Batch::Batch(std::shared_ptr<const Table> table) : owned_(std::move(table)), table_(owned_.get()), columns_(table_->columns.size()) {}

int Batch::column(std::string_view name) const {
  const int c = table_->find(name);
  if (c < 0) fmt::print(stderr, "egret: table {} has no column {}\n", table_->name, name);
  assert(c >= 0 && "no such column");
  return c;
}

void Batch::add_row() { ++rows_; }

// Brings a column to `rows` entries, the missing ones null.
void Batch::pad(Data& d, int column, size_t rows) const {
  const size_t have = d.valid.size();
  if (have >= rows) return;
  d.valid.resize(rows, 0);
  switch (storage_of(table_->columns[static_cast<size_t>(column)].type)) {
    case Storage::kNumber: d.numbers.resize(rows, 0); break;
    case Storage::kReal: d.reals.resize(rows, 0); break;
    case Storage::kText: d.ends.resize(rows, d.chars.size()); break;
  }
}

void Batch::set_number(int column, int64_t v) {
  assert(rows_ > 0 && storage_of(table_->columns[static_cast<size_t>(column)].type) == Storage::kNumber);
  Data& d = columns_[static_cast<size_t>(column)];
  if (d.valid.size() + 1 == rows_) {  // the usual case: every row sets it
    d.numbers.push_back(v);
    d.valid.push_back(1);
    return;
  }
  pad(d, column, rows_);
  d.numbers.back() = v;
  d.valid.back() = 1;
}

void Batch::set_real(int column, double v) {
  assert(rows_ > 0 && storage_of(table_->columns[static_cast<size_t>(column)].type) == Storage::kReal);
  Data& d = columns_[static_cast<size_t>(column)];
  pad(d, column, rows_);
  d.reals.back() = v;
  d.valid.back() = 1;
}

void Batch::set_text(int column, std::string_view v) {
  assert(rows_ > 0 && storage_of(table_->columns[static_cast<size_t>(column)].type) == Storage::kText);
  Data& d = columns_[static_cast<size_t>(column)];
  if (d.valid.size() + 1 == rows_) {
    d.chars.append(v);
    d.ends.push_back(d.chars.size());
    d.valid.push_back(1);
    return;
  }
  const std::string kept = d.valid.size() == rows_ ? std::string(v) : std::string();  // v may alias chars
  if (d.valid.size() == rows_) {
    d.chars.resize(rows_ > 1 ? d.ends[rows_ - 2] : 0);
    d.chars += kept;
  } else {
    pad(d, column, rows_);
    d.chars += v;
  }
  d.ends.back() = d.chars.size();
  d.valid.back() = 1;
}

void Batch::drop_row() {
  assert(rows_ > 0);
  --rows_;
  for (size_t c = 0; c < columns_.size(); ++c) {
    Data& d = columns_[c];
    if (d.valid.size() <= rows_) continue;
    d.valid.resize(rows_);
    if (!d.numbers.empty()) d.numbers.resize(rows_);
    if (!d.reals.empty()) d.reals.resize(rows_);
    if (!d.ends.empty()) {
      d.ends.resize(rows_);
      d.chars.resize(rows_ ? d.ends[rows_ - 1] : 0);
    }
  }
}

bool Batch::is_null(int column, size_t row) const {
  const Data& d = columns_[static_cast<size_t>(column)];
  return row >= d.valid.size() || !d.valid[row];
}

int64_t Batch::number(int column, size_t row) const {
  const Data& d = columns_[static_cast<size_t>(column)];
  return row < d.numbers.size() ? d.numbers[row] : 0;
}

double Batch::real(int column, size_t row) const {
  const Data& d = columns_[static_cast<size_t>(column)];
  return row < d.reals.size() ? d.reals[row] : 0;
}

std::string_view Batch::text(int column, size_t row) const {
  const Data& d = columns_[static_cast<size_t>(column)];
  if (row >= d.ends.size()) return {};
  const uint64_t from = row ? d.ends[row - 1] : 0;
  return std::string_view(d.chars).substr(from, d.ends[row] - from);
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
  for (const Data& d : columns_)
    n += d.numbers.capacity() * 8 + d.reals.capacity() * 8 + d.ends.capacity() * 8 + d.chars.capacity() + d.valid.capacity();
  return n;
}

}  // namespace egret::model
