#pragma once
// Starting programs inside the lab's namespaces and cgroups. Namespaces are entered with setns only: /sys and /proc stay as they
// are, so that what runs there sees its cgroups as it would on a node.
#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace egret::lab {

struct Where {
  std::string netns;                 // file of a network namespace; empty: the caller's
  std::vector<std::string> cgroups;  // folders, one of each hierarchy, that the process joins
  std::string resolv_conf;           // shown as /etc/resolv.conf in a mount namespace of its own; empty: as it is
  unsigned gid = 0;                  // 0: root's
};

using Words = std::vector<std::string>;

// Runs to the end with `input` on standard input; returns what it printed. An exit code other than 0 is an error with what it
// said on standard error.
Result<std::string> run(const Words& command, std::string_view input = {}, const Where& where = {});
// Starts it as a daemon of its own session that outlives the caller, standard output and error appended to `output`.
// It is in its cgroups before it runs, and dies with the caller until then.
Result<pid_t> start(const Words& command, const Where& where, const std::string& output);
// Whether a process that was started has ended already, soon after its start; the error says how.
Result<void> still_runs(pid_t pid, const std::string& output);
// In the foreground on the caller's terminal; returns its exit code, 128 + signal where it was killed, 127 where it is not there.
Result<int> attach(const Words& command, const Where& where);
// Calls `work` in a child process inside the namespace; what it returns (empty: fine) is the error.
Result<void> inside(const std::string& netns, std::string (*work)(const void*), const void* argument);

}  // namespace egret::lab
