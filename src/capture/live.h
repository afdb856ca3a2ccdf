#pragma once
// Packets of the interfaces of one network namespace into a pcapng file, bounded in time and size. Linux packet sockets with a ring in
// shared memory (packet(7), TPACKET_V3). Needs CAP_NET_RAW there and CAP_SYS_ADMIN to enter it; nothing is changed in it.
#include <linux/filter.h>

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "capture/identity.h"

namespace egret::capture {

struct LiveInterface {
  std::string name;
  int index = 0;
  int link_type = 1;  // of its packets: Ethernet, or raw IP for what has no link header
  bool loopback = false;
};

struct LiveOptions {
  std::string netns;                    // "/proc/1234/ns/net", "/run/netns/x"; empty for our own
  std::vector<std::string> interfaces;  // by name; empty: all that are up but loopback
  int64_t duration = 0;                 // nanoseconds; 0: until stopped
  uint64_t most_bytes = 0;              // of the file; 0: no bound
  uint32_t snap_length = 262'144;
  std::string filter;  // as it is shown in the file
  // The filter's program for a link type, or an error; null without a filter.
  std::function<Result<std::vector<sock_filter>>(int link_type, uint32_t snap_length)> compile;
  Identity identity;  // addresses are filled in from the interfaces when it has none
  std::string application = "egret";
  std::function<void(const std::vector<LiveInterface>&)> started;  // called once packets are being taken
  const std::atomic<bool>* stop = nullptr;
};

struct LiveResult {
  uint64_t packets = 0, bytes = 0;  // bytes: of the file
  uint64_t dropped = 0;             // by the kernel, for want of room
  enum class End { kTime, kSize, kStopped, kGone } end = End::kTime;
};

// Writes to fd, which it takes over. Errors: the namespace or an interface is not there, no privilege, the filter.
Result<LiveResult> capture_live(const LiveOptions& options, int fd);

}  // namespace egret::capture
