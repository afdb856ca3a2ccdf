#pragma once
// The engine behind KQL: embedded DuckDB. One process writes a data folder; queries are read-only and see no files.
//
// Every stored table T lies as "T$hot" with only those columns that some row has set (columns come as they are first used),
// and a view "T" of the full declared schema over it, so that wide ASIM tables cost what they hold. Beside an address
// column X stands "X$ip" (HUGEINT). _RowId, _IngestionTime and _SourceId are in every table.
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "kql/compile.h"
#include "model/batch.h"

namespace egret::store {

struct EngineOptions {
  std::filesystem::path folder;  // the data folder; empty: in memory
  uint64_t memory_bytes = 0;     // 0: 60 % of the machine's memory
  int threads = 0;               // 0: all cores
  bool read_only = false;
};

// Did open() fail because another process has the data folder? Trying again later may succeed.
bool is_in_use(const Error& error);

class Engine {
 public:
  static Result<std::unique_ptr<Engine>> open(const EngineOptions& options);
  virtual ~Engine() = default;

  // Appends to the table of the batch's name. Visible to queries after commit(); durable when commit() returned.
  // ingestion_time stamps the rows. Thread-safe.
  virtual Result<void> append(const model::Batch& batch, Ticks ingestion_time) = 0;
  virtual Result<void> commit() = 0;
  // Moves what many small commits left (a table's rows in the hot file, small sealed files of a day) into larger sealed files, where
  // there is enough of it; each table in a transaction of its own, so that a crash loses and doubles nothing. Call it after commit();
  // with rows that are not committed it does nothing. Waits for running queries at its end.
  virtual Result<void> roll() = 0;
  // A small fact under a name, committed together with the rows appended before and after it: how far a source was read.
  virtual Result<void> remember(std::string_view name, std::string_view value) = 0;
  // The facts whose name begins so.
  virtual Result<std::map<std::string, std::string>> remembered(std::string_view prefix) = 0;

  // Makes the batch a table of that name for queries of this process (EvidenceAlert, …), replacing an earlier one.
  virtual Result<void> put_temporary(std::string_view name, const model::Batch& batch) = 0;
  // Defines or replaces a KQL function for queries of this process: "(a:string) { … }"; comment lines before it are its doc.
  virtual void define_function(std::string name, std::string text) = 0;

  // Tables (declared, published, temporary) and functions (content/functions, defined) as the binder sees them.
  virtual const kql::Catalogue& catalogue() const = 0;
  virtual uint64_t row_count(std::string_view table) = 0;  // stored rows; 0 for a table that has none
  virtual std::vector<std::string> stored_tables() = 0;

  // KQL to a query that can be run again and again. `name` stands in front of the diagnostics ("query", a file's name).
  virtual Result<kql::Query> compile(std::string_view kql, Ticks now, std::string_view name = "query") = 0;
  // Compiles and runs KQL. A query's errors come as ErrorKind::kUsage with the formatted diagnostics as message.
  virtual Result<model::Batch> query(std::string_view kql, Ticks now) = 0;
  // Runs a compiled query; one SELECT only, inside a read-only transaction.
  virtual Result<model::Batch> run(const kql::Query& query) = 0;
  // As run, but hands over chunk by chunk (about 2,048 rows each); `each` returns false to stop.
  virtual Result<void> stream(const kql::Query& query, const std::function<bool(const model::Batch&)>& each) = 0;
  // Stops the running query from another thread.
  virtual void interrupt() = 0;
};

}  // namespace egret::store
