#include "store/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/text.h"
#include "store/engine.h"

namespace egret::store {
namespace {

constexpr const char* kSchema = R"(
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
PRAGMA busy_timeout=5000;
CREATE TABLE IF NOT EXISTS sequences (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
)";

constexpr std::string_view kInUse = " is in use by ";

}  // namespace

Result<void> sync_path(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unavailable(fmt::format("{}: {}", path.string(), std::strerror(errno)));
  const int failed = fsync(fd);
  const int why = errno;
  close(fd);
  if (failed) return unavailable(fmt::format("{} could not be synced: {}", path.string(), std::strerror(why)));
  return {};
}

bool is_in_use(const Error& error) { return error.kind == ErrorKind::kUnavailable && error.message.contains(kInUse); }

Folder::~Folder() {
  close_catalogue();
  if (lock_fd_ >= 0) close(lock_fd_);  // releases the lock
}

Result<std::unique_ptr<Folder>> Folder::open(const std::filesystem::path& path, bool read_only) {
  std::unique_ptr<Folder> folder(new Folder(std::filesystem::absolute(path).lexically_normal()));
  std::error_code error;
  if (read_only) {
    if (!std::filesystem::exists(path / "FORMAT", error))
      return not_found(fmt::format("{} is not a data folder", path.string()), "`egret ingest --data` makes one");
  } else {
    std::filesystem::create_directories(path, error);
    if (error) return unavailable(fmt::format("data folder {} could not be created: {}", path.string(), error.message()));
    const bool is_new = !std::filesystem::exists(path / "FORMAT", error);
    if (is_new && !std::filesystem::exists(path / "LOCK", error) && !std::filesystem::is_empty(path, error))
      return usage_error(fmt::format("{} holds other files and is not a data folder", path.string()), "give an empty or new folder");
  }
  TRY_VOID(folder->lock(read_only));
  TRY_VOID(folder->check_format(read_only));
  if (!read_only) {
    std::filesystem::create_directories(path / "parquet", error);
  }
  return folder;
}

Result<void> Folder::lock(bool read_only) {
  const std::filesystem::path file = path_ / "LOCK";
  lock_fd_ = ::open(file.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CREAT | O_CLOEXEC, 0644);
  if (lock_fd_ < 0 && read_only) lock_fd_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);  // a folder that we may not write
  if (lock_fd_ < 0) return unavailable(fmt::format("data folder {}: {}", path_.string(), std::strerror(errno)));
  if (flock(lock_fd_, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    char text[32] = {};
    const ssize_t n = pread(lock_fd_, text, sizeof text - 1, 0);
    const std::string pid(trim(std::string_view(text, n > 0 ? static_cast<size_t>(n) : 0)));
    const std::string who = !pid.empty() && kill(std::atoi(pid.c_str()), 0) == 0 ? "process " + pid : "another process that reads it";
    return unavailable(fmt::format("data folder {}{}{}", path_.string(), kInUse, who),
                       "wait until it has finished, or give another folder with --data");
  }
  if (!read_only) {
    const std::string pid = std::to_string(getpid()) + "\n";
    if (ftruncate(lock_fd_, 0) != 0 || pwrite(lock_fd_, pid.data(), pid.size(), 0) < 0)
      return unavailable(fmt::format("data folder {} cannot be written: {}", path_.string(), std::strerror(errno)));
  }
  return {};
}

Result<void> Folder::check_format(bool read_only) {
  const std::filesystem::path file = path_ / "FORMAT";
  std::ifstream in(file);
  if (!in) {
    if (read_only) return unavailable(fmt::format("{} cannot be read", file.string()));
    return write_format();
  }
  std::string word;
  int version = 0;
  if (!(in >> word >> version) || word != "egret-data" || version < 1)
    return unavailable(fmt::format("{} does not say a format version", file.string()),
                       "it should read \"egret-data 2\"; is this a data folder?");
  if (version > kFolderFormat)
    return unavailable(
        fmt::format("data folder {} has format {}, this egret knows formats up to {}", path_.string(), version, kFolderFormat),
        "use the newer egret that wrote it");
  // A reader leaves an older folder as it is.
  return version < kFolderFormat && !read_only ? write_format() : Result<void>();
}

// Written aside and renamed, so that a crash leaves either no version or a whole one.
Result<void> Folder::write_format() {
  const std::filesystem::path file = path_ / "FORMAT", aside = path_ / "FORMAT.new";
  std::ofstream(aside) << "egret-data " << kFolderFormat << "\n";
  TRY_VOID(sync_path(aside));
  std::error_code error;
  std::filesystem::rename(aside, file, error);
  if (error) return unavailable(fmt::format("{}: {}", file.string(), error.message()));
  return sync_path(path_);
}

Result<void> Folder::execute(const char* sql) {
  char* why = nullptr;
  if (sqlite3_exec(catalogue_, sql, nullptr, nullptr, &why) == SQLITE_OK) return {};
  const std::string message = why ? why : "unknown error";
  sqlite3_free(why);
  return unavailable(fmt::format("{}: {}", (path_ / "catalogue.sqlite").string(), message));
}

void Folder::close_catalogue() {
  if (catalogue_) sqlite3_close(std::exchange(catalogue_, nullptr));
}

Result<void> Folder::open_catalogue() {
  if (catalogue_) return {};
  const std::filesystem::path file = path_ / "catalogue.sqlite";
  if (sqlite3_open(file.c_str(), &catalogue_) != SQLITE_OK)
    return unavailable(fmt::format("{}: {}", file.string(), catalogue_ ? sqlite3_errmsg(catalogue_) : "out of memory"));
  return execute(kSchema);
}

Result<int64_t> Folder::sequence_value(const char* sequence) {
  sqlite3_stmt* statement = nullptr;
  const std::string sql = fmt::format("SELECT next FROM sequences WHERE name = '{}'", sequence);
  if (sqlite3_prepare_v2(catalogue_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    return unavailable(fmt::format("{}: {}", (path_ / "catalogue.sqlite").string(), sqlite3_errmsg(catalogue_)));
  const int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 1;
  sqlite3_finalize(statement);
  return value;
}

Result<int64_t> Folder::reserve(const char* sequence, int64_t n) {
  TRY_VOID(open_catalogue());
  TRY(const int64_t first, sequence_value(sequence));
  TRY_VOID(give_back(sequence, first + n));
  return first;
}

Result<void> Folder::give_back(const char* sequence, int64_t next) {
  return execute(
      fmt::format("INSERT INTO sequences (name, next) VALUES ('{0}', {1}) ON CONFLICT (name) DO UPDATE SET next = {1}", sequence, next)
          .c_str());
}

}  // namespace egret::store
