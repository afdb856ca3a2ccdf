#pragma once
// Rows at rest. Large batches do not pass through the hot file: they become sealed Parquet files at once,
// parquet/TABLE/DAY/HOUR-ROWID.parquet (moved rows: HOUR-mNUMBER.parquet) by the time of their first row. The engine lists a file in the
// hot database's "$files" within the transaction that brought its rows, so that a commit publishes both or none. What many small batches
// left in the hot file, and small files of one day, are moved into larger ones in the same way (Engine::roll). A file that is not listed is
// what a crash left, and goes when a writer opens.
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/batch.h"
#include "store/parquet_file.h"
#include "store/tables.h"

namespace egret::store {

// Below this a file of its own is not worth it: a query opens every file that its times do not exclude.
inline constexpr size_t kSealRows = 8192;
// So many rows of one table in the hot file become a sealed one.
inline constexpr uint64_t kRollRows = 32'768;
// So many files of a day with less than half a row group each become one.
inline constexpr size_t kJoinFiles = 8;
inline constexpr uint64_t kSmallFileRows = 61'440;

class Sealer {
 public:
  explicit Sealer(std::filesystem::path root) : root_(std::move(root)) {}
  Result<void> add(const model::Batch& batch, const RowStamp& stamp);
  // Rows of the table that lie elsewhere, as rows_sql() selects them. `number` goes into the names of the files: one that no file has
  // had yet, since files that these are made of may still be listed after a crash. Returns how many rows it were.
  Result<uint64_t> add_again(Connection& connection, const std::string& name, const StoredTable& table, const std::string& rows,
                             int64_t number);
  // Everything added since the last call: whole files, on the disk.
  Result<std::vector<SealedFile>> finish();
  void abandon();

 private:
  struct Open {
    std::unique_ptr<ParquetFile> file;
    SealedFile facts;
    Ticks day;
  };
  Result<void> put(const model::Batch& batch, std::vector<StoredColumn> columns, const std::string& number, int64_t first_row,
                   int64_t last_row, const RowStamp* stamp);
  Result<void> finish(Open open);

  std::filesystem::path root_;
  std::map<std::string, Open, std::less<>> open_;  // by table
  std::vector<SealedFile> done_;
};

// The table of the hot database, its rows, and the statement that adds one.
std::string create_files_sql();
Result<std::vector<SealedFile>> read_files(Connection& connection, const std::filesystem::path& root);
std::string note_file_sql(const SealedFile& file, const std::filesystem::path& root);
std::string forget_file_sql(const SealedFile& file, const std::filesystem::path& root);

// Files of a day that are small, and so many that they are better one.
std::vector<std::vector<SealedFile>> files_to_join(const StoredTable& table);

// Removes files below root that are not among those listed.
void remove_unlisted(const std::filesystem::path& root, const std::vector<SealedFile>& listed);

}  // namespace egret::store
