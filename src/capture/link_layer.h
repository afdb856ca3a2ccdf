#pragma once
// From a captured frame to the IP packet in it: link headers, VLAN tags (802.1Q, QinQ), MPLS, PPPoE, provider bridges, and what
// capture interfaces put before (Linux cooked v1 and v2, loopback). Numbers: www.tcpdump.org/linktypes.html, IEEE ethertypes.
#include <cstdint>

#include "capture/bytes.h"

namespace egret::capture {

struct Frame {
  Bytes ip;           // begins with the IP header; empty when the frame carries none
  uint16_t vlan = 0;  // the outermost VLAN's id, 0 without
  Bytes source_mac;   // of Ethernet, else empty
};

enum class LinkVerdict {
  kIp,
  kNotIp,        // ARP, LLDP, spanning tree …: fine, but nothing for us
  kTruncated,    // ends within a header
  kUnknownLink,  // a link type that is not understood
};

LinkVerdict decode_link(int link_type, Bytes frame, Frame& out);

// What follows an ethertype: for tunnels that carry Ethernet payloads by type (GRE).
LinkVerdict decode_ethertype(uint16_t type, Bytes rest, Frame& out);

inline constexpr int kLinkNull = 0, kLinkEthernet = 1, kLinkRaw = 101, kLinkCooked = 113;

}  // namespace egret::capture
