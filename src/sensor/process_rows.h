#pragma once
// Processes become rows of ASimProcessEventLogs: all that start, or only those that were seen on the network.
#include <cstdint>

#include "sensor/context.h"

namespace egret::sensor {

enum class ProcessRows { kNone, kNetwork, kAll };

class ProcessWriter {
 public:
  ProcessWriter(Context& context, ProcessRows which) : c_(context), which_(which) {}
  void executed(const ProcessEvent& e);
  void exited(const ProcessEvent& e);
  void on_network(const Owner& owner, const Identity& identity);

 private:
  void write(Process& p, const Owner& owner, const Identity& identity, std::string_view what, Ticks time, int exit_code);

  Context& c_;
  ProcessRows which_;
};

}  // namespace egret::sensor
