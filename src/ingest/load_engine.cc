// load() into the store's engine.
#include "ingest/load.h"
#include "store/engine.h"

namespace egret::ingest {

Result<RowStore> row_store(store::Engine& engine, Ticks now) {
  RowStore rows;
  rows.append = [&engine, now](const model::Batch& b) { return engine.append(b, now); };
  rows.commit = [&engine] { return engine.commit(); };
  if (engine.row_count("EgretSources") > 0) {
    TRY(const model::Batch sources, engine.query("EgretSources | project Sha256, Cluster, Rows, SourceId", now));
    for (size_t i = 0; i < sources.rows(); ++i) {
      rows.next_source_id = std::max(rows.next_source_id, static_cast<int>(sources.number(3, i)) + 1);
      if (sources.number(2, i) > 0) rows.known.push_back(std::string(sources.text(0, i)) + " " + std::string(sources.text(1, i)));
    }
  }
  return rows;
}

Result<Summary> load_paths(store::Engine& engine, const std::vector<std::filesystem::path>& paths, const LoadOptions& options) {
  TRY(RowStore rows, row_store(engine, options.now));
  TRY(Summary summary, load(rows, paths, options));
  TRY_VOID(engine.roll());
  return summary;
}

Result<Summary> load_folder(store::Engine& engine, const std::filesystem::path& path, const LoadOptions& options) {
  return load_paths(engine, {path}, options);
}

}  // namespace egret::ingest
