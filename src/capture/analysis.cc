#include "capture/analysis.h"

#include <algorithm>

#include "capture/link_layer.h"

namespace egret::capture {
namespace {

constexpr int kMostTunnels = 4;
constexpr uint16_t kVxlan = 4789, kVxlanLinux = 8472, kGeneve = 6081;

// What a GRE header (RFC 2784, 2890; Enhanced of PPTP) carries: its payload and ethertype.
bool gre(Bytes b, uint16_t& type, Bytes& payload) {
  if (b.size() < 4) return false;
  const uint16_t flags = be16(b.data());
  const int version = flags & 7;
  type = be16(b.data() + 2);
  size_t header = 4;
  if (version > 1) return false;
  if (flags & 0x8000) header += 4;  // checksum
  if (flags & 0x2000) header += 4;  // key
  if (flags & 0x1000) header += 4;  // sequence
  if (version == 1 && (flags & 0x0080)) header += 4;
  // ERSPAN: a header of its own, then Ethernet. Type I has neither sequence nor header.
  if (type == 0x88be && (flags & 0x1000)) header += 8;
  if (type == 0x22eb) {
    if (b.size() < header + 12) return false;
    header += 12 + (b[header + 11] & 1 ? 8 : 0);
  }
  if (type == 0x88be || type == 0x22eb) type = 0x6558;
  if (b.size() <= header) return false;
  payload = b.subspan(header);
  return true;
}

}  // namespace

Analysis::Analysis(Events& events, const Limits& limits) : flows_(events, limits) {}

void Analysis::packet(const Packet& p) {
  if (counters_.packets == 0) counters_.first = counters_.last = p.time;
  ++counters_.packets;
  counters_.bytes += p.data.size();
  counters_.first = std::min(counters_.first, p.time);
  counters_.last = std::max(counters_.last, p.time);
  if (p.data.size() < p.wire_bytes) ++counters_.cut;
  Frame frame;
  switch (decode_link(p.link_type, p.data, frame)) {
    case LinkVerdict::kIp: ip(frame.ip, frame, p.time, 0); break;
    case LinkVerdict::kNotIp: ++counters_.not_ip; break;
    case LinkVerdict::kTruncated: ++counters_.truncated; break;
    case LinkVerdict::kUnknownLink: ++counters_.unknown_links[p.link_type]; break;
  }
}

void Analysis::ip(Bytes bytes, const Frame& frame, int64_t time, int depth) {
  IpPacket p;
  switch (parse_ip(bytes, p)) {
    case IpVerdict::kOk: break;
    case IpVerdict::kTruncated: ++counters_.truncated; return;
    case IpVerdict::kMalformed: ++counters_.malformed; return;
  }
  ++counters_.ip_packets;
  if (p.fragment) {
    ++counters_.fragments;
    IpPacket whole;
    if (!fragments_.add(p, time, whole)) return;
    p = whole;
  }
  if (depth < kMostTunnels && tunnel(p, frame, time, depth)) return;
  if (!flows_.packet(p, time, frame.vlan, depth == 0 ? frame.source_mac : Bytes())) ++counters_.truncated;
}

// True when the packet is nothing but an envelope. A tunnel over UDP is a flow of its own as well.
bool Analysis::tunnel(const IpPacket& p, const Frame& frame, int64_t time, int depth) {
  Frame inner;
  switch (p.protocol) {
    case kIpIp:
    case kIpv6InIp:
      ++counters_.tunnelled;
      ip(p.payload, frame, time, depth + 1);
      return true;
    case kGre: {
      uint16_t type = 0;
      Bytes payload;
      if (!gre(p.payload, type, payload)) return false;
      if (type == 0x880b) {  // PPP
        if (decode_link(9, payload, inner) != LinkVerdict::kIp) return true;
      } else if (decode_ethertype(type, payload, inner) != LinkVerdict::kIp) {
        return true;
      }
      ++counters_.tunnelled;
      ip(inner.ip, inner, time, depth + 1);
      return true;
    }
    case kUdp: {
      if (p.payload.size() < 8 + 8) return false;
      const uint16_t to = be16(p.payload.data() + 2);
      const Bytes b = p.payload.subspan(8);
      if (to == kVxlan || to == kVxlanLinux) {  // RFC 7348
        if ((b[0] & 0x08) && b.size() > 8 + 14 && decode_link(kLinkEthernet, b.subspan(8), inner) == LinkVerdict::kIp) {
          ++counters_.tunnelled;
          ip(inner.ip, inner, time, depth + 1);
        }
      } else if (to == kGeneve && b[0] >> 6 == 0) {  // RFC 8926
        const size_t header = 8 + static_cast<size_t>(b[0] & 0x3f) * 4;
        if (b.size() > header && decode_ethertype(be16(b.data() + 2), b.subspan(header), inner) == LinkVerdict::kIp) {
          ++counters_.tunnelled;
          ip(inner.ip, inner, time, depth + 1);
        }
      }
      return false;
    }
    default: return false;
  }
}

void Analysis::finish() {
  flows_.finish();
  counters_.flows = flows_.flows();
  counters_.evicted = flows_.evicted();
  counters_.fragments_given_up = fragments_.given_up() + fragments_.open();
}

}  // namespace egret::capture
