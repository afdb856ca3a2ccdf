#pragma once
// Small networks for tests, in namespaces of their own that are never joined to the machine's network: made by the constructor, gone with
// the destructor. Root only: without it the test fails by name, it does not skip.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "sensor/netns.h"

namespace egret::sensor::testing {

inline void shell(const std::string& command) {
  if (std::system(("export PATH=/usr/sbin:/sbin:$PATH; set -e; " + command).c_str()) != 0)
    throw std::runtime_error("this test needs root, ip and nft; it failed at: " + command);
}

// Namespaces by name, "egt" + this process's id + a suffix; those that a killed test left are removed first.
class Namespaces {
 public:
  Namespaces() : tag_("egt" + std::to_string(getpid())) {
    shell(
        "for n in $(ls /run/netns 2>/dev/null | sed -nE 's/^egt([0-9]+)[a-z]+$/\\1/p' | sort -u); do"
        " [ -e /proc/$n ] || for f in /run/netns/egt$n[a-z]*; do ip netns del ${f##*/}; done; done");
  }
  ~Namespaces() {
    for (const auto& name : made_) (void)std::system(("PATH=/usr/sbin:/sbin:$PATH ip netns del " + name + " 2>/dev/null").c_str());
  }
  Namespaces(const Namespaces&) = delete;
  Namespaces& operator=(const Namespaces&) = delete;

  std::string add(const std::string& suffix) {
    const std::string name = tag_ + suffix;
    shell("ip netns add " + name);
    made_.push_back(name);
    shell("ip -n " + name + " link set lo up");
    return name;
  }

 private:
  std::string tag_;
  std::vector<std::string> made_;
};

// client 10.91.0.2, fd91::2 — router 10.91.0.1/192.0.2.1, fd91::1/2001:db8:91::1 — server 192.0.2.2, 2001:db8:91::2. The router
// masquerades.
class RoutedNetwork {
 public:
  RoutedNetwork() : client_(all_.add("c")), router_(all_.add("r")), server_(all_.add("s")) {
    const auto &c = client_, &r = router_, &s = server_;
    shell("ip -n " + c + " link add eth0 type veth peer name in netns " + r);
    shell("ip -n " + s + " link add eth0 type veth peer name out netns " + r);
    const auto address = [](const std::string& ns, const char* device, const char* four, const char* six) {
      const std::string on = "ip -n " + ns + " ";
      shell(on + "addr add " + four + " dev " + device + "; " + on + "addr add " + six + " dev " + device + " nodad; " + on + "link set " +
            device + " up");
    };
    address(c, "eth0", "10.91.0.2/24", "fd91::2/64");
    address(r, "in", "10.91.0.1/24", "fd91::1/64");
    address(r, "out", "192.0.2.1/24", "2001:db8:91::1/64");
    address(s, "eth0", "192.0.2.2/24", "2001:db8:91::2/64");
    shell("ip -n " + c + " route add default via 10.91.0.1; ip -n " + c + " -6 route add default via fd91::1");
    shell("ip netns exec " + r + " sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    shell("ip netns exec " + r +
          " nft 'table inet t { chain p { type nat hook postrouting priority srcnat; oifname \"out\" masquerade; };"
          " chain f { type filter hook forward priority 0; ct state new counter; }; }'");
  }
  RoutedNetwork(const RoutedNetwork&) = delete;
  RoutedNetwork& operator=(const RoutedNetwork&) = delete;

  std::string client() const { return "/run/netns/" + client_; }
  std::string router() const { return "/run/netns/" + router_; }
  std::string server() const { return "/run/netns/" + server_; }

 private:
  Namespaces all_;
  std::string client_, router_, server_;
};

inline void inside(const std::string& netns, const std::function<void()>& work) {
  if (const auto done = inside_netns(netns, work); !done) throw std::runtime_error(done.error().message);
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Socket(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

struct Where {
  sockaddr_storage storage{};
  socklen_t length = 0;
  Where() = default;
  Where(const char* address, uint16_t port) {
    if (std::strchr(address, ':')) {
      auto* a = reinterpret_cast<sockaddr_in6*>(&storage);
      a->sin6_family = AF_INET6;
      a->sin6_port = htons(port);
      inet_pton(AF_INET6, address, &a->sin6_addr);
      length = sizeof *a;
    } else {
      auto* a = reinterpret_cast<sockaddr_in*>(&storage);
      a->sin_family = AF_INET;
      a->sin_port = htons(port);
      inet_pton(AF_INET, address, &a->sin_addr);
      length = sizeof *a;
    }
  }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

inline Socket make_socket(const std::string& netns, int family, int type) {
  int fd = -1;
  inside(netns, [&] { fd = ::socket(family, type | SOCK_CLOEXEC, 0); });
  return Socket(fd);
}

inline Socket listening(const std::string& netns, const char* address, uint16_t port, int type = SOCK_STREAM) {
  const Where at(address, port);
  Socket s = make_socket(netns, at.storage.ss_family, type);
  const int on = 1;
  ::setsockopt(s.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(s.fd(), at.get(), at.length) != 0 || (type == SOCK_STREAM && ::listen(s.fd(), 64) != 0))
    throw std::runtime_error(std::string("cannot listen on ") + address);
  return s;
}

}  // namespace egret::sensor::testing
