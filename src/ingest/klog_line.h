#pragma once
// A line of klog (cluster-autoscaler, kubelet, controllers): "I0401 06:14:09.123456       1 file.go:123] message". It has no year.
#include <optional>
#include <string_view>

#include "base/time.h"

namespace egret::ingest {

struct KlogLine {
  std::string_view level;   // info, warning, error, fatal
  Ticks time = 0;           // as UTC, in the year nearest before `near`
  std::string_view source;  // file.go:123
  std::string_view message;
};

// `near` is a time that the line was written shortly before: the wrapper's clock, else when the file was read.
std::optional<KlogLine> parse_klog(std::string_view line, Ticks near);

}  // namespace egret::ingest
