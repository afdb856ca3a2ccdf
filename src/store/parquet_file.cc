#include "store/parquet_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
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

std::vector<uint8_t> valid_of(const Batch& batch, int column) {
  std::vector<uint8_t> valid(batch.rows());
  for (size_t i = 0; i < valid.size(); ++i) valid[i] = !batch.is_null(column, i);
  return valid;
}

std::vector<int64_t> numbers_of(const Batch& batch, int column) {
  std::vector<int64_t> numbers(batch.rows());
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = batch.number(column, i);
  return numbers;
}

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

// `ordered`: the smallest and largest value go into the statistics.
void ParquetFile::integers(const Field& field, std::span<const int64_t> values, std::span<const uint8_t> valid, bool ordered) {
  const size_t rows = valid.size();
  Chunk chunk;
  put_levels(chunk.data, valid);
  chunk.nulls = rows - static_cast<size_t>(std::count(valid.begin(), valid.end(), 1));
  std::vector<int64_t> there;
  if (chunk.nulls > 0) {
    for (size_t i = 0; i < rows; ++i)
      if (valid[i]) there.push_back(values[i]);
    values = there;
  }
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
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    for (const auto& [out, v] : {std::pair{&chunk.least, *least}, {&chunk.most, *most}}) {
      if (narrow) {
        put_raw(*out, static_cast<int32_t>(v));
      } else {
        put_raw(*out, v);
      }
    }
  }
  put_chunk(field, chunk, rows);
}

void ParquetFile::reals(const Field& field, const Batch& batch, int column) {
  const std::vector<uint8_t> valid = valid_of(batch, column);
  Chunk chunk;
  put_levels(chunk.data, valid);
  chunk.nulls = valid.size();
  for (size_t i = 0; i < valid.size(); ++i) {
    if (!valid[i]) continue;
    put_raw(chunk.data, batch.real(column, i));
    --chunk.nulls;
  }
  put_chunk(field, chunk, batch.rows());
}

void ParquetFile::texts(const Field& field, const Batch& batch, int column) {
  const bool nullable = batch.table().columns[static_cast<size_t>(column)].type != Type::kString;  // a string is '' where it is not set
  const size_t rows = batch.rows();
  Chunk chunk;
  const std::vector<uint8_t> valid = nullable ? valid_of(batch, column) : std::vector<uint8_t>(rows, 1);
  put_levels(chunk.data, valid);
  chunk.nulls = rows - static_cast<size_t>(std::count(valid.begin(), valid.end(), 1));
  TextDictionary dictionary;
  std::vector<uint32_t> indexes;
  indexes.reserve(rows);
  bool repeats = true;
  for (size_t row = 0; row < rows && repeats; ++row) {
    if (!valid[row]) continue;
    indexes.push_back(dictionary.index(batch.text(column, row)));
    const size_t n = indexes.size();
    if (n % kLooksFrom == 0) repeats = dictionary.size() <= n / 2 && dictionary.size() <= kMostDistinct;
  }
  std::string scratch;
  if (repeats) {
    for (const std::string_view text : dictionary.texts()) put_bytes(chunk.dictionary, engine_text(text, scratch));
    chunk.distinct = dictionary.size();
    chunk.encoding = kDictionary;
    put_indexes(chunk.data, indexes, dictionary.size());
  } else {
    for (size_t row = 0; row < rows; ++row)
      if (valid[row]) put_bytes(chunk.data, engine_text(batch.text(column, row), scratch));
  }
  put_chunk(field, chunk, rows);
}

void ParquetFile::addresses(const Field& high, const Field& low, const Batch& batch, int column) {
  const size_t rows = batch.rows();
  std::vector<int64_t> highs(rows, 0), lows(rows, 0);
  std::vector<uint8_t> valid(rows, 0);
  TextDictionary dictionary;
  std::vector<std::optional<IpAddress>> parsed;
  for (size_t row = 0; row < rows; ++row) {
    const uint32_t at = dictionary.index(batch.text(column, row));
    if (at == parsed.size()) parsed.push_back(IpAddress::parse(dictionary.texts()[at]));
    const auto& address = parsed[at];
    if (!address) continue;
    valid[row] = 1;
    highs[row] = static_cast<int64_t>(address->value >> 64);
    lows[row] = static_cast<int64_t>(address->value);
  }
  integers(high, highs, valid, false);
  integers(low, lows, valid, false);
}

Result<void> ParquetFile::add(const Batch& batch, const RowStamp& stamp) {
  const size_t rows = batch.rows();
  const uint64_t begin = written_ + buffer_.size();
  group_chunks_.clear();
  const std::vector<uint8_t> all(rows, 1);
  std::vector<int64_t> numbers(rows);
  for (size_t i = 0; i < rows; ++i) numbers[i] = stamp.first_row_id + static_cast<int64_t>(i);
  integers(fields_[0], numbers, all, true);
  std::fill(numbers.begin(), numbers.end(), stamp.ingestion_time);
  integers(fields_[1], numbers, all, true);
  std::fill(numbers.begin(), numbers.end(), batch.source_id);
  integers(fields_[2], numbers, all, true);
  size_t field = 3;
  for (const StoredColumn& c : columns_) {
    const int column = batch.find_column(c.name);
    const Field& f = fields_[field++];
    switch (f.type) {
      case kByteArray: texts(f, batch, column); break;
      case kDouble: reals(f, batch, column); break;
      default: integers(f, numbers_of(batch, column), valid_of(batch, column), f.type != kBoolean);
    }
    if (!c.is_address) continue;
    addresses(fields_[field], fields_[field + 1], batch, column);
    field += 2;
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
