#pragma once
// How far a TCP connection has come, in Zeek's terms (docs.zeek.org, conn.log: conn_state and history), so that rows of both can be
// compared. Counts bytes by sequence numbers, over 4 GB as well.
#include <cstdint>
#include <string>
#include <string_view>

namespace egret::capture {

enum class TcpState : uint8_t { kInactive, kSynSent, kSynAckSent, kPartial, kEstablished, kClosed, kReset };

inline constexpr uint8_t kFin = 1, kSyn = 2, kRst = 4, kPush = 8, kAck = 16;

struct TcpHeader {
  uint32_t sequence = 0, acknowledged = 0;
  uint16_t window = 0;
  uint8_t flags = 0;
};

// What one side has sent.
struct TcpSide {
  TcpState state = TcpState::kInactive, before = TcpState::kInactive;
  bool known = false;  // start is set
  uint8_t fins = 0;
  uint32_t start = 0;         // sequence number of the SYN, or one before the first byte seen
  uint64_t end = 0;           // one past the furthest number seen, counted from start
  uint64_t acknowledged = 0;  // furthest number that the peer acknowledged, counted from start
  uint32_t last_syn = 0, last_fin = 0, last_rst = 0;
  uint16_t seen = 0;  // which letters of the history
  uint32_t repeats = 0, zero_windows = 0, gaps = 0;

  uint64_t payload(const TcpSide& peer) const;
  // Where a sequence number lies, counted from start; near the furthest seen. May be negative.
  int64_t place(uint32_t sequence) const {
    return static_cast<int64_t>(end) + static_cast<int32_t>(sequence - (start + static_cast<uint32_t>(end)));
  }
};

// One segment: from is who sent it, is_client whether that is the originator. Appends to history (at most 64 letters).
void tcp_segment(TcpSide& from, TcpSide& to, bool is_client, const TcpHeader& header, uint32_t payload, std::string& history);
// A piece of the stream of that side is missing.
void tcp_gap(TcpSide& side, bool is_client, std::string& history);

std::string_view tcp_conn_state(const TcpSide& client, const TcpSide& server);

inline bool tcp_finished(const TcpSide& client, const TcpSide& server) {
  return client.state == TcpState::kReset || server.state == TcpState::kReset ||
         (client.state == TcpState::kClosed && server.state == TcpState::kClosed);
}

}  // namespace egret::capture
