#include "store/chunks.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "base/ip.h"
#include "base/text.h"

namespace egret::store {
namespace {

using model::Batch;
using model::Type;

// ---- reading ----

struct Vector {
  duckdb_type type;
  const void* data;
  uint64_t* valid;
  bool null(idx_t row) const { return valid && !duckdb_validity_row_is_valid(valid, row); }
  template <typename T>
  const T& at(idx_t row) const {
    return static_cast<const T*>(data)[row];
  }
};

int64_t clamp(double v) {
  if (!(v > -9.2e18)) return INT64_MIN;
  return v < 9.2e18 ? static_cast<int64_t>(v) : INT64_MAX;
}

int64_t integer_at(const Vector& v, idx_t row) {
  switch (v.type) {
    case DUCKDB_TYPE_BOOLEAN: return v.at<bool>(row);
    case DUCKDB_TYPE_TINYINT: return v.at<int8_t>(row);
    case DUCKDB_TYPE_SMALLINT: return v.at<int16_t>(row);
    case DUCKDB_TYPE_INTEGER: return v.at<int32_t>(row);
    case DUCKDB_TYPE_UINTEGER: return v.at<uint32_t>(row);
    case DUCKDB_TYPE_UBIGINT: return static_cast<int64_t>(v.at<uint64_t>(row));
    case DUCKDB_TYPE_HUGEINT: {
      const auto& h = v.at<duckdb_hugeint>(row);  // sums of BIGINT; saturates
      if (h.upper == 0 && h.lower <= INT64_MAX) return static_cast<int64_t>(h.lower);
      if (h.upper == -1 && h.lower > INT64_MAX) return static_cast<int64_t>(h.lower);
      return h.upper < 0 ? INT64_MIN : INT64_MAX;
    }
    case DUCKDB_TYPE_FLOAT: return clamp(v.at<float>(row));
    case DUCKDB_TYPE_DOUBLE: return clamp(v.at<double>(row));
    default: return v.at<int64_t>(row);
  }
}

double real_at(const Vector& v, idx_t row) {
  switch (v.type) {
    case DUCKDB_TYPE_DOUBLE: return v.at<double>(row);
    case DUCKDB_TYPE_FLOAT: return v.at<float>(row);
    case DUCKDB_TYPE_HUGEINT: return duckdb_hugeint_to_double(v.at<duckdb_hugeint>(row));
    default: return static_cast<double>(integer_at(v, row));
  }
}

bool is_number(duckdb_type t) {
  switch (t) {
    case DUCKDB_TYPE_BOOLEAN:
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE: return true;
    default: return false;
  }
}

bool is_text(Type t) { return t == Type::kString || t == Type::kDynamic || t == Type::kGuid; }

// ---- writing ----

bool is_ascii(std::string_view s) {
  uint64_t seen = 0;
  size_t i = 0;
  for (; i + 8 <= s.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, s.data() + i, 8);
    seen |= word;
  }
  for (; i < s.size(); ++i) seen |= static_cast<unsigned char>(s[i]);
  return (seen & 0x8080808080808080ull) == 0;
}

std::string repaired(std::string_view s) {
  std::string out;
  for (size_t i = 0; i < s.size();) {
    size_t n = 1;
    while (n <= 4 && i + n <= s.size() && !is_valid_utf8(s.substr(i, n))) ++n;
    if (n <= 4 && i + n <= s.size()) {
      out += s.substr(i, n);
      i += n;
    } else {
      out += "\xef\xbf\xbd";
      ++i;
    }
  }
  return out;
}

void assign(duckdb_vector v, idx_t row, std::string_view s) {
  std::string scratch;
  const std::string_view good = engine_text(s, scratch);
  duckdb_unsafe_vector_assign_string_element_len(v, row, good.data(), good.size());
}

struct Writer {
  duckdb_vector vector;
  void* data;
  uint64_t* valid;
  explicit Writer(duckdb_vector v) : vector(v), data(duckdb_vector_get_data(v)) {
    duckdb_vector_ensure_validity_writable(v);
    valid = duckdb_vector_get_validity(v);
  }
  void null(idx_t row) { duckdb_validity_set_row_invalid(valid, row); }
  template <typename T>
  T& at(idx_t row) {
    return static_cast<T*>(data)[row];
  }
};

void write_column(const Batch& batch, int c, Type type, size_t from, size_t n, Writer w) {
  switch (type) {
    case Type::kBool:
      for (size_t i = 0; i < n; ++i) batch.is_null(c, from + i) ? w.null(i) : void(w.at<bool>(i) = batch.number(c, from + i) != 0);
      return;
    case Type::kInt:
      for (size_t i = 0; i < n; ++i)
        batch.is_null(c, from + i) ? w.null(i) : void(w.at<int32_t>(i) = static_cast<int32_t>(batch.number(c, from + i)));
      return;
    case Type::kLong:
    case Type::kDatetime:
    case Type::kTimespan:
      for (size_t i = 0; i < n; ++i) batch.is_null(c, from + i) ? w.null(i) : void(w.at<int64_t>(i) = batch.number(c, from + i));
      return;
    case Type::kReal:
    case Type::kDecimal:
      for (size_t i = 0; i < n; ++i) batch.is_null(c, from + i) ? w.null(i) : void(w.at<double>(i) = batch.real(c, from + i));
      return;
    case Type::kString:
      for (size_t i = 0; i < n; ++i) assign(w.vector, i, batch.text(c, from + i));
      return;
    case Type::kDynamic:
    case Type::kGuid:
      for (size_t i = 0; i < n; ++i) batch.is_null(c, from + i) ? w.null(i) : assign(w.vector, i, batch.text(c, from + i));
      return;
  }
}

void write_address(const Batch& batch, int c, size_t from, size_t n, Writer w) {
  std::string_view last;
  std::optional<IpAddress> parsed;
  for (size_t i = 0; i < n; ++i) {
    const std::string_view text = batch.text(c, from + i);
    if (text != last || i == 0) {  // runs of one address are common
      parsed = IpAddress::parse(text);
      last = text;
    }
    parsed ? void(w.at<uint128>(i) = parsed->value) : w.null(i);
  }
}

Result<void> failed(duckdb_appender appender, const AppendTarget& target) {
  const char* why = duckdb_appender_error(appender);
  return unavailable(fmt::format("rows of {} could not be stored: {}", target.table, short_message(why ? why : "no reason given")));
}

}  // namespace

