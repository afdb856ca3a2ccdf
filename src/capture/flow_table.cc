#include "capture/flow_table.h"

#include <algorithm>
#include <cstring>

#include "capture/dns_pairs.h"
#include "capture/recognise.h"
#include "capture/tcp_state.h"
#include "capture/tcp_stream.h"

namespace egret::capture {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kTcpSilence = 300 * kSecond, kTcpDone = 5 * kSecond, kTcpAttempt = 5 * kSecond, kOtherSilence = 60 * kSecond;
constexpr int64_t kSweep = 10 * kSecond;

uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide w = Wide{a ^ 0x9e3779b97f4a7c15} * (b ^ 0xe7037ed1a0b428db);
  return static_cast<uint64_t>(w) ^ static_cast<uint64_t>(w >> 64);
}

}  // namespace

// The lower endpoint first, so that both directions are one.
struct FlowTable::Key {
  uint128 low, high;
  uint16_t low_port, high_port;
  uint8_t protocol;
  bool operator==(const Key& o) const {
    return low == o.low && high == o.high && low_port == o.low_port && high_port == o.high_port && protocol == o.protocol;
  }
  uint64_t hash() const {
    const uint64_t a = mix(static_cast<uint64_t>(low), static_cast<uint64_t>(low >> 64));
    const uint64_t b = mix(static_cast<uint64_t>(high), static_cast<uint64_t>(high >> 64));
    return mix(a ^ (uint64_t{low_port} << 32 | uint64_t{high_port} << 8 | protocol), b);
  }
};

struct FlowTable::Tcp {
  TcpSide side[2];  // [1] is the client's
  TcpStream stream[2];
  std::string history;
  std::unique_ptr<StreamParser> parser;
  uint64_t missed = 0;
  bool looked_at = false;  // the parser has said that it wants no more
};

struct FlowTable::Flow {
  Key key;
  uint64_t hash = 0;
  uint32_t next = kNone;
  bool used = false;
  bool client_is_low = true;
  bool undecided = true;  // a datagram flow whose protocol is not known
  uint8_t datagrams_looked = 0;
  uint16_t client_port = 0, server_port = 0;
  uint16_t vlan = 0;
  bool has_mac = false;
  size_t parser_bytes = 0;  // as accounted
  uint8_t mac[6] = {};
  int64_t start = 0, last = 0;  // last: for silence
  int64_t end = 0;              // for duration: what comes after both sides are done does not count
  uint64_t packets[2] = {0, 0}, ip_bytes[2] = {0, 0}, payload[2] = {0, 0};  // [1] is the client's
  std::unique_ptr<Tcp> tcp;
  std::unique_ptr<FlowContext> context;  // when there is something to say of the application
  std::unique_ptr<DnsPairs> dns;

  Conversation who() const {
    Conversation c;
    c.client.value = client_is_low ? key.low : key.high;
    c.server.value = client_is_low ? key.high : key.low;
    c.client_port = client_port;
    c.server_port = server_port;
    c.protocol = key.protocol;
    c.id = mix(hash, static_cast<uint64_t>(start));
    return c;
  }
};

FlowTable::Flow& FlowTable::at(uint32_t index) { return chunks_[index / kChunk][index % kChunk]; }

FlowTable::FlowTable(Events& events, const Limits& limits) : events_(events), limits_(limits), heads_(1u << 12, kNone) {}
FlowTable::~FlowTable() = default;

void FlowTable::grow() {
  std::vector<uint32_t> heads(heads_.size() * 2, kNone);
  const size_t mask = heads.size() - 1;
  for (uint32_t i = 0; i < used_; ++i) {
    Flow& f = at(i);
    if (!f.used) continue;
    f.next = heads[f.hash & mask];
    heads[f.hash & mask] = i;
  }
  heads_.swap(heads);
}

