#pragma once
// From files and folders to rows in the store. What `egret ingest` and `egret investigate` begin with.
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/batch.h"

namespace egret::store {
class Engine;
}

namespace egret::ingest {

struct FileSummary {
  std::string path;    // below the folder
  std::string format;  // decoder's name, 'unknown', 'repeated' (the same bytes are there already), 'skipped', 'manifest'
  std::string cluster;
  std::string sha256;
  uint64_t bytes = 0;
  std::map<std::string, uint64_t> rows;    // by table
  std::map<std::string, uint64_t> errors;  // by reason
  uint64_t row_count() const;
  uint64_t error_count() const;
};

struct Summary {
  std::vector<FileSummary> files;
  std::map<std::string, uint64_t> rows;      // by table
  std::map<std::string, uint64_t> notes;     // what the decoders wanted to say, with counts
  std::map<std::string, std::string> hints;  // by reason of error
  std::vector<std::string> clusters;         // that rows or folders named
  uint64_t row_count() const;
  uint64_t error_count() const;
  uint64_t unknown_files() const;
};

struct LoadOptions {
  Ticks now = 0;               // stamps the rows
  std::string format;          // decode everything as this decoder or table; empty: by content
  std::string time_zone = {};  // of local times that evidence.yaml says nothing of: a name or an offset; empty: UTC
  // Called before each file; for progress on a terminal. May be empty.
  std::function<void(size_t done, size_t of, const std::string& path)> progress = {};
};

// Whether LoadOptions::format names a decoder or table; empty does.
Result<void> check_format(const std::string& format);

// Where rows go. The store's engine, or memory in tests. append and commit are called from one thread that is not the caller's.
struct RowStore {
  std::function<Result<void>(const model::Batch&)> append;
  std::function<Result<void>()> commit;
  std::vector<std::string> known;  // "sha256 cluster" of files that it has already
  int next_source_id = 1;
  uint64_t rows_per_commit = 1'000'000;  // a large load commits in between
};

// Reads every file below the paths (files or folders), in the order of their names. Fails when a path does not exist, when there
// is no file at all, on a wrong evidence.yaml, and when the store does. Bad data never fails: it becomes rows of EgretIngestErrors.
Result<Summary> load(RowStore& store, const std::vector<std::filesystem::path>& paths, const LoadOptions& options);
Result<Summary> load_folder(store::Engine& engine, const std::filesystem::path& path, const LoadOptions& options);
Result<Summary> load_paths(store::Engine& engine, const std::vector<std::filesystem::path>& paths, const LoadOptions& options);

// What was added to a file since it was read before: whole lines.
struct Piece {
  std::string key;    // the caller's
  std::string path;   // below the folder
  std::string bytes;  // with the file's header before them where the lines need one
  std::string decoder;
  Ticks modified_at = 0;
  int source_id = 0;                  // what EgretSources says of the file already; 0: nothing yet
  std::vector<std::string> troubles;  // become error rows of the file
};
// As load(), for pieces of files and whole files below `root`, whose evidence.yaml counts. Pieces that have no source id yet get one
// before the commit.
Result<Summary> load_pieces(RowStore& store, const std::filesystem::path& root, std::vector<Piece>& pieces,
                            const std::vector<std::string>& whole, const LoadOptions& options);
// For whoever keeps a store open between loads.
Result<RowStore> row_store(store::Engine& engine, Ticks now);

// The cluster that a path names: an ARM id or node group in it, else the first folder when that is not a general word ("logs").
std::string cluster_of_path(std::string_view path);

}  // namespace egret::ingest
