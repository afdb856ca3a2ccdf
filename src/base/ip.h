#pragma once
// Addresses and ranges as integers. IPv4 lives in ::ffff:0:0/96, so that one 128-bit key serves both families; the
// store keeps the same key beside every address column for grouping and range tests.
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace egret {

using uint128 = unsigned __int128;

struct IpAddress {
  uint128 value = 0;

  static std::optional<IpAddress> parse(std::string_view text);  // dotted quad or RFC 4291 text; no zone, no port, no prefix
  static constexpr IpAddress v4(uint32_t host_order) { return {(uint128{0xffff} << 32) | host_order}; }
  constexpr bool is_v4() const { return (value >> 32) == 0xffff; }
  constexpr uint32_t v4_value() const { return static_cast<uint32_t>(value); }
  bool is_private() const;        // RFC 1918, RFC 6598, loopback, link-local, ULA, unspecified
  std::string to_string() const;  // RFC 5952 for IPv6
  auto operator<=>(const IpAddress&) const = default;
};

struct Cidr {
  IpAddress base;    // host bits are zero
  int prefix = 128;  // 0–128, of the 128-bit form: an IPv4 /24 is 120

  static std::optional<Cidr> parse(std::string_view text);  // "a.b.c.d/n", "x::/n" or a bare address
  bool contains(IpAddress a) const;
  IpAddress first() const { return base; }
  IpAddress last() const;
  std::string to_string() const;
  auto operator<=>(const Cidr&) const = default;
};

}  // namespace egret
