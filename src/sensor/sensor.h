#pragma once
// The sensor as a whole: one thread, one loop. Events of the kernel, ticks and signals come in; rows go out.
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "sensor/pods.h"
#include "sensor/process_rows.h"

namespace egret::sensor {

struct SensorOptions {
  std::string out;          // folder of segments
  std::string cluster;      // may be empty
  std::string node;         // empty: the host's name
  std::string cgroup_root;  // this node's part of the cgroup tree; empty: all of it
  std::string netns;        // network namespace that translates the node's traffic; empty: the sensor's own
  PodSources pods;
  uint64_t spool_bytes = 256ULL << 20;
  Ticks segment_time = 5 * kTicksPerSecond;
  Ticks window = 10 * kTicksPerSecond;
  uint64_t rows_per_destination = 50;
  ProcessRows processes = ProcessRows::kNetwork;
  bool inbound = false, loopback = false;
  bool no_ebpf = false;  // as if the kernel had none
  bool idle = false;     // hooks attached and doing nothing, for measurements
  bool quiet = false, verbose = false;
};

// Runs until `stop_fd` (a signalfd) is readable. Says once on standard error when it is ready, and what it cannot see.
Result<void> run_sensor(const SensorOptions& options, int stop_fd);

}  // namespace egret::sensor
