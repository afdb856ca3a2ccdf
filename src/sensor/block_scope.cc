#include "sensor/block_scope.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/text.h"
#include "sensor/netns.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

namespace egret::sensor {

namespace fs = std::filesystem;

namespace {

std::optional<uint64_t> inode_of(const std::string& path) {
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) return std::nullopt;
  return s.st_ino;
}

// The namespace's cookie, as the kernel program gets it.
Result<uint64_t> netns_cookie(const std::string& path) {
  uint64_t cookie = 0;
  int error = 0;
  TRY_VOID(inside_netns(path, [&] {
    const int s = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof cookie;
    if (s < 0 || ::getsockopt(s, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) != 0) error = errno;
    if (s >= 0) ::close(s);
  }));
  if (error != 0) return unavailable(fmt::format("the network namespace {}: {}", path, std::strerror(error)));
  return cookie;
}

int level_below(const std::string& folder, const std::string& mount) {
  return static_cast<int>(std::ranges::count(folder.substr(mount.size()), '/'));
}

std::string without_end_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool below(const std::string& path, const std::string& folder) {
  return path == folder || (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

Result<BlockScope> cgroup_scope(const std::string& folder, const std::string& mount, BlockScopeKind kind) {
  const auto id = inode_of(folder);
  if (!id) return not_found(fmt::format("there is no cgroup {}", folder));
  const int level = level_below(folder, mount);
  if (level >= kBlockLevels) return usage_error(fmt::format("the cgroup {} lies deeper than {} levels", folder, kBlockLevels - 1));
  return BlockScope{kind, *id, level};
}

// kubelet's folder of a pod: pod<UID>, in the systemd driver's spelling with "_" for "-" and a slice's name around it.
bool is_folder_of(const std::string& name, const std::string& uid) {
  const auto at = name.rfind("pod");
  if (at == std::string::npos || (at != 0 && name[at - 1] != '-')) return false;
  std::string rest = name.substr(at + 3);
  if (rest.ends_with(".slice")) rest.resize(rest.size() - 6);
  std::ranges::replace(rest, '_', '-');
  return rest == uid;
}

std::optional<std::string> pod_folder(const std::string& root, const std::string& uid) {
  std::error_code error;
  auto it = fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, error);
  for (const auto end = fs::recursive_directory_iterator(); !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!it->is_directory(ignored)) continue;
    if (is_folder_of(it->path().filename().string(), uid)) return it->path().string();
    if (it.depth() > 6) it.disable_recursion_pending();
  }
  return std::nullopt;
}

Result<std::string> pod_uid(const std::string& name, const BlockPlaces& places) {
  const auto slash = name.find('/');
  if (slash == std::string::npos) return name;  // a UID
  const std::string begin = name.substr(0, slash) + "_" + name.substr(slash + 1) + "_";
  std::string uid;
  fs::file_time_type newest{};
  std::error_code error;
  for (const auto& folder : fs::directory_iterator(places.pod_logs, error)) {
    const std::string file = folder.path().filename().string();
    std::error_code ignored;
    const auto changed = folder.last_write_time(ignored);
    // A StatefulSet's pod keeps its name: the newest folder is the one that runs.
    if (file.starts_with(begin) && file.find('_', begin.size()) == std::string::npos && (uid.empty() || changed > newest)) {
      uid = file.substr(begin.size());
      newest = changed;
    }
  }
  if (uid.empty())
    return not_found(fmt::format("no pod {} on this node: {} has no folder {}UID", name, places.pod_logs, begin),
                     "kubectl get pods -o wide tells where it runs; --pod takes a UID as well");
  return uid;
}

Result<BlockResolved> resolve_pod(const BlockTarget& target, const BlockPlaces& places, bool netns_in_flight) {
  TRY(const std::string uid, pod_uid(target.name, places));
  const auto mounts = cgroup_mounts();
  BlockResolved r;
  if (const auto folder = pod_folder(places.cgroup_root, uid)) {
    TRY(const auto scope, cgroup_scope(*folder, mounts.unified, kBlockCgroup));
    r.scopes.push_back(scope);
    r.cgroups.push_back(*folder);
  }
  if (r.scopes.empty() || processes_below(r.cgroups.front()).empty()) {
    // A node of cgroup v1 (or both): the kernel's socket does not know the pod, its task does.
    std::string v1_folder;
    if (!mounts.v1.empty())
      if (const auto folder = pod_folder(mounts.v1, uid)) {
        TRY(const auto scope, cgroup_scope(*folder, mounts.v1, kBlockCgroupV1));
        r.scopes.push_back(scope);
        v1_folder = *folder;
      }
    if (!v1_folder.empty()) {
      r.cgroups.push_back(v1_folder);
      r.in_flight = false;
      const std::string node = places.netns.empty() ? "/proc/self/ns/net" : places.netns;
      for (const int pid : processes_below(v1_folder)) {
        const std::string netns = fmt::format("/proc/{}/ns/net", pid);
        const auto inode = inode_of(netns);
        if (!inode || inode == inode_of(node)) continue;  // hostNetwork: the namespace is everyone's
        TRY(const uint64_t cookie, netns_cookie(netns));
        r.scopes.push_back({kBlockNetns, cookie, 0});
        r.own_netns = true;
        r.in_flight = netns_in_flight;
        break;
      }
    }
  }
  if (r.scopes.empty())
    return not_found(fmt::format("no cgroup of the pod {} ({}) on this node", target.name, uid),
                     "it may have ended; kubectl get pod tells");
  return r;
}

}  // namespace

