#include "capture/ip_packet.h"

#include <algorithm>
#include <cstring>

namespace egret::capture {
namespace {

constexpr int64_t kPatience = 30'000'000'000;
constexpr size_t kMostWhole = 65'535;

uint128 be128(const uint8_t* p) { return uint128{be32(p)} << 96 | uint128{be32(p + 4)} << 64 | uint128{be32(p + 8)} << 32 | be32(p + 12); }

IpVerdict parse_v4(Bytes b, IpPacket& out) {
  if (b.size() < 20) return IpVerdict::kTruncated;
  const size_t header = static_cast<size_t>(b[0] & 15) * 4;
  if (header < 20) return IpVerdict::kMalformed;
  size_t total = be16(b.data() + 2);
  if (total == 0) total = b.size();
  if (total < header) return IpVerdict::kMalformed;
  if (b.size() < header) return IpVerdict::kTruncated;
  out.v4 = true;
  out.source = IpAddress::v4(be32(b.data() + 12));
  out.destination = IpAddress::v4(be32(b.data() + 16));
  out.protocol = b[9];
  out.total_bytes = static_cast<uint32_t>(total);
  out.payload_bytes = static_cast<uint32_t>(total - header);
  const uint16_t fragment = be16(b.data() + 6);
  out.more = fragment & 0x2000;
  out.offset = static_cast<uint32_t>(fragment & 0x1fff) * 8;
  out.fragment = out.more || out.offset;
  out.id = be16(b.data() + 4);
  out.payload = b.subspan(header, std::min<size_t>(b.size(), total) - header);
  return IpVerdict::kOk;
}

IpVerdict parse_v6(Bytes b, IpPacket& out) {
  if (b.size() < 40) return IpVerdict::kTruncated;
  size_t stated = be16(b.data() + 4);
  if (stated == 0) stated = b.size() - 40;  // a jumbogram, or offload
  out.v4 = false;
  out.source = {be128(b.data() + 8)};
  out.destination = {be128(b.data() + 24)};
  out.total_bytes = static_cast<uint32_t>(stated + 40);
  out.fragment = out.more = false;
  out.offset = 0;
  uint8_t next = b[6];
  Bytes rest = b.subspan(40, std::min(stated, b.size() - 40));
  // Hop-by-hop, routing, fragment, destination, authentication, mobility, HIP, shim6.
  for (int i = 0; i < 16; ++i) {
    size_t size = 0;
    switch (next) {
      case 0:
      case 43:
      case 60:
      case 135:
      case 139:
      case 140:
        if (rest.size() < 8) return IpVerdict::kTruncated;
        size = (static_cast<size_t>(rest[1]) + 1) * 8;
        break;
      case 51:
        if (rest.size() < 8) return IpVerdict::kTruncated;
        size = (static_cast<size_t>(rest[1]) + 2) * 4;
        break;
      case 44: {
        if (rest.size() < 8) return IpVerdict::kTruncated;
        const uint16_t field = be16(rest.data() + 2);
        out.offset = field & 0xfff8u;
        out.more = field & 1;
        out.fragment = out.more || out.offset;  // an atomic fragment is none (RFC 6946)
        out.id = be32(rest.data() + 4);
        size = 8;
        break;
      }
      default: break;
    }
    if (size == 0) break;
    if (size > rest.size()) return IpVerdict::kTruncated;
    // Mobility is an extension header that may have a payload of its own, but no next header follows it in practice.
    next = rest[0];
    rest = rest.subspan(size);
    stated -= std::min(stated, size);
    if (out.fragment) break;  // what follows belongs to the whole
  }
  out.protocol = next;
  out.payload = rest;
  out.payload_bytes = static_cast<uint32_t>(stated);
  return IpVerdict::kOk;
}

}  // namespace

IpVerdict parse_ip(Bytes b, IpPacket& out) {
  if (b.empty()) return IpVerdict::kTruncated;
  switch (b[0] >> 4) {
    case 4: return parse_v4(b, out);
    case 6: return parse_v6(b, out);
    default: return IpVerdict::kMalformed;
  }
}

size_t Fragments::Hash::operator()(const Key& k) const {
  const uint128 v = k.source.value * 31 + k.destination.value;
  uint64_t h = static_cast<uint64_t>(v) ^ static_cast<uint64_t>(v >> 64) ^ (uint64_t{k.id} << 8 | k.protocol);
  h *= 0x9e3779b97f4a7c15;
  return h ^ h >> 32;
}

bool Fragments::add(const IpPacket& piece, int64_t time, IpPacket& whole) {
  if (piece.payload.size() != piece.payload_bytes) return false;  // cut by the capture: can never be whole
  const size_t end = piece.offset + piece.payload.size();
  if (end > kMostWhole || (piece.more && piece.payload.size() % 8) || piece.payload.empty()) return false;
  const Key key{piece.source, piece.destination, piece.id, piece.v4 ? piece.protocol : uint8_t{0}};
  while (!age_.empty()) {
    const auto it = open_.find(age_.front().first);
    const bool stale = it == open_.end() || it->second.order != age_.front().second;
    if (!stale && open_.size() < kMostOpen && time - it->second.first < kPatience) break;
    if (!stale) {
      open_.erase(it);
      ++given_up_;
    }
    age_.pop_front();
  }
  auto [it, fresh] = open_.try_emplace(key);
  Open& o = it->second;
  if (fresh) {
    o.first = time;
    o.order = ++order_;
    age_.emplace_back(key, o.order);
  }
  if (o.bytes.size() < end) {
    o.bytes.resize(end);
    o.have.resize((end + 7) / 8);
  }
  o.headers += piece.total_bytes - piece.payload_bytes;
  for (size_t at = 0; at < piece.payload.size(); at += 8) {
    const size_t slot = (piece.offset + at) / 8;
    if (o.have[slot]) continue;
    o.have[slot] = true;
    std::memcpy(o.bytes.data() + piece.offset + at, piece.payload.data() + at, std::min<size_t>(8, piece.payload.size() - at));
  }
  if (piece.offset == 0) o.protocol = piece.protocol;
  if (!piece.more && o.missing_end == 0) o.missing_end = end;
  if (o.missing_end == 0) return false;
  const size_t slots = (o.missing_end + 7) / 8;
  if (o.have.size() < slots || std::find(o.have.begin(), o.have.begin() + static_cast<std::ptrdiff_t>(slots), false) !=
                                   o.have.begin() + static_cast<std::ptrdiff_t>(slots))
    return false;
  whole = piece;
  whole_ = std::move(o.bytes);
  whole_.resize(o.missing_end);
  whole.protocol = o.protocol;
  whole.payload = as_bytes(whole_);
  whole.payload_bytes = static_cast<uint32_t>(o.missing_end);
  whole.total_bytes = whole.payload_bytes + o.headers;
  whole.fragment = whole.more = false;
  whole.offset = 0;
  open_.erase(it);
  return true;
}

}  // namespace egret::capture
