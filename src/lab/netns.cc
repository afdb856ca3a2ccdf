#include "lab/netns.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "lab/process.h"

namespace egret::lab {
namespace {

bool set_value(const std::string& name, const std::string& value) {
  const int fd = ::open(("/proc/sys/net/" + name).c_str(), O_WRONLY | O_CLOEXEC);
  const bool ok = fd >= 0 && ::write(fd, value.data(), value.size()) == static_cast<ssize_t>(value.size());
  if (fd >= 0) ::close(fd);
  return ok;
}

std::string set_values(const void* argument) {
  for (const auto& [name, value] : static_cast<const Setup*>(argument)->values)
    if (!set_value(name, value)) return fmt::format("net/{} cannot be set to {}: {}", name, value, std::strerror(errno));
  return {};
}

// One netlink request of this namespace and its answers.
class Netlink {
 public:
  Netlink() : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {}
  ~Netlink() { ::close(fd_); }
  Netlink(const Netlink&) = delete;
  Netlink& operator=(const Netlink&) = delete;

  template <typename OnMessage>
  bool ask(const void* request, size_t size, OnMessage on) {
    if (::send(fd_, request, size, 0) < 0) return false;
    for (char buffer[65536];;) {
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0) return false;
      auto left = static_cast<unsigned>(n);
      for (auto* m = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
        if (m->nlmsg_type == NLMSG_DONE) return true;
        if (m->nlmsg_type == NLMSG_ERROR) return false;
        on(m);
        if ((m->nlmsg_flags & NLM_F_MULTI) == 0) return true;
      }
    }
  }

 private:
  int fd_;
};

// The number under which this namespace knows another; -1: it knows it not, so no link leads there.
int number_of(Netlink& netlink, int other) {
  struct {
    nlmsghdr header{};
    rtgenmsg body{};
    char pad[3]{};
    rtattr attribute{};
    int fd = 0;
  } q;
  q.header.nlmsg_len = sizeof q;
  q.header.nlmsg_type = RTM_GETNSID;
  q.header.nlmsg_flags = NLM_F_REQUEST;
  q.attribute.rta_type = NETNSA_FD;
  q.attribute.rta_len = RTA_LENGTH(sizeof(int));
  q.fd = other;
  int number = -1;
  netlink.ask(&q, sizeof q, [&](nlmsghdr* m) {
    if (m->nlmsg_type != RTM_NEWNSID) return;
    int left = static_cast<int>(m->nlmsg_len - NLMSG_SPACE(sizeof(rtgenmsg)));
    for (auto* a = reinterpret_cast<rtattr*>(reinterpret_cast<char*>(NLMSG_DATA(m)) + NLMSG_ALIGN(sizeof(rtgenmsg))); RTA_OK(a, left);
         a = RTA_NEXT(a, left))
      if (a->rta_type == NETNSA_NSID) number = *static_cast<int*>(RTA_DATA(a));
  });
  return number;
}

struct Question {
  int machine[2];  // namespaces of this process and of process 1
  bool outermost;
};

std::string look_for_ways_out(const void* argument) {
  const auto& q = *static_cast<const Question*>(argument);
  Netlink netlink;
  std::string found;
  std::vector<std::pair<std::string, int>> leads;  // links by the number of the namespace that they lead to
  struct {
    nlmsghdr header{};
    ifinfomsg body{};
  } links;
  links.header.nlmsg_len = sizeof links;
  links.header.nlmsg_type = RTM_GETLINK;
  links.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  const bool asked = netlink.ask(&links, sizeof links, [&](nlmsghdr* m) {
    if (m->nlmsg_type != RTM_NEWLINK) return;
    const auto* info = static_cast<ifinfomsg*>(NLMSG_DATA(m));
    std::string name, kind;
    int peer = -1;
    int left = static_cast<int>(m->nlmsg_len - NLMSG_LENGTH(sizeof(ifinfomsg)));
    for (auto* a = IFLA_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
      if (a->rta_type == IFLA_IFNAME) name = static_cast<char*>(RTA_DATA(a));
      if (a->rta_type == IFLA_LINK_NETNSID) peer = *static_cast<int*>(RTA_DATA(a));
      if (a->rta_type == IFLA_LINKINFO) {
        int inner = RTA_PAYLOAD(a);
        for (auto* b = static_cast<rtattr*>(RTA_DATA(a)); RTA_OK(b, inner); b = RTA_NEXT(b, inner))
          if (b->rta_type == IFLA_INFO_KIND) kind = static_cast<char*>(RTA_DATA(b));
      }
    }
    if (peer >= 0) leads.emplace_back(name, peer);
    // Devices that the kernel puts into every namespace (tunnels without an end) have a kind and are down.
    const bool harmless = name == "lo" || kind == "veth" || kind == "bridge" || (!kind.empty() && (info->ifi_flags & IFF_UP) == 0);
    if (!harmless)
      found = fmt::format("its link {} ({}) is neither veth nor bridge", name, kind.empty() ? "a device of the machine" : kind);
  });
  if (!asked) return "its links cannot be listed";
  // Only now: a namespace gets its number when a link that leads to it is listed.
  for (const int fd : q.machine)
    if (const int machine = fd < 0 ? -1 : number_of(netlink, fd); machine >= 0)
      for (const auto& [name, number] : leads)
        if (number == machine) found = fmt::format("its link {} leads to the machine's own network", name);
  if (!found.empty() || !q.outermost) return found;
  for (const int family : {AF_INET, AF_INET6}) {
    struct {
      nlmsghdr header{};
      rtmsg body{};
    } routes;
    routes.header.nlmsg_len = sizeof routes;
    routes.header.nlmsg_type = RTM_GETROUTE;
    routes.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    routes.body.rtm_family = static_cast<unsigned char>(family);
    netlink.ask(&routes, sizeof routes, [&](nlmsghdr* m) {
      const auto* r = static_cast<rtmsg*>(NLMSG_DATA(m));
      if (m->nlmsg_type == RTM_NEWROUTE && r->rtm_dst_len == 0 && r->rtm_type == RTN_UNICAST) found = "it has a default route";
    });
  }
  for (const char* name : {"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"}) {
    std::ifstream file(name);
    if (int on = 0; file >> on && on != 0) found = fmt::format("{} is on in it", name);
  }
  return found;
}

}  // namespace

