#pragma once
// The kernel's connection tracking: what every tuple became on its way out of the node (source NAT: masquerade) or into a Service
// (destination NAT), while it happens and, by a dump, what was there before. Formats: linux/netfilter/nfnetlink_conntrack.h.
//
// What the kernel does not keep cannot be told: counters need net.netfilter.nf_conntrack_acct, times nf_conntrack_timestamp (both off by
// default, and settings of the node that the sensor leaves alone); and with nf_conntrack_events=2 (the default) a connection that began
// before anyone listened makes no events later, so that only the dump knows it. A table exists per network namespace: pods' traffic is
// translated in the node's own.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "sensor/nat.h"
#include "sensor/netlink.h"

namespace egret::sensor {

enum class ConntrackChange : uint8_t { kExisting, kNew, kUpdate, kDestroy };

struct ConntrackCounters {
  uint64_t packets = 0, bytes = 0;  // bytes of whole IP packets
};

// Tuples as the first packet has them. ICMP and ICMPv6: the source port is the identifier, the destination port type × 256 + code.
struct Conntrack {
  Tuple original;                         // as the program sent it
  Tuple reply;                            // as an answer comes back to the node, before it is translated back
  uint32_t id = 0, status = 0, mark = 0;  // status: IPS_* of linux/netfilter/nf_conntrack_common.h
  uint16_t zone = 0;
  uint8_t family = 0;                               // AF_INET or AF_INET6
  std::optional<uint8_t> tcp_state;                 // TCP_CONNTRACK_* of linux/netfilter/nf_conntrack_tcp.h
  std::optional<ConntrackCounters> sent, received;  // absent without accounting; events of a new connection have none
  uint64_t start = 0, stop = 0;                     // nanoseconds since 1970; 0 without timestamps
  uint32_t timeout = 0;                             // seconds that the entry has left, 0 when not told

  // The tuple as it leaves: the reply turned round.
  Tuple translated() const;
  bool source_translated() const;
  bool destination_translated() const;
};

std::string_view tcp_conntrack_name(uint8_t state);  // "ESTABLISHED"; "" when it is none

// Reads one message of the conntrack subsystem (its payload, with the nfgenmsg header). Nothing when it lacks a tuple or does not parse.
std::optional<Conntrack> parse_conntrack(Bytes payload);

struct ConntrackCounts {
  uint64_t messages = 0, malformed = 0;
  uint64_t lost = 0;  // times that the kernel dropped events because they were not read fast enough (ENOBUFS); how many is not told
};
// All messages of one datagram. What is of another kind is passed over; what does not parse is counted.
using ConntrackHandler = std::function<void(ConntrackChange, const Conntrack&)>;
void parse_conntrack_datagram(Bytes datagram, const ConntrackHandler& each, ConntrackCounts& counts);

struct ConntrackOptions {
  std::string netns;     // path of a network namespace; empty: the process's own
  bool updates = false;  // also changes of state (several a connection); new and destroyed always
  size_t receive_bytes = 8 << 20;
};

// The table of one network namespace, and its events from open() on.
class ConntrackEvents {
 public:
  // Fails where the kernel has no conntrack netlink or the process no CAP_NET_ADMIN in the namespace.
  static Result<ConntrackEvents> open(const ConntrackOptions& options);

  int fd() const { return events_.fd(); }  // readable when events wait
  // Everything in the table now, as kExisting. Events of the meantime wait; one of them may repeat an entry. True when the table changed
  // so that an entry may be missing.
  Result<bool> dump(const ConntrackHandler& each);
  // Events that wait (at most a few thousand datagrams of them), in the kernel's order; never blocks. The number handed over. After a loss
  // a dump() fills the gap.
  Result<size_t> consume(const ConntrackHandler& each);
  const ConntrackCounts& counts() const { return counts_; }

 private:
  ConntrackEvents(NetlinkSocket events, NetlinkSocket requests) : events_(std::move(events)), requests_(std::move(requests)) {}
  NetlinkSocket events_, requests_;
  ConntrackCounts counts_;
};

// Removes the entry with this original tuple, zone and id, so that the next packet is tracked, filtered and translated afresh. False when
// it was gone. `socket`: one of NETLINK_NETFILTER in the table's namespace.
Result<bool> remove_conntrack(NetlinkSocket& socket, const Conntrack& entry);
// The entry whose original tuple this is (in zone 0); nothing when there is none.
Result<std::optional<Conntrack>> find_conntrack(NetlinkSocket& socket, const Tuple& original);
Result<void> dump_conntrack(NetlinkSocket& socket, const ConntrackHandler& each, ConntrackCounts& counts, bool* interrupted = nullptr);

}  // namespace egret::sensor
