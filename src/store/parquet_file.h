#pragma once
// Writes rows as a Parquet file, a row group for each batch: the sealed form of a table's rows. A load of a big log spends most of
// its time here, so the columns are encoded straight from the batch: differences for integers, dictionaries for texts as long as they
// repeat, a dictionary of one for a column that says the same in every row (it costs nothing), no compression on top.
//
// Columns: _RowId, _IngestionTime, _SourceId, then those given, all optional. An address column X is followed by "X$high" and
// "X$low", the halves of the address's value, since Parquet has no integer that wide.
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/batch.h"
#include "store/chunks.h"

namespace egret::store {

class ParquetFile {
 public:
  // Writes to `path`.new until finish().
  static Result<std::unique_ptr<ParquetFile>> create(const std::filesystem::path& path, std::vector<StoredColumn> columns);
  ~ParquetFile();  // removes what was not finished
  ParquetFile(const ParquetFile&) = delete;
  ParquetFile& operator=(const ParquetFile&) = delete;

  // The batch has the columns given; one that it does not use is null in its rows ('' for strings). Without a stamp the batch has
  // the hidden columns as well.
  Result<void> add(const model::Batch& batch, const RowStamp* stamp);
  // Footer, synced to the disk, renamed: the file is whole when this returns.
  Result<void> finish();

  const std::vector<StoredColumn>& columns() const { return columns_; }
  uint64_t rows() const { return rows_; }
  uint64_t bytes() const { return written_; }

 private:
  struct Field;
  struct Chunk;
  ParquetFile(std::filesystem::path path, std::vector<StoredColumn> columns);
  struct Texts;
  void put_chunk(const Field& field, const Chunk& chunk, size_t rows);
  // Null in every row, or the same in every row.
  void nothing(const Field& field, size_t rows);
  void constant(const Field& field, int64_t value, size_t rows);
  // Without `valid` none is null. `ordered`: the smallest and largest value go into the statistics.
  void integers(const Field& field, std::span<const int64_t> values, std::span<const uint8_t> valid, size_t rows, bool ordered);
  void indexed(const Field& field, std::span<const int64_t> values, const Texts& texts, std::span<const uint8_t> known);
  void numbers(const Field& field, const model::Batch& batch, int column);
  void reals(const Field& field, const model::Batch& batch, int column);
  Texts texts(const Field& field, const model::Batch& batch, int column);
  void addresses(const Field& high, const Field& low, const Texts& texts);
  Result<void> write_out();

  std::filesystem::path path_;
  std::vector<StoredColumn> columns_;
  std::vector<Field> fields_;
  int fd_ = -1;
  std::string buffer_;    // not written yet
  uint64_t written_ = 0;  // the file's length without the buffer
  uint64_t rows_ = 0;
  std::string row_groups_;    // their metadata, encoded
  std::string group_chunks_;  // of the row group being made
  size_t groups_ = 0;
};

}  // namespace egret::store
