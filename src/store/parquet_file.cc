#include "store/parquet_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <optional>

#include "base/ip.h"
#include "store/folder.h"
#include "store/parquet_encoding.h"

namespace egret::store {
namespace {

using model::Batch;
using model::Type;

// Numbers of parquet.thrift.
enum Physical { kBoolean = 0, kInt32 = 1, kInt64 = 2, kDouble = 5, kByteArray = 6 };
enum Converted { kNone = -1, kUtf8 = 0, kUint64 = 14 };
enum Encoding { kPlain = 0, kRle = 3, kDelta = 5, kDictionary = 8 };

constexpr std::string_view kMagic = "PAR1";
// A text column that repeats less than this is written plainly: its dictionary would be as large as itself.
constexpr size_t kLooksFrom = 4096;
constexpr size_t kMostDistinct = 100'000;

Physical physical(Type type) {
  switch (type) {
    case Type::kBool: return kBoolean;
    case Type::kInt: return kInt32;
    case Type::kReal:
    case Type::kDecimal: return kDouble;
    case Type::kString:
    case Type::kDynamic:
    case Type::kGuid: return kByteArray;
    default: return kInt64;
  }
}

std::unexpected<Error> failed(const std::filesystem::path& path) {
  return unavailable(fmt::format("{}: {}", path.string(), std::strerror(errno)));
}

// Which of the rows are not null; empty when all are there. What has to be made for it lies in `made`.
template <typename T>
std::span<const uint8_t> valid_of(const model::ColumnView<T>& column, size_t rows, std::vector<uint8_t>& made) {
  if (column.rows == rows) return column.valid;
  made.assign(rows, 0);
  if (column.valid.empty()) {
    std::fill_n(made.begin(), column.rows, 1);
  } else {
    std::copy(column.valid.begin(), column.valid.end(), made.begin());
  }
  return made;
}

// The values of rows that are not null. `from` has one for each row, or one for all.
template <typename T>
std::vector<T> those_there(std::span<const T> from, bool same, std::span<const uint8_t> valid) {
  std::vector<T> there;
  there.reserve(valid.size());
  for (size_t row = 0; row < valid.size(); ++row)
    if (valid[row]) there.push_back(from[same ? 0 : row]);
  return there;
}

size_t nulls_in(std::span<const uint8_t> valid) { return static_cast<size_t>(std::count(valid.begin(), valid.end(), 0)); }

std::filesystem::path aside(const std::filesystem::path& path) { return path.string() + ".new"; }

}  // namespace

struct ParquetFile::Field {
  std::string name;
  Physical type;
  Converted converted = kNone;
};

// The pages of one column in one row group, and what the footer says of them.
struct ParquetFile::Chunk {
  std::string dictionary, data;  // bodies; an empty dictionary is none
  size_t distinct = 0;
  Encoding encoding = kPlain;
  size_t nulls = 0;
  std::string least, most;  // statistics, PLAIN; empty: none
};

// The texts of a column: where they repeat, with their dictionary.
struct ParquetFile::Texts {
  model::TextView column;
  size_t rows;
  bool repeat = false;
  std::vector<uint8_t> made = {};
  std::span<const uint8_t> valid = {};  // empty: none is null
  TextDictionary dictionary = {};
  std::vector<uint32_t> indexes = {};  // of those that are not null
  // A string is '' in rows that never set it.
  std::string_view at(size_t row) const { return row >= column.rows ? std::string_view() : column.at(column.same ? 0 : row); }
};

ParquetFile::ParquetFile(std::filesystem::path path, std::vector<StoredColumn> columns)
    : path_(std::move(path)), columns_(std::move(columns)) {
  fields_ = {{"_RowId", kInt64}, {"_IngestionTime", kInt64}, {"_SourceId", kInt32}};
  for (const StoredColumn& c : columns_) {
    const Physical type = physical(c.type);
    fields_.push_back({c.name, type, type == kByteArray ? kUtf8 : kNone});
    if (!c.is_address) continue;
    fields_.push_back({c.name + "$high", kInt64});
    fields_.push_back({c.name + "$low", kInt64, kUint64});
  }
}

ParquetFile::~ParquetFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(aside(path_).c_str());
}

Result<std::unique_ptr<ParquetFile>> ParquetFile::create(const std::filesystem::path& path, std::vector<StoredColumn> columns) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return unavailable(fmt::format("{}: {}", path.parent_path().string(), error.message()));
  std::unique_ptr<ParquetFile> file(new ParquetFile(path, std::move(columns)));
  file->fd_ = open(aside(path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file->fd_ < 0) return failed(aside(path));
  file->buffer_ = kMagic;
  return file;
}

