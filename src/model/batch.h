#pragma once
// Rows on their way: typed columns of one table. Decoders fill a Batch, the store appends it, queries return one.
// A column that no row has set costs nothing, and one that says the same in every row is kept once: most columns of a log are such.
//
//   Batch b(*find_table("ASimDnsActivityLogs"));
//   const int query = b.column("DnsQuery");        // once per decoder
//   b.add_row(); b.set_string(query, "ifconfig.co"); b.set_datetime(time, t);
#include <cassert>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/table.h"

namespace egret::model {

// All of a column, for whoever takes the whole of it.
template <typename T>
struct ColumnView {
  size_t rows = 0;                      // up to the last one that was set; those behind it are null
  bool same = false;                    // `values` has one entry, which is that of every row up to there
  std::span<const T> values = {};       // else one for each of them; what stands at a null is not defined
  std::span<const uint8_t> valid = {};  // 0 where null; empty: none of them is
};
struct TextView : ColumnView<uint64_t> {  // values: where text i ends in chars; it begins where the one before ends
  const char* chars = nullptr;
  std::string_view at(size_t row) const {
    const uint64_t from = row ? values[row - 1] : 0;
    return {chars + from, values[row] - from};
  }
};

class Batch {
 public:
  explicit Batch(const Table& table);                  // table must outlive the batch
  explicit Batch(std::shared_ptr<const Table> table);  // shape of a query result: owned, since no catalogue holds it
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;

  const Table& table() const { return *table_; }
  size_t rows() const { return rows_; }
  bool empty() const { return rows_ == 0; }
  int column(std::string_view name) const;  // asserts that it exists: a decoder's column names are fixed in code
  int find_column(std::string_view name) const { return table_->find(name); }

  // Starts a row; every column not set stays null ('' for strings).
  void add_row();
  // These set a column of the last row; setting twice keeps the later value. The type must be the column's.
  void set_bool(int column, bool v) { set_number(column, v); }
  void set_int(int column, int64_t v) { set_number(column, v); }  // int and long
  void set_real(int column, double v);
  void set_datetime(int column, Ticks v) { set_number(column, v); }
  void set_timespan(int column, Ticks v) { set_number(column, v); }
  void set_string(int column, std::string_view v) { set_text(column, v); }
  void set_dynamic(int column, std::string_view json) { set_text(column, json); }
  void set_guid(int column, std::string_view v) { set_text(column, v); }
  void drop_row();  // takes the last row back
  void clear();     // no rows, the memory stays for the next

  // Reading. For strings null reads as ''.
  bool used(int column) const { return columns_[static_cast<size_t>(column)].rows > 0; }
  bool is_null(int column, size_t row) const;
  int64_t number(int column, size_t row) const;  // bool, int, long, datetime, timespan; 0 when null
  double real(int column, size_t row) const;
  std::string_view text(int column, size_t row) const;  // string, dynamic, guid; valid until the next set
  ColumnView<int64_t> numbers(int column) const;        // valid until the next set, as the following
  ColumnView<double> reals(int column) const;
  TextView texts(int column) const;
  // Any value as text, in KQL's output form (what `tostring` gives).
  std::string to_text(int column, size_t row) const;

  // Where the rows come from: EgretSources.SourceId, or 0.
  int source_id = 0;
  size_t bytes() const;  // that the rows take, approximate

 private:
  enum class Storage : uint8_t { kNumber, kReal, kText };
  struct Data {
    Storage storage = Storage::kNumber;
    bool same = true;  // one value is kept, that of all rows
    size_t rows = 0;   // up to the last set one
    std::vector<int64_t> numbers;
    std::vector<double> reals;
    std::vector<uint64_t> ends;  // text i is chars[ends[i-1], ends[i])
    std::string chars;
    std::vector<uint8_t> valid;  // 0 or 1, one per row; empty while none is null. Bits cost more to append
  };
  Data& data(int column) { return columns_[static_cast<size_t>(column)]; }
  const Data& data(int column) const { return columns_[static_cast<size_t>(column)]; }

  void set_number(int column, int64_t v) {
    Data& d = data(column);
    assert(rows_ > 0 && d.storage == Storage::kNumber);
    if (d.rows + 1 != rows_) return set_otherwise(d, v);
    if (d.same) {
      if (d.rows == 0 || d.numbers.front() != v) return set_otherwise(d, v);
      ++d.rows;
      return;
    }
    d.numbers.push_back(v);
    append_valid(d);
  }
  void set_text(int column, std::string_view v) {
    Data& d = data(column);
    assert(rows_ > 0 && d.storage == Storage::kText);
    if (d.rows + 1 != rows_) return set_otherwise(d, v);
    if (d.same) {
      if (d.rows == 0 || d.chars != v) return set_otherwise(d, v);
      ++d.rows;
      return;
    }
    d.chars.append(v);
    d.ends.push_back(d.chars.size());
    append_valid(d);
  }
  static void append_valid(Data& d) {
    ++d.rows;
    if (!d.valid.empty()) d.valid.push_back(1);
  }
  // Everything but one more value of a column whose rows differ, or one more that is the same.
  template <typename T>
  void set_otherwise(Data& d, T v);
  template <typename T>
  ColumnView<T> view(const Data& d, const std::vector<T>& values) const {
    return {.rows = d.rows, .same = d.rows > 0 && d.same, .values = values, .valid = d.valid};
  }

  std::shared_ptr<const Table> owned_;
  const Table* table_;
  std::vector<Data> columns_;
  size_t rows_ = 0;
};

}  // namespace egret::model
