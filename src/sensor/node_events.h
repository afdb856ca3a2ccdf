#pragma once
// What the sensor says of the node and of itself: rows of EgretNodeEvents, and of EgretCoverage for the time that it saw.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/context.h"
#include "sensor/probes.h"
#include "sensor/spool.h"

namespace egret::sensor {

class NodeEvents {
 public:
  NodeEvents(Context& context, std::string sensor_id) : c_(context), id_(std::move(sensor_id)) {}

  // Boot, start, the gap between them (from the end of an earlier sensor of this boot where one left word), and which hooks are missing.
  void started(uint64_t now_ns, Ticks earlier_end, const std::vector<ProbeState>& probes, std::string_view mode);
  void stopped(uint64_t now_ns);
  // Something was lost since the last call: how much of what, and why.
  void lost(std::string_view what, uint64_t count, std::string_view reason, uint64_t from_ns, uint64_t to_ns);
  void kernel_losses(const std::vector<uint64_t>& totals, uint64_t from_ns, uint64_t to_ns);
  void spool_losses(SpoolLoss loss, uint64_t from_ns, uint64_t to_ns);
  // Coverage of [from, to), which is the time of the whole start so far: rows written in it, and the share of what happened that they
  // stand for. Each statement includes the ones before.
  void covered(uint64_t from_ns, uint64_t to_ns, uint64_t rows);

 private:
  void event(std::string_view type, Ticks time, Ticks from, Ticks to, std::string_view message, int64_t count = -1,
             std::string_view what = {});

  Context& c_;
  std::string id_;
  std::vector<uint64_t> seen_losses_;
  uint64_t lost_ = 0;
  bool flows_seen_ = true, payloads_seen_ = true;
};

}  // namespace egret::sensor
