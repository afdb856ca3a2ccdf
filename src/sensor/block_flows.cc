#include "sensor/block_flows.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "sensor/conntrack.h"
#include "sensor/netns.h"
#include "sensor/sock_diag.h"

namespace egret::sensor {

namespace {

std::optional<uint64_t> namespace_of(const std::string& path) {
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) return std::nullopt;
  return s.st_ino;
}

// The sockets that these processes hold, by inode.
void add_sockets_of(int pid, std::set<uint32_t>& inodes) {
  const std::string folder = fmt::format("/proc/{}/fd", pid);
  DIR* d = ::opendir(folder.c_str());
  if (!d) return;
  while (const dirent* e = ::readdir(d)) {
    char link[64];
    const ssize_t n = ::readlink(fmt::format("{}/{}", folder, e->d_name).c_str(), link, sizeof link - 1);
    if (n <= 0) continue;
    link[n] = 0;
    if (std::strncmp(link, "socket:[", 8) == 0) inodes.insert(static_cast<uint32_t>(std::strtoul(link + 8, nullptr, 10)));
  }
  ::closedir(d);
}

std::set<IpAddress> addresses_in(const std::string& netns) {
  std::set<IpAddress> found;
  (void)inside_netns(netns, [&] {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return;
    for (const ifaddrs* i = list; i; i = i->ifa_next) {
      char text[INET6_ADDRSTRLEN] = "";
      if (!i->ifa_addr) continue;
      if (i->ifa_addr->sa_family == AF_INET)
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(i->ifa_addr)->sin_addr, text, sizeof text);
      else if (i->ifa_addr->sa_family == AF_INET6)
        ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(i->ifa_addr)->sin6_addr, text, sizeof text);
      if (const auto address = IpAddress::parse(text)) found.insert(*address);
    }
    ::freeifaddrs(list);
  });
  return found;
}

class Ending {
 public:
  explicit Ending(const Cidr& address) : address_(address) {}

  void everything_in_namespaces() { whole_ = true; }
  void limit_to(std::set<uint64_t> cgroups, std::set<uint32_t> inodes) {
    cgroups_ = std::move(cgroups);
    inodes_ = std::move(inodes);
  }

  void sockets_in(const std::string& netns) {
    ++ended.namespaces;
    auto socket = NetlinkSocket::open(NETLINK_SOCK_DIAG, netns);
    if (!socket) return trouble(socket.error());
    std::vector<DiagSocket> victims;
    for (const uint8_t family : {AF_INET, AF_INET6})
      for (const uint8_t protocol : {IPPROTO_TCP, IPPROTO_UDP})
        if (auto done = dump_sockets(*socket, family, protocol,
                                     [&](const DiagSocket& s) {
                                       if (concerns(s)) victims.push_back(s);
                                     });
            !done)
          trouble(done.error());
    for (const auto& v : victims) {
      const auto done = destroy_socket(*socket, v);
      if (!done) {
        trouble(done.error());
      } else if (*done == Destroyed::kUnsupported) {
        ended.destroy_unsupported = true;
        return;
      } else if (*done == Destroyed::kDone) {
        ++ended.sockets;
      }
    }
  }

  // `sources`: entries of others stay; null: all go.
  void conntrack_in(const std::string& netns, const std::set<IpAddress>* sources) {
    auto socket = NetlinkSocket::open(NETLINK_NETFILTER, netns);
    if (!socket) return trouble(socket.error());
    std::vector<Conntrack> victims;
    ConntrackCounts counts;
    const auto done = dump_conntrack(
        *socket,
        [&](ConntrackChange, const Conntrack& c) {
          if (!address_.contains(c.original.destination) && !address_.contains(c.translated().destination) &&
              !address_.contains(c.original.source))
            return;
          if (sources && !sources->contains(c.original.source) && !sources->contains(c.original.destination)) return;
          victims.push_back(c);
        },
        counts);
    if (!done) return;  // no conntrack in this kernel or namespace: there is nothing to remove
    for (const auto& v : victims)
      if (const auto removed = remove_conntrack(*socket, v); removed && *removed) ++ended.conntrack;
  }

  BlockEnded ended;

 private:
  bool concerns(const DiagSocket& s) const {
    if (!address_.contains(s.remote)) return false;
    return whole_ || cgroups_.contains(s.cgroup) || (s.inode != 0 && inodes_.contains(s.inode));
  }
  void trouble(const Error& e) {
    if (ended.trouble.empty()) ended.trouble = e.message;
  }

  Cidr address_;
  bool whole_ = false;
  std::set<uint64_t> cgroups_;
  std::set<uint32_t> inodes_;
};

}  // namespace

BlockEnded end_flows(const Cidr& address, const BlockTarget& target, const BlockResolved& resolved, const BlockPlaces& places) {
  Ending ending(address);
  const std::string node = places.netns.empty() ? "/proc/self/ns/net" : places.netns;
  const auto node_namespace = namespace_of(node);
  std::map<uint64_t, std::string> namespaces;
  const auto add = [&](const std::string& path) {
    if (const auto inode = namespace_of(path)) namespaces.emplace(*inode, path);
  };
  const CgroupMounts mounts = cgroup_mounts();
  const bool node_is_machine = target.kind == BlockTarget::Kind::kNode && places.cgroup_root == mounts.unified;
  std::set<uint64_t> cgroups;
  std::set<uint32_t> inodes;
  for (const auto& folder : resolved.cgroups) {
    const auto pids = processes_below(folder);
    for (const int pid : pids) add(fmt::format("/proc/{}/ns/net", pid));
    if (node_is_machine || resolved.own_netns) continue;
    if (folder.starts_with(mounts.unified))
      for (const uint64_t id : cgroup_ids_below(folder)) cgroups.insert(id);
    else
      for (const int pid : pids) add_sockets_of(pid, inodes);
  }
  if (!resolved.netns.empty()) add(resolved.netns);
  if (node_is_machine || resolved.own_netns)
    ending.everything_in_namespaces();
  else
    ending.limit_to(std::move(cgroups), std::move(inodes));
  if (node_is_machine) add(node);
  for (const auto& [inode, path] : namespaces) {
    if (resolved.own_netns && inode == node_namespace) continue;
    ending.sockets_in(path);
  }
  // Translated in the node's own namespace, tracked in the pod's as well where it has rules.
  if (target.kind == BlockTarget::Kind::kNode) {
    if (node_is_machine || !places.netns.empty()) ending.conntrack_in(node, nullptr);
    for (const auto& [inode, path] : namespaces)
      if (inode != node_namespace) ending.conntrack_in(path, nullptr);
  } else {
    for (const auto& [inode, path] : namespaces) {
      if (inode == node_namespace) continue;  // shared with others: whose entry it is cannot be told by the address
      const auto sources = addresses_in(path);
      ending.conntrack_in(path, &sources);
      ending.conntrack_in(node, &sources);
    }
  }
  return ending.ended;
}

}  // namespace egret::sensor
