#pragma once
// The control socket: answers one line with one line, for root and one group, one request at a time.
#include <functional>
#include <string>

#include "base/result.h"
#include "sensor/block_control.h"

namespace egret::sensor {

struct BlockServiceOptions {
  std::string socket = "/run/egret/block.sock";
  std::string group;  // who may besides root; empty: root alone
};

// Runs until a signal of `stop_fd` (a signalfd) is read. `ready` is called once requests are answered.
Result<void> serve_block(BlockControl& control, const BlockServiceOptions& options, int stop_fd, const std::function<void()>& ready);

}  // namespace egret::sensor
