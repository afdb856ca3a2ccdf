#include "ingest/row_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/json.h"
#include "base/text.h"
#include "model/catalogue.h"

namespace egret::ingest {
namespace {

constexpr size_t kBatchRows = 122'880;  // a row group of the engine
constexpr size_t kBatchBytes = 48u << 20;
constexpr size_t kWaiting = 3;
constexpr size_t kSpareRows = 8192;  // a batch of so many is worth keeping for the next
constexpr size_t kMostSpare = 2;
constexpr size_t kMostErrorsPerReason = 1000;  // of one file; the rest is counted in one row
constexpr size_t kMostSeen = 20'000'000;
// Statements further apart than this are two spans. Flow logs come in blobs of an hour, quiet logs are quiet for a while.
constexpr Ticks kJoin = 70 * kTicksPerMinute;

}  // namespace

Writer::Writer(RowStore& store) : store_(store), thread_([this] { run(); }) {}

Writer::~Writer() {
  if (thread_.joinable()) (void)finish();
}

void Writer::run() {
  uint64_t uncommitted = 0;
  for (;;) {
    std::optional<model::Batch> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      batch.emplace(std::move(waiting_.front()));
      waiting_.pop_front();
      if (error_) batch.reset();
    }
    changed_.notify_all();
    if (!batch) continue;
    auto done = store_.append(*batch);
    uncommitted += batch->rows();
    if (done && uncommitted >= store_.rows_per_commit) {
      done = store_.commit();
      uncommitted = 0;
    }
    const std::lock_guard lock(mutex_);
    if (!done) error_ = std::move(done).error();
    if (batch->rows() < kSpareRows) continue;
    if (spare_.size() == kMostSpare) spare_.erase(spare_.begin());
    batch->clear();
    spare_.push_back(*std::move(batch));
  }
}

model::Batch Writer::empty(const model::Table& table) {
  const std::lock_guard lock(mutex_);
  const auto it = std::find_if(spare_.begin(), spare_.end(), [&](const model::Batch& b) { return &b.table() == &table; });
  if (it == spare_.end()) return model::Batch(table);
  model::Batch batch = std::move(*it);
  spare_.erase(it);
  return batch;
}

void Writer::put(model::Batch batch) {
  if (batch.empty()) return;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < kWaiting; });
  waiting_.push_back(std::move(batch));
  changed_.notify_all();
}

bool Writer::failed() {
  const std::lock_guard lock(mutex_);
  return error_.has_value();
}

Result<void> Writer::finish() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
  if (error_) return std::unexpected(*error_);
  return store_.commit();
}

RowSink::RowSink(Writer& writer, Ticks now) : writer_(writer), now_(now) {}

model::Batch& RowSink::rows(std::string_view table) {
  if (!last_ || last_->batch.table().name != table) {
    auto it = open_.find(table);
    if (it == open_.end()) {
      const model::Table* t = model::find_table(table);
      if (!t) fmt::print(stderr, "egret: no table {}\n", table);
      assert(t && "a decoder named a table that the catalogue does not have");
      it = open_.emplace(std::string(table), Open{model::Batch(*t)}).first;
      it->second.batch.source_id = source_id_;
    }
    last_ = &it->second;
  }
  model::Batch& b = last_->batch;
  if (b.rows() >= kBatchRows || (b.rows() % 4096 == 4095 && b.bytes() >= kBatchBytes)) {
    count(*last_);
    flush(*last_);
  }
  return last_->batch;
}

void RowSink::count(Open& open) {
  // Rows about the load itself are no rows of a file.
  const std::string& name = open.batch.table().name;
  const bool own = name == "EgretSources" || name == "EgretCoverage" || name == "EgretClusters";
  if (file_ && !own && open.batch.rows() > open.counted) file_->rows[open.batch.table().name] += open.batch.rows() - open.counted;
  open.counted = open.batch.rows();
}

// A batch carries one source id, so it never holds rows of two files.
void RowSink::flush(Open& open) {
  if (open.batch.empty()) return;
  model::Batch next = writer_.empty(open.batch.table());
  next.source_id = source_id_;
  writer_.put(std::exchange(open.batch, std::move(next)));
  open.counted = 0;
}

void RowSink::append(model::Batch batch) {
  batch.source_id = source_id_;
  if (file_) file_->rows[batch.table().name] += batch.rows();
  writer_.put(std::move(batch));
}

void RowSink::error(uint64_t line, std::string reason, std::string_view beginning, std::string hint) {
  uint64_t n = 1;
  if (file_) n = ++file_->errors[reason];
  if (!hint.empty()) hints_.emplace(reason, hint);
  if (n > kMostErrorsPerReason) return;
  model::Batch& b = rows("EgretIngestErrors");
  b.add_row();
  b.set_datetime(b.column("TimeGenerated"), now_);
  if (file_) b.set_string(b.column("File"), file_->path);
  if (line) b.set_int(b.column("Line"), static_cast<int64_t>(line));
  b.set_string(b.column("Format"), format_);
  b.set_string(b.column("Reason"),
               n == kMostErrorsPerReason ? reason + " (and more of the same in this file, which are only counted)" : reason);
  b.set_string(b.column("Hint"), hint);
  b.set_string(b.column("Beginning"), terminal_safe(beginning.substr(0, 200)));
  if (file_ && !file_->cluster.empty()) b.set_string(b.column("Cluster"), file_->cluster);
}

