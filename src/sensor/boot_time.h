#pragma once
// The kernel's events carry CLOCK_BOOTTIME; rows carry wall time. The offset moves when the wall clock is set, so it is taken again now and
// then.
#include <cstdint>

#include "base/time.h"

namespace egret::sensor {

uint64_t boot_nanoseconds();  // CLOCK_BOOTTIME now

class BootTime {
 public:
  BootTime() { refresh(); }
  void refresh();
  Ticks wall(uint64_t boot_ns) const { return offset_ + static_cast<Ticks>(boot_ns / 100); }
  Ticks boot() const { return offset_; }  // when the node started

 private:
  Ticks offset_ = 0;
};

}  // namespace egret::sensor
