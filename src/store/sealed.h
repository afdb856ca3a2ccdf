#pragma once
// Large batches do not pass through the hot file: they become sealed Parquet files at once, parquet/TABLE/DAY/HOUR-ROWID.parquet by
// the time of their first row. The engine lists a file in the hot database's "$files" within the transaction that brought its
// rows, so that a commit publishes both or none; a file that is not listed is what a crash left, and goes when a writer opens.
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

class Sealer {
 public:
  explicit Sealer(std::filesystem::path root) : root_(std::move(root)) {}
  Result<void> add(const model::Batch& batch, const RowStamp& stamp);
  // Everything added since the last call: whole files, on the disk.
  Result<std::vector<SealedFile>> finish();
  void abandon();

 private:
  struct Open {
    std::unique_ptr<ParquetFile> file;
    SealedFile facts;
    Ticks day;
  };
  Result<void> finish(Open open);

  std::filesystem::path root_;
  std::map<std::string, Open, std::less<>> open_;  // by table
  std::vector<SealedFile> done_;
};

// The table of the hot database, its rows, and the statement that adds one.
std::string create_files_sql();
Result<std::vector<SealedFile>> read_files(Connection& connection, const std::filesystem::path& root);
std::string note_file_sql(const SealedFile& file, const std::filesystem::path& root);

// Removes files below root that are not among those listed.
void remove_unlisted(const std::filesystem::path& root, const std::vector<SealedFile>& listed);

}  // namespace egret::store