Result<void> make_netns(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (file < 0) return unavailable(fmt::format("{} cannot be made: {}", path, std::strerror(errno)));
  ::close(file);
  const pid_t pid = ::fork();
  if (pid < 0) return unavailable(fmt::format("no process: {}", std::strerror(errno)));
  if (pid == 0) {
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(errno);
    // Without this an address waits a second for an answer to "is it taken?".
    for (const char* name : {"ipv6/conf/all/accept_dad", "ipv6/conf/default/accept_dad"}) set_value(name, "0");
    for (const char* name : {"ipv4/ip_forward", "ipv6/conf/all/forwarding"}) set_value(name, "0");
    ::_exit(::mount("/proc/self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr) == 0 ? 0 : errno);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0)
    return unavailable(
        fmt::format("a network namespace cannot be made: {}", std::strerror(WIFEXITED(status) ? WEXITSTATUS(status) : EINTR)),
        "a lab needs root");
  return {};
}

Result<void> set_up(const std::string& netns, const Setup& s) {
  const Where where{netns, {}, {}, 0};
  if (!s.values.empty()) TRY_VOID(inside(netns, set_values, &s));
  if (!s.links.empty()) TRY_VOID(run({"ip", "-batch", "-"}, s.links, where));
  if (!s.rules.empty()) TRY_VOID(run({"nft", "-f", "-"}, s.rules, where));
  return {};
}

Result<void> check_isolated(const std::string& netns, bool outermost) {
  const int own = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), first = ::open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
  const Question q{{own, first}, outermost};
  const auto checked = inside(netns, look_for_ways_out, &q);
  for (const int fd : {own, first})
    if (fd >= 0) ::close(fd);
  if (!checked)
    return usage_error(fmt::format("the lab is not apart from this machine: in {} {}", netns, checked.error().message),
                       "nothing is started; egret lab down removes what there is");
  return {};
}

}  // namespace egret::lab
