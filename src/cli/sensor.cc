// egret sensor: the node agent is a program of its own; this starts the one that lies beside.
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "cli/command.h"

namespace egret::cli {

namespace {

int run_sensor(const std::vector<std::string>& args) {
  std::error_code ec;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ec);
  const std::string beside = (self.parent_path() / "egret-sensor").string();
  std::vector<std::string> words{"egret-sensor"};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  execv(beside.c_str(), argv.data());
  const int error = errno;
  execvp("egret-sensor", argv.data());
  return report(Error{ErrorKind::kUnavailable, fmt::format("egret-sensor cannot be started: {}: {}", beside, strerror(error)),
                      "build it (ninja egret-sensor) or put it beside egret or on the PATH"});
}

}  // namespace

extern const Command kSensor;
const Command kSensor{"sensor", "the node agent: every outbound connection of this node, with its owner", run_sensor};

}  // namespace egret::cli
