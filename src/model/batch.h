#pragma once
// Rows on their way: typed columns of one table. Decoders fill a Batch, the store appends it, queries return one.
// A column that no row has set costs nothing.
//
//   Batch b(*find_table("ASimDnsActivityLogs"));
//   const int query = b.column("DnsQuery");        // once per decoder
//   b.add_row(); b.set_string(query, "ifconfig.co"); b.set_datetime(time, t);
#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/table.h"

namespace egret::model {

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

  // Reading. For strings null reads as ''.
  bool used(int column) const { return !columns_[static_cast<size_t>(column)].valid.empty(); }
  bool is_null(int column, size_t row) const;
  int64_t number(int column, size_t row) const;  // bool, int, long, datetime, timespan; 0 when null
  double real(int column, size_t row) const;
  std::string_view text(int column, size_t row) const;  // string, dynamic, guid; valid until the next set
  // Any value as text, in KQL's output form (what `tostring` gives).
  std::string to_text(int column, size_t row) const;

  // Where the rows come from: EgretSources.SourceId, or 0.
  int source_id = 0;
  size_t bytes() const;  // memory held, approximate

 private:
  struct Data {
    std::vector<int64_t> numbers;
    std::vector<double> reals;
    std::vector<uint64_t> ends;  // text i is chars[ends[i-1], ends[i])
    std::string chars;
    std::vector<uint8_t> valid;  // 0 or 1, one per row up to the last set one; bits cost more to append
  };
  void set_number(int column, int64_t v);
  void set_text(int column, std::string_view v);
  void pad(Data& d, int column, size_t rows) const;

  std::shared_ptr<const Table> owned_;
  const Table* table_;
  std::vector<Data> columns_;
  size_t rows_ = 0;
};

}  // namespace egret::model
