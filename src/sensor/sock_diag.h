#pragma once
// The kernel's sockets of one network namespace by inet_diag, and the end of them (SOCK_DESTROY: the program gets ECONNABORTED, the socket
// is closed). Formats: linux/sock_diag.h, linux/inet_diag.h.
#include <cstdint>
#include <functional>
#include <optional>

#include "base/ip.h"
#include "base/result.h"
#include "sensor/netlink.h"

namespace egret::sensor {

struct DiagSocket {
  uint8_t family = 0, state = 0, protocol = 0;
  IpAddress local, remote;
  uint16_t local_port = 0, remote_port = 0;
  uint32_t inode = 0;       // 0: no process holds it any more
  uint64_t cgroup = 0;      // of the unified hierarchy; 0: the kernel does not say
  std::vector<uint8_t> id;  // inet_diag_sockid as it came: what SOCK_DESTROY names
};

// Reads one inet_diag_msg with its attributes.
std::optional<DiagSocket> parse_diag_socket(Bytes payload, uint8_t protocol);

// Every socket of the family (AF_INET, AF_INET6) and protocol (IPPROTO_TCP, IPPROTO_UDP) that has a peer. TCP without
// listeners and TIME_WAIT. Nothing where the kernel has no such module. `socket`: one of NETLINK_SOCK_DIAG.
Result<void> dump_sockets(NetlinkSocket& socket, uint8_t family, uint8_t protocol, const std::function<void(const DiagSocket&)>& each);

enum class Destroyed { kDone, kGone, kUnsupported };
// Needs CAP_NET_ADMIN in the namespace. kUnsupported: the kernel was built without CONFIG_INET_DIAG_DESTROY.
Result<Destroyed> destroy_socket(NetlinkSocket& socket, const DiagSocket& victim);

}  // namespace egret::sensor
