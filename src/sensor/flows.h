#pragma once
// Flow events become rows of ASimNetworkSessionLogs. Every new destination of an owner, and the first connections to it in a window, have a
// row each; what comes beyond that in the window is one row with their number and sums. Long connections have a row a window with what was
// added.
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

#include "sensor/context.h"

namespace egret::sensor {

struct FlowOptions {
  uint64_t rows_per_destination = 50;  // in one window, before the rest is added up
  bool await_owner = false;            // a source of owners exists: a pod that it does not know yet is waited for
};

class Flows {
 public:
  Flows(Context& context, FlowOptions options) : c_(context), options_(options) {}

  void on_event(const Flow& flow);
  // Something that a sweep found alive, or a datagram flow of the map. last: it will not be seen again.
  void on_sweep(const Flow& flow, bool last = false);
  void tick(uint64_t now_ns);        // rows that waited for their owner's name
  void end_window(uint64_t now_ns);  // writes what was added up
  uint64_t connections() const { return connections_; }
  uint64_t rows() const { return rows_; }
  // Called with each flow whose owner is known, before its row is written (process rows).
  std::function<void(const Flow&, const Identity&)> on_owner;

 private:
  enum class Stage : uint8_t { kStart, kContinue, kEnd, kWhole, kFailed };
  struct Counters {
    uint64_t bytes_out = 0, bytes_in = 0, packets_out = 0, packets_in = 0;
  };
  struct Reported : Counters {
    uint64_t at = 0;  // boot time of the last row
    bool started = false;
  };
  struct Key {
    CgroupKey cgroup;
    uint64_t remote_high, remote_low;
    uint32_t netns, pid;
    uint16_t port;
    uint8_t protocol;
    Stage stage;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& k) const;
  };
  struct Bucket {
    uint64_t rows = 0;
    uint64_t more = 0;  // connections added up in `sum`
    Flow sum{};
    uint64_t first = 0;
  };
  struct Waiting {
    Flow flow;
    Stage stage;
    uint64_t from;
    uint64_t until;
  };

  Key key_of(const Flow& f, Stage stage) const;
  bool seen_before(const Flow& f);
  void record(const Flow& f, Stage stage, uint64_t from);
  void write_or_wait(const Flow& f, Stage stage, uint64_t from, uint64_t count);
  void write(const Flow& f, const Identity& identity, Stage stage, uint64_t from, uint64_t count);
  bool wait_for(const Identity& identity) const;

  Context& c_;
  FlowOptions options_;
  std::unordered_map<Key, Bucket, KeyHash> window_;
  std::unordered_map<Key, uint64_t, KeyHash> seen_;  // destination → last time
  std::unordered_map<uint64_t, Reported> reported_;  // by flow
  std::deque<Waiting> waiting_;
  uint64_t connections_ = 0, rows_ = 0;
};

}  // namespace egret::sensor
