#include "lab/made.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "lab/cgroups.h"

namespace egret::lab {
namespace fs = std::filesystem;

fs::path lab_root() {
  const char* chosen = std::getenv("EGRET_LAB_RUN");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/run/egret-lab";
}

fs::path home_of(std::string_view id) { return lab_root() / id; }

std::vector<std::string> lab_ids() {
  std::vector<std::string> ids;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(lab_root(), ec))
    if (entry.is_directory(ec)) ids.push_back(entry.path().filename());
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<void> note_made(const fs::path& home, const Thing& thing) {
  const int fd = ::open((home / "made").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::string line = fmt::format("{} {}\n", thing.kind == Thing::Kind::kNetns ? "netns" : "cgroup", thing.path);
  const bool ok = fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int why = errno;
  if (fd >= 0) ::close(fd);
  if (!ok) return unavailable(fmt::format("{} cannot be written: {}", (home / "made").string(), std::strerror(why)));
  return {};
}

std::vector<Thing> things_made(const fs::path& home) {
  std::vector<Thing> things;
  std::ifstream file(home / "made");
  for (std::string line; std::getline(file, line);) {
    const size_t space = line.find(' ');
    if (space == std::string::npos) continue;
    things.push_back({line.starts_with("netns") ? Thing::Kind::kNetns : Thing::Kind::kCgroup, line.substr(space + 1)});
  }
  return things;
}

Result<void> remove_lab(const fs::path& home) {
  std::vector<Thing> things = things_made(home);
  std::reverse(things.begin(), things.end());
  // Processes first: they hold the namespaces.
  for (const Thing& t : things)
    if (t.kind == Thing::Kind::kCgroup) TRY_VOID(end_processes(t.path));
  for (const Thing& t : things) {
    if (t.kind == Thing::Kind::kCgroup) {
      TRY_VOID(remove_cgroup(t.path));
      continue;
    }
    if (::umount2(t.path.c_str(), MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT)
      return unavailable(fmt::format("{} cannot be unmounted: {}", t.path, std::strerror(errno)));
    ::unlink(t.path.c_str());
  }
  std::error_code ec;
  fs::remove_all(home, ec);
  if (ec) return unavailable(fmt::format("{} cannot be removed: {}", home.string(), ec.message()));
  fs::remove(lab_root(), ec);  // when it is empty
  return {};
}

Result<Lock> Lock::take(const fs::path& home) {
  const int fd = ::open((home / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return unavailable(fmt::format("{} cannot be written: {}", (home / "lock").string(), std::strerror(errno)));
  // Others hold it for moments only, unless one is coming up.
  for (int tries = 0; ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (tries < 500 && ::usleep(20'000) == 0) continue;
    ::close(fd);
    return unavailable(fmt::format("another egret is at work on the lab in {}", home.string()), "wait until it has ended");
  }
  return Lock(fd);
}

Lock::~Lock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace egret::lab
