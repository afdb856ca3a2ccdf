#pragma once
// The sink of a real load: batches rows by table and hands full batches to a writer thread, so that decoding and appending overlap
// and rows keep their order. Joins coverage and what is said of clusters, and counts for the summary.
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "ingest/decoder.h"
#include "ingest/load.h"

namespace egret::ingest {

// Appends in order on a thread of its own. At most a few batches wait, so that memory stays bounded when decoding is faster.
class Writer {
 public:
  explicit Writer(RowStore& store);
  ~Writer();
  void put(model::Batch batch);
  model::Batch empty(const model::Table& table);  // the memory of one that was appended, if there is
  Result<void> finish();                          // all appended and committed, or the first error
  bool failed();

 private:
  void run();
  RowStore& store_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<model::Batch> waiting_;
  std::vector<model::Batch> spare_;  // large ones, empty again
  std::optional<Error> error_;
  bool stop_ = false;
  std::thread thread_;
};

class RowSink final : public Sink {
 public:
  RowSink(Writer& writer, Ticks now);

  model::Batch& rows(std::string_view table) override;
  void append(model::Batch batch) override;
  void error(uint64_t line, std::string reason, std::string_view beginning, std::string hint = {}) override;
  void covered(const Coverage& c) override;
  void cluster(const ClusterFacts& facts) override;
  void note(std::string text) override;
  bool first_time(std::string_view name, std::string_view record) override;

  void begin_file(FileSummary& file, int source_id, std::string format);
  void end_file();         // counts are complete; small batches stay, to be joined with those of the next file
  void end(Summary& all);  // flushes everything, with EgretCoverage and EgretClusters

 private:
  struct Open {
    model::Batch batch;
    size_t counted = 0;  // rows that earlier files have
  };
  void count(Open& open);
  void flush(Open& open);

  Writer& writer_;
  Ticks now_;
  std::map<std::string, Open, std::less<>> open_;
  Open* last_ = nullptr;
  FileSummary* file_ = nullptr;
  int source_id_ = 0;
  std::string format_;
  struct Span {
    Ticks from, to;
    int64_t rows;
    double completeness;
  };
  struct Key {
    std::string cluster, scope, name, source, table;
    auto operator<=>(const Key&) const = default;
  };
  std::map<Key, std::vector<Span>> coverage_;
  std::map<std::string, ClusterFacts> clusters_;
  std::map<std::string, uint64_t> notes_;
  std::map<std::string, std::string> hints_;
  std::unordered_set<uint64_t> seen_;
};

}  // namespace egret::ingest
