#include "store/engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <set>
#include <shared_mutex>

#include "base/text.h"
#include "store/chunks.h"
#include "store/folder.h"
#include "store/natives.h"
#include "store/sealed.h"
#include "store/tables.h"

namespace egret::store {
namespace {

using model::Batch;

constexpr int64_t kRowIdBlock = 1'000'000;
constexpr const char* kRowIds = "row_id";
constexpr const char* kMovedFiles = "moved_file";
constexpr std::string_view kFacts = "hot.main.\"$facts\"";

uint64_t machine_memory() {
  uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGE_SIZE));
  uint64_t limit = 0;
  if (std::ifstream("/sys/fs/cgroup/memory.max") >> limit && limit > 0) bytes = std::min(bytes, limit);
  return bytes;
}

// The process has one engine (its main database lies in memory) with the data folder's file attached as "hot".
class DuckEngine final : public Engine {
 public:
  ~DuckEngine() override { close(); }
  Result<void> start(const EngineOptions& options);

  Result<void> append(const Batch& batch, Ticks ingestion_time) override;
  Result<void> commit() override;
  Result<void> roll() override;
  Result<void> remember(std::string_view name, std::string_view value) override;
  Result<std::map<std::string, std::string>> remembered(std::string_view prefix) override;
  Result<void> put_temporary(std::string_view name, const Batch& batch) override;
  void define_function(std::string name, std::string text) override { tables_.define_function(std::move(name), std::move(text)); }
  const kql::Catalogue& catalogue() const override { return tables_; }
  uint64_t row_count(std::string_view table) override;
  std::vector<std::string> stored_tables() override { return tables_.stored_names(); }
  Result<kql::Query> compile(std::string_view kql, Ticks now, std::string_view name) override;
  Result<Batch> query(std::string_view kql, Ticks now) override;
  Result<Batch> run(const kql::Query& query) override;
  Result<void> stream(const kql::Query& query, const std::function<bool(const Batch&)>& each) override;
  void interrupt() override;

 private:
  // A connection that reads, and which version of each view it has.
  struct Reader {
    Connection connection;
    std::map<std::string, uint64_t, std::less<>> views;
  };
  Result<std::unique_ptr<Reader>> take_reader();
  void give_back(std::unique_ptr<Reader> reader);
  Result<void> make_views(Reader& reader, const std::vector<std::string>& tables);
  Result<void> stream_rows(Reader& reader, const kql::Query& query, const std::function<Result<bool>(duckdb_data_chunk)>& each);
  Result<void> load_tables();
  Result<void> begin();
  void roll_back();
  Result<void> append_in_transaction(const Batch& batch, Ticks ingestion_time);
  Result<StoredTable*> prepare_table(const Batch& batch);
  Result<void> commit_transaction();
  Result<void> move_rows(const std::string& name, bool hot, const std::vector<SealedFile>& files);
  Result<int64_t> take_row_ids(size_t n);
  void close();

  EngineOptions options_;
  std::unique_ptr<Folder> folder_;  // null in memory
  DatabaseHandle database_;
  Tables tables_;

  std::mutex write_mutex_;  // guards what follows
  Connection writer_;
  bool in_transaction_ = false;
  std::map<std::string, StoredTable, std::less<>> pending_;  // tables that this transaction made or widened
  std::map<std::string, std::shared_ptr<model::Table>, std::less<>> pending_shapes_;
  int64_t next_row_id_ = 1, row_ids_end_ = 0;
  std::optional<Sealer> sealer_;  // of a folder that is written
  int temporaries_ = 0;

  // A query holds it from making its views to its end: in between no row may move from what it reads to what its views do not have.
  std::shared_mutex moving_mutex_;
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Reader>> idle_;
  std::set<duckdb_connection> busy_;
};

