#include "labpod/net.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "labpod/dns_message.h"

namespace egret::labpod {

std::string Endpoint::to_string() const {
  return address.is_v4() ? fmt::format("{}:{}", address.to_string(), port) : fmt::format("[{}]:{}", address.to_string(), port);
}

socklen_t to_sockaddr(const Endpoint& e, sockaddr_storage& out) {
  out = {};
  if (e.address.is_v4()) {
    auto& in = reinterpret_cast<sockaddr_in&>(out);
    in.sin_family = AF_INET;
    in.sin_port = htons(e.port);
    in.sin_addr.s_addr = htonl(e.address.v4_value());
    return sizeof(sockaddr_in);
  }
  auto& in6 = reinterpret_cast<sockaddr_in6&>(out);
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(e.port);
  for (int i = 0; i < 16; ++i) in6.sin6_addr.s6_addr[i] = static_cast<uint8_t>(e.address.value >> (8 * (15 - i)));
  return sizeof(sockaddr_in6);
}

Endpoint from_sockaddr(const sockaddr_storage& in) {
  if (in.ss_family == AF_INET) {
    const auto& a = reinterpret_cast<const sockaddr_in&>(in);
    return {IpAddress::v4(ntohl(a.sin_addr.s_addr)), ntohs(a.sin_port)};
  }
  const auto& a = reinterpret_cast<const sockaddr_in6&>(in);
  uint128 value = 0;
  for (const uint8_t byte : a.sin6_addr.s6_addr) value = (value << 8) | byte;
  return {IpAddress{value}, ntohs(a.sin6_port)};
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

void set_timeout(int fd, double seconds) {
  const timeval t{static_cast<time_t>(seconds),
                  static_cast<suseconds_t>((seconds - static_cast<double>(static_cast<time_t>(seconds))) * 1e6)};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

std::string failure_name(int n) {
  switch (n) {
    case ECONNREFUSED: return "refused";
    case ETIMEDOUT:
    case EAGAIN: return "timeout";
    case EHOSTUNREACH:
    case ENETUNREACH: return "unreachable";
    case ECONNRESET:
    case EPIPE: return "reset";
    default: return "failed";
  }
}

namespace {

Result<Fd> bound(std::string_view address, uint16_t port, const std::string& device, int type) {
  Endpoint e{IpAddress{0}, port};
  if (!address.empty()) {
    const auto a = IpAddress::parse(address);
    if (!a) return usage_error(fmt::format("'{}' is no address", address));
    e.address = *a;
  }
  sockaddr_storage to;
  const socklen_t size = to_sockaddr(e, to);
  Fd fd(::socket(to.ss_family, type | SOCK_CLOEXEC, 0));
  if (!fd) return unavailable(fmt::format("no socket: {}", std::strerror(errno)));
  const int yes = 1, no = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
  if (!device.empty() && ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, device.c_str(), static_cast<socklen_t>(device.size())) != 0)
    return unavailable(fmt::format("cannot bind to device {}: {}", device, std::strerror(errno)));
  if (to.ss_family == AF_INET6 && address.empty()) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&to), size) != 0)
    return unavailable(fmt::format("cannot bind {}: {}", e.to_string(), std::strerror(errno)));
  return fd;
}

}  // namespace

Result<Fd> listen_tcp(std::string_view address, uint16_t port, const std::string& device) {
  TRY(Fd fd, bound(address, port, device, SOCK_STREAM));
  if (::listen(fd.get(), 1024) != 0) return unavailable(fmt::format("cannot listen: {}", std::strerror(errno)));
  return fd;
}

Result<Fd> bind_udp(std::string_view address, uint16_t port, const std::string& device) { return bound(address, port, device, SOCK_DGRAM); }

struct TlsServer {
  SSL_CTX* context = nullptr;
  ~TlsServer() { SSL_CTX_free(context); }
};

