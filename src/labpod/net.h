#pragma once
// Sockets, TLS over them, and names, as the roles need them: blocking calls with a time limit, one thread per connection.
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace egret::labpod {

struct Endpoint {
  IpAddress address;
  uint16_t port = 0;
  std::string to_string() const;  // 10.0.0.1:443, [2001:db8::1]:443
};

// Both families share one form: IPv4 goes through a v4 socket, the rest through a v6 one.
socklen_t to_sockaddr(const Endpoint& e, sockaddr_storage& out);
Endpoint from_sockaddr(const sockaddr_storage& in);

// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// "" listens on every address of both families. Several may listen on one port: the one that names the address (and the device that
// the packets come by) more closely gets them.
Result<Fd> listen_tcp(std::string_view address, uint16_t port, const std::string& device = {});
Result<Fd> bind_udp(std::string_view address, uint16_t port, const std::string& device = {});
void set_timeout(int fd, double seconds);  // of each send and receive

// How a connection attempt ended where it did not succeed: "refused", "timeout", "unreachable", "reset", "failed".
std::string failure_name(int error_number);

struct Traffic {
  Endpoint local, remote;
  uint64_t sent = 0, received = 0;  // payload of TCP without repetitions, as the kernel counted it
};

struct TlsServer;  // certificate and key of a listening role
Result<std::shared_ptr<TlsServer>> tls_server(const std::string& certificate, const std::string& key);

// One connection, plain or TLS. Reads return what is there, empty at the end.
class Connection {
 public:
  // The error's message is a failure_name.
  static Result<Connection> open(const Endpoint& to, double seconds, std::string_view from = {});
  static Result<Connection> over(Fd socket);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  Result<void> start_tls(const std::string& server_name);  // as client, without looking at the certificate
  Result<void> accept_tls(TlsServer& server);
  Result<void> write(std::string_view bytes);
  Result<std::string> read();
  // Ends it in order: waits for the peer's end, so that the counts are complete. Then says what the kernel counted.
  Traffic finish();
  Endpoint local() const;
  Endpoint remote() const;

 private:
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct Lookup {
  std::vector<IpAddress> addresses;
  int rcode = 0;
};
// Asks one resolver over UDP for A, or AAAA with six. An address as the name is its own answer and asks nobody.
Result<Lookup> look_up(const Endpoint& resolver, std::string_view name, bool six = false);

}  // namespace egret::labpod