FlowTable::Flow& FlowTable::find(const Key& key, bool& fresh) {
  fresh = false;
  if (last_ != kNone) {
    Flow& f = at(last_);
    if (f.used && f.key == key) return f;
  }
  const uint64_t hash = key.hash();
  for (uint32_t i = heads_[hash & (heads_.size() - 1)]; i != kNone;) {
    Flow& f = at(i);
    if (f.hash == hash && f.key == key) {
      last_ = i;
      return f;
    }
    i = f.next;
  }
  if (open_ >= limits_.flows) evict();
  if (open_ >= heads_.size()) grow();
  uint32_t index = used_;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    if (used_ % kChunk == 0) chunks_.push_back(std::make_unique<Flow[]>(kChunk));
    ++used_;
  }
  Flow& f = at(index);
  f = Flow();
  f.key = key;
  f.hash = hash;
  f.used = true;
  uint32_t& head = heads_[hash & (heads_.size() - 1)];
  f.next = head;
  head = index;
  last_ = index;
  ++open_;
  ++flows_;
  fresh = true;
  return f;
}

void FlowTable::account(Flow& f, size_t bytes) {
  parser_bytes_ += bytes - f.parser_bytes;
  f.parser_bytes = bytes;
}

void FlowTable::remove(Flow& f) {
  account(f, 0);
  uint32_t* link = &heads_[f.hash & (heads_.size() - 1)];
  while (&at(*link) != &f) link = &at(*link).next;
  const uint32_t index = *link;
  *link = f.next;
  if (f.tcp) held_ -= f.tcp->stream[0].held() + f.tcp->stream[1].held();
  f = Flow();
  free_.push_back(index);
  if (last_ == index) last_ = kNone;
  --open_;
}

namespace {

// How a stream's bytes reach the flow's parser.
struct ToParser {
  StreamParser& parser;
  TcpSide& side;
  std::string& history;
  bool from_client;
  int64_t time;
  bool data(Bytes b) { return parser.data(from_client, b, time); }
  bool gap(uint64_t n) {
    tcp_gap(side, from_client, history);
    return parser.gap(from_client, n, time);
  }
};

}  // namespace

void FlowTable::close(Flow& f, bool evicted) {
  if (f.tcp && f.tcp->parser) {
    Tcp& t = *f.tcp;
    for (const bool client : {true, false}) {
      const size_t held = t.stream[client].held();
      ToParser to{*t.parser, t.side[client], t.history, client, f.last};
      if (!t.stream[client].finish(to)) break;
      held_ -= held - t.stream[client].held();
    }
    t.parser->end(f.last);
  }
  // The end of a stream may be missing as well: acknowledged, and never seen.
  uint64_t missing_end = 0;
  if (f.tcp && !f.tcp->looked_at)
    for (const bool client : {true, false}) {
      TcpSide& side = f.tcp->side[client];
      const TcpStream& stream = f.tcp->stream[client];
      if (!stream.started() || !side.known) continue;
      const uint32_t acknowledged =
          side.start + static_cast<uint32_t>(side.acknowledged) - (side.fins && side.acknowledged >= side.end ? 1 : 0);
      if (const auto n = static_cast<int32_t>(acknowledged - stream.next()); n > 0) {
        missing_end += static_cast<uint32_t>(n);
        tcp_gap(side, client, f.tcp->history);
      }
    }
  if (f.dns) f.dns->end();
  FlowEvent e;
  e.who = f.who();
  e.start = f.start;
  e.end = f.end;
  e.client_packets = f.packets[1];
  e.server_packets = f.packets[0];
  e.client_ip_bytes = f.ip_bytes[1];
  e.server_ip_bytes = f.ip_bytes[0];
  e.vlan = f.vlan;
  if (f.has_mac) e.client_mac = {reinterpret_cast<const char*>(f.mac), 6};
  e.evicted = evicted;
  if (f.tcp) {
    const Tcp& t = *f.tcp;
    e.client_bytes = t.side[1].payload(t.side[0]);
    e.server_bytes = t.side[0].payload(t.side[1]);
    e.missed_bytes = t.stream[0].missed() + t.stream[1].missed() + missing_end;
    e.state = tcp_conn_state(t.side[1], t.side[0]);
    e.history = t.history;
  } else {
    e.client_bytes = f.payload[1];
    e.server_bytes = f.payload[0];
    if (f.key.protocol == kUdp)
      e.state = f.packets[1] ? f.packets[0] ? "SF" : "S0" : f.packets[0] ? "SHR" : "OTH";
    else
      e.state = "OTH";
    if (f.key.protocol == kUdp) e.history = f.packets[0] ? f.packets[1] ? "Dd" : "d" : "D";
  }
  if (f.context) {
    e.application = f.context->application;
    e.server_name = f.context->server_name;
  }
  events_.flow(e);
  remove(f);
}

