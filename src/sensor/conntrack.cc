#include "sensor/conntrack.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace egret::sensor {

namespace {

constexpr uint16_t message_type(int type) { return static_cast<uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type); }

std::optional<uint8_t> u8(Bytes v) { return v.size() == 1 ? std::optional(v[0]) : std::nullopt; }
std::optional<uint16_t> u16(Bytes v) { return v.size() == 2 ? std::optional(capture::be16(v.data())) : std::nullopt; }
std::optional<uint32_t> u32(Bytes v) { return v.size() == 4 ? std::optional(capture::be32(v.data())) : std::nullopt; }
std::optional<uint64_t> u64(Bytes v) {
  if (v.size() != 8) return std::nullopt;
  return uint64_t{capture::be32(v.data())} << 32 | capture::be32(v.data() + 4);
}

std::optional<IpAddress> v6(Bytes v) {
  if (v.size() != 16) return std::nullopt;
  uint128 value = 0;
  for (const uint8_t b : v) value = value << 8 | b;
  return IpAddress{value};
}

// The attributes of a level, each handed over; false when they are cut.
template <typename F>
bool walk(Bytes bytes, F&& each) {
  NetlinkAttributes attributes(bytes);
  while (const auto a = attributes.next()) each(a->type, a->value);
  return !attributes.malformed();
}

bool parse_addresses(Bytes bytes, Tuple& t) {
  int found = 0;
  const bool whole = walk(bytes, [&](uint16_t type, Bytes value) {
    std::optional<IpAddress> address;
    if (type == CTA_IP_V4_SRC || type == CTA_IP_V4_DST) {
      if (const auto v = u32(value)) address = IpAddress::v4(*v);
    } else if (type == CTA_IP_V6_SRC || type == CTA_IP_V6_DST) {
      address = v6(value);
    }
    if (!address) return;
    const bool source = type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC;
    (source ? t.source : t.destination) = *address;
    found |= source ? 1 : 2;
  });
  return whole && found == 3;
}

bool parse_protocol(Bytes bytes, Tuple& t) {
  bool found = false;
  uint16_t type_code = 0;
  bool icmp = false;
  const bool whole = walk(bytes, [&](uint16_t type, Bytes value) {
    switch (type) {
      case CTA_PROTO_NUM:
        if (const auto v = u8(value)) {
          t.protocol = *v;
          found = true;
        }
        break;
      case CTA_PROTO_SRC_PORT:
        if (const auto v = u16(value)) t.source_port = *v;
        break;
      case CTA_PROTO_DST_PORT:
        if (const auto v = u16(value)) t.destination_port = *v;
        break;
      case CTA_PROTO_ICMP_ID:
      case CTA_PROTO_ICMPV6_ID:
        if (const auto v = u16(value)) t.source_port = *v;
        break;
      case CTA_PROTO_ICMP_TYPE:
      case CTA_PROTO_ICMPV6_TYPE:
        icmp = true;
        if (const auto v = u8(value)) type_code = static_cast<uint16_t>(type_code | *v << 8);
        break;
      case CTA_PROTO_ICMP_CODE:
      case CTA_PROTO_ICMPV6_CODE:
        icmp = true;
        if (const auto v = u8(value)) type_code = static_cast<uint16_t>(type_code | *v);
        break;
      default: break;
    }
  });
  if (icmp) t.destination_port = type_code;
  return whole && found;
}

bool parse_tuple(Bytes bytes, Tuple& t) {
  bool addresses = false, protocol = false;
  const bool whole = walk(bytes, [&](uint16_t type, Bytes value) {
    if (type == CTA_TUPLE_IP) addresses = parse_addresses(value, t);
    if (type == CTA_TUPLE_PROTO) protocol = parse_protocol(value, t);
  });
  return whole && addresses && protocol;
}

std::optional<uint8_t> parse_tcp_state(Bytes protoinfo) {
  std::optional<uint8_t> state;
  walk(protoinfo, [&](uint16_t type, Bytes value) {
    if (type != CTA_PROTOINFO_TCP) return;
    walk(value, [&](uint16_t inner, Bytes v) {
      if (inner == CTA_PROTOINFO_TCP_STATE) state = u8(v);
    });
  });
  return state;
}

std::optional<ConntrackCounters> parse_counters(Bytes bytes) {
  ConntrackCounters c;
  bool found = false;
  walk(bytes, [&](uint16_t type, Bytes value) {
    std::optional<uint64_t> v = u64(value);
    if (!v)
      if (const auto narrow = u32(value)) v = *narrow;
    if (!v) return;
    if (type == CTA_COUNTERS_PACKETS || type == CTA_COUNTERS32_PACKETS) c.packets = *v, found = true;
    if (type == CTA_COUNTERS_BYTES || type == CTA_COUNTERS32_BYTES) c.bytes = *v, found = true;
  });
  return found ? std::optional(c) : std::nullopt;
}

