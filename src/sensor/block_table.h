#pragma once
// The entries of a block, and what the kernel's maps must hold so that exactly they are in force. Pure: no kernel here.
#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/time.h"
#include "sensor/block_shape.h"

namespace egret::sensor {

struct BlockScope {
  BlockScopeKind kind = kBlockNode;
  uint64_t id = 0;  // cookie or cgroup id
  int level = 0;    // of a cgroup in its tree; 0 is the root
  auto operator<=>(const BlockScope&) const = default;
};

struct BlockEntry {
  std::string id;  // unique; what `remove` names
  Cidr address;
  std::string target;              // as it was asked for: "node", "pod NS/NAME", "cgroup PATH", "netns PATH"
  std::string reason;              // free text
  std::vector<BlockScope> scopes;  // what the target is to the kernel; any of them is enough
  uint64_t until_ns = 0;           // CLOCK_BOOTTIME of this boot
  Ticks added = 0, expires = 0;
  uint32_t slot = 0;      // of its counters
  bool in_flight = true;  // packets of sockets that are connected already can be told to be the target's
};

struct BlockKeyOrder {
  bool operator()(const BlockKey& a, const BlockKey& b) const;
};
struct BlockAddressOrder {
  bool operator()(const BlockAddressKey& a, const BlockAddressKey& b) const;
};

struct BlockMaps {
  std::map<BlockKey, BlockValue, BlockKeyOrder> entries;
  std::map<BlockAddressKey, uint32_t, BlockAddressOrder> addresses;
  BlockConfig config{};
};

// Entries whose time has passed are left out. Of entries with the same prefix and scope the one that lasts longest counts what happens.
BlockMaps block_maps(const std::vector<BlockEntry>& entries, uint64_t now_ns);

std::array<uint8_t, 16> address_bytes(const IpAddress& address);

}  // namespace egret::sensor
