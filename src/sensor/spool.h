#pragma once
// Rows on disk until a reader has taken them: numbered segments in a folder, bounded, surviving restart (docs/formats/sensor-segments.md).
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "sensor/row.h"

namespace egret::sensor {

struct SpoolOptions {
  std::string folder;
  std::string node;
  uint64_t most_bytes = 256ULL << 20;  // of finished segments; the oldest go first
  uint64_t segment_bytes = 8ULL << 20;
  Ticks segment_time = 5 * kTicksPerSecond;
};

// Segments that were dropped because the folder was full.
struct SpoolLoss {
  uint64_t segments = 0, rows = 0, bytes = 0;
};

class Spool final : public RowSink {
 public:
  // Takes the folder's lock for this node, finishes what an earlier start left, and begins numbering. start: microseconds since 1970.
  static Result<std::unique_ptr<Spool>> open(SpoolOptions options, int64_t start_us);
  ~Spool() override;
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  void add(const Row& row) override;
  // Finishes the segment when it is old enough. Errors of the disk are counted: the rows stay in memory up to one segment and are tried
  // again.
  void tick(Ticks now);
  Result<void> finish();  // the segment as it is, whatever its age
  SpoolLoss take_loss();  // since the last call
  uint64_t rows() const { return sequence_; }
  uint64_t write_errors() const { return write_errors_; }
  const std::string& sensor_id() const { return id_; }

 private:
  Spool(SpoolOptions options, int64_t start_us);
  std::string part_path(uint64_t number) const;
  bool flush();
  void recover();
  void bound();

  SpoolOptions options_;
  std::string id_, prefix_;
  int lock_ = -1, fd_ = -1;
  std::string buffer_;
  uint64_t number_ = 0, sequence_ = 0, written_ = 0, unsynced_rows_ = 0, write_errors_ = 0;
  Ticks opened_ = 0;
  SpoolLoss loss_;
};

}  // namespace egret::sensor