void append_tuple(NetlinkRequest& request, uint16_t type, const Tuple& t, bool v4) {
  const size_t tuple = request.begin_nested(type);
  const size_t ip = request.begin_nested(CTA_TUPLE_IP);
  const auto address = [&](uint16_t v4_type, uint16_t v6_type, const IpAddress& a) {
    if (v4) return request.attribute_be32(v4_type, a.v4_value());
    std::array<uint8_t, 16> bytes{};
    for (size_t i = 0; i < 16; ++i) bytes[i] = static_cast<uint8_t>(a.value >> (120 - 8 * i));
    request.attribute(v6_type, bytes);
  };
  address(CTA_IP_V4_SRC, CTA_IP_V6_SRC, t.source);
  address(CTA_IP_V4_DST, CTA_IP_V6_DST, t.destination);
  request.end_nested(ip);
  const size_t protocol = request.begin_nested(CTA_TUPLE_PROTO);
  request.attribute(CTA_PROTO_NUM, Bytes(&t.protocol, 1));
  if (t.protocol == IPPROTO_ICMP || t.protocol == IPPROTO_ICMPV6) {
    const bool six = t.protocol == IPPROTO_ICMPV6;
    const auto kind = static_cast<uint8_t>(t.destination_port >> 8), code = static_cast<uint8_t>(t.destination_port);
    request.attribute_be16(six ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, t.source_port);
    request.attribute(six ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, Bytes(&kind, 1));
    request.attribute(six ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, Bytes(&code, 1));
  } else {
    request.attribute_be16(CTA_PROTO_SRC_PORT, t.source_port);
    request.attribute_be16(CTA_PROTO_DST_PORT, t.destination_port);
  }
  request.end_nested(protocol);
  request.end_nested(tuple);
}

NetlinkRequest request_for(int type, uint16_t flags, uint32_t sequence, uint8_t family) {
  NetlinkRequest request(message_type(type), flags, sequence);
  const nfgenmsg header{family, NFNETLINK_V0, 0};
  request.raw({reinterpret_cast<const uint8_t*>(&header), sizeof header});
  return request;
}

uint32_t next_sequence() {
  static thread_local uint32_t sequence = 0;
  return ++sequence;
}

}  // namespace

Tuple Conntrack::translated() const {
  Tuple t;
  t.protocol = original.protocol;
  t.source = reply.destination;
  t.destination = reply.source;
  if (original.protocol == IPPROTO_ICMP || original.protocol == IPPROTO_ICMPV6) {
    // The reply of an echo has another type; the request that leaves has the original one.
    t.source_port = reply.source_port;
    t.destination_port = original.destination_port;
  } else {
    t.source_port = reply.destination_port;
    t.destination_port = reply.source_port;
  }
  return t;
}

bool Conntrack::source_translated() const {
  const Tuple t = translated();
  return t.source != original.source || t.source_port != original.source_port;
}

bool Conntrack::destination_translated() const {
  const Tuple t = translated();
  return t.destination != original.destination || t.destination_port != original.destination_port;
}

std::string_view tcp_conntrack_name(uint8_t state) {
  static constexpr std::string_view kNames[] = {"NONE",       "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
                                                "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",       "SYN_SENT2"};
  return state < std::size(kNames) ? kNames[state] : std::string_view{};
}

std::optional<Conntrack> parse_conntrack(Bytes payload) {
  if (payload.size() < sizeof(nfgenmsg)) return std::nullopt;
  Conntrack c;
  c.family = payload[0];
  bool original = false, reply = false;
  const bool whole = walk(payload.subspan(sizeof(nfgenmsg)), [&](uint16_t type, Bytes value) {
    switch (type) {
      case CTA_TUPLE_ORIG: original = parse_tuple(value, c.original); break;
      case CTA_TUPLE_REPLY: reply = parse_tuple(value, c.reply); break;
      case CTA_STATUS: c.status = u32(value).value_or(0); break;
      case CTA_MARK: c.mark = u32(value).value_or(0); break;
      case CTA_ID: c.id = u32(value).value_or(0); break;
      case CTA_TIMEOUT: c.timeout = u32(value).value_or(0); break;
      case CTA_ZONE: c.zone = u16(value).value_or(0); break;
      case CTA_PROTOINFO: c.tcp_state = parse_tcp_state(value); break;
      case CTA_COUNTERS_ORIG: c.sent = parse_counters(value); break;
      case CTA_COUNTERS_REPLY: c.received = parse_counters(value); break;
      case CTA_TIMESTAMP:
        walk(value, [&](uint16_t inner, Bytes v) {
          if (inner == CTA_TIMESTAMP_START) c.start = u64(v).value_or(0);
          if (inner == CTA_TIMESTAMP_STOP) c.stop = u64(v).value_or(0);
        });
        break;
      default: break;
    }
  });
  if (!whole || !original || !reply) return std::nullopt;
  return c;
}

