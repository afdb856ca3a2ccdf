// Sees every packet that one region's nodes exchange with the internet, after their address translation, as the platform's flow log
// does. A row (tab separated) when a flow begins, every --every seconds while it lasts, and when it ends:
//   milliseconds  source  destination  source port  destination port  protocol  B|C|E  packets out  bytes out  packets in  bytes in
// Counts are those since the row before; bytes are of whole IP packets. Ends: both sides have finished, a reset, or silence.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <tuple>

#include "labpod/log.h"
#include "labpod/roles.h"

namespace egret::labpod {
namespace {

constexpr int64_t kSilentTcp = 120'000, kSilentUdp = 5'000;  // milliseconds

struct Packet {
  Endpoint from, to;
  uint8_t protocol = 0, tcp_flags = 0;
  uint32_t bytes = 0;
};

std::optional<Packet> read_packet(std::string_view b) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(b[i]); };
  const auto word = [&](size_t i) { return static_cast<uint16_t>((byte(i) << 8) | byte(i + 1)); };
  Packet p;
  size_t at = 0;
  if (b.size() >= 20 && byte(0) >> 4 == 4) {
    at = static_cast<size_t>(byte(0) & 15) * 4;
    p.protocol = byte(9);
    p.bytes = word(2);
    const auto address = [&](size_t i) { return IpAddress::v4((uint32_t{word(i)} << 16) | word(i + 2)); };
    p.from.address = address(12);
    p.to.address = address(16);
  } else if (b.size() >= 40 && byte(0) >> 4 == 6) {
    at = 40;
    p.protocol = byte(6);
    p.bytes = 40U + word(4);
    for (size_t i = 0; i < 16; ++i) {
      p.from.address.value = (p.from.address.value << 8) | byte(8 + i);
      p.to.address.value = (p.to.address.value << 8) | byte(24 + i);
    }
  } else {
    return {};
  }
  if ((p.protocol != 6 && p.protocol != 17) || b.size() < at + (p.protocol == 6 ? 14U : 4U)) return {};
  p.from.port = word(at);
  p.to.port = word(at + 2);
  if (p.protocol == 6) p.tcp_flags = byte(at + 13);
  return p;
}

struct Flow {
  Endpoint from, to;  // from: who began it
  uint8_t protocol = 0;
  uint64_t packets[2] = {}, bytes[2] = {};  // out, in
  bool finished[2] = {};
  int64_t row = 0, last = 0;
};

using Key = std::tuple<uint128, uint128, uint16_t, uint16_t, uint8_t>;

class Border {
 public:
  Border(Log log, int64_t every) : log_(std::move(log)), every_(every) {}

  void packet(const Packet& p, int64_t now) {
    constexpr uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;
    const bool opens = p.protocol == 6 && (p.tcp_flags & (kSyn | kAck)) == kSyn;
    auto at = flows_.find(key(p.from, p.to, p.protocol));
    size_t direction = 0;
    if (at == flows_.end()) {
      at = flows_.find(key(p.to, p.from, p.protocol));
      direction = 1;
    }
    if (at == flows_.end()) {
      if (p.protocol == 6 && !opens) return;  // the tail of one that has ended
      direction = 0;
      at = flows_.emplace(key(p.from, p.to, p.protocol), Flow{p.from, p.to, p.protocol, {}, {}, {}, now, now}).first;
      row(at->second, 'B', now);
    }
    Flow& f = at->second;
    ++f.packets[direction];
    f.bytes[direction] += p.bytes;
    f.last = now;
    if ((p.tcp_flags & kFin) != 0) f.finished[direction] = true;
    if (p.protocol == 6 && ((p.tcp_flags & kRst) != 0 || (f.finished[0] && f.finished[1] && (p.tcp_flags & kFin) == 0))) {
      row(f, 'E', now);
      flows_.erase(at);
    }
  }

  void sweep(int64_t now) {
    for (auto at = flows_.begin(); at != flows_.end();) {
      Flow& f = at->second;
      if (now - f.last > (f.protocol == 17 ? kSilentUdp : kSilentTcp)) {
        row(f, 'E', f.last);
        at = flows_.erase(at);
        continue;
      }
      if (now - f.row >= every_) row(f, 'C', now);
      ++at;
    }
  }

 private:
  static Key key(const Endpoint& a, const Endpoint& b, uint8_t protocol) {
    return {a.address.value, b.address.value, a.port, b.port, protocol};
  }
  void row(Flow& f, char state, int64_t now) {
    log_.line(fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}", now, f.from.address.to_string(), f.to.address.to_string(),
                          f.from.port, f.to.port, f.protocol, state, f.packets[0], f.bytes[0], f.packets[1], f.bytes[1]));
    f.packets[0] = f.packets[1] = f.bytes[0] = f.bytes[1] = 0;
    f.row = now;
  }

  Log log_;
  int64_t every_;
  std::map<Key, Flow> flows_;
};

}  // namespace

int border(const Arguments& arguments) {
  auto log = Log::open(arguments.text("out"));
  if (!log) return give_up(log.error());
  const std::string device = arguments.text("device");
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_protocol = htons(ETH_P_ALL);
  where.sll_ifindex = static_cast<int>(::if_nametoindex(device.c_str()));
  const Fd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));  // without the link's header
  const int buffer = 32 << 20;
  if (fd) ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  if (!fd || where.sll_ifindex == 0 || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0)
    return give_up(Error{ErrorKind::kUnavailable, fmt::format("cannot see the packets of '{}': {}", device, std::strerror(errno)), {}});
  Border b(std::move(*log), arguments.number("every", 60) * 1000);
  set_timeout(fd.get(), 0.5);
  for (int64_t swept = 0;;) {
    char bytes[128];
    const ssize_t n = ::recv(fd.get(), bytes, sizeof bytes, MSG_TRUNC);
    const int64_t now = now_nanoseconds() / 1'000'000;
    if (n > 0)
      if (const auto p = read_packet({bytes, std::min(static_cast<size_t>(n), sizeof bytes)})) b.packet(*p, now);
    if (now - swept >= 500) {
      b.sweep(now);
      swept = now;
    }
  }
}

}  // namespace egret::labpod
