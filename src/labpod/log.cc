#include "labpod/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/time.h"

namespace egret::labpod {

Result<Log> Log::open(const std::string& path) {
  Log log;
  if (path.empty()) return log;
  log.fd_ = Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log.fd_) return unavailable(fmt::format("{} cannot be written: {}", path, std::strerror(errno)));
  return log;
}

void Log::line(std::string_view text) {
  if (!fd_) return;
  const std::string whole = std::string(text) + '\n';
  if (::write(fd_.get(), whole.data(), whole.size()) < 0) return;  // a full disk must not stop the lab
}

int64_t now_nanoseconds() {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

std::string iso_time(int64_t ns, int digits) {
  const Civil c = civil_from_ticks(ticks_from_unix_seconds(ns / 1'000'000'000));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{}Z", c.year, c.month, c.day, c.hour, c.minute, c.second,
                     fmt::format("{:09}", ns % 1'000'000'000).substr(0, static_cast<size_t>(digits)));
}

}  // namespace egret::labpod
