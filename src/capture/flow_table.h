#pragma once
// Packets of one conversation belong together: the table of flows. Bounded: at most Limits::flows at a time, the ones that were
// silent longest give way (and say so). A flow ends as in Zeek: TCP 5 s after both sides are done, 5 s after an attempt that no one
// answered, or after 5 min of silence; UDP and ICMP after 1 min.
#include <cstdint>
#include <memory>
#include <vector>

#include "capture/events.h"
#include "capture/ip_packet.h"

namespace egret::capture {

struct Limits {
  size_t flows = 200'000;
  size_t held_bytes = 128u << 20;    // of TCP segments that wait behind a hole, over all flows
  size_t parser_bytes = 128u << 20;  // kept by parsers of applications (heads that are not whole, open requests), over all flows
  bool applications = true;          // look into payloads
};

class FlowTable {
 public:
  FlowTable(Events& events, const Limits& limits);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // A whole IP packet (no fragment). False when its transport header cannot be read.
  bool packet(const IpPacket& p, int64_t time, uint16_t vlan, Bytes mac);
  void finish();  // all that are open end here

  uint64_t flows() const { return flows_; }
  uint64_t evicted() const { return evicted_; }
  size_t open() const { return open_; }

 private:
  struct Flow;
  struct Tcp;
  struct Key;
  Flow& find(const Key& key, bool& fresh);
  void grow();
  void close(Flow& f, bool evicted);
  void remove(Flow& f);
  void account(Flow& f, size_t bytes);
  void give_up(Flow& f);
  void evict();
  void sweep(int64_t now);
  bool over(const Flow& f, int64_t now) const;
  bool tcp(const IpPacket& p, int64_t time, uint16_t vlan, Bytes mac);
  bool udp(const IpPacket& p, int64_t time, uint16_t vlan, Bytes mac);
  bool icmp(const IpPacket& p, int64_t time, uint16_t vlan, Bytes mac);
  Flow& of_packet(const IpPacket& p, uint16_t from_port, uint16_t to_port, int64_t time, bool flip, bool& from_client, bool& fresh,
                  uint16_t vlan, Bytes mac);
  void stream(Flow& f, bool from_client, const struct TcpHeader& h, const IpPacket& p, Bytes data, uint32_t stated);
  Flow& at(uint32_t index);

  static constexpr uint32_t kChunk = 256;
  static constexpr uint32_t kNone = ~uint32_t{0};

  Events& events_;
  Limits limits_;
  std::vector<std::unique_ptr<Flow[]>> chunks_;
  std::vector<uint32_t> heads_;  // a power of two of them
  std::vector<uint32_t> free_;
  uint32_t used_ = 0;  // of the chunks, ever
  uint32_t last_ = kNone;
  size_t open_ = 0, held_ = 0, parser_bytes_ = 0;
  uint32_t hand_ = 0;
  int64_t swept_ = 0;
  uint64_t flows_ = 0, evicted_ = 0;
};

}  // namespace egret::capture
