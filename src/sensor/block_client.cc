#include "sensor/block_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/json.h"

namespace egret::sensor {

namespace {

constexpr size_t kLongestAnswer = 64 << 20;

struct Framed {
  std::string_view kind, body;
};

// Of what has come so far: nullopt while it is not all there; an error where it never will be.
Result<std::optional<Framed>> framed(std::string_view so_far) {
  const size_t end = so_far.find('\n');
  if (end == std::string_view::npos) {
    if (so_far.size() > 64) return internal_error("no frame");
    return std::optional<Framed>();
  }
  const std::string_view head = so_far.substr(0, end);
  const size_t space = head.rfind(' ');
  size_t length = 0;
  if (space == std::string_view::npos) return internal_error("no frame");
  const auto [stop, error] = std::from_chars(head.data() + space + 1, head.data() + head.size(), length);
  if (error != std::errc{} || stop != head.data() + head.size() || length > kLongestAnswer) return internal_error("no frame");
  if (so_far.size() - end - 1 < length) return std::optional<Framed>();
  return std::optional<Framed>({head.substr(0, space), so_far.substr(end + 1, length)});
}

Error error_of(const Framed& f) {
  const size_t end = f.body.find('\n');
  const ErrorKind kind = f.kind == "usage" ? ErrorKind::kUsage : f.kind == "not found" ? ErrorKind::kNotFound : ErrorKind::kUnavailable;
  return {kind, std::string(f.body.substr(0, end)), end == std::string_view::npos ? std::string() : std::string(f.body.substr(end + 1))};
}

Result<std::string> converse(int fd, const std::string& socket, const std::string& line, int timeout_ms) {
  if (::send(fd, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
    return unavailable(fmt::format("{} takes no request: {}", socket, std::strerror(errno)));
  std::string answer;
  while (true) {
    pollfd p{fd, POLLIN, 0};
    if (::poll(&p, 1, timeout_ms) <= 0) return unavailable(fmt::format("{} gives no answer", socket));
    char buffer[16384];
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return unavailable(fmt::format("{} ended without an answer", socket));
    answer.append(buffer, static_cast<size_t>(n));
    // To whom the service does not speak it says so in its own form, before it has read the request.
    if (answer.starts_with('{')) return unavailable(fmt::format("{} refuses this user", socket), "it is for root and the service's group");
    const auto f = framed(answer);
    if (!f) return unavailable(fmt::format("{} answers in no form that this version knows", socket));
    if (!*f) continue;
    if ((*f)->kind != "ok") return std::unexpected(error_of(**f));
    return std::string((*f)->body);
  }
}

}  // namespace

std::string write_block_request(const BlockRequest& r) {
  using Do = BlockRequest::Do;
  JsonWriter w;
  w.begin_object();
  w.key("version").number(int64_t{1});
  for (const auto& [name, what] : kBlockVerbs)
    if (what == r.what) w.key("do").string(name);
  if (!r.id.empty()) w.key("id").string(r.id);
  if (r.address) w.key("address").string(r.address->to_string());
  if (r.what == Do::kAdd || r.what == Do::kRemove) w.key("target").string(r.target);
  if (r.what == Do::kAdd) w.key("seconds").number(r.seconds);
  if (!r.reason.empty()) w.key("reason").string(r.reason);
  if (r.wide) w.key("wide").boolean(true);
  w.end_object();
  return std::move(w).take() + "\n";
}

Result<sockaddr_un> block_socket_address(const std::string& path) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof a.sun_path) return usage_error(fmt::format("\"{}\" is no path for a socket", path));
  std::memcpy(a.sun_path, path.c_str(), path.size() + 1);
  return a;
}

Result<std::string> ask_block_service(const std::string& socket, BlockReply reply, const BlockRequest& request, int timeout_ms) {
  TRY(const sockaddr_un a, block_socket_address(socket));
  const std::string line = (reply == BlockReply::kText ? "text " : "json ") + write_block_request(request);
  if (line.size() > kBlockLineBytes) return usage_error(fmt::format("a request is at most {} bytes", kBlockLineBytes));
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    return unavailable(fmt::format("nobody answers at {}: {}", socket, std::strerror(error)),
                       error == EACCES ? "it is for root and the service's group" : "blocking is off: egret-block serve switches it on");
  }
  auto answer = converse(fd, socket, line, timeout_ms);
  ::close(fd);
  return answer;
}

}  // namespace egret::sensor
