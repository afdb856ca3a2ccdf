// The resolver of one region. Names and addresses come from a zone file, "name address…" a line, which is read again when it
// changes; what is asked is logged as the log plugin of CoreDNS does it, with the time and prefix that `kubectl logs --prefix
// --timestamps` puts in front.
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <sstream>

#include "base/text.h"
#include "labpod/dns_message.h"
#include "labpod/log.h"
#include "labpod/roles.h"

namespace egret::labpod {
namespace {

class Zone {
 public:
  explicit Zone(std::string path) : path_(std::move(path)) {}

  // Nothing: the name does not exist.
  const std::vector<IpAddress>* find(const std::string& name) {
    refresh();
    const auto at = names_.find(name);
    return at == names_.end() ? nullptr : &at->second;
  }

 private:
  void refresh() {
    struct stat s{};
    if (::stat(path_.c_str(), &s) != 0) return;
    const int64_t changed = s.st_mtim.tv_sec * 1'000'000'000LL + s.st_mtim.tv_nsec;
    if (changed == changed_) return;
    changed_ = changed;
    names_.clear();
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string name, address;
      words >> name;
      if (name.empty() || name[0] == '#') continue;
      auto& addresses = names_[to_lower(name) + '.'];
      while (words >> address)
        if (const auto a = IpAddress::parse(address)) addresses.push_back(*a);
    }
  }

  std::string path_;
  int64_t changed_ = -1;
  std::map<std::string, std::vector<IpAddress>> names_;
};

class Resolver {
 public:
  Resolver(Zone zone, Log log, std::string prefix) : zone_(std::move(zone)), log_(std::move(log)), prefix_(std::move(prefix)) {}

  // Empty where the message is no question: it gets no answer.
  std::string answer(std::string_view message, const Endpoint& client, std::string_view protocol) {
    const int64_t began = now_nanoseconds();
    const auto q = parse_dns_question(message);
    if (!q) return {};
    int rcode = kNoError;
    std::vector<IpAddress> addresses;
    if (const auto* found = zone_.find(q->name)) {
      for (const IpAddress& a : *found)
        if (a.is_v4() == (q->type == kDnsA) && (q->type == kDnsA || q->type == kDnsAaaa)) addresses.push_back(a);
    } else {
      rcode = kNoSuchName;
    }
    std::string reply = dns_answer(*q, rcode, addresses, 30);
    const int64_t ended = now_nanoseconds();
    log_.line(fmt::format(R"({}{} [INFO] {} - {} "{} IN {} {} {} {} {}" {} qr{},ra {} {:.9f}s)", prefix_, iso_time(ended),
                          client.to_string(), q->id, dns_type_name(q->type), q->name, protocol, message.size(),
                          q->dnssec_ok ? "true" : "false", q->buffer, rcode == kNoError ? "NOERROR" : "NXDOMAIN", q->recursion ? ",rd" : "",
                          reply.size(), static_cast<double>(ended - began) / 1e9));
    return reply;
  }

 private:
  Zone zone_;
  Log log_;
  std::string prefix_;
};

void serve_udp(int fd, Resolver& resolver) {
  char buffer[4096];
  sockaddr_storage from;
  socklen_t size = sizeof from;
  const ssize_t n = ::recvfrom(fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (n <= 0) return;
  const std::string reply = resolver.answer({buffer, static_cast<size_t>(n)}, from_sockaddr(from), "udp");
  if (!reply.empty()) ::sendto(fd, reply.data(), reply.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&from), size);
}

// One question a connection; a slow client holds the others up for a second at most.
void serve_tcp(int fd, Resolver& resolver) {
  Fd peer(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
  if (!peer) return;
  set_timeout(peer.get(), 1);
  auto c = Connection::over(std::move(peer));
  if (!c) return;
  std::string bytes;
  while (bytes.size() < 2 ||
         bytes.size() < 2 + ((static_cast<size_t>(static_cast<uint8_t>(bytes[0])) << 8) | static_cast<uint8_t>(bytes[1]))) {
    const auto more = c->read();
    if (!more || more->empty()) return;
    bytes += *more;
  }
  const std::string reply = resolver.answer(std::string_view(bytes).substr(2), c->remote(), "tcp");
  if (reply.empty()) return;
  const std::string length{static_cast<char>(reply.size() >> 8), static_cast<char>(reply.size())};
  if (const auto sent = c->write(length + reply); !sent) return;
}

}  // namespace

int resolver(const Arguments& arguments) {
  auto log = Log::open(arguments.text("log"));
  if (!log) return give_up(log.error());
  const std::string address = arguments.text("bind"), device = arguments.text("device");
  const auto port = static_cast<uint16_t>(arguments.number("port", 53));
  const auto udp = bind_udp(address, port, device);
  if (!udp) return give_up(udp.error());
  const auto tcp = listen_tcp(address, port, device);
  if (!tcp) return give_up(tcp.error());
  const std::string pod = arguments.text("pod");
  Resolver r(Zone(arguments.text("zone")), std::move(*log), pod.empty() ? "" : fmt::format("[pod/{}/coredns] ", pod));
  for (;;) {
    pollfd ready[] = {{udp->get(), POLLIN, 0}, {tcp->get(), POLLIN, 0}};
    if (::poll(ready, 2, -1) < 0) continue;
    if ((ready[0].revents & POLLIN) != 0) serve_udp(udp->get(), r);
    if ((ready[1].revents & POLLIN) != 0) serve_tcp(tcp->get(), r);
  }
}

}  // namespace egret::labpod
