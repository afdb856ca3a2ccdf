#include "labpod/steps.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "base/json.h"
#include "labpod/http_server.h"

namespace egret::labpod {
namespace {

std::mt19937_64& chance() {
  thread_local std::mt19937_64 generator(std::random_device{}());
  return generator;
}

struct Outcome {
  Traffic traffic;
  std::string result = "ok";
};

std::string request_of(const Step& s) {
  const std::string& host = s.name.empty() ? s.address : s.name;
  if (s.method == "GET") return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n", s.path, host);
  const std::string body(static_cast<size_t>(drawn(s.out)), 'x');
  return fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: lab/1\r\nX-Answer-Bytes: {}\r\nContent-Length: {}\r\n\r\n{}", s.method,
                     s.path, host, static_cast<size_t>(drawn(s.in)), body.size(), body);
}

Outcome over_tcp(const Step& s, const Endpoint& to) {
  Outcome o;
  o.traffic.remote = to;
  auto c = Connection::open(to, 3, s.from);
  if (!c) {
    o.result = c.error().message;
    return o;
  }
  const auto ended = [&](const Error& e) {
    o.result = e.message;
    o.traffic = c->finish();
    return o;
  };
  if (s.tls)
    if (const auto ok = c->start_tls(s.name.empty() ? s.address : s.name); !ok) return ended(ok.error());
  if (const auto reply = http_exchange(*c, request_of(s)); !reply) return ended(reply.error());
  sleep_for(drawn(s.hold));
  o.traffic = c->finish();
  return o;
}

Outcome over_udp(const Step& s, const Endpoint& to) {
  Outcome o;
  o.traffic.remote = to;
  sockaddr_storage where, mine;
  socklen_t size = to_sockaddr(to, where);
  const Fd fd(::socket(where.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), size) != 0) {
    o.result = failure_name(errno);
    return o;
  }
  socklen_t mine_size = sizeof mine;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&mine), &mine_size) == 0) o.traffic.local = from_sockaddr(mine);
  set_timeout(fd.get(), 2);
  std::string datagram(std::clamp<size_t>(static_cast<size_t>(drawn(s.out)), 1, 1400), 'x'), answer(2048, '\0');
  if (::send(fd.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) < 0) {
    o.result = failure_name(errno);
    return o;
  }
  o.traffic.sent = datagram.size();
  const ssize_t n = ::recv(fd.get(), answer.data(), answer.size(), 0);
  if (n < 0)
    o.result = failure_name(errno);
  else
    o.traffic.received = static_cast<uint64_t>(n);
  return o;
}

void write_truth(const Step& s, const Place& place, int64_t began, const Outcome& o) {
  if (place.truth == nullptr) return;
  JsonWriter w;
  w.begin_object().key("start").string(iso_time(began)).key("end").string(iso_time(now_nanoseconds())).key("who").string(place.who);
  w.key("protocol").string(s.udp ? "UDP" : "TCP");
  w.key("local").string(o.traffic.local.port == 0 ? "" : o.traffic.local.to_string());
  w.key("remote").string(o.traffic.remote.port == 0 ? "" : o.traffic.remote.to_string()).key("name").string(s.name);
  w.key("sent").number(static_cast<int64_t>(o.traffic.sent)).key("received").number(static_cast<int64_t>(o.traffic.received));
  w.key("result").string(o.result).end_object();
  place.truth->line(std::move(w).take());
}

// Whatever is secret here, cut into labels: 20 to 37 characters of base 32 each, as such tools write it.
std::string carrying_name(const std::string& name) {
  static constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::string out;
  for (uint64_t labels = 1 + chance()() % 2; labels > 0; --labels, out += '.')
    for (uint64_t n = 20 + chance()() % 18; n > 0; --n) out += kAlphabet[chance()() % 32];
  return out + name;
}

bool holds(const std::string& path, const std::string& text) {
  std::ifstream file(path);
  std::stringstream all;
  all << file.rdbuf();
  return all.str().find(text) != std::string::npos;
}

void repeat(const Step& s, const Place& place) {
  while (!s.when.empty() && !holds(s.when, s.name)) sleep_for(0.2);
  sleep_for(drawn(s.start));
  for (int n = 0; s.count == 0 || n < s.count; ++n) {
    if (n > 0) {
      const double middle = (s.every.low + s.every.high) / 2;
      sleep_for(
          std::max(0.005, s.scattered ? std::exponential_distribution<double>(1 / std::max(middle, 0.005))(chance()) : drawn(s.every)));
    }
    do_once(s, place);
  }
}

}  // namespace

double drawn(Span span) { return std::uniform_real_distribution<double>(span.low, std::nextafter(span.high, INFINITY))(chance()); }

void sleep_for(double seconds) {
  if (seconds > 0) std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

std::string do_once(const Step& s, const Place& place) {
  const int64_t began = now_nanoseconds();
  Outcome o;
  const std::string name = s.tunnel ? carrying_name(s.name) : s.address.empty() ? s.name : s.address;
  const auto found = look_up(place.resolver, name, s.six);
  if (s.tunnel) {
    o.result = found ? "asked" : "name not resolved";
  } else if (!found || found->addresses.empty()) {
    o.result = found ? "no such name" : "name not resolved";
  } else {
    const Endpoint to{found->addresses[static_cast<size_t>(chance()() % found->addresses.size())], s.port};
    o = s.udp ? over_udp(s, to) : over_tcp(s, to);
  }
  write_truth(s, place, began, o);
  return o.result;
}

void do_all(const std::vector<Step>& steps, const Place& place) {
  // What happens once waits its turn with a few hands; a script may have thousands of them. What repeats has a thread of its own.
  constexpr size_t kHands = 4;
  std::vector<std::pair<double, const Step*>> once;
  std::vector<std::thread> threads;
  for (const Step& s : steps) {
    if (s.count == 1 && s.when.empty())
      once.emplace_back(drawn(s.start), &s);
    else
      threads.emplace_back([&] { repeat(s, place); });
  }
  std::sort(once.begin(), once.end());
  const auto began = std::chrono::steady_clock::now();
  std::atomic<size_t> next = 0;
  for (size_t hand = 0; hand < std::min(kHands, once.size()); ++hand)
    threads.emplace_back([&] {
      for (size_t i; (i = next++) < once.size();) {
        std::this_thread::sleep_until(began + std::chrono::duration<double>(once[i].first));
        do_once(*once[i].second, place);
      }
    });
  for (std::thread& t : threads) t.join();
}

Result<Place> place_from(const Arguments& arguments, Log& truth) {
  const auto resolver = IpAddress::parse(arguments.text("resolver", "10.0.0.10"));
  if (!resolver) return usage_error("--resolver is no address");
  TRY(truth, Log::open(arguments.text("truth")));
  return Place{{*resolver, 53}, arguments.text("who"), &truth};
}

}  // namespace egret::labpod
