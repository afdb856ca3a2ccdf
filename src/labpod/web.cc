// Hosts of the internet. One process stands for all of them: it listens on every address of its namespace. Who asks for nothing
// in particular is told its own public address, as services like ifconfig.co do; X-Answer-Bytes or /bytes/N asks for so many.
#include <netinet/in.h>

#include <cstdlib>
#include <thread>

#include "labpod/http_server.h"

namespace egret::labpod {
namespace {

// Sends every datagram back to where it came from, from the address that it was sent to.
void echo_datagrams(Fd fd) {
  char buffer[65536], control[256];
  sockaddr_storage from;
  const int yes = 1;
  ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &yes, sizeof yes);
  for (;;) {
    iovec data{buffer, sizeof buffer};
    msghdr m{};
    m.msg_name = &from;
    m.msg_namelen = sizeof from;
    m.msg_iov = &data;
    m.msg_iovlen = 1;
    m.msg_control = control;
    m.msg_controllen = sizeof control;
    const ssize_t n = ::recvmsg(fd.get(), &m, 0);
    if (n < 0) continue;
    data.iov_len = static_cast<size_t>(n);
    // The received control message names the address that was asked; sent back it chooses the source.
    for (cmsghdr* c = CMSG_FIRSTHDR(&m); c != nullptr; c = CMSG_NXTHDR(&m, c))
      if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) reinterpret_cast<in6_pktinfo*>(CMSG_DATA(c))->ipi6_ifindex = 0;
    ::sendmsg(fd.get(), &m, MSG_NOSIGNAL);
  }
}

}  // namespace

int web(const Arguments& arguments) {
  for (const std::string& port : arguments.all("udp")) {
    auto fd = bind_udp(arguments.text("bind"), static_cast<uint16_t>(std::atoi(port.c_str())));
    if (!fd) return give_up(fd.error());
    std::thread(echo_datagrams, std::move(*fd)).detach();
  }
  return serve_http(arguments, [](const HttpRequest& q) {
    constexpr size_t kMost = 64 << 20;
    if (const auto wanted = q.headers.find("x-answer-bytes"); wanted != q.headers.end())
      return HttpResponse{200, "application/octet-stream",
                          std::string(std::min(kMost, std::strtoul(wanted->second.c_str(), nullptr, 10)), 'x')};
    if (const std::string path = q.path(); path.starts_with("/bytes/"))
      return HttpResponse{200, "application/octet-stream", std::string(std::min(kMost, std::strtoul(path.c_str() + 7, nullptr, 10)), 'x')};
    return HttpResponse{200, "text/plain", q.client.address.to_string() + '\n'};
  });
}

}  // namespace egret::labpod
