#include "sensor/block_table.h"

#include <cstring>

namespace egret::sensor {

namespace {

struct Held {
  Cidr address;
  uint64_t until;
  uint32_t slot;
};

BlockKey key_of(const BlockScope& scope, const Cidr& address) {
  BlockKey key{};
  key.bits = 96 + static_cast<uint32_t>(address.prefix);
  key.kind = scope.kind;
  key.scope = scope.id;
  const auto bytes = address_bytes(address.base);
  std::memcpy(key.address, bytes.data(), bytes.size());
  return key;
}

// Keeps the one of the two that lasts longer; true when it is this one.
bool take_longer(const Held& h, __u64& until, __u32& slot) {
  if (h.until <= until) return false;
  until = h.until;
  slot = h.slot;
  return true;
}

}  // namespace

std::array<uint8_t, 16> address_bytes(const IpAddress& address) {
  std::array<uint8_t, 16> bytes{};
  for (size_t i = 0; i < 16; ++i) bytes[i] = static_cast<uint8_t>(address.value >> (120 - 8 * i));
  return bytes;
}

bool BlockKeyOrder::operator()(const BlockKey& a, const BlockKey& b) const {
  if (a.kind != b.kind) return a.kind < b.kind;
  if (a.scope != b.scope) return a.scope < b.scope;
  if (a.bits != b.bits) return a.bits < b.bits;
  return std::memcmp(a.address, b.address, sizeof a.address) < 0;
}

bool BlockAddressOrder::operator()(const BlockAddressKey& a, const BlockAddressKey& b) const {
  if (a.bits != b.bits) return a.bits < b.bits;
  return std::memcmp(a.address, b.address, sizeof a.address) < 0;
}

BlockMaps block_maps(const std::vector<BlockEntry>& entries, uint64_t now_ns) {
  BlockMaps maps;
  std::map<BlockScope, std::vector<Held>> by_scope;
  for (const BlockEntry& e : entries) {
    if (e.until_ns <= now_ns) continue;
    for (const BlockScope& scope : e.scopes) {
      by_scope[scope].push_back({e.address, e.until_ns, e.slot});
      maps.config.kinds |= 1u << scope.kind;
      if (scope.kind == kBlockCgroup) maps.config.levels |= 1u << scope.level;
      if (scope.kind == kBlockCgroupV1) maps.config.levels_v1 |= 1u << scope.level;
    }
    BlockAddressKey address{};
    address.bits = static_cast<uint32_t>(e.address.prefix);
    const auto bytes = address_bytes(e.address.base);
    std::memcpy(address.address, bytes.data(), bytes.size());
    maps.addresses[address] = 1;
  }
  for (const auto& [scope, held] : by_scope)
    for (const Held& own : held) {
      BlockValue value{};
      for (const Held& other : held)
        if (other.address == own.address) take_longer(other, value.until[0], value.slot[0]);
      // Shorter prefixes that hold on after it.
      value.until[1] = value.until[0];
      bool covered = false;
      for (const Held& other : held)
        if (other.address.prefix < own.address.prefix && other.address.contains(own.address.base))
          covered |= take_longer(other, value.until[1], value.slot[1]);
      if (!covered) value.until[1] = 0;
      maps.entries[key_of(scope, own.address)] = value;
    }
  return maps;
}

}  // namespace egret::sensor