Result<void> ParquetFile::write_out() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t n = write(fd_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(path_);
    rest.remove_prefix(static_cast<size_t>(n));
  }
  // The disk begins to write while the next rows are made: less is left for the sync at the end.
  (void)sync_file_range(fd_, static_cast<off_t>(written_), static_cast<off_t>(buffer_.size()), SYNC_FILE_RANGE_WRITE);
  written_ += buffer_.size();
  buffer_.clear();
  return {};
}

void ParquetFile::put_chunk(const Field& field, const Chunk& chunk, size_t rows) {
  const uint64_t begin = written_ + buffer_.size();
  const auto page = [&](int type, const std::string& body, const auto& header) {
    ThriftWriter t(buffer_);
    t.i32(1, type);
    t.i32(2, static_cast<int64_t>(body.size()));
    t.i32(3, static_cast<int64_t>(body.size()));
    header(t);
    t.end_struct();
    buffer_ += body;
  };
  const bool dictionary = chunk.encoding == kDictionary;
  if (dictionary)
    page(2, chunk.dictionary, [&](ThriftWriter& t) {
      t.begin_struct(7);
      t.i32(1, static_cast<int64_t>(chunk.distinct));
      t.i32(2, kPlain);
      t.end_struct();
    });
  const uint64_t data_at = written_ + buffer_.size();
  page(0, chunk.data, [&](ThriftWriter& t) {
    t.begin_struct(5);
    t.i32(1, static_cast<int64_t>(rows));
    t.i32(2, chunk.encoding);
    t.i32(3, kRle);
    t.i32(4, kRle);
    t.end_struct();
  });
  const auto size = static_cast<int64_t>(written_ + buffer_.size() - begin);

  ThriftWriter t(group_chunks_);  // a ColumnChunk
  t.i64(2, static_cast<int64_t>(begin));
  t.begin_struct(3);
  t.i32(1, field.type);
  t.begin_list(2, ThriftWriter::kI32, 3);
  t.element(kPlain);
  t.element(kRle);
  t.element(chunk.encoding);
  t.begin_list(3, ThriftWriter::kBinary, 1);
  t.element(field.name);
  t.i32(4, 0);  // not compressed
  t.i64(5, static_cast<int64_t>(rows));
  t.i64(6, size);
  t.i64(7, size);
  t.i64(9, static_cast<int64_t>(data_at));
  if (dictionary) t.i64(11, static_cast<int64_t>(begin));
  t.begin_struct(12);
  t.i64(3, static_cast<int64_t>(chunk.nulls));
  if (!chunk.least.empty()) {
    t.binary(5, chunk.most);
    t.binary(6, chunk.least);
  }
  t.end_struct();
  t.end_struct();
  t.end_struct();
}

void ParquetFile::nothing(const Field& field, size_t rows) {
  Chunk chunk;
  const std::vector<uint8_t> valid(rows, 0);
  put_levels(chunk.data, valid, rows);
  chunk.nulls = rows;
  put_chunk(field, chunk, rows);
}

void ParquetFile::constant(const Field& field, int64_t value, size_t rows) {
  Chunk chunk;
  put_levels(chunk.data, {}, rows);
  if (field.type == kBoolean) {
    chunk.data.append((rows + 7) / 8, value ? '\xff' : '\0');
    return put_chunk(field, chunk, rows);
  }
  if (field.type == kInt32) {
    put_raw(chunk.dictionary, static_cast<int32_t>(value));
  } else {
    put_raw(chunk.dictionary, value);
  }
  chunk.distinct = 1;
  chunk.encoding = kDictionary;
  put_first_index(chunk.data, rows);
  if (field.converted == kNone) chunk.least = chunk.most = chunk.dictionary;
  put_chunk(field, chunk, rows);
}

void ParquetFile::integers(const Field& field, std::span<const int64_t> values, std::span<const uint8_t> valid, size_t rows, bool ordered) {
  Chunk chunk;
  put_levels(chunk.data, valid, rows);
  chunk.nulls = nulls_in(valid);
  std::vector<int64_t> there;
  if (chunk.nulls > 0) values = there = those_there(values, false, valid);
  if (field.type == kBoolean) {
    for (size_t i = 0; i < values.size(); i += 8) {
      unsigned byte = 0;
      for (size_t k = 0; k < 8 && i + k < values.size(); ++k) byte |= (values[i + k] ? 1u : 0u) << k;
      chunk.data.push_back(static_cast<char>(byte));
    }
    return put_chunk(field, chunk, rows);
  }
  chunk.encoding = kDelta;
  const bool narrow = field.type == kInt32;
  put_delta(chunk.data, values, narrow ? 32 : 64);
  if (ordered && !values.empty()) {
    int64_t least = values[0], most = values[0];
    for (const int64_t v : values) {
      least = std::min(least, v);
      most = std::max(most, v);
    }
    for (const auto& [out, v] : {std::pair{&chunk.least, least}, {&chunk.most, most}}) {
      if (narrow) {
        put_raw(*out, static_cast<int32_t>(v));
      } else {
        put_raw(*out, v);
      }
    }
  }
  put_chunk(field, chunk, rows);
}