bool FlowTable::over(const Flow& f, int64_t now) const {
  const int64_t silent = now - f.last;
  if (!f.tcp) return silent > kOtherSilence;
  const TcpSide &c = f.tcp->side[1], &s = f.tcp->side[0];
  if (silent > kTcpSilence) return true;
  if (silent <= 0) return false;
  if (tcp_finished(c, s)) return silent > kTcpDone;
  const bool attempt = (c.state == TcpState::kSynSent || c.state == TcpState::kSynAckSent) && s.state == TcpState::kInactive;
  return attempt && now - f.start > kTcpAttempt;
}

void FlowTable::evict() {
  // Of the next ones round the table, the one that was silent longest.
  Flow* oldest = nullptr;
  for (uint32_t looked = 0, seen = 0; seen < 32 && looked < used_; ++looked) {
    hand_ = hand_ + 1 < used_ ? hand_ + 1 : 0;
    Flow& f = at(hand_);
    if (!f.used) continue;
    ++seen;
    if (!oldest || f.last < oldest->last) oldest = &f;
  }
  if (!oldest) return;
  ++evicted_;
  close(*oldest, true);
}

void FlowTable::sweep(int64_t now) {
  swept_ = now;
  for (uint32_t i = 0; i < used_; ++i)
    if (Flow& f = at(i); f.used && over(f, now)) close(f, false);
}

void FlowTable::finish() {
  // In the order of their beginning, so that the end of a small capture reads well.
  std::vector<std::pair<int64_t, uint32_t>> open;
  open.reserve(open_);
  for (uint32_t i = 0; i < used_; ++i)
    if (at(i).used) open.emplace_back(at(i).start, i);
  std::sort(open.begin(), open.end());
  for (const auto& [start, i] : open) close(at(i), false);
}

FlowTable::Flow& FlowTable::of_packet(const IpPacket& p, uint16_t from_port, uint16_t to_port, int64_t time, bool flip, bool& from_client,
                                      bool& fresh, uint16_t vlan, Bytes mac) {
  const uint128 a = p.source.value, b = p.destination.value;
  const bool from_low = a < b || (a == b && from_port <= to_port);
  const Key key = from_low ? Key{a, b, from_port, to_port, p.protocol} : Key{b, a, to_port, from_port, p.protocol};
  Flow* f = &find(key, fresh);
  if (!fresh && over(*f, time)) {
    close(*f, false);
    f = &find(key, fresh);
  }
  if (fresh) {
    f->client_is_low = from_low != flip;
    f->client_port = flip ? to_port : from_port;
    f->server_port = flip ? from_port : to_port;
    f->start = f->last = f->end = time;
    f->vlan = vlan;
    if (!flip && mac.size() == 6) {
      f->has_mac = true;
      std::memcpy(f->mac, mac.data(), 6);
    }
  }
  from_client = from_low == f->client_is_low;
  if (a == b && from_port == to_port) from_client = true;
  return *f;
}

