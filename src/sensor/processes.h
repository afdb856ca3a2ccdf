#pragma once
// What is known of a process after it is gone: taken from its exec when the kernel reports it, from /proc when it is first met otherwise.
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "sensor/events.h"

namespace egret::sensor {

struct Process {
  uint32_t pid = 0, parent = 0, uid = 0;
  uint64_t start = 0;  // nanoseconds since boot
  std::string name;    // comm
  std::string path;    // of the executable; may be empty when it was gone
  std::string command_line;
  std::string parent_name, parent_path;
  bool reported = false;  // it has a row
};

class Processes {
 public:
  explicit Processes(std::string proc = "/proc") : proc_(std::move(proc)) {}
  Process& executed(const ProcessEvent& e);
  Process* exited(const ProcessEvent& e);  // null when it was never met; forgotten a minute later
  Process& of(const Owner& owner);
  const Process* find(uint32_t pid) const;
  void forget_before(uint64_t boot_ns);
  size_t size() const { return known_.size(); }

 private:
  void read_proc(Process& p);
  Process& fresh(const Owner& owner);

  std::string proc_;
  std::unordered_map<uint32_t, Process> known_;
  std::deque<std::pair<uint64_t, uint32_t>> gone_;
};

}  // namespace egret::sensor
