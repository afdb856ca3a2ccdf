#include "capture/link_layer.h"

#include <algorithm>

namespace egret::capture {
namespace {

constexpr uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kVlan = 0x8100, kQinQ = 0x88a8, kOldQinQ = 0x9100, kMpls = 0x8847,
                   kMplsMulticast = 0x8848, kPppoe = 0x8864, kProviderBridge = 0x88e7, kVnTag = 0x8926, kTransparentEthernet = 0x6558;
constexpr int kMostTags = 8;

LinkVerdict ip(Bytes rest, Frame& out) {
  if (rest.empty()) return LinkVerdict::kTruncated;
  const int version = rest[0] >> 4;
  if (version != 4 && version != 6) return LinkVerdict::kNotIp;
  out.ip = rest;
  return LinkVerdict::kIp;
}

LinkVerdict ppp(Bytes rest, Frame& out) {
  if (rest.empty()) return LinkVerdict::kTruncated;
  // RFC 1661: the protocol field may be compressed to its odd byte.
  uint16_t protocol = rest[0];
  size_t size = 1;
  if (!(protocol & 1)) {
    if (rest.size() < 2) return LinkVerdict::kTruncated;
    protocol = be16(rest.data());
    size = 2;
  }
  if (protocol == 0x21 || protocol == 0x57) return ip(rest.subspan(size), out);
  if (protocol == 0x281) return decode_ethertype(kMpls, rest.subspan(size), out);
  return LinkVerdict::kNotIp;
}

LinkVerdict ethernet(Bytes frame, Frame& out, int depth);

LinkVerdict typed(uint16_t type, Bytes rest, Frame& out, int depth) {
  for (; depth < kMostTags; ++depth) {
    switch (type) {
      case kIpv4:
      case kIpv6: return ip(rest, out);
      case kVlan:
      case kQinQ:
      case kOldQinQ:
        if (rest.size() < 4) return LinkVerdict::kTruncated;
        if (out.vlan == 0) out.vlan = be16(rest.data()) & 0xfff;
        type = be16(rest.data() + 2);
        rest = rest.subspan(4);
        break;
      case kMpls:
      case kMplsMulticast: {
        bool bottom = false;
        while (!bottom) {
          if (rest.size() < 4) return LinkVerdict::kTruncated;
          bottom = rest[2] & 1;
          rest = rest.subspan(4);
        }
        // The label does not say what follows: an IP version, the control word of a pseudowire, or Ethernet.
        if (rest.empty()) return LinkVerdict::kTruncated;
        if (rest[0] >> 4 == 4 || rest[0] >> 4 == 6) return ip(rest, out);
        if (rest[0] == 0 && rest.size() > 4) return ethernet(rest.subspan(4), out, depth + 1);
        return ethernet(rest, out, depth + 1);
      }
      case kPppoe:
        if (rest.size() < 6) return LinkVerdict::kTruncated;
        return ppp(rest.subspan(6), out);
      case kProviderBridge:  // 802.1ah: a tag of 4 bytes, then a frame
        if (rest.size() < 4) return LinkVerdict::kTruncated;
        return ethernet(rest.subspan(4), out, depth + 1);
      case kVnTag:
        if (rest.size() < 6) return LinkVerdict::kTruncated;
        type = be16(rest.data() + 4);
        rest = rest.subspan(6);
        break;
      case kTransparentEthernet: return ethernet(rest, out, depth + 1);
      default:
        if (type >= 0x0600) return LinkVerdict::kNotIp;
        // 802.3: a length, then LLC, perhaps with SNAP.
        if (rest.size() < 8) return LinkVerdict::kNotIp;
        if (rest[0] == 0xaa && rest[1] == 0xaa && rest[3] == 0 && rest[4] == 0 && rest[5] == 0) {
          type = be16(rest.data() + 6);
          rest = rest.subspan(8);
          if (type < 0x0600) return LinkVerdict::kNotIp;
          break;
        }
        return rest[0] == 0x06 && rest[1] == 0x06 ? ip(rest.subspan(3), out) : LinkVerdict::kNotIp;
    }
  }
  return LinkVerdict::kNotIp;
}

LinkVerdict ethernet(Bytes frame, Frame& out, int depth) {
  if (depth >= kMostTags) return LinkVerdict::kNotIp;
  if (frame.size() < 14) return LinkVerdict::kTruncated;
  out.source_mac = frame.subspan(6, 6);
  return typed(be16(frame.data() + 12), frame.subspan(14), out, depth);
}

// The address family of loopback, in the byte order of whoever captured.
LinkVerdict loopback(Bytes frame, Frame& out) {
  if (frame.size() < 4) return LinkVerdict::kTruncated;
  const uint32_t big = be32(frame.data()), little = __builtin_bswap32(big);
  for (const uint32_t family : {big, little})
    if (family == 2 || family == 24 || family == 28 || family == 30 || family == 10) return ip(frame.subspan(4), out);
  return LinkVerdict::kNotIp;
}

// IEEE 802.11 data frames in the clear.
LinkVerdict wireless(Bytes f, Frame& out) {
  if (f.size() < 24) return LinkVerdict::kTruncated;
  const uint8_t control = f[0], flags = f[1];
  if ((control & 0x0c) != 0x08 || (flags & 0x40)) return LinkVerdict::kNotIp;  // no data, or encrypted
  const uint8_t subtype = control >> 4;
  if (subtype & 4) return LinkVerdict::kNotIp;  // no data in it
  size_t header = 24;
  if ((flags & 3) == 3) header += 6;
  const bool qos = subtype & 8;
  const bool aggregate = qos && f.size() >= header + 2 && (f[header] & 0x80);
  if (qos) header += 2;
  if (qos && (flags & 0x80)) header += 4;
  if (aggregate) header += 14;
  if (f.size() < header + 8) return LinkVerdict::kTruncated;
  const Bytes llc = f.subspan(header);
  if (llc[0] != 0xaa || llc[1] != 0xaa) return LinkVerdict::kNotIp;
  return typed(be16(llc.data() + 6), llc.subspan(8), out, 0);
}

LinkVerdict nflog(Bytes f, Frame& out) {
  if (f.size() < 4) return LinkVerdict::kTruncated;
  f = f.subspan(4);
  while (f.size() >= 4) {
    const size_t size = static_cast<size_t>(f[0] | f[1] << 8);  // of the capturing host, which is little-endian in practice
    const int type = f[2] | f[3] << 8;
    if (size < 4 || size > f.size()) return LinkVerdict::kTruncated;
    if (type == 9) return ip(f.subspan(4, size - 4), out);
    f = f.subspan(std::min(f.size(), (size + 3) / 4 * 4));
  }
  return LinkVerdict::kNotIp;
}

}  // namespace

LinkVerdict decode_ethertype(uint16_t type, Bytes rest, Frame& out) { return typed(type, rest, out, 0); }

LinkVerdict decode_link(int link_type, Bytes f, Frame& out) {
  out = {};
  switch (link_type) {
    case 1: return ethernet(f, out, 0);
    case 0:
    case 108: return loopback(f, out);
    case 12:
    case 14:
    case 101:
    case 228:
    case 229: return ip(f, out);
    case 113:  // Linux cooked v1: ethertype at 14
      if (f.size() < 16) return LinkVerdict::kTruncated;
      return typed(be16(f.data() + 14), f.subspan(16), out, 0);
    case 276:  // v2: ethertype first, 20 bytes
      if (f.size() < 20) return LinkVerdict::kTruncated;
      return typed(be16(f.data()), f.subspan(20), out, 0);
    case 10:  // FDDI: control, two addresses, LLC with SNAP
      if (f.size() < 21) return LinkVerdict::kTruncated;
      return f[13] == 0xaa && f[14] == 0xaa ? typed(be16(f.data() + 19), f.subspan(21), out, 0) : LinkVerdict::kNotIp;
    case 9: return ppp(f.size() > 2 && f[0] == 0xff && f[1] == 3 ? f.subspan(2) : f, out);
    case 50: return f.size() < 4 ? LinkVerdict::kTruncated : ppp(f[0] == 0xff ? f.subspan(2) : f, out);
    case 51: return typed(kPppoe, f, out, 0);
    case 105: return wireless(f, out);
    case 127: {  // radiotap: its length at 2, little-endian
      if (f.size() < 4) return LinkVerdict::kTruncated;
      const size_t size = static_cast<size_t>(f[2] | f[3] << 8);
      return size > f.size() ? LinkVerdict::kTruncated : wireless(f.subspan(size), out);
    }
    case 239: return nflog(f, out);
    default: return LinkVerdict::kUnknownLink;
  }
}

}  // namespace egret::capture