bool FlowTable::packet(const IpPacket& p, int64_t time, uint16_t vlan, Bytes mac) {
  if (time - swept_ > kSweep) sweep(time);
  switch (p.protocol) {
    case kTcp: return tcp(p, time, vlan, mac);
    case kUdp: return udp(p, time, vlan, mac);
    case kIcmp:
    case kIcmp6: return icmp(p, time, vlan, mac);
    default: break;
  }
  bool from_client = true, fresh = false;
  Flow& f = of_packet(p, 0, 0, time, false, from_client, fresh, vlan, mac);
  f.end = f.last = std::max(f.last, time);
  ++f.packets[from_client];
  f.ip_bytes[from_client] += p.total_bytes;
  f.payload[from_client] += p.payload_bytes;
  return true;
}

bool FlowTable::tcp(const IpPacket& p, int64_t time, uint16_t vlan, Bytes mac) {
  if (p.payload.size() < 20) return false;
  const uint8_t* const b = p.payload.data();
  const size_t header = static_cast<size_t>(b[12] >> 4) * 4;
  if (header < 20 || header > p.payload_bytes) return false;
  const uint16_t from_port = be16(b), to_port = be16(b + 2);
  TcpHeader h;
  h.sequence = be32(b + 4);
  h.acknowledged = be32(b + 8);
  h.flags = b[13] & 0x3f;
  h.window = be16(b + 14);
  const uint32_t stated = p.payload_bytes - static_cast<uint32_t>(header);
  const Bytes data = p.payload.size() > header ? p.payload.subspan(header) : Bytes();
  const bool opening = (h.flags & (kSyn | kAck)) == kSyn;
  // Whoever answers a SYN is the server; of a conversation that was captured from its middle, who is where services listen.
  const bool answer = (h.flags & (kSyn | kAck)) == (kSyn | kAck);
  const bool flip = answer || (!opening && is_service_port(from_port, false) && (!is_service_port(to_port, false) || from_port < to_port));
  bool from_client = true, fresh = false;
  Flow* f = &of_packet(p, from_port, to_port, time, flip, from_client, fresh, vlan, mac);
  if (!fresh && opening && f->tcp) {
    // The ports again: a new connection, unless it is the same SYN.
    const TcpSide& s = f->tcp->side[from_client];
    if (tcp_finished(f->tcp->side[1], f->tcp->side[0]) && s.start != h.sequence) {
      close(*f, false);
      f = &of_packet(p, from_port, to_port, time, false, from_client, fresh, vlan, mac);
    }
  }
  if (!f->tcp) {
    f->tcp = std::make_unique<Tcp>();
    if (flip) f->tcp->history = "^";
  }
  Tcp& t = *f->tcp;
  f->last = std::max(f->last, time);
  if (t.side[0].state < TcpState::kClosed || t.side[1].state < TcpState::kClosed) f->end = f->last;
  ++f->packets[from_client];
  f->ip_bytes[from_client] += p.total_bytes;
  tcp_segment(t.side[from_client], t.side[!from_client], from_client, h, stated, t.history);
  if (!limits_.applications || t.looked_at || (stated == 0 && !(h.flags & kSyn) && !t.parser)) return true;
  stream(*f, from_client, h, p, data, stated);
  return true;
}

void FlowTable::stream(Flow& f, bool from_client, const TcpHeader& h, const IpPacket&, Bytes data, uint32_t stated) {
  Tcp& t = *f.tcp;
  TcpStream& own = t.stream[from_client];
  TcpStream& other = t.stream[!from_client];
  uint32_t first = h.sequence;
  if (h.flags & kSyn) {
    ++first;
    own.drop();
    own.start(first);
  }
  if (stated == 0 && !t.parser) return;
  if (h.flags & kRst) data = {}, stated = 0;
  if (!t.parser) {
    f.context = std::make_unique<FlowContext>(FlowContext{events_, f.who(), {}, {}});
    t.parser = make_any_session(*f.context);
  }
  const size_t held = own.held() + other.held();
  bool more = true;
  // What the other side acknowledges but never came is missing.
  if ((h.flags & kAck) && other.held())
    more = other.acknowledged(h.acknowledged, ToParser{*t.parser, t.side[!from_client], t.history, !from_client, f.last});
  if (more && stated) {
    if (!own.started()) own.start(first);
    more = own.segment(first, data, stated, ToParser{*t.parser, t.side[from_client], t.history, from_client, f.last});
  }
  held_ = held_ + own.held() + other.held() - held;
  account(f, t.parser->memory());
  if (!more || held_ > limits_.held_bytes || parser_bytes_ > limits_.parser_bytes) give_up(f);
}

