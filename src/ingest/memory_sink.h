#pragma once
// A Sink that keeps everything in memory: for tests and fuzz targets of decoders.
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "model/catalogue.h"

namespace egret::ingest {

class MemorySink final : public Sink {
 public:
  struct Refusal {
    uint64_t line;
    std::string reason, beginning, hint;
  };

  model::Batch& rows(std::string_view table) override {
    auto it = batches.find(table);
    if (it == batches.end()) it = batches.emplace(std::string(table), model::Batch(*model::find_table(table))).first;
    return it->second;
  }
  void error(uint64_t line, std::string reason, std::string_view beginning, std::string hint) override {
    errors.push_back({line, std::move(reason), std::string(beginning.substr(0, 200)), std::move(hint)});
  }
  void covered(const Coverage& c) override { coverage.push_back(c); }
  void append(model::Batch batch) override { extra.push_back(std::move(batch)); }
  void cluster(const ClusterFacts& f) override { clusters.push_back(f); }
  void note(std::string text) override { notes.push_back(std::move(text)); }
  bool first_time(std::string_view name, std::string_view record) override {
    return seen.insert(std::string(name) + '\n' + std::string(record)).second;
  }

  size_t count(std::string_view table) const {
    auto it = batches.find(table);
    size_t n = it == batches.end() ? 0 : it->second.rows();
    for (const model::Batch& b : extra)
      if (b.table().name == table) n += b.rows();
    return n;
  }
  size_t total() const {
    size_t n = 0;
    for (const auto& [name, b] : batches) n += b.rows();
    for (const model::Batch& b : extra) n += b.rows();
    return n;
  }
  // A cell as text, '' where null or absent.
  std::string text(std::string_view table, size_t row, std::string_view column) const {
    const model::Batch& b = batches.find(table)->second;
    return b.to_text(b.column(column), row);
  }

  std::map<std::string, model::Batch, std::less<>> batches;
  std::vector<Refusal> errors;
  std::vector<Coverage> coverage;
  std::vector<model::Batch> extra;  // shapes that decoders made
  std::vector<ClusterFacts> clusters;
  std::vector<std::string> notes;
  std::set<std::string> seen;
};

}  // namespace egret::ingest
