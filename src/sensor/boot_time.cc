#include "sensor/boot_time.h"

#include <time.h>

namespace egret::sensor {

namespace {

int64_t read_clock(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

}  // namespace

uint64_t boot_nanoseconds() { return static_cast<uint64_t>(read_clock(CLOCK_BOOTTIME)); }

void BootTime::refresh() {
  const int64_t wall = read_clock(CLOCK_REALTIME), boot = read_clock(CLOCK_BOOTTIME);
  offset_ = kUnixEpochTicks + (wall - boot) / 100;
}

}  // namespace egret::sensor