std::string add_column_sql(const std::string& physical, const StoredColumn& c) {
  const std::string default_text = c.type == model::Type::kString ? " DEFAULT ''" : "";
  std::string sql =
      fmt::format("ALTER TABLE {} ADD COLUMN {} {}{};", physical, quote_identifier(c.name), model::sql_type(c.type), default_text);
  if (c.is_address) sql += fmt::format("ALTER TABLE {} ADD COLUMN {} HUGEINT;", physical, quote_identifier(c.name + "$ip"));
  return sql;
}

std::string create_table_sql(const StoredTable& t) {
  std::string sql = fmt::format("CREATE TABLE {} (\"_RowId\" BIGINT, \"_IngestionTime\" BIGINT, \"_SourceId\" INTEGER", t.physical);
  for (const StoredColumn& c : t.columns) {
    sql += fmt::format(", {} {}{}", quote_identifier(c.name), model::sql_type(c.type), c.type == model::Type::kString ? " DEFAULT ''" : "");
    if (c.is_address) sql += ", " + quote_identifier(c.name + "$ip") + " HUGEINT";
  }
  return sql + ");";
}

std::string note_columns_sql(std::string_view table, const std::vector<StoredColumn>& columns) {
  std::string rows;
  for (const StoredColumn& c : columns)
    rows += fmt::format("{}({}, {}, {}, {})", rows.empty() ? "" : ", ", quote_text(table), quote_text(c.name),
                        quote_text(model::type_name(c.type)), c.is_address);
  return fmt::format("INSERT INTO hot.main.\"$columns\" VALUES {};", rows);
}

std::vector<StoredColumn> used_columns(const Batch& batch) {
  std::vector<StoredColumn> used;
  const auto& columns = batch.table().columns;
  for (size_t i = 0; i < columns.size(); ++i)
    if (batch.used(static_cast<int>(i))) used.push_back({columns[i].name, columns[i].type, columns[i].is_address});
  return used;
}

std::string physical_name(std::string_view table) { return std::string(table) + "$hot"; }

Result<void> DuckEngine::start(const EngineOptions& options) {
  options_ = options;
  if (!options.folder.empty()) {
    TRY(folder_, Folder::open(options.folder, options.read_only));
  }
  duckdb_config config = nullptr;
  duckdb_create_config(&config);
  const uint64_t memory = options.memory_bytes ? options.memory_bytes : machine_memory() / 10 * 6;
  duckdb_set_config(config, "memory_limit", fmt::format("{}MiB", std::max<uint64_t>(memory >> 20, 64)).c_str());
  if (options.threads > 0) duckdb_set_config(config, "threads", std::to_string(options.threads).c_str());
  duckdb_set_config(config, "autoinstall_known_extensions", "false");
  duckdb_set_config(config, "autoload_known_extensions", "false");
  duckdb_set_config(config, "checkpoint_threshold", "256MB");
  // A reader of a folder that it may not write spills elsewhere, and so does an engine in memory.
  const std::filesystem::path spill =
      folder_ && !options.read_only ? folder_->temporary() : std::filesystem::temp_directory_path() / fmt::format("egret-{}", getpid());
  duckdb_set_config(config, "temp_directory", spill.c_str());
  char* why = nullptr;
  const bool failed = duckdb_open_ext(nullptr, database_.out(), config, &why) == DuckDBError;
  duckdb_destroy_config(&config);
  if (failed) {
    const std::string message = why ? why : "no reason given";
    duckdb_free(why);
    return internal_error("the engine did not start: " + short_message(message));
  }
  TRY(writer_, Connection::open(database_.get()));
  TRY_VOID(register_natives(writer_));
  std::string attach = "ATTACH ':memory:' AS hot;";
  if (folder_) {
    const std::filesystem::path file = folder_->hot();
    if (!options.read_only) {
      attach = fmt::format("ATTACH {} AS hot;", quote_text(file.string()));
    } else if (std::filesystem::exists(file)) {
      attach = fmt::format("ATTACH {} AS hot (READ_ONLY);", quote_text(file.string()));
    }
  }
  if (const auto attached = writer_.execute(attach); !attached)
    return unavailable("the data folder could not be opened: " + attached.error().message);
  // The engine reads a file's name as a pattern: below a folder of such a name everything stays in the hot file.
  if (folder_ && !options.read_only && folder_->sealed().string().find_first_of("*?[") == std::string::npos)
    sealer_.emplace(folder_->sealed());
  TRY_VOID(load_tables());
  if (folder_) TRY_VOID(writer_.execute(fmt::format("SET allowed_directories=[{}];", quote_text(folder_->sealed().string() + "/"))));
  return writer_.execute("SET enable_external_access=false; SET lock_configuration=true;");
}