std::string_view engine_text(std::string_view text, std::string& scratch) {
  if (is_ascii(text) || is_valid_utf8(text)) return text;
  return scratch = repaired(text);
}

Result<void> read_chunk(duckdb_data_chunk chunk, Batch& into) {
  const idx_t rows = duckdb_data_chunk_get_size(chunk), columns = duckdb_data_chunk_get_column_count(chunk);
  const std::vector<model::Column>& shape = into.table().columns;
  if (columns != shape.size()) return internal_error(fmt::format("the result has {} columns where {} were planned", columns, shape.size()));
  std::vector<Vector> vectors;
  for (idx_t c = 0; c < columns; ++c) {
    duckdb_vector v = duckdb_data_chunk_get_vector(chunk, c);
    const TypeHandle type(duckdb_vector_get_column_type(v));
    vectors.push_back({duckdb_get_type_id(type.get()), duckdb_vector_get_data(v), duckdb_vector_get_validity(v)});
    const Vector& last = vectors.back();
    const bool fits =
        last.type == DUCKDB_TYPE_SQLNULL || (is_text(shape[c].type) ? last.type == DUCKDB_TYPE_VARCHAR : is_number(last.type));
    if (!fits)
      return internal_error(fmt::format("column {} is a {} in KQL but of engine type {}", shape[c].name, model::type_name(shape[c].type),
                                        static_cast<int>(last.type)));
  }
  for (idx_t row = 0; row < rows; ++row) {
    into.add_row();
    for (idx_t c = 0; c < columns; ++c) {
      const Vector& v = vectors[c];
      const int column = static_cast<int>(c);
      const Type type = shape[c].type;
      if (v.type == DUCKDB_TYPE_SQLNULL || v.null(row)) {
        if (type == Type::kString) into.set_string(column, {});
        continue;
      }
      if (is_text(type)) {
        const auto& s = v.at<duckdb_string_t>(row);
        const std::string_view text(duckdb_string_t_data(const_cast<duckdb_string_t*>(&s)), duckdb_string_t_length(s));
        type == Type::kString    ? into.set_string(column, text)
        : type == Type::kDynamic ? into.set_dynamic(column, text)
                                 : into.set_guid(column, text);
      } else if (type == Type::kReal || type == Type::kDecimal) {
        into.set_real(column, real_at(v, row));
      } else {
        into.set_int(column, integer_at(v, row));
      }
    }
  }
  return {};
}

