#include "sensor/block_service.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <list>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "sensor/block_client.h"
#include "sensor/boot_time.h"

namespace egret::sensor {

namespace {

constexpr size_t kMostClients = 16;

std::string reason() { return std::strerror(errno); }

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Client {
  Fd fd;
  std::string in, out;
  bool closing = false;  // after what is still to be said
};

// Of /etc/group: the C library's own look-up loads modules, which a static program cannot.
Result<gid_t> group_id(const std::string& name) {
  std::ifstream in("/etc/group");
  for (std::string line; std::getline(in, line);) {
    const auto parts = split(line, ':');
    gid_t id = 0;
    if (parts.size() < 3 || parts[0] != name) continue;
    if (std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), id).ec == std::errc{}) return id;
  }
  return usage_error(fmt::format("there is no group {} in /etc/group", name));
}

Result<Fd> listen_at(const BlockServiceOptions& options) {
  TRY(const sockaddr_un a, block_socket_address(options.socket));
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return unavailable("no control socket: " + reason());
  // A socket that nobody answers is a dead controller's.
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0)
    return unavailable(fmt::format("another egret-block answers at {}", options.socket), "stop it, or give --socket and --name of its own");
  (void)::unlink(options.socket.c_str());
  const mode_t before = ::umask(0177);
  const bool bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0;
  const int error = errno;
  ::umask(before);
  if (!bound) return unavailable(fmt::format("{}: {}", options.socket, std::strerror(error)));
  if (!options.group.empty()) {
    TRY(const gid_t gid, group_id(options.group));
    if (::chown(options.socket.c_str(), 0, gid) != 0 || ::chmod(options.socket.c_str(), 0660) != 0)
      return unavailable(fmt::format("{}: {}", options.socket, reason()));
  }
  if (::listen(fd.get(), 64) != 0) return unavailable("no control socket: " + reason());
  return fd;
}

// The file's mode is the first gate; this is the second, for a socket that was moved or whose folder was changed.
bool allowed(int fd, const std::optional<gid_t>& group) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  if (peer.uid == 0 || (group && peer.gid == *group)) return true;
  if (!group) return false;
  gid_t groups[256];
  length = sizeof groups;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) != 0) return false;
  return std::find(groups, groups + length / sizeof(gid_t), *group) != groups + length / sizeof(gid_t);
}

int milliseconds_until(uint64_t boot_ns) {
  if (boot_ns == 0) return -1;
  const uint64_t now = boot_nanoseconds();
  if (boot_ns <= now) return 0;
  return static_cast<int>(std::min<uint64_t>((boot_ns - now) / 1'000'000 + 1, 3'600'000));
}

bool write_to(Client& c) {
  const ssize_t n = ::send(c.fd.get(), c.out.data(), c.out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  c.out.erase(0, static_cast<size_t>(n));
  return !(c.closing && c.out.empty());
}

// One request after the other; the next is looked at when the answer to the one before is on its way, so that nobody can pile answers up.
// False: the client is done with.
bool answer_lines(BlockControl& control, Client& c) {
  while (c.out.empty() && !c.closing) {
    const size_t end = c.in.find('\n');
    if (end != std::string::npos) {
      std::string_view line = std::string_view(c.in).substr(0, end);
      const BlockReply reply = take_block_reply(line);
      const auto request = parse_block_request(line);
      c.out = request ? write_block_reply(reply, request->what, control.answer(*request))
                      : write_block_reply(reply, BlockRequest::Do::kStatus, std::unexpected(request.error()));
      c.in.erase(0, end + 1);
    } else if (c.in.size() > kBlockLineBytes) {
      c.out = write_block_answer(usage_error(fmt::format("a request is at most {} bytes", kBlockLineBytes)));
      c.closing = true;
    } else {
      break;
    }
    if (!write_to(c)) return false;
  }
  return true;
}

bool read_from(Client& c) {
  char buffer[16384];
  const ssize_t n = ::recv(c.fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (n == 0) return false;
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  c.in.append(buffer, static_cast<size_t>(n));
  return true;
}

}  // namespace

Result<void> serve_block(BlockControl& control, const BlockServiceOptions& options, int stop_fd, const std::function<void()>& ready) {
  std::optional<gid_t> group;
  if (!options.group.empty()) {
    TRY(group, group_id(options.group));
  }
  TRY(const Fd listener, listen_at(options));
  ready();
  std::list<Client> clients;
  while (true) {
    std::vector<pollfd> polls = {{stop_fd, POLLIN, 0}, {listener.get(), static_cast<short>(clients.size() < kMostClients ? POLLIN : 0), 0}};
    for (const Client& c : clients) {
      // Answers that are not fetched hold further requests back.
      polls.push_back({c.fd.get(), static_cast<short>(c.out.empty() ? POLLIN : POLLOUT), 0});
    }
    if (::poll(polls.data(), polls.size(), milliseconds_until(control.next_end_ns())) < 0 && errno != EINTR)
      return unavailable("the control socket cannot wait: " + reason());
    control.expire();
    if (polls[0].revents) break;
    size_t i = 2;
    for (auto c = clients.begin(); c != clients.end(); ++i) {
      bool stays = true;
      if (polls[i].revents & POLLOUT)
        stays = write_to(*c) && answer_lines(control, *c);
      else if (polls[i].revents)
        stays = read_from(*c) && answer_lines(control, *c);
      c = stays ? std::next(c) : clients.erase(c);
    }
    if (polls[1].revents & POLLIN) {
      Fd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (fd.get() < 0) continue;
      if (!allowed(fd.get(), group)) {
        const std::string no = write_block_answer(unavailable("blocking is for root", "sudo, or the group of egret-block serve --group"));
        (void)!::send(fd.get(), no.data(), no.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        continue;
      }
      clients.push_back({std::move(fd), {}, {}, false});
    }
  }
  (void)::unlink(options.socket.c_str());
  return {};
}

}  // namespace egret::sensor
