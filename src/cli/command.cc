#include "cli/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"

namespace egret::cli {

int exit_code(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kUsage:
    case ErrorKind::kNotFound: return kWrongUsage;
    case ErrorKind::kUnavailable: return kOutside;
    case ErrorKind::kInternal: return kBug;
  }
  return kBug;
}

int report(const Error& error) {
  // A query's diagnostics are a block of their own.
  if (error.message.find('\n') != std::string::npos) {
    fmt::print(stderr, "{}{}", error.message, error.message.ends_with('\n') ? "" : "\n");
  } else {
    fmt::print(stderr, "egret: {}\n", error.message);
  }
  if (!error.hint.empty()) fmt::print(stderr, "  {}\n", error.hint);
  return exit_code(error);
}

Result<Ticks> now_from(const std::string& option) {
  if (option.empty()) return SystemClock().now();
  if (const auto t = parse_iso_datetime(option)) return *t;
  return usage_error("--now " + option + " is not a time", "write it as 2022-04-01T06:14:00Z");
}

std::string data_folder(const std::string& option) {
  if (!option.empty()) return option;
  if (const char* xdg = std::getenv("XDG_DATA_HOME"); xdg && *xdg) return std::string(xdg) + "/egret";
  if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.local/share/egret";
  return "egret-data";
}

bool colours(int fd) {
  const char* no = std::getenv("NO_COLOR");
  return !(no && *no) && isatty(fd) == 1;
}

}  // namespace egret::cli
