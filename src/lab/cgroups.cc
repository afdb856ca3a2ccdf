#include "lab/cgroups.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace egret::lab {
namespace fs = std::filesystem;
namespace {

struct Mount {
  std::string at, type, options;
};

std::vector<Mount> cgroup_mounts() {
  std::vector<Mount> found;
  std::ifstream file("/proc/self/mounts");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string device;
    Mount m;
    words >> device >> m.at >> m.type >> m.options;
    if (m.type == "cgroup" || m.type == "cgroup2") found.push_back(std::move(m));
  }
  return found;
}

bool offers(const Mount& m, std::string_view controller) {
  return ("," + m.options + ",").find("," + std::string(controller) + ",") != std::string::npos;
}

// The folder and all below it, deepest last.
std::vector<std::string> tree(const std::string& folder) {
  std::vector<std::string> all;
  std::error_code ec;
  if (!fs::is_directory(folder, ec)) return all;
  all.push_back(folder);
  for (auto at = fs::recursive_directory_iterator(folder, ec); at != fs::recursive_directory_iterator(); at.increment(ec)) {
    if (ec) break;
    if (at->is_directory(ec)) all.push_back(at->path());
  }
  return all;
}

}  // namespace

std::vector<std::string> cgroup_hierarchies() {
  std::vector<std::string> all;
  for (const Mount& m : cgroup_mounts())
    if (m.type == "cgroup2" || !(offers(m, "cpuset") || offers(m, "memory") || offers(m, "blkio"))) all.push_back(m.at);
  return all;
}

std::string cgroup2_mount() {
  for (const Mount& m : cgroup_mounts())
    if (m.type == "cgroup2") return m.at;
  return {};
}

Result<std::vector<std::string>> make_cgroups(std::string_view below) {
  std::vector<std::string> made;
  for (const std::string& h : cgroup_hierarchies()) {
    std::string folder = h + '/' + std::string(below);
    std::error_code ec;
    fs::create_directories(folder, ec);
    if (ec)
      return unavailable(fmt::format("the cgroup {} cannot be made: {}", folder, ec.message()),
                         "a lab needs root and a writable cgroup file system");
    made.push_back(std::move(folder));
  }
  if (made.empty()) return unavailable("no cgroup file system is mounted", "mount -t cgroup2 none /sys/fs/cgroup");
  return made;
}

namespace {

// Signals every process at and below the folder until none is left; 10 ms between the rounds.
bool signal_until_none(const std::string& folder, int signal, int rounds, bool again) {
  for (int round = 0; round < rounds; ++round) {
    bool any = false;
    for (const std::string& f : tree(folder)) {
      std::ifstream procs(f + "/cgroup.procs");
      for (pid_t pid = 0; procs >> pid;) {
        any = true;
        if (again || round == 0) ::kill(pid, signal);
      }
    }
    if (!any) return true;
    ::usleep(10'000);
  }
  return false;
}

}  // namespace

Result<void> end_processes(const std::string& folder) {
  if (!signal_until_none(folder, SIGKILL, 500, true)) return unavailable(fmt::format("processes in {} do not end", folder));
  return {};
}

Result<void> ask_to_end(const std::string& folder) {
  if (!signal_until_none(folder, SIGTERM, 1000, false)) return unavailable(fmt::format("processes in {} do not end when asked", folder));
  return {};
}

Result<void> remove_cgroup(const std::string& folder) {
  std::vector<std::string> all = tree(folder);
  std::reverse(all.begin(), all.end());
  std::sort(all.begin(), all.end(), [](const std::string& a, const std::string& b) {
    return std::count(a.begin(), a.end(), '/') > std::count(b.begin(), b.end(), '/');
  });
  for (const std::string& f : all) {
    // A cgroup whose last process has just been reaped is busy for a moment.
    for (int round = 0; ::rmdir(f.c_str()) != 0 && errno == EBUSY && round < 200; ++round) ::usleep(10'000);
    if (std::error_code ec; fs::exists(f, ec))
      return unavailable(fmt::format("the cgroup {} cannot be removed: {}", f, std::strerror(errno)));
  }
  return {};
}

}  // namespace egret::lab
