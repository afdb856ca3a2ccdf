#include "sensor/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace egret::sensor {

namespace {

IpAddress address(uint8_t family, const uint8_t* bytes) {
  if (family == AF_INET) return IpAddress::v4(capture::be32(bytes));
  uint128 value = 0;
  for (int i = 0; i < 16; ++i) value = value << 8 | bytes[i];
  return {value};
}

uint32_t next_sequence() {
  static thread_local uint32_t sequence = 0;
  return ++sequence;
}

}  // namespace

std::optional<DiagSocket> parse_diag_socket(Bytes payload, uint8_t protocol) {
  if (payload.size() < sizeof(inet_diag_msg)) return std::nullopt;
  inet_diag_msg m;
  std::memcpy(&m, payload.data(), sizeof m);
  DiagSocket s;
  s.family = m.idiag_family;
  if (s.family != AF_INET && s.family != AF_INET6) return std::nullopt;
  s.state = m.idiag_state;
  s.protocol = protocol;
  s.local = address(s.family, reinterpret_cast<const uint8_t*>(m.id.idiag_src));
  s.remote = address(s.family, reinterpret_cast<const uint8_t*>(m.id.idiag_dst));
  s.local_port = ntohs(m.id.idiag_sport);
  s.remote_port = ntohs(m.id.idiag_dport);
  s.inode = m.idiag_inode;
  const auto* id = reinterpret_cast<const uint8_t*>(&m.id);
  s.id.assign(id, id + sizeof m.id);
  NetlinkAttributes attributes(payload.subspan(sizeof m));
  while (const auto a = attributes.next())
    if (a->type == INET_DIAG_CGROUP_ID && a->value.size() == sizeof s.cgroup) std::memcpy(&s.cgroup, a->value.data(), sizeof s.cgroup);
  if (attributes.malformed()) return std::nullopt;
  return s;
}

Result<void> dump_sockets(NetlinkSocket& socket, uint8_t family, uint8_t protocol, const std::function<void(const DiagSocket&)>& each) {
  NetlinkRequest request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, next_sequence());
  inet_diag_req_v2 body{};
  body.sdiag_family = family;
  body.sdiag_protocol = protocol;
  body.idiag_states = protocol == IPPROTO_TCP ? ~(1u << TCP_LISTEN | 1u << TCP_TIME_WAIT) : ~0u;
  request.raw({reinterpret_cast<const uint8_t*>(&body), sizeof body});
  auto done = socket.dump(request.bytes(), [&](const NetlinkMessage& m) {
    if (m.type != SOCK_DIAG_BY_FAMILY) return;
    const auto s = parse_diag_socket(m.payload, protocol);
    if (s && s->remote.value != 0 && s->remote != IpAddress::v4(0)) each(*s);
  });
  if (!done && done.error().message.ends_with(std::strerror(ENOENT))) return {};
  return done;
}

Result<Destroyed> destroy_socket(NetlinkSocket& socket, const DiagSocket& victim) {
  NetlinkRequest request(SOCK_DESTROY, NLM_F_ACK, next_sequence());
  inet_diag_req_v2 body{};
  body.sdiag_family = victim.family;
  body.sdiag_protocol = victim.protocol;
  body.idiag_states = ~0u;
  if (victim.id.size() != sizeof body.id) return internal_error("a socket without its kernel id");
  std::memcpy(&body.id, victim.id.data(), sizeof body.id);
  request.raw({reinterpret_cast<const uint8_t*>(&body), sizeof body});
  TRY(const int error, socket.acknowledged(request.bytes()));
  switch (error) {
    case 0: return Destroyed::kDone;
    case ENOENT: return Destroyed::kGone;
    case EOPNOTSUPP: return Destroyed::kUnsupported;
    default: return unavailable(std::string("a connection is not ended: ") + std::strerror(error));
  }
}

}  // namespace egret::sensor
