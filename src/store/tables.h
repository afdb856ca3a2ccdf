#pragma once
// What the engine knows of its tables: which columns lie on disk, which shape the binder sees, and the view between the two.
// It is the binder's catalogue. Thread-safe.
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kql/compile.h"
#include "store/chunks.h"

namespace egret::store {

// A Parquet file with rows of a table; see sealed.h.
struct SealedFile {
  std::string table, path;
  std::vector<std::string> columns = {};
  Ticks from = 0, to = 0;               // of TimeGenerated; 0 when the table has none
  int64_t first_row = 0, last_row = 0;  // _RowId
  uint64_t rows = 0, bytes = 0;
};

// A physical table and its sealed files. A missing column reads as null ('' for strings).
struct StoredTable {
  std::string physical;               // hot.main."T$hot", quoted
  std::vector<StoredColumn> columns;  // of the physical table; a sealed file has some of them
  std::vector<SealedFile> sealed;
  bool has(std::string_view column) const;
};

// Rows of the table as they lie: its columns, then the hidden ones. Those of the hot file, of the given sealed files, or of both.
std::string rows_sql(const StoredTable& table, bool hot, const std::vector<SealedFile>& files);

class Tables final : public kql::Catalogue {
 public:
  // kql::Catalogue
  const model::Table* table(std::string_view name) const override;
  std::optional<std::string> function(std::string_view name) const override;
  std::vector<std::string> names() const override;

  // The table lies there now; its view is made anew by each reader. A temporary table hides the stored one of its name.
  // `shape` gives what the binder sees where no catalogue declares the table; may be null.
  void publish(std::string_view name, StoredTable table, bool temporary, const model::Table* shape);
  std::optional<StoredTable> stored(std::string_view name) const;
  std::optional<StoredTable> temporary(std::string_view name) const;
  std::vector<std::string> stored_names() const;
  void define_function(std::string name, std::string text);

  struct View {
    uint64_t version;
    std::string sql;  // CREATE OR REPLACE TEMP VIEW "T" AS …
  };
  // Nothing when the reader's version is still right or no such table is known.
  std::optional<View> view(std::string_view name, std::optional<uint64_t> have) const;

 private:
  struct Entry {
    std::optional<StoredTable> stored, temporary;
    const model::Table* stored_shape = nullptr;
    const model::Table* temporary_shape = nullptr;
    uint64_t version = 1;
  };
  const model::Table* shape_locked(std::string_view name) const;
  const model::Table* keep(model::Table table);

  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::map<std::string, std::string, std::less<>> functions_;
  std::vector<std::unique_ptr<model::Table>> kept_;  // compiled queries point to them: they stay
};

}  // namespace egret::store
