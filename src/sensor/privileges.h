#pragma once
// What a running sensor still may, after it has loaded its programs and opened its files: a few capabilities, no new ones ever, and the
// system calls of its work. docs/sensor-privileges.md has the table with the reason for each.
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace egret::sensor {

enum class Role {
  kObserve,  // egret-sensor
  kBlock,    // egret-block serve
};

struct Privilege {
  int capability;  // CAP_* of linux/capability.h
  std::string_view name;
  bool observe, block;              // kept while it runs
  bool observe_start, block_start;  // needed before drop_privileges()
  std::string_view reason;
};
const std::vector<Privilege>& privileges();  // everything that is not in it is dropped

// For good, and for all threads that are there: permitted, effective, inheritable, ambient and bounding sets are cut down to the role's,
// no_new_privs is set, and a seccomp filter answers EPERM to every system call that is not of the role's work. A capability that the
// process does not have is not asked for. Call it from the main thread before others are started.
Result<void> drop_privileges(Role role);

// The names of the capabilities that the process has in effect.
std::vector<std::string> effective_capabilities();

}  // namespace egret::sensor
