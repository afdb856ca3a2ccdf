#pragma once
// A subcommand is one file with one `const Command`, listed in main.cc.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace egret::cli {

// Exit codes that scripts can rely on.
inline constexpr int kDone = 0, kAnswerIsNo = 1, kWrongUsage = 2, kOutside = 3, kBug = 4;

struct Command {
  std::string_view name;
  std::string_view summary;                          // one line of `egret --help`
  int (*run)(const std::vector<std::string>& args);  // args after the subcommand's name
};

int exit_code(const Error& error);
// Prints "egret: message" and the hint to standard error; returns the exit code.
int report(const Error& error);
// --now: a time, or the system's when empty.
Result<Ticks> now_from(const std::string& option);
// --data: the given folder or the user's own ($XDG_DATA_HOME/egret).
std::string data_folder(const std::string& option);
bool colours(int fd);  // a terminal that wants them (NO_COLOR honoured)

}  // namespace egret::cli