Result<void> append_batch(duckdb_connection connection, const AppendTarget& target, const Batch& batch, const RowStamp& stamp) {
  AppenderHandle appender;
  if (duckdb_appender_create_ext(connection, target.catalogue, "main", target.table.c_str(), appender.out()) == DuckDBError)
    return failed(appender.get(), target);
  std::vector<std::string> names(std::begin(model::kHiddenColumns), std::end(model::kHiddenColumns));
  std::vector<TypeHandle> types;
  types.emplace_back(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  types.emplace_back(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  types.emplace_back(duckdb_create_logical_type(DUCKDB_TYPE_INTEGER));
  std::vector<int> used;
  const auto& shape = batch.table().columns;
  for (int c = 0; c < static_cast<int>(shape.size()); ++c) {
    if (!batch.used(c)) continue;
    const model::Column& column = shape[static_cast<size_t>(c)];
    used.push_back(c);
    names.push_back(column.name);
    duckdb_type type = DUCKDB_TYPE_BIGINT;
    if (is_text(column.type)) type = DUCKDB_TYPE_VARCHAR;
    if (column.type == Type::kBool) type = DUCKDB_TYPE_BOOLEAN;
    if (column.type == Type::kInt) type = DUCKDB_TYPE_INTEGER;
    if (column.type == Type::kReal || column.type == Type::kDecimal) type = DUCKDB_TYPE_DOUBLE;
    types.emplace_back(duckdb_create_logical_type(type));
    if (column.is_address) {
      names.push_back(column.name + "$ip");
      types.emplace_back(duckdb_create_logical_type(DUCKDB_TYPE_HUGEINT));
    }
  }
  for (const std::string& name : names)
    if (duckdb_appender_add_column(appender.get(), name.c_str()) == DuckDBError) return failed(appender.get(), target);
  std::vector<duckdb_logical_type> raw_types;
  for (const TypeHandle& t : types) raw_types.push_back(t.get());
  const ChunkHandle chunk(duckdb_create_data_chunk(raw_types.data(), raw_types.size()));
  const size_t step = duckdb_vector_size();
  for (size_t from = 0; from < batch.rows(); from += step) {
    const size_t n = std::min(step, batch.rows() - from);
    duckdb_data_chunk_reset(chunk.get());
    idx_t at = 0;
    const auto next = [&] { return Writer(duckdb_data_chunk_get_vector(chunk.get(), at++)); };
    Writer ids = next(), times = next(), sources = next();
    for (size_t i = 0; i < n; ++i) {
      ids.at<int64_t>(i) = stamp.first_row_id + static_cast<int64_t>(from + i);
      times.at<int64_t>(i) = stamp.ingestion_time;
      sources.at<int32_t>(i) = batch.source_id;
    }
    for (const int c : used) {
      const model::Column& column = shape[static_cast<size_t>(c)];
      write_column(batch, c, column.type, from, n, next());
      if (column.is_address) write_address(batch, c, from, n, next());
    }
    duckdb_data_chunk_set_size(chunk.get(), n);
    if (duckdb_append_data_chunk(appender.get(), chunk.get()) == DuckDBError) return failed(appender.get(), target);
  }
  if (duckdb_appender_close(appender.get()) == DuckDBError) return failed(appender.get(), target);
  return {};
}

}  // namespace egret::store
