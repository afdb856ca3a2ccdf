#include "sensor/netlink.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sensor/netns.h"

namespace egret::sensor {

namespace {

constexpr size_t padded(size_t n) { return (n + 3) & ~size_t{3}; }
constexpr int kAnswerMilliseconds = 5000;

template <typename T>
T copied(const uint8_t* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

std::string reason(int error) { return std::strerror(error); }

}  // namespace

std::optional<NetlinkAttribute> NetlinkAttributes::next() {
  if (left_.empty()) return std::nullopt;
  if (left_.size() < sizeof(nlattr)) {
    malformed_ = true;
    left_ = {};
    return std::nullopt;
  }
  const auto header = copied<nlattr>(left_.data());
  if (header.nla_len < sizeof(nlattr) || header.nla_len > left_.size()) {
    malformed_ = true;
    left_ = {};
    return std::nullopt;
  }
  NetlinkAttribute a{static_cast<uint16_t>(header.nla_type & NLA_TYPE_MASK), left_.subspan(sizeof header, header.nla_len - sizeof header)};
  left_ = left_.subspan(std::min(padded(header.nla_len), left_.size()));
  return a;
}

std::optional<NetlinkMessage> NetlinkMessages::next() {
  if (left_.empty()) return std::nullopt;
  if (left_.size() < sizeof(nlmsghdr)) {
    malformed_ = true;
    left_ = {};
    return std::nullopt;
  }
  const auto header = copied<nlmsghdr>(left_.data());
  if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > left_.size()) {
    malformed_ = true;
    left_ = {};
    return std::nullopt;
  }
  NetlinkMessage m{header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq, left_.subspan(sizeof header, header.nlmsg_len - sizeof header)};
  left_ = left_.subspan(std::min(padded(header.nlmsg_len), left_.size()));
  return m;
}

int netlink_error(const NetlinkMessage& m) {
  if (m.payload.size() < sizeof(int)) return m.type == NLMSG_DONE ? 0 : EPROTO;
  const int error = copied<int>(m.payload.data());
  return error < 0 && error > -4096 ? -error : error == 0 ? 0 : EPROTO;
}

NetlinkRequest::NetlinkRequest(uint16_t type, uint16_t flags, uint32_t sequence) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST);
  header.nlmsg_seq = sequence;
  raw({reinterpret_cast<const uint8_t*>(&header), sizeof header});
}

void NetlinkRequest::raw(Bytes bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  bytes_.resize(padded(bytes_.size()));
}

void NetlinkRequest::attribute(uint16_t type, Bytes value) {
  const nlattr header{static_cast<uint16_t>(sizeof(nlattr) + value.size()), type};
  raw({reinterpret_cast<const uint8_t*>(&header), sizeof header});
  raw(value);
}