Result<void> DuckEngine::load_tables() {
  if (!folder_)
    return writer_.execute(
        "CREATE TABLE hot.main.\"$columns\" (table_name VARCHAR, column_name VARCHAR, type VARCHAR, is_address BOOLEAN)");
  TRY(const auto there, writer_.rows("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'hot' AND table_name = '$columns'"));
  if (there[0][0] == "0") {
    if (options_.read_only) return {};
    remove_unlisted(folder_->sealed(), {});
    return writer_.execute(
        "BEGIN TRANSACTION; CREATE TABLE hot.main.\"$columns\" (table_name VARCHAR, column_name VARCHAR, type VARCHAR, is_address "
        "BOOLEAN);" +
        create_files_sql() + "COMMIT");
  }
  TRY(const auto rows,
      writer_.rows("SELECT table_name, column_name, type, is_address FROM hot.main.\"$columns\" ORDER BY table_name, rowid"));
  std::map<std::string, StoredTable> found;
  for (const auto& row : rows) {
    StoredTable& t = found[row[0]];
    t.physical = "hot.main." + quote_identifier(physical_name(row[0]));
    if (row[1].empty()) continue;  // the mark of a table without columns
    t.columns.push_back({row[1], model::type_from_name(row[2]).value_or(model::Type::kString), row[3] == "true"});
  }
  TRY(const auto files_known, writer_.rows("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'hot' AND table_name = '$files'"));
  std::vector<SealedFile> files;
  if (files_known[0][0] != "0") {
    TRY(files, read_files(writer_, folder_->sealed()));
  } else if (!options_.read_only) {
    TRY_VOID(writer_.execute(create_files_sql()));
  }
  if (!options_.read_only) remove_unlisted(folder_->sealed(), files);
  for (SealedFile& f : files) found[f.table].sealed.push_back(std::move(f));
  for (auto& [name, table] : found) tables_.publish(name, std::move(table), false, nullptr);
  return {};
}

Result<void> DuckEngine::begin() {
  if (in_transaction_) return {};
  TRY_VOID(writer_.execute("BEGIN TRANSACTION"));
  in_transaction_ = true;
  return {};
}

void DuckEngine::roll_back() {
  (void)writer_.execute("ROLLBACK");
  in_transaction_ = false;
  if (sealer_) sealer_->abandon();
  pending_.clear();
  pending_shapes_.clear();
}

Result<int64_t> DuckEngine::take_row_ids(size_t n) {
  if (next_row_id_ + static_cast<int64_t>(n) > row_ids_end_) {
    if (folder_) {
      // Ids left of the block before are given up: they stay in order.
      const int64_t block = std::max<int64_t>(kRowIdBlock, static_cast<int64_t>(n));
      TRY(next_row_id_, folder_->reserve(kRowIds, block));
      row_ids_end_ = next_row_id_ + block;
    } else {
      row_ids_end_ = INT64_MAX;
    }
  }
  const int64_t first = next_row_id_;
  next_row_id_ += static_cast<int64_t>(n);
  return first;
}

