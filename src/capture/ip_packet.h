#pragma once
// IPv4 and IPv6 headers with their extensions (RFC 791, 8200), and the putting together of fragments within bounds.
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ip.h"
#include "capture/bytes.h"

namespace egret::capture {

inline constexpr uint8_t kIcmp = 1, kIpIp = 4, kTcp = 6, kUdp = 17, kIpv6InIp = 41, kGre = 47, kIcmp6 = 58, kSctp = 132;

struct IpPacket {
  IpAddress source, destination;
  uint8_t protocol = 0;  // behind the extension headers
  bool v4 = true;
  bool fragment = false;  // a piece; `offset`, `more` and `id` say which
  bool more = false;
  uint32_t id = 0;
  uint32_t offset = 0;         // of payload in the whole, bytes
  uint32_t total_bytes = 0;    // with headers, as the packet states (as captured where it states 0: segmentation offload)
  uint32_t payload_bytes = 0;  // stated; payload may be shorter where the capture cut the packet
  Bytes payload;
};

enum class IpVerdict { kOk, kTruncated, kMalformed };
IpVerdict parse_ip(Bytes bytes, IpPacket& out);

// Puts fragments together. Overlapping pieces keep the bytes that came first. Memory is bounded: at most kMostOpen packets are open,
// each at most 64 KiB; the oldest gives way, and one that is not whole within 30 s is dropped.
class Fragments {
 public:
  // A fragment comes in; when it completes its packet, `whole` is that and is valid until the next call.
  bool add(const IpPacket& piece, int64_t time, IpPacket& whole);
  uint64_t given_up() const { return given_up_; }  // packets that never became whole
  size_t open() const { return open_.size(); }

  static constexpr size_t kMostOpen = 512;

 private:
  struct Key {
    IpAddress source, destination;
    uint32_t id;
    uint8_t protocol;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    size_t operator()(const Key& k) const;
  };
  struct Open {
    std::string bytes;
    std::vector<bool> have;  // by 8 bytes
    size_t missing_end = 0;  // payload size once the last piece is there, else 0
    uint32_t headers = 0;    // bytes of the headers of all pieces
    int64_t first = 0;
    uint64_t order = 0;
    uint8_t protocol = 0;
  };
  std::unordered_map<Key, Open, Hash> open_;
  std::deque<std::pair<Key, uint64_t>> age_;
  std::string whole_;
  uint64_t given_up_ = 0, order_ = 0;
};

}  // namespace egret::capture