void ParquetFile::numbers(const Field& field, const Batch& batch, int column) {
  const model::ColumnView<int64_t> from = batch.numbers(column);
  const size_t rows = batch.rows();
  std::vector<uint8_t> made;
  const std::span<const uint8_t> valid = valid_of(from, rows, made);
  if (from.same && valid.empty()) return constant(field, from.values[0], rows);
  const bool ordered = field.type != kBoolean;
  if (!from.same) return integers(field, from.values, valid, rows, ordered);
  integers(field, std::vector<int64_t>(rows, from.values[0]), valid, rows, ordered);
}

void ParquetFile::reals(const Field& field, const Batch& batch, int column) {
  const model::ColumnView<double> from = batch.reals(column);
  const size_t rows = batch.rows();
  std::vector<uint8_t> made;
  const std::span<const uint8_t> valid = valid_of(from, rows, made);
  Chunk chunk;
  put_levels(chunk.data, valid, rows);
  chunk.nulls = nulls_in(valid);
  const auto put = [&](std::span<const double> values) {
    chunk.data.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  };
  if (!valid.empty()) {
    put(those_there(from.values, from.same, valid));
  } else if (from.same) {
    put(std::vector<double>(rows, from.values[0]));
  } else {
    put(from.values);
  }
  put_chunk(field, chunk, rows);
}

ParquetFile::Texts ParquetFile::texts(const Field& field, const Batch& batch, int column) {
  Texts t{.column = batch.texts(column), .rows = batch.rows()};
  const size_t rows = t.rows;
  Chunk chunk;
  std::string scratch;
  // A string is '' where it is not set, and never null.
  if (batch.table().columns[static_cast<size_t>(column)].type != Type::kString) t.valid = valid_of(t.column, rows, t.made);
  put_levels(chunk.data, t.valid, rows);
  chunk.nulls = nulls_in(t.valid);
  if (t.column.same && t.column.rows == rows) {
    t.repeat = true;
    t.dictionary.index(t.at(0));
    put_bytes(chunk.dictionary, engine_text(t.at(0), scratch));
    chunk.distinct = 1;
    chunk.encoding = kDictionary;
    put_first_index(chunk.data, rows);
    put_chunk(field, chunk, rows);
    return t;
  }
  t.repeat = true;
  t.indexes.reserve(rows);
  for (size_t row = 0; row < rows && t.repeat; ++row) {
    if (!t.valid.empty() && !t.valid[row]) continue;
    t.indexes.push_back(t.dictionary.index(t.at(row)));
    const size_t n = t.indexes.size();
    if (n % kLooksFrom == 0) t.repeat = t.dictionary.size() <= n / 2 && t.dictionary.size() <= kMostDistinct;
  }
  if (t.repeat) {
    for (const std::string_view text : t.dictionary.texts()) put_bytes(chunk.dictionary, engine_text(text, scratch));
    chunk.distinct = t.dictionary.size();
    chunk.encoding = kDictionary;
    put_indexes(chunk.data, t.indexes, t.dictionary.size());
  } else {
    t.indexes.clear();
    chunk.data.reserve(chunk.data.size() + rows * sizeof(uint32_t) + (t.column.same ? 0 : t.column.values.back()));
    for (size_t row = 0; row < rows; ++row)
      if (t.valid.empty() || t.valid[row]) put_bytes(chunk.data, engine_text(t.at(row), scratch));
  }
  put_chunk(field, chunk, rows);
  return t;
}

// One value for each text of the dictionary, null where that is not known.
void ParquetFile::indexed(const Field& field, std::span<const int64_t> values, const Texts& texts, std::span<const uint8_t> known) {
  const size_t unknown = nulls_in(known);
  if (unknown == known.size()) return nothing(field, texts.rows);
  const bool all = unknown == 0 && texts.valid.empty();
  if (all && std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == values[0]; }))
    return constant(field, values[0], texts.rows);
  Chunk chunk;
  std::vector<uint8_t> valid;
  std::vector<uint32_t> there;
  std::span<const uint32_t> indexes = texts.indexes;
  if (!all) {
    valid.assign(texts.rows, 0);
    there.reserve(indexes.size());
    size_t next = 0;
    for (size_t row = 0; row < texts.rows; ++row) {
      if (!texts.valid.empty() && !texts.valid[row]) continue;
      const uint32_t at = indexes[next++];
      if (!known[at]) continue;
      valid[row] = 1;
      there.push_back(at);
    }
    indexes = there;
  }
  put_levels(chunk.data, valid, texts.rows);
  chunk.nulls = nulls_in(valid);
  for (const int64_t v : values) put_raw(chunk.dictionary, v);
  chunk.distinct = values.size();
  chunk.encoding = kDictionary;
  put_indexes(chunk.data, indexes, values.size());
  put_chunk(field, chunk, texts.rows);
}

