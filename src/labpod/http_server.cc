#include "labpod/http_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <thread>

#include "base/encoding.h"
#include "base/text.h"

namespace egret::labpod {
namespace {

constexpr size_t kMostHead = 64 * 1024, kMostBody = 64 << 20;

std::map<std::string, std::string> parse_headers(std::string_view head) {
  std::map<std::string, std::string> headers;
  for (const std::string& line : split(head, '\n')) {
    const size_t colon = line.find(':');
    if (colon != std::string::npos) headers[to_lower(trim(line.substr(0, colon)))] = std::string(trim(line.substr(colon + 1)));
  }
  return headers;
}

size_t length_of(const std::map<std::string, std::string>& headers) {
  const auto at = headers.find("content-length");
  size_t n = 0;
  if (at != headers.end()) std::from_chars(at->second.data(), at->second.data() + at->second.size(), n);
  return std::min(n, kMostBody);
}

// Head and body of the next message; empty head at the end. `rest` keeps what came too early.
Result<std::pair<std::string, std::string>> next_message(Connection& c, std::string& rest, bool until_end) {
  size_t end = 0;
  while ((end = rest.find("\r\n\r\n")) == std::string::npos) {
    if (rest.size() > kMostHead) return unavailable("failed");
    TRY(const std::string more, c.read());
    if (more.empty()) return std::pair<std::string, std::string>();
    rest += more;
  }
  std::pair<std::string, std::string> m{rest.substr(0, end), {}};
  rest.erase(0, end + 4);
  const auto headers = parse_headers(m.first);
  const bool sized = headers.contains("content-length");
  const size_t length = length_of(headers);
  while (sized ? rest.size() < length : until_end) {
    TRY(const std::string more, c.read());
    if (more.empty()) break;
    rest += more;
  }
  m.second = rest.substr(0, sized ? length : until_end ? rest.size() : 0);
  rest.erase(0, m.second.size());
  return m;
}

std::string_view reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    default: return "Internal Server Error";
  }
}

void converse(Connection c, const HttpHandler& handler, Log& log) {
  std::string rest;
  for (;;) {
    const auto message = next_message(c, rest, false);
    if (!message || message->first.empty()) break;
    HttpRequest q;
    const std::string_view line = std::string_view(message->first).substr(0, message->first.find("\r\n"));
    const size_t first = line.find(' '), last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) break;
    q.method = line.substr(0, first);
    q.target = line.substr(first + 1, last - first - 1);
    q.headers = parse_headers(std::string_view(message->first).substr(line.size()));
    q.body = message->second;
    q.client = c.remote();
    q.server = c.local();
    const HttpResponse r = handler(q);
    log.line(fmt::format("{} {} {} {} {} {} {}", iso_time(now_nanoseconds(), 6), q.client.to_string(), q.server.to_string(), q.method,
                         q.target, r.status, r.body.size()));
    if (!c.write(fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n", r.status, reason(r.status), r.type,
                             r.body.size()) +
                 r.body))
      break;
    if (const auto at = q.headers.find("connection"); at != q.headers.end() && iequals(at->second, "close")) break;
  }
  c.finish();
}

}  // namespace

std::string HttpRequest::path() const { return percent_decoded(target.substr(0, target.find('?')), true); }

std::string HttpRequest::query(std::string_view parameter) const {
  const size_t mark = target.find('?');
  if (mark == std::string::npos) return {};
  for (const std::string& pair : split(std::string_view(target).substr(mark + 1), '&')) {
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) == parameter && equals != std::string::npos) return percent_decoded(pair.substr(equals + 1), true);
  }
  return {};
}

int serve_http(const Arguments& arguments, const HttpHandler& handler) {
  auto log = Log::open(arguments.text("log"));
  if (!log) return give_up(log.error());
  std::shared_ptr<TlsServer> tls;
  if (!arguments.all("tls").empty()) {
    auto server = tls_server(arguments.text("certificate"), arguments.text("key"));
    if (!server) return give_up(server.error());
    tls = *server;
  }
  std::vector<Fd> listening;
  std::vector<bool> secure;
  for (const bool s : {false, true})
    for (const std::string& port : arguments.all(s ? "tls" : "http")) {
      auto fd = listen_tcp(arguments.text("bind"), static_cast<uint16_t>(std::atoi(port.c_str())));
      if (!fd) return give_up(fd.error());
      listening.push_back(std::move(*fd));
      secure.push_back(s);
    }
  std::vector<pollfd> ready;
  for (const Fd& fd : listening) ready.push_back({fd.get(), POLLIN, 0});
  for (;;) {
    if (::poll(ready.data(), ready.size(), -1) < 0) continue;
    for (size_t i = 0; i < ready.size(); ++i) {
      if ((ready[i].revents & POLLIN) == 0) continue;
      Fd peer(::accept4(ready[i].fd, nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer) continue;
      set_timeout(peer.get(), 60);
      std::thread([&, socket = std::move(peer), s = static_cast<bool>(secure[i])]() mutable {
        auto c = Connection::over(std::move(socket));
        if (!c || (s && !c->accept_tls(*tls))) return;
        converse(std::move(*c), handler, *log);
      }).detach();
    }
  }
}

Result<HttpReply> http_exchange(Connection& c, const std::string& request) {
  TRY_VOID(c.write(request));
  std::string rest;
  TRY(const auto message, next_message(c, rest, true));
  HttpReply r;
  const size_t space = message.first.find(' ');
  if (space == std::string::npos) return unavailable("reset");
  r.status = std::atoi(message.first.c_str() + space + 1);
  r.body = message.second;
  return r;
}

}  // namespace egret::labpod