// Nothing more of this connection's streams is looked at; what its parser knows is told.
void FlowTable::give_up(Flow& f) {
  Tcp& t = *f.tcp;
  t.parser->end(f.last);
  t.parser.reset();
  t.looked_at = true;
  account(f, 0);
  for (TcpStream& s : t.stream) {
    held_ -= s.held();
    s.drop();
  }
}

bool FlowTable::udp(const IpPacket& p, int64_t time, uint16_t vlan, Bytes mac) {
  if (p.payload.size() < 8) return false;
  const uint16_t from_port = be16(p.payload.data()), to_port = be16(p.payload.data() + 2);
  const Bytes data = p.payload.subspan(8);
  const uint32_t stated = p.payload_bytes - std::min<uint32_t>(p.payload_bytes, 8);
  const bool flip = is_service_port(from_port, true) && !is_service_port(to_port, true);
  bool from_client = true, fresh = false;
  Flow& f = of_packet(p, from_port, to_port, time, flip, from_client, fresh, vlan, mac);
  f.end = f.last = std::max(f.last, time);
  ++f.packets[from_client];
  f.ip_bytes[from_client] += p.total_bytes;
  f.payload[from_client] += stated;
  if (!limits_.applications) return true;
  if (f.undecided && !data.empty()) {
    const std::string_view protocol = recognise_datagram(data, f.client_port, f.server_port);
    if (!protocol.empty()) {
      f.undecided = false;
      f.context = std::make_unique<FlowContext>(FlowContext{events_, f.who(), std::string(protocol), {}});
      if (protocol == "DNS") f.dns = std::make_unique<DnsPairs>(*f.context);
    } else if (++f.datagrams_looked >= 8) {
      f.undecided = false;
    }
  }
  if (f.dns) {
    f.dns->message(data, time);
    account(f, f.dns->memory());
    if (parser_bytes_ > limits_.parser_bytes) {
      f.dns->end();
      account(f, f.dns->memory());
    }
  }
  return true;
}

bool FlowTable::icmp(const IpPacket& p, int64_t time, uint16_t vlan, Bytes mac) {
  if (p.payload.size() < 4) return false;
  const uint8_t type = p.payload[0], code = p.payload[1];
  // Question and answer are one flow, with the question's type as the client's port and the answer's as the server's.
  struct Pair {
    uint8_t question, answer;
  };
  static constexpr Pair kV4[] = {{8, 0}, {10, 9}, {13, 14}, {15, 16}, {17, 18}};
  static constexpr Pair kV6[] = {{128, 129}, {133, 134}, {135, 136}, {130, 131}, {139, 140}, {144, 145}};
  uint16_t to = code;
  const auto look = [&](const auto& pairs) {
    for (const Pair& x : pairs) {
      if (type == x.question) to = x.answer;
      if (type == x.answer) to = x.question;
    }
  };
  if (p.protocol == kIcmp)
    look(kV4);
  else
    look(kV6);
  bool from_client = true, fresh = false;
  Flow& f = of_packet(p, type, to, time, false, from_client, fresh, vlan, mac);
  f.end = f.last = std::max(f.last, time);
  ++f.packets[from_client];
  f.ip_bytes[from_client] += p.total_bytes;
  f.payload[from_client] += p.payload_bytes - std::min<uint32_t>(p.payload_bytes, 8);
  return true;
}

}  // namespace egret::capture