Result<std::shared_ptr<TlsServer>> tls_server(const std::string& certificate, const std::string& key) {
  auto s = std::make_shared<TlsServer>();
  s->context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_file(s->context, certificate.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_use_PrivateKey_file(s->context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return unavailable(fmt::format("{} and {} are no certificate and key", certificate, key));
  return s;
}

struct Connection::Impl {
  Fd fd;
  SSL* ssl = nullptr;
  Endpoint remote;
  ~Impl() { SSL_free(ssl); }
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Connection> Connection::open(const Endpoint& to, double seconds, std::string_view from) {
  sockaddr_storage where, mine;
  const socklen_t size = to_sockaddr(to, where);
  Fd fd(::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return unavailable("failed");
  if (const auto own = IpAddress::parse(from);
      own && ::bind(fd.get(), reinterpret_cast<sockaddr*>(&mine), to_sockaddr({*own, 0}, mine)) != 0)
    return unavailable("failed");
  set_timeout(fd.get(), seconds);  // connect() obeys the limit of sending
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), size) != 0)
    return unavailable(errno == EINPROGRESS ? "timeout" : failure_name(errno));
  set_timeout(fd.get(), std::max(seconds, 10.0));
  return over(std::move(fd));
}

Result<Connection> Connection::over(Fd socket) {
  auto impl = std::make_unique<Impl>();
  impl->fd = std::move(socket);
  sockaddr_storage peer;
  socklen_t size = sizeof peer;
  if (::getpeername(impl->fd.get(), reinterpret_cast<sockaddr*>(&peer), &size) == 0) impl->remote = from_sockaddr(peer);
  return Connection(std::move(impl));
}

Result<void> Connection::start_tls(const std::string& server_name) {
  static SSL_CTX* context = SSL_CTX_new(TLS_client_method());  // lives as long as the program
  impl_->ssl = SSL_new(context);
  SSL_set_fd(impl_->ssl, impl_->fd.get());
  if (!IpAddress::parse(server_name)) SSL_set_tlsext_host_name(impl_->ssl, server_name.c_str());
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_set_alpn_protos(impl_->ssl, kAlpn, sizeof kAlpn - 1);
  if (SSL_connect(impl_->ssl) != 1) return unavailable(failure_name(errno));
  return {};
}

Result<void> Connection::accept_tls(TlsServer& server) {
  impl_->ssl = SSL_new(server.context);
  SSL_set_fd(impl_->ssl, impl_->fd.get());
  if (SSL_accept(impl_->ssl) != 1) return unavailable("no TLS");
  return {};
}

Result<void> Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = impl_->ssl != nullptr ? SSL_write(impl_->ssl, bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), 1 << 20)))
                                         : ::send(impl_->fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return unavailable(failure_name(errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<std::string> Connection::read() {
  std::string buffer(64 * 1024, '\0');
  const auto n = impl_->ssl != nullptr ? SSL_read(impl_->ssl, buffer.data(), static_cast<int>(buffer.size()))
                                       : ::recv(impl_->fd.get(), buffer.data(), buffer.size(), 0);
  if (n < 0) {
    if (impl_->ssl != nullptr && SSL_get_error(impl_->ssl, static_cast<int>(n)) == SSL_ERROR_ZERO_RETURN) return std::string();
    return unavailable(failure_name(errno));
  }
  buffer.resize(static_cast<size_t>(n));
  return buffer;
}

Traffic Connection::finish() {
  Traffic t{local(), impl_->remote, 0, 0};
  const int fd = impl_->fd.get();
  if (impl_->ssl != nullptr) SSL_shutdown(impl_->ssl);
  ::shutdown(fd, SHUT_WR);
  set_timeout(fd, 5);
  ssize_t last = 1;
  for (char rest[4096]; last > 0;) last = ::recv(fd, rest, sizeof rest, 0);
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
    t.sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
    t.received = info.tcpi_bytes_received - (last == 0 && info.tcpi_bytes_received > 0 ? 1 : 0);  // the peer's end counts as an octet there
  }
  return t;
}

Endpoint Connection::local() const {
  sockaddr_storage mine;
  socklen_t size = sizeof mine;
  if (::getsockname(impl_->fd.get(), reinterpret_cast<sockaddr*>(&mine), &size) != 0) return {};
  return from_sockaddr(mine);
}
Endpoint Connection::remote() const { return impl_->remote; }

Result<Lookup> look_up(const Endpoint& resolver, std::string_view name, bool six) {
  if (const auto literal = IpAddress::parse(name)) return Lookup{{*literal}, 0};
  sockaddr_storage to;
  const socklen_t size = to_sockaddr(resolver, to);
  Fd fd(::socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), size) != 0) return unavailable("unreachable");
  set_timeout(fd.get(), 1.5);
  thread_local std::mt19937 chance(std::random_device{}());
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto id = static_cast<uint16_t>(chance());
    const std::string question = dns_question(id, name, six ? kDnsAaaa : kDnsA);
    if (::send(fd.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0) return unavailable(failure_name(errno));
    char buffer[2048];
    const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) continue;
    if (n < 0) return unavailable(failure_name(errno));
    const auto answer = parse_dns_answer({buffer, static_cast<size_t>(n)});
    if (answer && answer->id == id) return Lookup{answer->addresses, answer->rcode};
  }
  return unavailable("timeout");
}

}  // namespace egret::labpod
