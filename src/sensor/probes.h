#pragma once
// The kernel programs: loaded and attached one by one, so that a kernel that lacks one hook still gives the rest. Each has a name and says
// what cannot be seen without it.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sensor/events.h"

namespace egret::sensor {

struct ProbeOptions {
  std::string cgroup_folder;  // below the unified mount: where the cgroup programs go
  uint64_t root_cgroup = 0;   // its id, when it is not the whole tree; 0 otherwise
  bool inbound = false, loopback = false, processes = true;
  bool idle = false;     // attached and doing nothing, to measure what that costs
  bool verbose = false;  // print the verifier's words on a program that it refuses
  uint32_t ring_bytes = 8 << 20;
};

struct ProbeState {
  std::string name;    // "TCP states"
  std::string unseen;  // what cannot be seen without it
  bool attached = false;
  std::string error;  // why not
};

class Probes {
 public:
  // Calls `handle` for each event, within consume(). An error only when nothing at all could be loaded.
  using Handler = std::function<void(const EventHeader& event)>;
  static Result<std::unique_ptr<Probes>> open(const ProbeOptions& options, Handler handle);
  ~Probes();
  Probes(const Probes&) = delete;
  Probes& operator=(const Probes&) = delete;

  int fd() const;  // readable when events wait
  int consume();   // handles all that wait; their number
  // Everything that is open now, of all network namespaces; a socket that several processes hold comes several times.
  void sweep(const std::function<void(const Flow&)>& each);
  const std::vector<ProbeState>& states() const { return states_; }
  std::vector<uint64_t> losses() const;  // by LossKind, since the start
  // Datagram flows beyond the first of their socket: hands over each with its counters; those idle since before `idle_ns` are removed.
  void datagrams(uint64_t idle_ns, const std::function<void(const Flow&, bool last)>& each);

 private:
  struct Impl;
  explicit Probes(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  std::vector<ProbeState> states_;
};

}  // namespace egret::sensor
