#pragma once
// Netlink as the kernel speaks it (linux/netlink.h): messages and attributes read from byte spans, requests built, and a socket. Our own,
// so that the sensor needs no library for it and every reader is fed with bytes alone.
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "capture/bytes.h"

namespace egret::sensor {

using capture::Bytes;

struct NetlinkAttribute {
  uint16_t type = 0;  // without the flags for nesting and byte order
  Bytes value;
};

// Walks attributes; ends at the first that does not fit, and then is malformed().
class NetlinkAttributes {
 public:
  explicit NetlinkAttributes(Bytes bytes) : left_(bytes) {}
  std::optional<NetlinkAttribute> next();
  bool malformed() const { return malformed_; }

 private:
  Bytes left_;
  bool malformed_ = false;
};

struct NetlinkMessage {
  uint16_t type = 0, flags = 0;
  uint32_t sequence = 0;
  Bytes payload;  // after the header
};

// Walks the messages of one datagram, likewise.
class NetlinkMessages {
 public:
  explicit NetlinkMessages(Bytes datagram) : left_(datagram) {}
  std::optional<NetlinkMessage> next();
  bool malformed() const { return malformed_; }

 private:
  Bytes left_;
  bool malformed_ = false;
};

// The errno of an NLMSG_ERROR message (0: an acknowledgement) or of an NLMSG_DONE that ends a dump badly; EPROTO when it is too short.
int netlink_error(const NetlinkMessage& m);

// One request: append the family's own header, then attributes.
class NetlinkRequest {
 public:
  NetlinkRequest(uint16_t type, uint16_t flags, uint32_t sequence);
  void raw(Bytes bytes);  // padded to 4
  void attribute(uint16_t type, Bytes value);
  void attribute_be16(uint16_t type, uint16_t value);
  void attribute_be32(uint16_t type, uint32_t value);
  size_t begin_nested(uint16_t type);
  void end_nested(size_t begin);
  Bytes bytes();  // with the length filled in

 private:
  std::vector<uint8_t> bytes_;
};

class NetlinkSocket {
 public:
  // `protocol` as in NETLINK_NETFILTER. `netns`: a path such as /run/netns/NAME or /proc/PID/ns/net whose tables the socket is to see
  // (needs CAP_SYS_ADMIN); empty: the caller's own.
  static Result<NetlinkSocket> open(int protocol, const std::string& netns = {});
  NetlinkSocket(NetlinkSocket&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  NetlinkSocket& operator=(NetlinkSocket&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~NetlinkSocket();

  int fd() const { return fd_; }
  Result<void> join(uint32_t group);
  // The bytes that may wait; what the machine's limit allows, when the process may not exceed it. The size that was got.
  size_t receive_buffer(size_t bytes);
  Result<void> send(Bytes request);
  // One datagram; nothing when none waits (or, with `wait_ms`, none came). `lost` is set when the kernel dropped messages before it.
  Result<std::optional<Bytes>> receive(bool& lost, int wait_ms = 0);
  // Sends a dump request and hands over every message of the answer. `interrupted`: the table changed meanwhile in a way that the dump may
  // lack entries.
  Result<void> dump(Bytes request, const std::function<void(const NetlinkMessage&)>& each, bool* interrupted = nullptr);
  // Sends requests that want an acknowledgement, and waits for it; its errno.
  Result<int> acknowledged(Bytes request);

 private:
  explicit NetlinkSocket(int fd) : fd_(fd) {}
  int fd_ = -1;
  std::vector<uint8_t> buffer_;
};

}  // namespace egret::sensor