void parse_conntrack_datagram(Bytes datagram, const ConntrackHandler& each, ConntrackCounts& counts) {
  NetlinkMessages messages(datagram);
  while (const auto m = messages.next()) {
    if (m->type >> 8 != NFNL_SUBSYS_CTNETLINK) continue;
    const int type = m->type & 0xff;
    if (type != IPCTNL_MSG_CT_NEW && type != IPCTNL_MSG_CT_DELETE) continue;
    ++counts.messages;
    const auto entry = parse_conntrack(m->payload);
    if (!entry) {
      ++counts.malformed;
      continue;
    }
    // A new connection is announced as one that was created exclusively (ctnetlink_conntrack_event); a dump's entries are parts of a whole.
    const auto change = type == IPCTNL_MSG_CT_DELETE                    ? ConntrackChange::kDestroy
                        : m->flags & NLM_F_MULTI                        ? ConntrackChange::kExisting
                        : (m->flags & (NLM_F_CREATE | NLM_F_EXCL)) != 0 ? ConntrackChange::kNew
                                                                        : ConntrackChange::kUpdate;
    each(change, *entry);
  }
  if (messages.malformed()) ++counts.malformed;
}

Result<ConntrackEvents> ConntrackEvents::open(const ConntrackOptions& options) {
  TRY(auto events, NetlinkSocket::open(NETLINK_NETFILTER, options.netns));
  TRY(auto requests, NetlinkSocket::open(NETLINK_NETFILTER, options.netns));
  events.receive_buffer(options.receive_bytes);
  TRY_VOID(events.join(NFNLGRP_CONNTRACK_NEW));
  if (options.updates) TRY_VOID(events.join(NFNLGRP_CONNTRACK_UPDATE));
  TRY_VOID(events.join(NFNLGRP_CONNTRACK_DESTROY));
  return ConntrackEvents(std::move(events), std::move(requests));
}

Result<bool> ConntrackEvents::dump(const ConntrackHandler& each) {
  bool interrupted = false;
  TRY_VOID(dump_conntrack(requests_, each, counts_, &interrupted));
  return interrupted;
}

Result<size_t> ConntrackEvents::consume(const ConntrackHandler& each) {
  size_t handed = 0;
  // A bound, so that a flood of events does not keep the caller from its other work.
  for (int datagrams = 0; datagrams < 4096; ++datagrams) {
    bool lost = false;
    TRY(const auto datagram, events_.receive(lost));
    if (lost) ++counts_.lost;
    if (!datagram) break;
    parse_conntrack_datagram(
        *datagram,
        [&](ConntrackChange change, const Conntrack& c) {
          ++handed;
          each(change, c);
        },
        counts_);
  }
  return handed;
}

Result<void> dump_conntrack(NetlinkSocket& socket, const ConntrackHandler& each, ConntrackCounts& counts, bool* interrupted) {
  auto request = request_for(IPCTNL_MSG_CT_GET, NLM_F_DUMP, next_sequence(), AF_UNSPEC);
  return socket.dump(
      request.bytes(),
      [&](const NetlinkMessage& m) {
        if (m.type != message_type(IPCTNL_MSG_CT_NEW)) return;
        ++counts.messages;
        if (const auto entry = parse_conntrack(m.payload))
          each(ConntrackChange::kExisting, *entry);
        else
          ++counts.malformed;
      },
      interrupted);
}

Result<std::optional<Conntrack>> find_conntrack(NetlinkSocket& socket, const Tuple& original) {
  const bool v4 = original.source.is_v4() && original.destination.is_v4();
  const uint32_t sequence = next_sequence();
  auto request = request_for(IPCTNL_MSG_CT_GET, 0, sequence, v4 ? AF_INET : AF_INET6);
  append_tuple(request, CTA_TUPLE_ORIG, original, v4);
  TRY_VOID(socket.send(request.bytes()));
  while (true) {
    bool lost = false;
    TRY(const auto datagram, socket.receive(lost, 1000));
    if (!datagram) return unavailable("the kernel does not answer about conntrack");
    NetlinkMessages messages(*datagram);
    while (const auto m = messages.next()) {
      if (m->sequence != sequence) continue;
      if (m->type == NLMSG_ERROR) {
        const int error = netlink_error(*m);
        if (error == ENOENT || error == 0) return std::nullopt;
        return unavailable("conntrack does not answer: " + std::string(std::strerror(error)));
      }
      if (m->type == message_type(IPCTNL_MSG_CT_NEW)) return parse_conntrack(m->payload);
    }
  }
}

Result<bool> remove_conntrack(NetlinkSocket& socket, const Conntrack& entry) {
  auto request = request_for(IPCTNL_MSG_CT_DELETE, NLM_F_ACK, next_sequence(), entry.family);
  append_tuple(request, CTA_TUPLE_ORIG, entry.original, entry.family == AF_INET);
  request.attribute_be32(CTA_ID, entry.id);
  if (entry.zone != 0) request.attribute_be16(CTA_ZONE, entry.zone);
  TRY(const int error, socket.acknowledged(request.bytes()));
  if (error == ENOENT) return false;
  if (error != 0) return unavailable("conntrack keeps an entry: " + std::string(std::strerror(error)));
  return true;
}

}  // namespace egret::sensor