// Makes the table, or the columns that this batch is the first to use.
Result<StoredTable*> DuckEngine::prepare_table(const Batch& batch) {
  const std::string& name = batch.table().name;
  auto it = pending_.find(name);
  const std::optional<StoredTable> known = it != pending_.end() ? it->second : tables_.stored(name);
  const std::vector<StoredColumn> used = used_columns(batch);
  if (!known) {
    StoredTable made{"hot.main." + quote_identifier(physical_name(name)), used, {}};
    const std::vector<StoredColumn> mark{{"", model::Type::kString, false}};
    TRY_VOID(writer_.execute(create_table_sql(made) + note_columns_sql(name, used.empty() ? mark : used)));
    it = pending_.insert_or_assign(name, std::move(made)).first;
    pending_shapes_[name] = std::make_shared<model::Table>(batch.table());
    return &it->second;
  }
  std::vector<StoredColumn> missing;
  for (const StoredColumn& c : used) {
    const auto same = std::find_if(known->columns.begin(), known->columns.end(), [&](const StoredColumn& k) { return k.name == c.name; });
    if (same == known->columns.end()) {
      missing.push_back(c);
    } else if (same->type != c.type) {
      return usage_error(fmt::format("column {} of {} is stored as {} and cannot take a {}", c.name, name, model::type_name(same->type),
                                     model::type_name(c.type)));
    }
  }
  if (it == pending_.end()) it = pending_.emplace(name, *known).first;
  if (missing.empty()) return &it->second;
  std::string sql = note_columns_sql(name, missing);
  for (const StoredColumn& c : missing) {
    sql += add_column_sql(it->second.physical, c);
    it->second.columns.push_back(c);
  }
  TRY_VOID(writer_.execute(sql));
  return &it->second;
}

Result<void> DuckEngine::append_in_transaction(const Batch& batch, Ticks ingestion_time) {
  TRY_VOID(begin());
  TRY(StoredTable* const table, prepare_table(batch));
  (void)table;
  TRY(const int64_t first, take_row_ids(batch.rows()));
  if (sealer_ && batch.rows() >= kSealRows) return sealer_->add(batch, {first, ingestion_time});
  return append_batch(writer_.get(), {"hot", physical_name(batch.table().name)}, batch, {first, ingestion_time});
}

Result<void> DuckEngine::append(const Batch& batch, Ticks ingestion_time) {
  if (options_.read_only && folder_) return usage_error("the data folder was opened for reading");
  if (batch.empty()) return {};
  const std::lock_guard lock(write_mutex_);
  auto done = append_in_transaction(batch, ingestion_time);
  if (!done) roll_back();  // nothing of it was acknowledged
  return done;
}

// Sealed files are whole before the transaction that names them ends.
Result<void> DuckEngine::commit_transaction() {
  std::vector<SealedFile> files;
  if (sealer_) {
    TRY(files, sealer_->finish());
  }
  std::string sql;
  for (const SealedFile& f : files) sql += note_file_sql(f, folder_->sealed());
  auto done = writer_.execute(sql + "COMMIT");
  std::error_code error;
  for (SealedFile& f : files) {
    if (done) {
      pending_.at(f.table).sealed.push_back(std::move(f));
    } else {
      std::filesystem::remove(f.path, error);
    }
  }
  return done;
}

Result<void> DuckEngine::commit() {
  const std::lock_guard lock(write_mutex_);
  if (!in_transaction_) return {};
  auto done = commit_transaction();
  if (!done) {
    roll_back();
    return unavailable("rows could not be made durable: " + done.error().message);
  }
  in_transaction_ = false;
  for (auto& [name, table] : pending_) {
    const auto shape = pending_shapes_.find(name);
    tables_.publish(name, std::move(table), false, shape == pending_shapes_.end() ? nullptr : shape->second.get());
  }
  pending_.clear();
  pending_shapes_.clear();
  return {};
}

Result<void> DuckEngine::roll() {
  const std::lock_guard lock(write_mutex_);
  if (!sealer_ || in_transaction_) return {};
  TRY(const auto sizes, writer_.rows("SELECT table_name, estimated_size FROM duckdb_tables() WHERE database_name = 'hot'"));
  std::map<std::string, uint64_t, std::less<>> hot;
  for (const auto& row : sizes)
    if (!row[1].empty()) hot[row[0]] = std::stoull(row[1]);
  for (const std::string& name : tables_.stored_names()) {
    if (hot[physical_name(name)] >= kRollRows) {  // counts rows that were moved, too, until the next checkpoint
      TRY(const auto count, writer_.rows("SELECT count(*) FROM " + tables_.stored(name)->physical));
      if (std::stoull(count[0][0]) >= kRollRows) TRY_VOID(move_rows(name, true, {}));
    }
    for (const auto& files : files_to_join(*tables_.stored(name))) TRY_VOID(move_rows(name, false, files));
  }
  return {};
}