void NetlinkRequest::attribute_be16(uint16_t type, uint16_t value) {
  const uint8_t bytes[] = {static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
  attribute(type, bytes);
}

void NetlinkRequest::attribute_be32(uint16_t type, uint32_t value) {
  const uint8_t bytes[] = {static_cast<uint8_t>(value >> 24), static_cast<uint8_t>(value >> 16), static_cast<uint8_t>(value >> 8),
                           static_cast<uint8_t>(value)};
  attribute(type, bytes);
}

size_t NetlinkRequest::begin_nested(uint16_t type) {
  const size_t begin = bytes_.size();
  attribute(static_cast<uint16_t>(type | NLA_F_NESTED), {});
  return begin;
}

void NetlinkRequest::end_nested(size_t begin) {
  const auto length = static_cast<uint16_t>(bytes_.size() - begin);
  std::memcpy(bytes_.data() + begin, &length, sizeof length);
}

Bytes NetlinkRequest::bytes() {
  const auto length = static_cast<uint32_t>(bytes_.size());
  std::memcpy(bytes_.data(), &length, sizeof length);
  return bytes_;
}

Result<NetlinkSocket> NetlinkSocket::open(int protocol, const std::string& netns) {
  int fd = -1, error = 0;
  const auto create = [&] {
    fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    // Bound at once: the kernel leaves a socket without a port out when it tells others of what it did itself.
    sockaddr_nl any{};
    any.nl_family = AF_NETLINK;
    if (fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
      error = errno;
      ::close(std::exchange(fd, -1));
    }
    if (fd < 0 && error == 0) error = errno;
  };
  if (netns.empty()) {
    create();
    if (fd < 0) return unavailable("no netlink socket: " + reason(error));
    return NetlinkSocket(fd);
  }
  TRY_VOID(inside_netns(netns, create));
  if (fd < 0) return unavailable("no netlink socket in " + netns + ": " + reason(error));
  return NetlinkSocket(fd);
}

NetlinkSocket::~NetlinkSocket() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> NetlinkSocket::join(uint32_t group) {
  if (::setsockopt(fd_, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
    const int error = errno;
    return unavailable("no subscription to netlink group " + std::to_string(group) + ": " + reason(error),
                       error == EPERM ? "it needs CAP_NET_ADMIN" : "");
  }
  return {};
}

size_t NetlinkSocket::receive_buffer(size_t bytes) {
  const int wanted = static_cast<int>(std::min<size_t>(bytes, 1u << 30));
  if (::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0)
    (void)::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
  int got = 0;
  socklen_t length = sizeof got;
  (void)::getsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &got, &length);
  return static_cast<size_t>(got);
}

Result<void> NetlinkSocket::send(Bytes request) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(fd_, request.data(), request.size(), 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0)
    return unavailable("the kernel takes no netlink request: " + reason(errno));
  return {};
}

Result<std::optional<Bytes>> NetlinkSocket::receive(bool& lost, int wait_ms) {
  buffer_.resize(1 << 18);
  while (true) {
    sockaddr_nl from{};
    socklen_t from_length = sizeof from;
    const ssize_t n =
        ::recvfrom(fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC, reinterpret_cast<sockaddr*>(&from), &from_length);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == ENOBUFS) {
        lost = true;
        continue;
      }
      if (errno != EAGAIN) return unavailable("netlink: " + reason(errno));
      if (wait_ms <= 0) return std::nullopt;
      pollfd p{fd_, POLLIN, 0};
      if (::poll(&p, 1, wait_ms) <= 0) return std::nullopt;
      continue;
    }
    if (from.nl_pid != 0) continue;  // another process wrote to us: only the kernel is believed
    if (static_cast<size_t>(n) > buffer_.size()) {
      lost = true;
      continue;
    }
    return Bytes(buffer_.data(), static_cast<size_t>(n));
  }
}

Result<void> NetlinkSocket::dump(Bytes request, const std::function<void(const NetlinkMessage&)>& each, bool* interrupted) {
  TRY_VOID(send(request));
  const auto sequence = copied<nlmsghdr>(request.data()).nlmsg_seq;
  while (true) {
    bool lost = false;
    TRY(const auto datagram, receive(lost, kAnswerMilliseconds));
    if (lost && interrupted) *interrupted = true;
    if (!datagram) return unavailable("the kernel's netlink answer stopped half-way");
    NetlinkMessages messages(*datagram);
    while (const auto m = messages.next()) {
      if (m->sequence != sequence) continue;
      if (interrupted && (m->flags & NLM_F_DUMP_INTR)) *interrupted = true;
      if (m->type == NLMSG_DONE || m->type == NLMSG_ERROR) {
        if (const int error = netlink_error(*m)) {
          const char* hint = error == EPERM ? "it needs CAP_NET_ADMIN" : "";
          return unavailable("the kernel refuses the netlink request: " + reason(error), hint);
        }
        return {};
      }
      each(*m);
    }
  }
}

Result<int> NetlinkSocket::acknowledged(Bytes request) {
  TRY_VOID(send(request));
  const auto sequence = copied<nlmsghdr>(request.data()).nlmsg_seq;
  while (true) {
    bool lost = false;
    TRY(const auto datagram, receive(lost, kAnswerMilliseconds));
    if (!datagram) return unavailable("the kernel does not answer a netlink request");
    NetlinkMessages messages(*datagram);
    while (const auto m = messages.next())
      if (m->type == NLMSG_ERROR && m->sequence == sequence) return netlink_error(*m);
  }
}

}  // namespace egret::sensor
