#pragma once
// Captured packets in, events out: link layer, IP with its fragments and tunnels, flows, applications. Use one for each capture.
#include <cstdint>
#include <map>

#include "capture/events.h"
#include "capture/flow_table.h"
#include "capture/ip_packet.h"
#include "capture/packet_file.h"

namespace egret::capture {

struct Frame;

struct Counters {
  uint64_t packets = 0, bytes = 0;  // captured
  uint64_t ip_packets = 0;
  uint64_t not_ip = 0;     // ARP, LLDP …
  uint64_t truncated = 0;  // ends within a header: a snap length too short, or damage
  uint64_t malformed = 0;  // a header that cannot be
  uint64_t fragments = 0, fragments_given_up = 0;
  uint64_t tunnelled = 0;  // packets within packets
  uint64_t cut = 0;        // packets of which the capture holds only the beginning
  uint64_t flows = 0, evicted = 0;
  int64_t first = 0, last = 0;            // times of packets, nanoseconds since 1970
  std::map<int, uint64_t> unknown_links;  // packets by link type that is not understood
};

class Analysis {
 public:
  explicit Analysis(Events& events, const Limits& limits = {});
  void packet(const Packet& p);
  void finish();
  const Counters& counters() const { return counters_; }

 private:
  void ip(Bytes bytes, const Frame& frame, int64_t time, int depth);
  bool tunnel(const IpPacket& p, const Frame& frame, int64_t time, int depth);

  FlowTable flows_;
  Fragments fragments_;
  Counters counters_;
};

}  // namespace egret::capture