// New files are whole on the disk before the transaction that lists them and takes their rows from where they lay; what it took them
// from goes afterwards. A crash before the commit leaves files that are not listed, one after it leaves old ones that no longer are:
// both go when the next writer opens.
Result<void> DuckEngine::move_rows(const std::string& name, bool hot, const std::vector<SealedFile>& files) {
  StoredTable table = *tables_.stored(name);
  std::vector<SealedFile> made;
  auto done = [&]() -> Result<void> {
    TRY_VOID(begin());
    uint64_t there = 0;
    for (const SealedFile& f : files) there += f.rows;
    if (hot) {
      TRY(const auto count, writer_.rows("SELECT count(*) FROM " + table.physical));
      there += std::stoull(count[0][0]);
    }
    TRY(const int64_t number, folder_->reserve(kMovedFiles, 1));
    TRY(const uint64_t moved, sealer_->add_again(writer_, name, table, rows_sql(table, hot, files), number));
    TRY(made, sealer_->finish());
    if (moved != there) return internal_error(fmt::format("{} rows lie there and {} were read", there, moved));
    std::string sql;
    if (hot) sql += fmt::format("DELETE FROM {};", table.physical);
    for (const SealedFile& f : files) sql += forget_file_sql(f, folder_->sealed());
    for (const SealedFile& f : made) sql += note_file_sql(f, folder_->sealed());
    const std::unique_lock alone(moving_mutex_);
    TRY_VOID(writer_.execute(sql + "COMMIT"));
    in_transaction_ = false;
    std::erase_if(table.sealed, [&](const SealedFile& f) {
      return std::any_of(files.begin(), files.end(), [&](const SealedFile& old) { return old.path == f.path; });
    });
    table.sealed.insert(table.sealed.end(), made.begin(), made.end());
    tables_.publish(name, std::move(table), false, nullptr);
    return {};
  }();
  std::error_code error;
  if (done) {
    for (const SealedFile& f : files) std::filesystem::remove(f.path, error);
    return done;
  }
  roll_back();
  for (const SealedFile& f : made) std::filesystem::remove(f.path, error);
  return unavailable(fmt::format("rows of {} stay where they are, since they could not be moved: {}", name, done.error().message));
}

Result<void> DuckEngine::remember(std::string_view name, std::string_view value) {
  if (options_.read_only && folder_) return usage_error("the data folder was opened for reading");
  const std::lock_guard lock(write_mutex_);
  const auto write = [&]() -> Result<void> {
    TRY_VOID(begin());
    return writer_.execute(
        fmt::format("CREATE TABLE IF NOT EXISTS {0} (name VARCHAR, value VARCHAR);"
                    "DELETE FROM {0} WHERE name = {1};"
                    "INSERT INTO {0} VALUES ({1}, {2});",
                    kFacts, quote_text(name), quote_text(value)));
  };
  auto done = write();
  if (!done) roll_back();
  return done;
}

Result<std::map<std::string, std::string>> DuckEngine::remembered(std::string_view prefix) {
  std::map<std::string, std::string> facts;
  const std::lock_guard lock(write_mutex_);
  TRY(const auto there, writer_.rows("SELECT count(*) FROM duckdb_tables() WHERE database_name = 'hot' AND table_name = '$facts'"));
  if (there[0][0] == "0") return facts;
  TRY(const auto rows, writer_.rows(fmt::format("SELECT name, value FROM {} WHERE starts_with(name, {})", kFacts, quote_text(prefix))));
  for (const auto& row : rows) facts.emplace(row[0], row[1]);
  return facts;
}

