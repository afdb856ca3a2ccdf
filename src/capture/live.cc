#include "capture/live.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>

#include "capture/pcapng_writer.h"

namespace egret::capture {
namespace {

constexpr uint32_t kBlock = 1u << 20, kBlocks = 8;  // 8 MiB of ring for each interface
constexpr unsigned kRetireMilliseconds = 50;        // packets wait no longer than this in a block
constexpr int kLinkEthernetOrLoopback = 1, kLinkRawIp = 101;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string why() { return std::strerror(errno); }
std::string privilege_hint() {
  return errno == EPERM || errno == EACCES
             ? "run it as root on the node, or in a pod with CAP_NET_RAW and CAP_SYS_ADMIN and the host's /proc"
             : "";
}

// This thread in another network namespace, until the end of the scope.
class InNamespace {
 public:
  static Result<std::unique_ptr<InNamespace>> enter(const std::string& path) {
    auto in = std::unique_ptr<InNamespace>(new InNamespace);
    if (path.empty()) return in;
    Descriptor there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (there.get() < 0) return unavailable(fmt::format("the network namespace {} cannot be opened: {}", path, why()), privilege_hint());
    in->back_ = Descriptor(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (in->back_.get() < 0) return unavailable(fmt::format("our own network namespace cannot be opened: {}", why()));
    if (setns(there.get(), CLONE_NEWNET) != 0)
      return unavailable(fmt::format("the network namespace {} cannot be entered: {}", path, why()), privilege_hint());
    in->moved_ = true;
    return in;
  }
  InNamespace(const InNamespace&) = delete;
  InNamespace& operator=(const InNamespace&) = delete;
  ~InNamespace() {
    if (moved_) (void)setns(back_.get(), CLONE_NEWNET);
  }

 private:
  InNamespace() = default;
  Descriptor back_;
  bool moved_ = false;
};

Result<std::vector<LiveInterface>> interfaces_of(const LiveOptions& options, std::vector<IpAddress>& addresses) {
  const Descriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifaddrs* list = nullptr;
  if (any.get() < 0 || getifaddrs(&list) != 0) return unavailable(fmt::format("the interfaces cannot be listed: {}", why()));
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> free_it(list, freeifaddrs);
  std::vector<LiveInterface> found;
  std::string all;
  for (const ifaddrs* i = list; i; i = i->ifa_next) {
    if (!i->ifa_addr) continue;
    if (i->ifa_addr->sa_family == AF_INET) {
      const auto* a = reinterpret_cast<const sockaddr_in*>(i->ifa_addr);
      if (!(i->ifa_flags & IFF_LOOPBACK)) addresses.push_back(IpAddress::v4(ntohl(a->sin_addr.s_addr)));
    } else if (i->ifa_addr->sa_family == AF_INET6) {
      const auto* a = reinterpret_cast<const sockaddr_in6*>(i->ifa_addr);
      IpAddress v;
      for (const uint8_t b : a->sin6_addr.s6_addr) v.value = v.value << 8 | b;
      if (!(i->ifa_flags & IFF_LOOPBACK) && !IN6_IS_ADDR_LINKLOCAL(&a->sin6_addr)) addresses.push_back(v);
    } else if (i->ifa_addr->sa_family == AF_PACKET) {
      const auto* a = reinterpret_cast<const sockaddr_ll*>(i->ifa_addr);
      LiveInterface f;
      f.name = i->ifa_name;
      f.index = a->sll_ifindex;
      f.loopback = i->ifa_flags & IFF_LOOPBACK;
      f.link_type = a->sll_hatype == ARPHRD_ETHER || a->sll_hatype == ARPHRD_LOOPBACK ? kLinkEthernetOrLoopback : kLinkRawIp;
      all += (all.empty() ? "" : ", ") + f.name;
      const bool asked = std::find(options.interfaces.begin(), options.interfaces.end(), f.name) != options.interfaces.end();
      if (asked || (options.interfaces.empty() && !f.loopback && (i->ifa_flags & IFF_UP))) found.push_back(std::move(f));
    }
  }
  for (const std::string& name : options.interfaces)
    if (std::none_of(found.begin(), found.end(), [&](const LiveInterface& f) { return f.name == name; }))
      return not_found(fmt::format("there is no interface {} in that network namespace", name), "there are: " + all);
  if (found.empty()) return not_found("no interface but loopback is up in that network namespace", all.empty() ? "" : "there are: " + all);
  return found;
}

class Ring {
 public:
  static Result<std::unique_ptr<Ring>> open(const LiveInterface& interface, const LiveOptions& options) {
    auto r = std::unique_ptr<Ring>(new Ring);
    // Protocol 0: nothing comes in before the filter stands and the socket is bound.
    const bool raw = interface.link_type == kLinkEthernetOrLoopback;
    r->socket_ = Descriptor(::socket(AF_PACKET, (raw ? SOCK_RAW : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
    if (r->socket_.get() < 0) return unavailable(fmt::format("packets cannot be captured: {}", why()), privilege_hint());
    const int fd = r->socket_.get();
    if (options.compile) {
      TRY(std::vector<sock_filter> program, options.compile(interface.link_type, options.snap_length));
      const sock_fprog f{static_cast<unsigned short>(program.size()), program.data()};
      if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof f) != 0)
        return unavailable(fmt::format("the kernel refuses the filter: {}", why()));
    } else if (options.snap_length < 262'144) {
      sock_filter cut[] = {{BPF_RET | BPF_K, 0, 0, options.snap_length}};
      const sock_fprog f{1, cut};
      if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof f) != 0)
        return unavailable(fmt::format("the kernel refuses the filter: {}", why()));
    }
    const int version = TPACKET_V3;
    tpacket_req3 request{};
    request.tp_block_size = kBlock;
    request.tp_block_nr = kBlocks;
    request.tp_frame_size = 2048;
    request.tp_frame_nr = kBlock / 2048 * kBlocks;
    request.tp_retire_blk_tov = kRetireMilliseconds;
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
      return unavailable(fmt::format("there is no room for the ring of captured packets: {}", why()));
    void* const memory = mmap(nullptr, size_t{kBlock} * kBlocks, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return unavailable(fmt::format("the ring of captured packets cannot be mapped: {}", why()));
    r->memory_ = static_cast<uint8_t*>(memory);
    sockaddr_ll at{};
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ALL);
    at.sll_ifindex = interface.index;
    if (bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
      return unavailable(fmt::format("interface {} cannot be captured on: {}", interface.name, why()));
    r->loopback_ = interface.loopback;
    return r;
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (memory_) munmap(memory_, size_t{kBlock} * kBlocks);
  }

