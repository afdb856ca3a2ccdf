#pragma once
// Between model::Batch and the engine's vectors.
#include "model/batch.h"
#include "store/duck.h"

namespace egret::store {

// What a physical table ("T$hot") consists of, besides the hidden columns, which come first.
struct StoredColumn {
  std::string name;
  model::Type type = model::Type::kString;
  bool is_address = false;  // "<name>$ip" stands right behind it
  bool operator==(const StoredColumn&) const = default;
};

// Adds the chunk's rows to a batch whose table says the types of the columns, in order.
Result<void> read_chunk(duckdb_data_chunk chunk, model::Batch& into);

// The text as the engine takes it: bytes that are no UTF-8 become U+FFFD, in `scratch`.
std::string_view engine_text(std::string_view text, std::string& scratch);

struct RowStamp {
  int64_t first_row_id;
  Ticks ingestion_time;
};
struct AppendTarget {
  const char* catalogue;  // the attached database
  std::string table;      // its name there
};
// Appends inside the connection's open transaction. Every used column of the batch must be in the table; the table's other
// columns take their default.
Result<void> append_batch(duckdb_connection connection, const AppendTarget& target, const model::Batch& batch, const RowStamp& stamp);

}  // namespace egret::store