Result<void> DuckEngine::put_temporary(std::string_view name, const Batch& batch) {
  const std::lock_guard lock(write_mutex_);
  TRY(Connection connection, Connection::open(database_.get()));
  const std::string plain = fmt::format("{}${}", name, ++temporaries_);
  StoredTable table{"memory.main." + quote_identifier(plain), used_columns(batch), {}};
  TRY_VOID(connection.execute("BEGIN TRANSACTION;" + create_table_sql(table)));
  if (!batch.empty()) TRY_VOID(append_batch(connection.get(), {"memory", plain}, batch, {1, 0}));
  TRY_VOID(connection.execute("COMMIT"));
  const std::optional<StoredTable> before = tables_.temporary(name);
  tables_.publish(name, std::move(table), true, &batch.table());
  // A query that still reads the earlier one keeps its snapshot.
  if (before) TRY_VOID(connection.execute("DROP TABLE IF EXISTS " + before->physical));
  return {};
}

uint64_t DuckEngine::row_count(std::string_view table) {
  const std::shared_lock still(moving_mutex_);
  const auto stored = tables_.stored(table);
  if (!stored) return 0;
  auto reader = take_reader();
  if (!reader) return 0;
  const auto rows = (*reader)->connection.rows("SELECT count(*) FROM " + stored->physical);
  give_back(*std::move(reader));
  uint64_t n = rows ? std::stoull((*rows)[0][0]) : 0;
  for (const SealedFile& f : stored->sealed) n += f.rows;
  return n;
}

Result<std::unique_ptr<DuckEngine::Reader>> DuckEngine::take_reader() {
  const std::lock_guard lock(readers_mutex_);
  std::unique_ptr<Reader> reader;
  if (!idle_.empty()) {
    reader = std::move(idle_.back());
    idle_.pop_back();
  } else {
    TRY(Connection connection, Connection::open(database_.get()));
    reader = std::make_unique<Reader>(std::move(connection));
  }
  busy_.insert(reader->connection.get());
  return reader;
}

void DuckEngine::give_back(std::unique_ptr<Reader> reader) {
  const std::lock_guard lock(readers_mutex_);
  busy_.erase(reader->connection.get());
  idle_.push_back(std::move(reader));
}

void DuckEngine::interrupt() {
  const std::lock_guard lock(readers_mutex_);
  for (duckdb_connection c : busy_) duckdb_interrupt(c);
}

Result<void> DuckEngine::make_views(Reader& reader, const std::vector<std::string>& tables) {
  for (const std::string& name : tables) {
    const auto have = reader.views.find(name);
    const auto view = tables_.view(name, have == reader.views.end() ? std::nullopt : std::optional(have->second));
    if (!view) continue;
    TRY_VOID(reader.connection.execute(view->sql));
    reader.views[name] = view->version;
  }
  return {};
}

// A failure while running: what the user can do something about is told apart from a translation that the engine refuses.
std::unexpected<Error> run_error(duckdb_error_type type, std::string_view message) {
  switch (type) {
    case DUCKDB_ERROR_INTERRUPT: return unavailable("the query was stopped");
    case DUCKDB_ERROR_OUT_OF_MEMORY:
      return unavailable("the query needs more memory than allowed: " + short_message(message),
                         "narrow its time range, or summarize earlier");
    case DUCKDB_ERROR_OUT_OF_RANGE:
    case DUCKDB_ERROR_CONVERSION:
    case DUCKDB_ERROR_INVALID_INPUT: return usage_error("the query failed while running: " + short_message(message));
    default:
      return internal_error("the engine refused the translated query: " + short_message(message),
                            "this is a fault of the translation; please report the query");
  }
}