Result<BlockTarget> BlockTarget::parse(std::string_view text) {
  using Kind = BlockTarget::Kind;
  if (text == "node") return BlockTarget{};
  static constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"pod ", Kind::kPod}, {"cgroup ", Kind::kCgroup}, {"netns ", Kind::kNetns}};
  for (const auto& [prefix, kind] : kKinds)
    if (text.starts_with(prefix) && text.size() > prefix.size() && text.size() < 4096)
      return BlockTarget{kind, std::string(text.substr(prefix.size()))};
  return usage_error(fmt::format("\"{}\" is no target of a block", terminal_safe(text.substr(0, 100))),
                     "node, pod NAMESPACE/NAME, pod UID, cgroup PATH or netns PATH");
}

std::string BlockTarget::to_string() const {
  switch (kind) {
    case Kind::kNode: return "node";
    case Kind::kPod: return "pod " + name;
    case Kind::kCgroup: return "cgroup " + name;
    case Kind::kNetns: return "netns " + name;
  }
  return {};
}

Result<BlockResolved> resolve_block_target(const BlockTarget& target, const BlockPlaces& places, bool netns_in_flight) {
  switch (target.kind) {
    case BlockTarget::Kind::kNode: {
      BlockResolved r;
      r.scopes.push_back({kBlockNode, 0, 0});
      r.cgroups.push_back(places.cgroup_root);
      return r;
    }
    case BlockTarget::Kind::kPod: return resolve_pod(target, places, netns_in_flight);
    case BlockTarget::Kind::kCgroup: {
      const auto mounts = cgroup_mounts();
      const std::string folder = without_end_slash(target.name);
      BlockResolved r;
      r.cgroups.push_back(folder);
      const auto refuse_root = [&](const std::string& mount) -> Result<void> {
        if (folder == mount) return usage_error("the root of the cgroup tree is everyone", "block for the node instead");
        return {};
      };
      if (below(folder, places.cgroup_root)) {
        TRY_VOID(refuse_root(mounts.unified));
        TRY(const auto scope, cgroup_scope(folder, mounts.unified, kBlockCgroup));
        r.scopes.push_back(scope);
        return r;
      }
      if (!mounts.v1.empty() && below(folder, mounts.v1)) {
        TRY_VOID(refuse_root(mounts.v1));
        TRY(const auto scope, cgroup_scope(folder, mounts.v1, kBlockCgroupV1));
        r.scopes.push_back(scope);
        r.in_flight = false;
        return r;
      }
      return usage_error(fmt::format("{} is not below {} nor the v1 hierarchy of memory (without it: pids)", folder, places.cgroup_root));
    }
    case BlockTarget::Kind::kNetns: {
      BlockResolved r;
      TRY(const uint64_t cookie, netns_cookie(target.name));
      r.scopes.push_back({kBlockNetns, cookie, 0});
      r.netns = target.name;
      r.own_netns = true;
      r.in_flight = netns_in_flight;
      return r;
    }
  }
  return internal_error("a target without a kind");
}

CgroupMounts cgroup_mounts() {
  CgroupMounts found;
  std::string pids;
  std::ifstream in("/proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line.substr(0, dash)), after(line.substr(dash + 3));
    std::string id, parent, device, root, folder, type, source, options;
    before >> id >> parent >> device >> root >> folder;
    after >> type >> source >> options;
    if (type == "cgroup2" && found.unified.empty()) found.unified = folder;
    if (type != "cgroup") continue;
    const auto names = split(options, ',');
    if (std::ranges::find(names, "memory") != names.end() && found.v1.empty()) found.v1 = folder;
    if (std::ranges::find(names, "pids") != names.end() && pids.empty()) pids = folder;
  }
  if (found.v1.empty()) found.v1 = pids;
  return found;
}

std::vector<int> processes_below(const std::string& cgroup_folder) {
  std::vector<int> pids;
  const auto read = [&](const fs::path& folder) {
    std::ifstream in(folder / "cgroup.procs");
    for (int pid = 0; in >> pid;)
      if (pid > 0) pids.push_back(pid);
  };
  read(cgroup_folder);
  std::error_code error;
  auto it = fs::recursive_directory_iterator(cgroup_folder, fs::directory_options::skip_permission_denied, error);
  for (const auto end = fs::recursive_directory_iterator(); !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) read(it->path());
  }
  return pids;
}

std::vector<uint64_t> cgroup_ids_below(const std::string& cgroup_folder) {
  std::vector<uint64_t> ids;
  if (const auto id = inode_of(cgroup_folder)) ids.push_back(*id);
  std::error_code error;
  auto it = fs::recursive_directory_iterator(cgroup_folder, fs::directory_options::skip_permission_denied, error);
  for (const auto end = fs::recursive_directory_iterator(); !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!it->is_directory(ignored)) continue;
    if (const auto id = inode_of(it->path().string())) ids.push_back(*id);
  }
  return ids;
}

}  // namespace egret::sensor
