#pragma once
// The data folder on disk: its format version, its lock and its SQLite catalogue.
//
//   FORMAT            "egret-data 2": a newer one is refused, an older one is migrated here
//   LOCK              held by flock; contains the writer's process id
//   hot.duckdb        rows that were not sealed, and which sealed files there are
//   catalogue.sqlite  sequences; WAL, synchronous=FULL
//   parquet/          sealed rows; see sealed.h
//
// Format 1 had no sealed files; the engine makes the table that lists them.
#include <filesystem>
#include <memory>

#include "base/result.h"

struct sqlite3;

namespace egret::store {

inline constexpr int kFolderFormat = 2;

// fsync of a file or folder.
Result<void> sync_path(const std::filesystem::path& path);

class Folder {
 public:
  // Writers create what is missing and exclude everyone; readers exclude writers only and create nothing.
  static Result<std::unique_ptr<Folder>> open(const std::filesystem::path& path, bool read_only);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::filesystem::path hot() const { return path_ / "hot.duckdb"; }
  std::filesystem::path sealed() const { return path_ / "parquet"; }
  std::filesystem::path temporary() const { return path_ / "tmp"; }
  // Reserves n numbers of that sequence durably and returns the first. What was reserved and not used is lost: numbers
  // have gaps after a crash, but never repeat.
  Result<int64_t> reserve(const char* sequence, int64_t n);
  // Gives back the unused end of the latest reservation, so that an orderly stop leaves no gap.
  Result<void> give_back(const char* sequence, int64_t next);
  // Its last syncs take a while: whoever closes something else meanwhile calls this before. Only a reservation opens it again.
  void close_catalogue();

 private:
  explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}
  Result<void> lock(bool read_only);
  Result<void> check_format(bool read_only);
  Result<void> write_format();
  Result<void> open_catalogue();  // by the first reservation
  Result<int64_t> sequence_value(const char* sequence);
  Result<void> execute(const char* sql);

  std::filesystem::path path_;
  int lock_fd_ = -1;
  sqlite3* catalogue_ = nullptr;
};

}  // namespace egret::store
