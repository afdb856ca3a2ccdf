#include "sensor/block_table.h"

#include <gtest/gtest.h>

#include <random>

namespace egret::sensor {
namespace {

BlockEntry entry(const char* address, BlockScope scope, uint64_t until, uint32_t slot) {
  BlockEntry e;
  e.address = *Cidr::parse(address);
  e.scopes = {scope};
  e.until_ns = until;
  e.slot = slot;
  return e;
}

// What the kernel program does: the longest prefix, then its two times.
int kernel_answer(const BlockMaps& maps, const BlockScope& scope, const IpAddress& address, uint64_t now) {
  for (int prefix = 128; prefix >= 0; --prefix)
    for (const auto& [key, value] : maps.entries) {
      if (key.kind != scope.kind || key.scope != scope.id || key.bits != 96 + static_cast<uint32_t>(prefix)) continue;
      uint128 base = 0;
      for (const uint8_t b : key.address) base = base << 8 | b;
      if (!Cidr{IpAddress{base}, prefix}.contains(address)) continue;
      if (value.until[0] > now) return static_cast<int>(value.slot[0]);
      if (value.until[1] > now) return static_cast<int>(value.slot[1]);
      return -1;
    }
  return -1;
}

TEST(BlockTable, AShorterPrefixThatLastsLongerHoldsOn) {
  const BlockScope node;
  const auto maps = block_maps({entry("203.0.113.0/24", node, 400, 0), entry("203.0.113.7", node, 100, 1)}, 0);
  const auto seven = *IpAddress::parse("203.0.113.7");
  EXPECT_EQ(kernel_answer(maps, node, seven, 50), 1);
  EXPECT_EQ(kernel_answer(maps, node, seven, 100), 0);
  EXPECT_EQ(kernel_answer(maps, node, seven, 400), -1);
  EXPECT_EQ(maps.config.kinds, 1u << kBlockNode);
}

TEST(BlockTable, ScopesAndFamiliesAreApart) {
  const BlockScope pod{kBlockCgroup, 77, 3}, other{kBlockCgroup, 78, 3};
  const auto maps = block_maps({entry("203.0.113.0/24", pod, 400, 0), entry("2001:db8::/32", pod, 400, 1)}, 0);
  EXPECT_EQ(kernel_answer(maps, pod, *IpAddress::parse("203.0.113.7"), 1), 0);
  EXPECT_EQ(kernel_answer(maps, pod, *IpAddress::parse("2001:db8::7"), 1), 1);
  EXPECT_EQ(kernel_answer(maps, pod, *IpAddress::parse("203.0.114.7"), 1), -1);
  EXPECT_EQ(kernel_answer(maps, other, *IpAddress::parse("203.0.113.7"), 1), -1);
  EXPECT_EQ(maps.config.levels, 1u << 3);
  EXPECT_EQ(maps.addresses.size(), 2u);
}

TEST(BlockTable, WhatHasPassedIsLeftOut) {
  const auto maps = block_maps({entry("203.0.113.0/24", {}, 400, 0)}, 400);
  EXPECT_TRUE(maps.entries.empty());
  EXPECT_TRUE(maps.addresses.empty());
  EXPECT_EQ(maps.config.kinds, 0u);
}

// Against the plain meaning: blocked exactly while some entry of the scope covers the address and has not expired.
TEST(BlockTable, AgreesWithThePlainMeaning) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<BlockEntry> entries;
    for (uint32_t i = 0; i < 12; ++i) {
      BlockEntry e;
      const int prefix = 120 + static_cast<int>(random() % 9);
      const uint32_t host = random() % 16;
      const uint128 mask = ~((uint128{1} << (128 - prefix)) - 1);
      e.address = {IpAddress{IpAddress::v4(0xcb007100u | host).value & mask}, prefix};
      e.scopes = {{kBlockCgroup, random() % 2, 2}};
      e.until_ns = 1 + random() % 20;
      e.slot = i;
      entries.push_back(e);
    }
    const auto maps = block_maps(entries, 0);
    for (uint64_t now = 0; now < 22; ++now)
      for (uint32_t host = 0; host < 16; ++host)
        for (uint64_t scope = 0; scope < 2; ++scope) {
          const auto address = IpAddress::v4(0xcb007100u | host);
          bool blocked = false;
          for (const auto& e : entries) blocked |= e.scopes[0].id == scope && e.until_ns > now && e.address.contains(address);
          const int slot = kernel_answer(maps, {kBlockCgroup, scope, 2}, address, now);
          ASSERT_EQ(slot >= 0, blocked) << round << ' ' << now << ' ' << host;
          if (slot < 0) continue;
          const auto& by = entries[static_cast<size_t>(slot)];
          EXPECT_TRUE(by.address.contains(address) && by.until_ns > now && by.scopes[0].id == scope);
        }
  }
}

}  // namespace
}  // namespace egret::sensor
