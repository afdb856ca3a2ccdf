#include "capture/tcp_state.h"

#include <algorithm>

namespace egret::capture {
namespace {

constexpr size_t kMostHistory = 64;
constexpr int32_t kFarAway = 1 << 20;  // a SYN or RST so far off has numbers of its own
enum Letter : uint16_t {
  kLetterSyn = 1,
  kLetterFin = 2,
  kLetterRst = 4,
  kLetterData = 8,
  kLetterAck = 16,
  kLetterMixed = 32,
  kLetterFinRst = 64
};

void add(std::string& history, char letter, bool is_client) {
  if (history.size() < kMostHistory) history += is_client ? letter : static_cast<char>(letter + 32);
}

// True when the letter stood there already.
bool once(TcpSide& s, Letter bit, char letter, bool is_client, std::string& history) {
  if (s.seen & bit) return true;
  s.seen |= bit;
  add(history, letter, is_client);
  return false;
}

// Letters that may repeat are written at the 1st, 10th, 100th … time.
void scaled(uint32_t& count, char letter, bool is_client, std::string& history) {
  ++count;
  uint32_t power = 1;
  while (power < count && power < 1'000'000'000) power *= 10;
  if (power == count) add(history, letter, is_client);
}

void begin_at(TcpSide& s, uint32_t sequence) {
  s.known = true;
  s.start = sequence;
  s.end = s.acknowledged = 0;
}

void write_history(TcpSide& s, bool is_client, const TcpHeader& h, uint32_t payload, std::string& history) {
  const int control = ((h.flags & kSyn) != 0) + ((h.flags & kFin) != 0) + ((h.flags & kRst) != 0);
  if (control > 1) {
    if ((h.flags & kFin) && (h.flags & kRst))
      once(s, kLetterFinRst, 'I', is_client, history);
    else
      once(s, kLetterMixed, 'Q', is_client, history);
    return;
  }
  if (control == 0) {
    if (payload)
      once(s, kLetterData, 'D', is_client, history);
    else if (h.flags & kAck)
      once(s, kLetterAck, 'A', is_client, history);
    return;
  }
  if (h.flags & kSyn) {
    const char letter = h.flags & kAck ? 'H' : 'S';
    if (once(s, kLetterSyn, letter, is_client, history) && h.sequence != s.last_syn) add(history, letter, is_client);
    s.last_syn = h.sequence;
  } else if (h.flags & kFin) {
    const uint32_t at = h.sequence + payload;
    if (once(s, kLetterFin, 'F', is_client, history) && at != s.last_fin) add(history, 'F', is_client);
    s.last_fin = at;
  } else {
    if (once(s, kLetterRst, 'R', is_client, history) && h.sequence != s.last_rst) add(history, 'R', is_client);
    s.last_rst = h.sequence;
  }
}

void move_to(TcpSide& s, TcpState state) {
  s.before = s.state;
  s.state = state;
}

void step(TcpSide& from, TcpSide& to, bool is_client, uint8_t flags, uint32_t payload) {
  const bool syn = flags & kSyn, ack = flags & kAck, fin = flags & kFin, rst = flags & kRst;
  switch (from.state) {
    case TcpState::kInactive:
      if (syn) {
        if (is_client) {
          move_to(from, ack ? TcpState::kSynAckSent : TcpState::kSynSent);
        } else {
          if (to.state == TcpState::kSynSent) move_to(to, TcpState::kEstablished);
          move_to(from, TcpState::kEstablished);
        }
      }
      if (fin) move_to(from, TcpState::kClosed);
      if (rst) move_to(from, TcpState::kReset);
      if (from.state == TcpState::kInactive) {
        if (!is_client && payload == 0 && to.state == TcpState::kSynSent) break;  // some acknowledge a SYN before they answer it
        move_to(from, ack && to.state == TcpState::kEstablished ? TcpState::kEstablished : TcpState::kPartial);
      }
      break;
    case TcpState::kSynSent:
    case TcpState::kSynAckSent:
      if (fin) move_to(from, TcpState::kClosed);
      if (rst) move_to(from, TcpState::kReset);
      break;
    case TcpState::kEstablished:
    case TcpState::kPartial:
      if (syn && !ack && from.state == TcpState::kPartial && to.state == TcpState::kInactive) move_to(from, TcpState::kSynSent);
      if (fin && !rst) {
        move_to(from, TcpState::kClosed);
        // FIN and then RST of the peer was an ordinary end after all.
        if (to.state == TcpState::kReset && to.before == TcpState::kClosed) move_to(to, TcpState::kClosed);
      }
      if (rst) move_to(from, TcpState::kReset);
      break;
    case TcpState::kClosed:
      if (rst && to.state != TcpState::kClosed) move_to(from, TcpState::kReset);
      break;
    case TcpState::kReset: break;
  }
}

}  // namespace

uint64_t TcpSide::payload(const TcpSide& peer) const {
  if (before == TcpState::kSynSent && state == TcpState::kReset && peer.state == TcpState::kInactive && acknowledged == 0) return 0;
  uint64_t size = std::max(end, acknowledged);
  if (size) --size;          // the SYN
  if (fins && size) --size;  // the FIN
  return size;
}

void tcp_segment(TcpSide& from, TcpSide& to, bool is_client, const TcpHeader& h, uint32_t payload, std::string& history) {
  const bool syn = h.flags & kSyn, fin = h.flags & kFin, rst = h.flags & kRst;
  const uint32_t length = (rst ? 0 : payload) + syn + fin;  // what a RST carries is no part of the stream
  const uint32_t past = h.sequence + length;
  if (from.state == TcpState::kInactive) {
    begin_at(from, syn ? h.sequence : h.sequence - 1);
    from.end = syn ? length : 1;
  } else if (syn && h.sequence != from.start &&
             (from.state < TcpState::kClosed || (from.state == TcpState::kReset && from.before == TcpState::kInactive))) {
    begin_at(from, h.sequence);
    from.end = length;
  }
  write_history(from, is_client, h, payload, history);
  if (h.window == 0 && !rst && to.state != TcpState::kClosed && from.state != TcpState::kReset)
    scaled(from.zero_windows, 'W', is_client, history);
  if (fin && from.fins < 255) ++from.fins;
  if (h.flags & kAck) {
    if (to.state == TcpState::kInactive) {
      // Its data begins where it is acknowledged, as far as anyone can tell.
      begin_at(to, h.acknowledged - 1);
      to.end = 0;
      to.acknowledged = 0;
    } else if (!rst) {
      const int64_t place = static_cast<int64_t>(to.acknowledged) +
                            static_cast<int32_t>(h.acknowledged - (to.start + static_cast<uint32_t>(to.acknowledged)));
      const bool broken = h.acknowledged == 0 && place - static_cast<int64_t>(to.acknowledged) > kFarAway;
      if (place > static_cast<int64_t>(to.acknowledged) && !broken) to.acknowledged = static_cast<uint64_t>(place);
    }
  }
  const int64_t place = from.place(past);
  const int64_t ahead = place - static_cast<int64_t>(from.end);
  if ((syn || rst) && (ahead > kFarAway || ahead < -kFarAway)) {
    // Numbers of another connection.
  } else if (from.state == TcpState::kReset) {
    // Nothing after a RST is trusted.
  } else if (ahead > 0) {
    from.end = static_cast<uint64_t>(place);
  } else if (payload > 0 && from.state != TcpState::kInactive) {
    scaled(from.repeats, 'T', is_client, history);
  }
  step(from, to, is_client, h.flags, payload);
}

void tcp_gap(TcpSide& side, bool is_client, std::string& history) { scaled(side.gaps, 'G', is_client, history); }

std::string_view tcp_conn_state(const TcpSide& client, const TcpSide& server) {
  const TcpState c = client.state, s = server.state;
  const auto silent = [](TcpState x) { return x == TcpState::kInactive || x == TcpState::kPartial; };
  if (s == TcpState::kReset) {
    if (c == TcpState::kSynSent || c == TcpState::kSynAckSent ||
        (c == TcpState::kReset && client.payload(server) == 0 && server.payload(client) == 0))
      return "REJ";
    return silent(c) ? "RSTRH" : "RSTR";
  }
  if (c == TcpState::kReset) return silent(s) ? "RSTOS0" : "RSTO";
  if (s == TcpState::kClosed && c == TcpState::kClosed) return "SF";
  if (c == TcpState::kClosed) return silent(s) ? "SH" : "S2";
  if (s == TcpState::kClosed) return silent(c) ? "SHR" : "S3";
  if (c == TcpState::kSynSent && s == TcpState::kInactive) return "S0";
  if (c == TcpState::kEstablished && s == TcpState::kEstablished) return "S1";
  return "OTH";
}

}  // namespace egret::capture
