#include "sensor/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

namespace egret::sensor {

Result<void> inside_netns(const std::string& path, const std::function<void()>& work) {
  int error = 0;
  std::thread([&] {
    const int ns = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (ns < 0 || ::setns(ns, CLONE_NEWNET) != 0)
      error = errno;
    else
      work();
    if (ns >= 0) ::close(ns);
  }).join();
  if (error != 0) return unavailable("the network namespace " + path + " cannot be entered: " + std::strerror(error));
  return {};
}

}  // namespace egret::sensor
