// A web service whose preview fetches any address that it is given (server-side request forgery), and which writes what it decoded
// into the request without looking: line ends in the address become headers. `--hole 0` is the release before, that refuses.
// /fetch?url=U answers with what U says; with &post=V it hands that on to V, as a webhook preview does.
#include <fmt/format.h>

#include <thread>

#include "base/text.h"
#include "labpod/http_server.h"
#include "labpod/steps.h"

namespace egret::labpod {
namespace {

struct Url {
  bool tls = false;
  std::string host, rest = "/";  // rest: path and query, raw
  uint16_t port = 80;
};

Result<Url> parse_url(std::string_view text) {
  Url u;
  if (text.starts_with("https://"))
    u.tls = true, u.port = 443, text.remove_prefix(8);
  else if (text.starts_with("http://"))
    text.remove_prefix(7);
  else
    return usage_error("only http and https");
  const size_t slash = std::min(text.find('/'), text.size());
  std::string_view authority = text.substr(0, slash);
  if (slash < text.size()) u.rest = text.substr(slash);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  const size_t colon = authority.rfind(':');
  u.host = authority.substr(0, colon);
  if (colon != std::string_view::npos) u.port = static_cast<uint16_t>(std::atoi(std::string(authority.substr(colon + 1)).c_str()));
  // What inet_aton takes for an address is one: a plain number of 32 bits, decimal or hexadecimal.
  char* end = nullptr;
  const unsigned long number = std::strtoul(u.host.c_str(), &end, 0);
  if (!u.host.empty() && *end == '\0' && number <= UINT32_MAX) u.host = IpAddress::v4(static_cast<uint32_t>(number)).to_string();
  return u;
}

Result<HttpReply> ask(const Endpoint& resolver, std::string_view address, std::string_view method, const std::string& body) {
  TRY(const Url u, parse_url(address));
  TRY(const Lookup found, look_up(resolver, u.host));
  if (found.addresses.empty()) return unavailable("no such host");
  TRY(Connection c, Connection::open({found.addresses.front(), u.port}, 3));
  if (u.tls) TRY_VOID(c.start_tls(u.host));
  auto reply = http_exchange(
      c, fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: preview/1.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", method,
                     u.rest, u.host, body.size(), body));
  c.finish();
  return reply;
}

}  // namespace

int shop(const Arguments& arguments) {
  const auto address = IpAddress::parse(arguments.text("resolver", "10.0.0.10"));
  if (!address) return give_up(Error{ErrorKind::kUsage, "--resolver is no address", {}});
  const Endpoint resolver{*address, 53};
  // What it does besides: its own script.
  static Log truth;  // lives as long as the program
  auto place = place_from(arguments, truth);
  if (!place) return give_up(place.error());
  auto steps = script_from(arguments);
  if (!steps) return give_up(steps.error());
  if (!steps->empty()) std::thread([steps = std::move(*steps), where = *place] { do_all(steps, where); }).detach();
  const bool hole = arguments.number("hole", 1) != 0;
  return serve_http(arguments, [=](const HttpRequest& q) {
    const std::string path = q.path();
    if (path == "/healthz") return HttpResponse{200, "text/plain", "ok\n"};
    if (path != "/fetch") return HttpResponse{200, "text/html", "<html><body>shop</body></html>\n"};
    const std::string url = q.query("url"), post = q.query("post");
    if (!hole || url.empty()) return HttpResponse{400, "text/plain", "not a preview that is allowed\n"};
    const auto got = ask(resolver, url, "GET", "");
    if (!got) return HttpResponse{500, "text/plain", got.error().message + '\n'};
    if (post.empty()) return HttpResponse{got->status, "text/plain", got->body};
    const auto handed = ask(resolver, post, "POST", got->body);
    if (!handed) return HttpResponse{500, "text/plain", handed.error().message + '\n'};
    return HttpResponse{200, "text/plain", fmt::format("handed on {} bytes: {}\n", got->body.size(), handed->status)};
  });
}

}  // namespace egret::labpod
