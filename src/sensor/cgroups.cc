#include "sensor/cgroups.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"

namespace egret::sensor {

namespace {

constexpr size_t kMostPaths = 1 << 17;

// Hierarchy number of a controller that has one of its own, 0 otherwise.
uint32_t hierarchy_of(std::string_view controller) {
  std::ifstream in("/proc/cgroups");
  std::string name;
  uint32_t hierarchy = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    if (words >> name >> hierarchy && name == controller) return hierarchy;
  }
  return 0;
}

}  // namespace

Result<Cgroups> Cgroups::open() {
  Cgroups c;
  std::ifstream in("/proc/self/mountinfo");
  uint32_t v1 = 0;
  std::string_view wanted;
  for (const std::string_view controller : {"memory", "pids"})
    if (v1 == 0 && (v1 = hierarchy_of(controller)) != 0) wanted = controller;
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> words = split(line, ' ');
    const size_t dash = line.find(" - ");
    if (words.size() < 6 || dash == std::string::npos) continue;
    const std::vector<std::string> after = split(std::string_view(line).substr(dash + 3), ' ');
    if (after[0] == "cgroup2" && c.unified_mount_.empty()) {
      c.unified_mount_ = words[4];
      c.mounts_.push_back({0, words[4], words[3]});
    }
    if (after[0] == "cgroup" && v1 != 0 && after.size() >= 3) {
      const std::vector<std::string> options = split(after[2], ',');
      if (std::ranges::find(options, wanted) != options.end()) {
        c.mounts_.push_back({v1, words[4], words[3]});
        v1 = 0;  // one mount of it is enough
      }
    }
  }
  if (c.unified_mount_.empty())
    return unavailable("no cgroup2 file system is mounted",
                       "mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified, or boot with a unified hierarchy");
  for (const Mount& m : c.mounts_) c.walk(m);
  return c;
}

void Cgroups::walk(const Mount& mount) {
  const std::string root = mount.root == "/" ? "" : mount.root;
  const auto add = [&](const std::string& folder, const std::string& path) {
    struct stat s{};
    if (stat(folder.c_str(), &s) == 0) paths_[{mount.hierarchy, s.st_ino}] = path.empty() ? "/" : path;
  };
  add(mount.folder, root);
  std::error_code ec;
  using Walk = std::filesystem::recursive_directory_iterator;
  for (Walk it(mount.folder, std::filesystem::directory_options::skip_permission_denied, ec), end; !ec && it != end; it.increment(ec)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) add(it->path().string(), root + it->path().string().substr(mount.folder.size()));
  }
}

Result<CgroupKey> Cgroups::key_of(const std::string& folder) {
  struct stat s{};
  if (stat(folder.c_str(), &s) != 0) return unavailable(fmt::format("cgroup {}: {}", folder, strerror(errno)));
  return CgroupKey{0, s.st_ino};
}

CgroupKey Cgroups::key_at(uint32_t hierarchy, std::string_view path) {
  for (const Mount& m : mounts_) {
    if (m.hierarchy != hierarchy) continue;
    std::string_view below = path;
    if (m.root != "/" && below.starts_with(m.root)) below.remove_prefix(m.root.size());
    struct stat s{};
    if (stat((m.folder + std::string(below)).c_str(), &s) != 0) return {hierarchy, 0};
    made({hierarchy, s.st_ino}, std::string(path));
    return {hierarchy, s.st_ino};
  }
  return {hierarchy, 0};
}

const std::string* Cgroups::path(CgroupKey key) {
  if (const auto it = paths_.find(key); it != paths_.end()) return &it->second;
  // Its event was lost, or it came between the walk and the programs: the kernel opens a folder by its id.
  for (const Mount& m : mounts_) {
    if (m.hierarchy != key.hierarchy) continue;
    const int at = ::open(m.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) return nullptr;
    struct {
      file_handle head;
      unsigned char id[8];
    } handle{};
    handle.head.handle_bytes = 8;
    handle.head.handle_type = 0xfe;  // FILEID_KERNFS
    std::memcpy(handle.head.f_handle, &key.id, 8);
    const int fd = open_by_handle_at(at, &handle.head, O_PATH | O_CLOEXEC);
    ::close(at);
    if (fd < 0) return nullptr;
    char text[4096];
    const ssize_t n = readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), text, sizeof text);
    ::close(fd);
    if (n <= 0) return nullptr;
    std::string_view path(text, static_cast<size_t>(n));
    if (!path.starts_with(m.folder)) return nullptr;
    path.remove_prefix(m.folder.size());
    made(key, (m.root == "/" ? "" : m.root) + std::string(path.empty() ? "/" : path));
    return &paths_[key];
  }
  return nullptr;
}

void Cgroups::made(CgroupKey key, std::string path) {
  if (paths_.size() < kMostPaths) paths_[key] = std::move(path);
}

void Cgroups::removed(CgroupKey key, uint64_t now_ns) {
  if (removed_.size() < kMostPaths) removed_.emplace_back(now_ns, key);
}

void Cgroups::forget_before(uint64_t now_ns) {
  size_t n = 0;
  while (n < removed_.size() && removed_[n].first < now_ns) paths_.erase(removed_[n++].second);
  removed_.erase(removed_.begin(), removed_.begin() + static_cast<ptrdiff_t>(n));
}

}  // namespace egret::sensor