  int fd() const { return socket_.get(); }
  // Calls each(nanoseconds, bytes, wire length) for what has come in; each() returns false to stop.
  template <typename F>
  bool drain(F each) {
    for (;;) {
      auto* const block = reinterpret_cast<tpacket_block_desc*>(memory_ + size_t{kBlock} * next_);
      auto& status = block->hdr.bh1.block_status;
      if (!(__atomic_load_n(&status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) return true;
      const uint8_t* p = reinterpret_cast<const uint8_t*>(block) + block->hdr.bh1.offset_to_first_pkt;
      bool go_on = true;
      for (uint32_t i = 0; go_on && i < block->hdr.bh1.num_pkts; ++i) {
        const auto* h = reinterpret_cast<const tpacket3_hdr*>(p);
        const auto* from = reinterpret_cast<const sockaddr_ll*>(p + TPACKET_ALIGN(sizeof(tpacket3_hdr)));
        // On loopback each packet goes by twice.
        if (!(loopback_ && from->sll_pkttype == PACKET_OUTGOING))
          go_on = each(int64_t{h->tp_sec} * 1'000'000'000 + h->tp_nsec, Bytes(p + h->tp_mac, h->tp_snaplen), h->tp_len);
        p += h->tp_next_offset;
      }
      __atomic_store_n(&status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
      next_ = (next_ + 1) % kBlocks;
      if (!go_on) return false;
    }
  }
  uint64_t dropped() const {
    tpacket_stats_v3 s{};
    socklen_t size = sizeof s;
    return getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &s, &size) == 0 ? s.tp_drops : 0;
  }

 private:
  Ring() = default;
  Descriptor socket_;
  uint8_t* memory_ = nullptr;
  uint32_t next_ = 0;
  bool loopback_ = false;
};

int64_t wall_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}
int64_t steady_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Result<LiveResult> capture_live(const LiveOptions& options, int fd) {
  Descriptor out(fd);
  Identity identity = options.identity;
  std::vector<LiveInterface> interfaces;
  std::vector<std::unique_ptr<Ring>> rings;
  {
    TRY(const auto inside, InNamespace::enter(options.netns));
    std::vector<IpAddress> addresses;
    TRY(interfaces, interfaces_of(options, addresses));
    if (identity.addresses.empty()) identity.addresses = std::move(addresses);
    for (const LiveInterface& i : interfaces) {
      TRY(auto ring, Ring::open(i, options));
      rings.push_back(std::move(ring));
    }
  }
  // From here on the sockets are the namespace's and this thread is where it was.
  const int64_t began = wall_now(), deadline = options.duration > 0 ? steady_now() + options.duration : INT64_MAX;
  PcapngWriter writer(::dup(out.get()), options.application, identity_comment(identity));
  for (const LiveInterface& i : interfaces) writer.interface(i.link_type, options.snap_length, i.name, options.filter);
  TRY_VOID(writer.flush());
  if (options.started) options.started(interfaces);

  constexpr uint64_t kEnding = 80;  // a statistics block
  LiveResult result;
  std::vector<uint64_t> received(rings.size());
  std::vector<pollfd> waits;
  for (const auto& r : rings) waits.push_back({r->fd(), POLLIN | POLLERR, 0});
  bool go_on = true;
  while (go_on) {
    const int64_t left = deadline - steady_now();
    if (left <= 0 || (options.stop && options.stop->load())) {
      result.end = left <= 0 ? LiveResult::End::kTime : LiveResult::End::kStopped;
      go_on = false;
      usleep((kRetireMilliseconds + 10) * 1000);  // until what came in last is handed over
    } else {
      poll(waits.data(), waits.size(), static_cast<int>(std::clamp<int64_t>(left / 1'000'000 + 1, 1, 100)));
    }
    for (size_t i = 0; i < rings.size(); ++i) {
      // The packets' own times end it as well: they may come in faster than the ring is emptied.
      bool late = false;
      const bool room = rings[i]->drain([&](int64_t time, Bytes bytes, uint32_t wire) {
        late = options.duration > 0 && time > began + options.duration;
        if (late) return false;
        if (options.most_bytes && writer.bytes() + PcapngWriter::packet_size(bytes.size()) + kEnding * rings.size() > options.most_bytes)
          return false;
        writer.packet(static_cast<uint32_t>(i), time, bytes, wire);
        ++received[i];
        ++result.packets;
        return true;
      });
      if (!room) {
        result.end = late ? LiveResult::End::kTime : LiveResult::End::kSize;
        go_on = false;
      }
      if (waits[i].revents & POLLERR) {  // the interface went away, and with it the pod
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(waits[i].fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error == ENETDOWN || error == ENODEV) waits[i].fd = -1;
      }
    }
    if (go_on && std::all_of(waits.begin(), waits.end(), [](const pollfd& p) { return p.fd < 0; })) {
      result.end = LiveResult::End::kGone;
      go_on = false;
    }
    TRY_VOID(writer.flush());
  }
  const int64_t ended = wall_now();
  for (size_t i = 0; i < rings.size(); ++i) {
    const uint64_t dropped = rings[i]->dropped();
    result.dropped += dropped;
    writer.statistics(static_cast<uint32_t>(i), began, ended, received[i] + dropped, dropped);
  }
  result.bytes = writer.bytes();
  TRY_VOID(writer.flush());
  return result;
}

}  // namespace egret::capture