Result<void> DuckEngine::stream_rows(Reader& reader, const kql::Query& query, const std::function<Result<bool>(duckdb_data_chunk)>& each) {
  duckdb_connection c = reader.connection.get();
  StatementsHandle statements;
  const idx_t count = duckdb_extract_statements(c, query.sql.c_str(), statements.out());
  if (count == 0) return run_error(DUCKDB_ERROR_PARSER, duckdb_extract_statements_error(statements.get()));
  if (count != 1) return internal_error("a query must be one statement");
  PreparedHandle prepared;
  if (duckdb_prepare_extracted_statement(c, statements.get(), 0, prepared.out()) == DuckDBError)
    return run_error(DUCKDB_ERROR_BINDER, duckdb_prepare_error(prepared.get()));
  if (duckdb_prepared_statement_type(prepared.get()) != DUCKDB_STATEMENT_TYPE_SELECT) return internal_error("a query must be a SELECT");
  DuckResult result;
  if (duckdb_execute_prepared_streaming(prepared.get(), result.out()) == DuckDBError)
    return run_error(duckdb_result_error_type(&result.raw()), result.error());
  while (true) {
    ChunkHandle chunk(duckdb_fetch_chunk(result.raw()));
    if (!chunk) break;
    TRY(const bool more, each(chunk.get()));
    if (!more) return {};
  }
  if (const char* why = duckdb_result_error(&result.raw())) return run_error(duckdb_result_error_type(&result.raw()), why);
  return {};
}

Result<void> DuckEngine::stream(const kql::Query& query, const std::function<bool(const Batch&)>& each) {
  if (!query.unsupported.empty()) return usage_error("query: error: " + query.unsupported);
  TRY(std::unique_ptr<Reader> reader, take_reader());
  const std::shared_lock still(moving_mutex_);
  auto done = [&]() -> Result<void> {
    TRY_VOID(make_views(*reader, query.tables));
    TRY_VOID(reader->connection.execute("BEGIN TRANSACTION READ ONLY"));
    auto streamed = stream_rows(*reader, query, [&](duckdb_data_chunk chunk) -> Result<bool> {
      Batch batch(query.shape);
      TRY_VOID(read_chunk(chunk, batch));
      return each(batch);
    });
    (void)reader->connection.execute("ROLLBACK");
    return streamed;
  }();
  give_back(std::move(reader));
  return done;
}

Result<Batch> DuckEngine::run(const kql::Query& query) {
  if (!query.unsupported.empty()) return usage_error("query: error: " + query.unsupported);
  Batch all(query.shape);
  TRY(std::unique_ptr<Reader> reader, take_reader());
  const std::shared_lock still(moving_mutex_);
  auto done = [&]() -> Result<void> {
    TRY_VOID(make_views(*reader, query.tables));
    TRY_VOID(reader->connection.execute("BEGIN TRANSACTION READ ONLY"));
    auto streamed = stream_rows(*reader, query, [&](duckdb_data_chunk chunk) -> Result<bool> {
      TRY_VOID(read_chunk(chunk, all));
      return true;
    });
    (void)reader->connection.execute("ROLLBACK");
    return streamed;
  }();
  give_back(std::move(reader));
  TRY_VOID(std::move(done));
  return all;
}

Result<kql::Query> DuckEngine::compile(std::string_view kql, Ticks now, std::string_view name) {
  auto compiled = kql::compile(kql, tables_, {.now = now, .look = [this](const kql::Query& q) { return run(q); }});
  if (!compiled) return usage_error(kql::format_diagnostics(kql, name, compiled.error()));
  return *std::move(compiled);
}

Result<Batch> DuckEngine::query(std::string_view kql, Ticks now) {
  TRY(const kql::Query compiled, compile(kql, now, "query"));
  return run(compiled);
}

void DuckEngine::close() {
  std::future<void> catalogue;  // waits for the disk while the database does
  {
    const std::lock_guard lock(write_mutex_);
    if (in_transaction_) roll_back();
    if (folder_ && !options_.read_only && row_ids_end_ > 0)
      catalogue = std::async([this] {
        if (next_row_id_ < row_ids_end_) (void)folder_->give_back(kRowIds, next_row_id_);
        folder_->close_catalogue();
      });
  }
  idle_.clear();
  writer_ = {};
  database_ = {};  // checkpoints
  if (catalogue.valid()) catalogue.get();
  // The folder's lock is released last.
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options) {
  auto engine = std::make_unique<DuckEngine>();
  TRY_VOID(engine->start(options));
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace egret::store