void RowSink::covered(const Coverage& c) {
  if (c.to < c.from || c.from <= 0) return;
  std::vector<Span>& spans = coverage_[{c.cluster, c.scope, c.name, c.source, c.table}];
  // Most statements come in order and touch the last span.
  if (!spans.empty()) {
    Span& last = spans.back();
    if (c.from <= last.to + kJoin && c.to >= last.from - kJoin && last.completeness == c.completeness) {
      last.from = std::min(last.from, c.from);
      last.to = std::max(last.to, c.to);
      last.rows += c.rows;
      return;
    }
  }
  spans.push_back({c.from, c.to, c.rows, c.completeness});
}

void RowSink::cluster(const ClusterFacts& f) {
  if (f.cluster.empty()) return;
  const auto [it, fresh] = clusters_.emplace(f.cluster, f);
  if (fresh) return;
  ClusterFacts& known = it->second;
  const auto fill = [](std::string& into, const std::string& from) {
    if (into.empty()) into = from;
  };
  fill(known.region, f.region);
  fill(known.resource_id, f.resource_id);
  fill(known.subscription, f.subscription);
  fill(known.node_resource_group, f.node_resource_group);
  fill(known.pod_cidr, f.pod_cidr);
  fill(known.source, f.source);
  for (const std::string& ip : f.egress_ips)
    if (std::find(known.egress_ips.begin(), known.egress_ips.end(), ip) == known.egress_ips.end()) known.egress_ips.push_back(ip);
}

void RowSink::note(std::string text) { ++notes_[std::move(text)]; }

bool RowSink::first_time(std::string_view name, std::string_view record) {
  if (seen_.size() >= kMostSeen) return true;
  const uint64_t h =
      std::hash<std::string_view>()(record) * 0x9e3779b97f4a7c15ull ^ std::hash<std::string_view>()(name) ^ record.size() << 48;
  return seen_.insert(h).second;
}

void RowSink::begin_file(FileSummary& file, int source_id, std::string format) {
  file_ = &file;
  source_id_ = source_id;
  format_ = std::move(format);
  for (auto& [name, open] : open_) open.batch.source_id = source_id;
}

void RowSink::end_file() {
  for (auto& [name, open] : open_) {
    count(open);
    flush(open);
  }
  file_ = nullptr;
  source_id_ = 0;
}

void RowSink::end(Summary& all) {
  file_ = nullptr;
  source_id_ = 0;
  for (auto& [key, spans] : coverage_) {
    std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.from < b.from; });
    std::vector<Span> joined;
    for (const Span& s : spans) {
      if (!joined.empty() && s.from <= joined.back().to + kJoin && s.completeness == joined.back().completeness) {
        joined.back().to = std::max(joined.back().to, s.to);
        joined.back().rows += s.rows;
      } else {
        joined.push_back(s);
      }
    }
    for (const Span& s : joined) {
      model::Batch& b = rows("EgretCoverage");
      b.add_row();
      b.set_datetime(b.column("TimeGenerated"), now_);
      b.set_string(b.column("Cluster"), key.cluster);
      b.set_string(b.column("Scope"), key.scope);
      b.set_string(b.column("Name"), key.name);
      b.set_string(b.column("Source"), key.source);
      b.set_string(b.column("TableName"), key.table);
      b.set_datetime(b.column("StartTime"), s.from);
      b.set_datetime(b.column("EndTime"), s.to);
      b.set_real(b.column("Completeness"), s.completeness);
      b.set_int(b.column("Rows"), s.rows);
    }
    if (!key.cluster.empty()) clusters_.emplace(key.cluster, ClusterFacts{.cluster = key.cluster, .source = "rows"});
  }
  for (const auto& [name, f] : clusters_) {
    all.clusters.push_back(name);
    model::Batch& b = rows("EgretClusters");
    b.add_row();
    b.set_datetime(b.column("TimeGenerated"), now_);
    b.set_string(b.column("Cluster"), name);
    b.set_string(b.column("Region"), f.region);
    b.set_string(b.column("ResourceId"), f.resource_id);
    b.set_string(b.column("Subscription"), f.subscription);
    b.set_string(b.column("NodeResourceGroup"), f.node_resource_group);
    b.set_string(b.column("PodCidr"), f.pod_cidr);
    b.set_string(b.column("Source"), f.source);
    if (!f.egress_ips.empty()) {
      JsonWriter w;
      w.begin_array();
      for (const std::string& ip : f.egress_ips) w.string(ip);
      w.end_array();
      b.set_dynamic(b.column("EgressIps"), std::move(w).take());
    }
  }
  for (auto& [name, open] : open_) flush(open);
  all.notes = notes_;
  all.hints = hints_;
}

}  // namespace egret::ingest
