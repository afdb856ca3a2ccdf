#pragma once
// The end of what was there before a block: established connections to the address (SOCK_DESTROY) and their entries of conntrack. The block
// is in force before, so nothing is lost if this fails half-way: packets of what is left are dropped in flight.
#include <cstdint>
#include <string>

#include "base/ip.h"
#include "base/result.h"
#include "sensor/block_scope.h"

namespace egret::sensor {

struct BlockEnded {
  uint64_t sockets = 0, conntrack = 0;
  uint64_t namespaces = 0;           // network namespaces that were looked at
  bool destroy_unsupported = false;  // the kernel ends no foreign sockets: they stay, mute, until their own time-out
  std::string trouble;               // what was not reached, empty if nothing
};

// Needs CAP_NET_ADMIN, and CAP_SYS_ADMIN and CAP_SYS_PTRACE to enter other processes' namespaces.
BlockEnded end_flows(const Cidr& address, const BlockTarget& target, const BlockResolved& resolved, const BlockPlaces& places);

}  // namespace egret::sensor
