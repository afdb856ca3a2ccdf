// Load for bench/sensor.py: TCP connections at a rate, or bytes at full speed, between two network namespaces; prints what it measured as
// one JSON object.
//   sensor_load serve PORT                                  accepts, answers each request of 64 bytes with 64, swallows the rest
//   sensor_load connect ADDRESS PORT RATE SECONDS           RATE 0: as fast as it goes
//   sensor_load stream ADDRESS PORT SECONDS
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

sockaddr_in address(const char* host, const char* port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
  inet_pton(AF_INET, host, &a.sin_addr);
  return a;
}

[[noreturn]] void serve(const char* port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const sockaddr_in a = address("0.0.0.0", port);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0 || listen(listener, 4096) != 0) std::exit(1);
  const int epoll = epoll_create1(0);
  const auto watch = [&](int fd) {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.fd = fd;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
  };
  watch(listener);
  std::vector<char> buffer(1 << 18);
  std::puts("ready");
  std::fflush(stdout);
  for (;;) {
    epoll_event ready[256];
    const int n = epoll_wait(epoll, ready, 256, -1);
    for (int i = 0; i < n; ++i) {
      const int fd = ready[i].data.fd;
      if (fd == listener) {
        for (int c; (c = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) watch(c);
        continue;
      }
      const ssize_t got = read(fd, buffer.data(), buffer.size());
      if (got <= 0)
        close(fd);
      else if (got == 64)
        (void)!write(fd, buffer.data(), 64);
    }
  }
}

int connect_at_rate(const sockaddr_in& to, double rate, double seconds) {
  std::vector<uint32_t> nanoseconds;
  nanoseconds.reserve(1 << 20);
  char message[64] = {};
  uint64_t failed = 0;
  const double cpu = cpu_seconds();
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (uint64_t i = 0;; ++i) {
    auto now = Clock::now();
    if (rate > 0) {
      const auto due = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(static_cast<double>(i) / rate));
      if (due > now) std::this_thread::sleep_until(due), now = Clock::now();
    }
    if (now >= end) break;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const auto before = Clock::now();
    if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      ++failed;
      close(fd);
      continue;
    }
    nanoseconds.push_back(static_cast<uint32_t>(std::min<int64_t>((Clock::now() - before).count(), UINT32_MAX)));
    (void)!write(fd, message, sizeof message);
    (void)!read(fd, message, sizeof message);
    const linger reset{1, 0};  // no TIME_WAIT: the ports last for any rate
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
  }
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  std::ranges::sort(nanoseconds);
  const auto at = [&](double share) {
    return nanoseconds.empty() ? 0.0 : nanoseconds[static_cast<size_t>(share * static_cast<double>(nanoseconds.size() - 1))] / 1e3;
  };
  std::printf(R"({"connections":%zu,"failed":%llu,"wall":%.3f,"cpu":%.3f,"p50_us":%.1f,"p99_us":%.1f})"
              "\n",
              nanoseconds.size(), static_cast<unsigned long long>(failed), wall, cpu_seconds() - cpu, at(0.5), at(0.99));
  return 0;
}

int stream(const sockaddr_in& to, double seconds) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return 1;
  const std::vector<char> data(1 << 17);
  uint64_t bytes = 0;
  const double cpu = cpu_seconds();
  const auto begin = Clock::now();
  while (std::chrono::duration<double>(Clock::now() - begin).count() < seconds) {
    const ssize_t n = write(fd, data.data(), data.size());
    if (n <= 0) return 1;
    bytes += static_cast<uint64_t>(n);
  }
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf(R"({"bytes":%llu,"wall":%.3f,"cpu":%.3f})"
              "\n",
              static_cast<unsigned long long>(bytes), wall, cpu_seconds() - cpu);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "serve" && argc == 3) serve(argv[2]);
  if (what == "connect" && argc == 6) return connect_at_rate(address(argv[2], argv[3]), std::atof(argv[4]), std::atof(argv[5]));
  if (what == "stream" && argc == 5) return stream(address(argv[2], argv[3]), std::atof(argv[4]));
  std::fprintf(stderr, "sensor_load serve PORT | connect ADDRESS PORT RATE SECONDS | stream ADDRESS PORT SECONDS\n");
  return 2;
}
