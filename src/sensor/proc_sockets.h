#pragma once
// Without eBPF: the socket tables of every network namespace as /proc shows them, read again and again. It sees who is connected to whom
// and which process holds the socket; it does not see what began and ended between two looks, bytes, names, or why something failed.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sensor/cgroups.h"
#include "sensor/events.h"

namespace egret::sensor {

// One line of /proc/net/tcp, tcp6, udp or udp6.
struct ProcSocket {
  Endpoint local{}, remote{};
  uint8_t state = 0;
  uint32_t uid = 0;
  uint64_t inode = 0;
};
// False for the header and for what is no such line.
bool parse_proc_socket(std::string_view line, bool v6, ProcSocket& out);

class ProcSockets {
 public:
  explicit ProcSockets(Cgroups& cgroups, std::string proc = "/proc") : cgroups_(cgroups), proc_(std::move(proc)) {}
  // One look. Calls `each` for every connection to another host that is new (kFlowOpen; kFlowOngoing at the first look) or gone
  // (kFlowClosed).
  void look(const std::function<void(const Flow&)>& each);
  // Processes whose sockets this user may not see.
  uint64_t hidden() const { return hidden_; }

 private:
  struct Known {
    Flow flow;
    uint64_t look = 0;
  };
  void read_table(const std::string& path, uint8_t protocol, bool v6, uint32_t netns, std::vector<std::pair<uint64_t, Flow>>& fresh);
  void find_holders(const std::vector<std::string>& pids);

  Cgroups& cgroups_;
  std::string proc_;
  uint64_t look_ = 0, hidden_ = 0;
  std::unordered_map<uint64_t, Known> known_;         // by namespace and inode
  std::unordered_map<uint64_t, uint32_t> holder_of_;  // socket inode → pid, of the last look that searched
};

// The process as Owner has it, from /proc; false when it is gone.
bool read_owner(const std::string& proc, uint32_t pid, Cgroups& cgroups, Owner& owner);

}  // namespace egret::sensor
