#include "base/ip.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <cstring>

namespace egret {
namespace {

std::optional<uint32_t> parse_v4(std::string_view s) {
  uint32_t value = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (s.empty() || s[0] != '.') return {};
      s.remove_prefix(1);
    }
    uint32_t octet = 0;
    size_t n = 0;
    while (n < s.size() && n < 3 && s[n] >= '0' && s[n] <= '9') octet = octet * 10 + static_cast<uint32_t>(s[n++] - '0');
    if (n == 0 || octet > 255 || (n > 1 && s[0] == '0')) return {};
    value = value << 8 | octet;
    s.remove_prefix(n);
  }
  if (!s.empty()) return {};
  return value;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() < 2 || text.size() > 45) return {};
  if (const auto v = parse_v4(text)) return v4(*v);
  if (text.find(':') == std::string_view::npos) return {};
  char buffer[46];
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = 0;
  unsigned char bytes[16];
  if (inet_pton(AF_INET6, buffer, bytes) != 1) return {};
  uint128 value = 0;
  for (const unsigned char b : bytes) value = value << 8 | b;
  return IpAddress{value};
}

bool IpAddress::is_private() const {
  static const Cidr kPrivate[] = {*Cidr::parse("10.0.0.0/8"),    *Cidr::parse("172.16.0.0/12"), *Cidr::parse("192.168.0.0/16"),
                                  *Cidr::parse("100.64.0.0/10"), *Cidr::parse("127.0.0.0/8"),   *Cidr::parse("169.254.0.0/16"),
                                  *Cidr::parse("0.0.0.0/8"),     *Cidr::parse("fc00::/7"),      *Cidr::parse("fe80::/10"),
                                  *Cidr::parse("::/127")};
  for (const Cidr& c : kPrivate)
    if (c.contains(*this)) return true;
  return false;
}

std::string IpAddress::to_string() const {
  if (is_v4()) {
    const uint32_t v = v4_value();
    return fmt::format("{}.{}.{}.{}", v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255);
  }
  unsigned char bytes[16];
  for (int i = 0; i < 16; ++i) bytes[i] = static_cast<unsigned char>(value >> (120 - 8 * i));
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, bytes, buffer, sizeof buffer);
  return buffer;
}

namespace {
uint128 mask_of(int prefix) { return prefix == 0 ? 0 : ~uint128{0} << (128 - prefix); }
}  // namespace

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return {};
  int prefix = 128;
  if (slash != std::string_view::npos) {
    const std::string_view p = text.substr(slash + 1);
    const auto [end, ec] = std::from_chars(p.data(), p.data() + p.size(), prefix);
    if (ec != std::errc{} || end != p.data() + p.size() || prefix < 0) return {};
    const bool v4 = text.find(':') == std::string_view::npos;
    if (prefix > (v4 ? 32 : 128)) return {};
    if (v4) prefix += 96;
  }
  return Cidr{{address->value & mask_of(prefix)}, prefix};
}

bool Cidr::contains(IpAddress a) const { return (a.value & mask_of(prefix)) == base.value; }
IpAddress Cidr::last() const { return {base.value | ~mask_of(prefix)}; }
std::string Cidr::to_string() const { return fmt::format("{}/{}", base.to_string(), base.is_v4() && prefix >= 96 ? prefix - 96 : prefix); }

}  // namespace egret