void ParquetFile::addresses(const Field& high, const Field& low, const Texts& texts) {
  const size_t n = texts.repeat ? texts.dictionary.size() : texts.rows;
  std::vector<int64_t> highs(n, 0), lows(n, 0);
  std::vector<uint8_t> known(n, 0);
  for (size_t i = 0; i < n; ++i) {
    const auto address = IpAddress::parse(texts.repeat ? texts.dictionary.texts()[i] : texts.at(i));
    if (!address) continue;
    known[i] = 1;
    highs[i] = static_cast<int64_t>(address->value >> 64);
    lows[i] = static_cast<int64_t>(address->value);
  }
  if (texts.repeat) {
    indexed(high, highs, texts, known);
    indexed(low, lows, texts, known);
  } else {
    integers(high, highs, known, n, false);
    integers(low, lows, known, n, false);
  }
}

Result<void> ParquetFile::add(const Batch& batch, const RowStamp* stamp) {
  const size_t rows = batch.rows();
  const uint64_t begin = written_ + buffer_.size();
  group_chunks_.clear();
  size_t field = std::size(model::kHiddenColumns);
  if (stamp) {
    std::vector<int64_t> ids(rows);
    std::iota(ids.begin(), ids.end(), stamp->first_row_id);
    integers(fields_[0], ids, {}, rows, true);
    constant(fields_[1], stamp->ingestion_time, rows);
    constant(fields_[2], batch.source_id, rows);
  } else {
    for (size_t i = 0; i < field; ++i) numbers(fields_[i], batch, batch.find_column(model::kHiddenColumns[i]));
  }
  for (const StoredColumn& c : columns_) {
    const int column = batch.find_column(c.name);
    const Field& f = fields_[field++];
    if (!batch.used(column) && c.type != Type::kString) {
      nothing(f, rows);
      if (!c.is_address) continue;
      nothing(fields_[field++], rows);
      nothing(fields_[field++], rows);
      continue;
    }
    switch (f.type) {
      case kByteArray: {
        const Texts t = texts(f, batch, column);
        if (!c.is_address) break;
        addresses(fields_[field], fields_[field + 1], t);
        field += 2;
        break;
      }
      case kDouble: reals(f, batch, column); break;
      default: numbers(f, batch, column);
    }
  }
  ThriftWriter t(row_groups_);  // a RowGroup
  t.begin_list(1, ThriftWriter::kStruct, fields_.size());
  row_groups_ += group_chunks_;
  t.i64(2, static_cast<int64_t>(written_ + buffer_.size() - begin));
  t.i64(3, static_cast<int64_t>(rows));
  t.end_struct();
  ++groups_;
  rows_ += rows;
  return write_out();
}

Result<void> ParquetFile::finish() {
  std::string footer;
  ThriftWriter t(footer);
  t.i32(1, 1);
  t.begin_list(2, ThriftWriter::kStruct, fields_.size() + 1);
  t.begin_element();
  t.binary(4, "rows");
  t.i32(5, static_cast<int64_t>(fields_.size()));
  t.end_struct();
  for (const Field& f : fields_) {
    t.begin_element();
    t.i32(1, f.type);
    t.i32(3, 1);  // optional
    t.binary(4, f.name);
    if (f.converted != kNone) t.i32(6, f.converted);
    t.end_struct();
  }
  t.i64(3, static_cast<int64_t>(rows_));
  t.begin_list(4, ThriftWriter::kStruct, groups_);
  footer += row_groups_;
  t.binary(6, "egret");
  t.end_struct();
  buffer_ += footer;
  put_raw(buffer_, static_cast<uint32_t>(footer.size()));
  buffer_ += kMagic;
  TRY_VOID(write_out());
  if (fsync(fd_) != 0) return failed(path_);
  std::error_code error;
  std::filesystem::rename(aside(path_), path_, error);
  if (error) return unavailable(fmt::format("{}: {}", path_.string(), error.message()));
  close(std::exchange(fd_, -1));
  return sync_path(path_.parent_path());
}

}  // namespace egret::store
