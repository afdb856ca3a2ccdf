#include "store/sealed.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "store/folder.h"

namespace egret::store {
namespace {

namespace fs = std::filesystem;
using model::Batch;

// Rows that are read again are held so many at a time: a row group.
constexpr size_t kHeldRows = 122'880, kHeldBytes = 48 << 20;

std::vector<StoredColumn> used(const Batch& batch) {
  std::vector<StoredColumn> columns;
  const auto& all = batch.table().columns;
  for (size_t i = 0; i < all.size(); ++i)
    if (batch.used(static_cast<int>(i))) columns.push_back({all[i].name, all[i].type, all[i].is_address});
  return columns;
}

std::string listed_path(const SealedFile& f, const fs::path& root) {
  return quote_text(fs::path(f.path).lexically_relative(root).generic_string());
}

}  // namespace

Result<void> Sealer::add(const Batch& batch, const RowStamp& stamp) {
  return put(batch, used(batch), std::to_string(stamp.first_row_id), stamp.first_row_id,
             stamp.first_row_id + static_cast<int64_t>(batch.rows()) - 1, &stamp);
}

Result<uint64_t> Sealer::add_again(Connection& connection, const std::string& name, const StoredTable& table, const std::string& rows,
                                   int64_t number) {
  auto shape = std::make_shared<model::Table>();
  shape->name = name;
  for (const StoredColumn& c : table.columns) shape->columns.push_back({.name = c.name, .type = c.type});
  for (const std::string_view hidden : model::kHiddenColumns)
    shape->columns.push_back({.name = std::string(hidden), .type = hidden == "_SourceId" ? model::Type::kInt : model::Type::kLong});
  shape->build_index();
  Batch batch(shape);
  const int ids = batch.column("_RowId");
  // By time, so that a query for a short time finds its rows close together.
  const std::string order = table.has("TimeGenerated") ? "\"TimeGenerated\", \"_RowId\"" : "\"_RowId\"";
  PreparedHandle prepared;
  if (duckdb_prepare(connection.get(), fmt::format("SELECT * FROM ({}) ORDER BY {}", rows, order).c_str(), prepared.out()) == DuckDBError)
    return internal_error(short_message(duckdb_prepare_error(prepared.get())));
  DuckResult result;
  if (duckdb_execute_prepared_streaming(prepared.get(), result.out()) == DuckDBError) return unavailable(short_message(result.error()));
  uint64_t count = 0;
  while (true) {
    const ChunkHandle chunk(duckdb_fetch_chunk(result.raw()));
    if (chunk) TRY_VOID(read_chunk(chunk.get(), batch));
    if (batch.rows() >= kHeldRows || batch.bytes() >= kHeldBytes || (!chunk && !batch.empty())) {
      int64_t first = INT64_MAX, last = 0;
      for (size_t row = 0; row < batch.rows(); ++row) {
        first = std::min(first, batch.number(ids, row));
        last = std::max(last, batch.number(ids, row));
      }
      TRY_VOID(put(batch, table.columns, fmt::format("m{}", number), first, last, nullptr));
      count += batch.rows();
      batch.clear();
    }
    if (!chunk) break;
  }
  if (const char* why = duckdb_result_error(&result.raw())) return unavailable(short_message(why));
  return count;
}

Result<void> Sealer::put(const Batch& batch, std::vector<StoredColumn> columns, const std::string& number, int64_t first_row,
                         int64_t last_row, const RowStamp* stamp) {
  const std::string& table = batch.table().name;
  Ticks from = 0, to = 0;
  if (const int time = batch.find_column("TimeGenerated"); time >= 0) {
    for (size_t i = 0; i < batch.rows(); ++i) {
      if (batch.is_null(time, i)) continue;
      const Ticks t = batch.number(time, i);
      from = from ? std::min(from, t) : t;
      to = std::max(to, t);
    }
  }
  const Ticks day = from - from % kTicksPerDay;
  auto it = open_.find(table);
  if (it != open_.end() && (it->second.day != day || it->second.file->columns() != columns)) {
    Open whole = std::move(it->second);
    open_.erase(it);
    TRY_VOID(finish(std::move(whole)));
    it = open_.end();
  }
  if (it == open_.end()) {
    const std::string time = from ? format_datetime(from) : "undated";  // 2024-06-01T10:…
    const fs::path path = root_ / table / time.substr(0, 10) / fmt::format("{}-{}.parquet", from ? time.substr(11, 2) : "00", number);
    TRY(auto file, ParquetFile::create(path, columns));
    SealedFile facts{.table = table, .path = path.string(), .columns = {}, .from = from, .to = to, .first_row = first_row};
    for (const StoredColumn& c : columns) facts.columns.push_back(c.name);
    it = open_.emplace(table, Open{std::move(file), std::move(facts), day}).first;
  }
  SealedFile& facts = it->second.facts;
  facts.from = std::min(facts.from, from);
  facts.to = std::max(facts.to, to);
  facts.first_row = std::min(facts.first_row, first_row);
  facts.last_row = std::max(facts.last_row, last_row);
  return it->second.file->add(batch, stamp);
}

Result<void> Sealer::finish(Open open) {
  TRY_VOID(open.file->finish());
  // The folders of table and day may be new.
  const fs::path table = fs::path(open.facts.path).parent_path().parent_path();
  TRY_VOID(sync_path(table));
  TRY_VOID(sync_path(table.parent_path()));
  open.facts.rows = open.file->rows();
  open.facts.bytes = open.file->bytes();
  done_.push_back(std::move(open.facts));
  return {};
}

Result<std::vector<SealedFile>> Sealer::finish() {
  auto open = std::exchange(open_, {});
  for (auto& [table, file] : open) TRY_VOID(finish(std::move(file)));
  return std::exchange(done_, {});
}

void Sealer::abandon() {
  open_.clear();
  std::error_code error;
  for (const SealedFile& f : std::exchange(done_, {})) fs::remove(f.path, error);
}

std::string create_files_sql() {
  return "CREATE TABLE IF NOT EXISTS hot.main.\"$files\" (path VARCHAR, table_name VARCHAR, columns VARCHAR, time_from BIGINT, time_to "
         "BIGINT, "
         "row_from BIGINT, row_to BIGINT, rows BIGINT, bytes BIGINT);";
}

Result<std::vector<SealedFile>> read_files(Connection& connection, const fs::path& root) {
  TRY(const auto rows, connection.rows("SELECT path, table_name, columns, time_from, time_to, row_from, row_to, rows, bytes FROM "
                                       "hot.main.\"$files\" ORDER BY row_from"));
  std::vector<SealedFile> files;
  for (const auto& row : rows) {
    SealedFile f{.table = row[1], .path = (root / row[0]).string()};
    for (const std::string_view name : split(row[2], '\n')) f.columns.emplace_back(name);
    f.from = std::stoll(row[3]), f.to = std::stoll(row[4]);
    f.first_row = std::stoll(row[5]), f.last_row = std::stoll(row[6]);
    f.rows = std::stoull(row[7]), f.bytes = std::stoull(row[8]);
    files.push_back(std::move(f));
  }
  return files;
}

std::string note_file_sql(const SealedFile& f, const fs::path& root) {
  return fmt::format("INSERT INTO hot.main.\"$files\" VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {});", listed_path(f, root),
                     quote_text(f.table), quote_text(join(f.columns, "\n")), f.from, f.to, f.first_row, f.last_row, f.rows, f.bytes);
}

std::string forget_file_sql(const SealedFile& f, const fs::path& root) {
  return fmt::format("DELETE FROM hot.main.\"$files\" WHERE path = {};", listed_path(f, root));
}

std::vector<std::vector<SealedFile>> files_to_join(const StoredTable& table) {
  std::map<std::string, std::vector<SealedFile>> days;
  for (const SealedFile& f : table.sealed)
    if (f.rows < kSmallFileRows) days[fs::path(f.path).parent_path().string()].push_back(f);
  std::vector<std::vector<SealedFile>> many;
  for (auto& [day, files] : days)
    if (files.size() >= kJoinFiles) many.push_back(std::move(files));
  return many;
}

void remove_unlisted(const fs::path& root, const std::vector<SealedFile>& listed) {
  std::set<std::string> keep;
  for (const SealedFile& f : listed) keep.insert(f.path);
  std::error_code error;
  std::vector<fs::path> gone;
  for (auto it = fs::recursive_directory_iterator(root, error); !error && it != fs::recursive_directory_iterator(); it.increment(error))
    if (it->is_regular_file(error) && !keep.contains(it->path().string())) gone.push_back(it->path());
  for (const fs::path& path : gone) fs::remove(path, error);
}

}  // namespace egret::store
