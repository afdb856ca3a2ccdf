#include "sensor/proc_sockets.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/text.h"
#include "sensor/boot_time.h"

namespace egret::sensor {

namespace fs = std::filesystem;

namespace {

constexpr size_t kMostSockets = 1 << 17;
constexpr uint8_t kListen = 10, kTimeWait = 6, kClose = 7;

bool hex(std::string_view text, uint64_t& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return ec == std::errc{} && end == text.data() + text.size();
}

// "0100007F:1F90": words of the machine's byte order.
bool endpoint(std::string_view text, bool v6, Endpoint& e) {
  const size_t colon = text.find(':');
  if (colon != (v6 ? 32 : 8)) return false;
  uint64_t port = 0;
  if (!hex(text.substr(colon + 1), port) || port > 0xffff) return false;
  e.port = static_cast<uint16_t>(port);
  std::memset(e.address, 0, sizeof e.address);
  e.address[10] = e.address[11] = 0xff;
  for (size_t word = 0; word < colon / 8; ++word) {
    uint64_t value = 0;
    if (!hex(text.substr(word * 8, 8), value)) return false;
    const auto bytes = static_cast<uint32_t>(value);
    std::memcpy(e.address + (v6 ? word * 4 : 12), &bytes, 4);
  }
  return true;
}

bool outward(const Endpoint& e) {
  static constexpr uint8_t kZero[16] = {};
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(e.address, kMapped, 12) == 0) return e.address[12] != 127 && e.address[12] != 0;
  return std::memcmp(e.address, kZero, 15) != 0;  // neither :: nor ::1
}

std::vector<std::string> numbers_in(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    std::string name = it->path().filename().string();
    if (name.find_first_not_of("0123456789") == std::string::npos) out.push_back(std::move(name));
  }
  return out;
}

}  // namespace

bool parse_proc_socket(std::string_view line, bool v6, ProcSocket& out) {
  std::vector<std::string_view> words;
  while (!line.empty() && words.size() < 10) {
    const size_t begin = line.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const size_t end = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  uint64_t state = 0;
  if (words.size() < 10 || !endpoint(words[1], v6, out.local) || !endpoint(words[2], v6, out.remote) || !hex(words[3], state)) return false;
  out.state = static_cast<uint8_t>(state);
  const auto number = [](std::string_view text, auto& into) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), into);
    return ec == std::errc{} && end == text.data() + text.size();
  };
  return number(words[7], out.uid) && number(words[9], out.inode);
}

bool read_owner(const std::string& proc, uint32_t pid, Cgroups& cgroups, Owner& owner) {
  const std::string folder = fmt::format("{}/{}", proc, pid);
  std::ifstream in(folder + "/stat");
  std::string stat_line;
  if (!std::getline(in, stat_line)) return false;
  const size_t open = stat_line.find('('), close = stat_line.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 2 >= stat_line.size()) return false;
  owner.pid = pid;
  const std::string name = stat_line.substr(open + 1, std::min<size_t>(close - open - 1, kCommBytes - 1));
  std::memset(owner.comm, 0, kCommBytes);
  std::memcpy(owner.comm, name.data(), name.size());
  const std::vector<std::string> words = split(std::string_view(stat_line).substr(close + 2), ' ');
  if (words.size() < 20) return false;
  (void)std::from_chars(words[1].data(), words[1].data() + words[1].size(), owner.parent);
  uint64_t ticks = 0;
  (void)std::from_chars(words[19].data(), words[19].data() + words[19].size(), ticks);
  owner.process_start = ticks * (1'000'000'000 / static_cast<uint64_t>(sysconf(_SC_CLK_TCK)));
  struct stat s{};
  if (stat(folder.c_str(), &s) == 0) owner.uid = s.st_uid;
  if (stat((folder + "/ns/net").c_str(), &s) == 0) owner.netns = static_cast<uint32_t>(s.st_ino);
  std::ifstream groups(folder + "/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1),
                           path = std::string_view(line).substr(second + 1);
    if (controllers.empty()) {
      owner.cgroup = cgroups.key_at(0, path).id;
    } else if (controllers == "memory" || (controllers == "pids" && owner.cgroup_v1 == 0)) {
      uint32_t hierarchy = 0;
      (void)std::from_chars(line.data(), line.data() + first, hierarchy);
      if (const CgroupKey key = cgroups.key_at(hierarchy, path); key.id != 0) owner.cgroup_v1 = key.id, owner.hierarchy_v1 = hierarchy;
    }
  }
  return true;
}

void ProcSockets::read_table(const std::string& path, uint8_t protocol, bool v6, uint32_t netns,
                             std::vector<std::pair<uint64_t, Flow>>& fresh) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    ProcSocket s;
    if (!parse_proc_socket(line, v6, s) || s.remote.port == 0 || !outward(s.remote)) continue;
    if (s.state == kListen || s.state == kTimeWait || s.state == kClose || s.inode == 0) {
      if (!(protocol == IPPROTO_UDP && s.state == kClose && s.inode)) continue;
    }
    const uint64_t key = static_cast<uint64_t>(netns) << 32 ^ s.inode;
    if (const auto it = known_.find(key); it != known_.end() && std::memcmp(&it->second.flow.remote, &s.remote, sizeof s.remote) == 0) {
      it->second.look = look_;
      continue;
    }
    Flow f{};
    f.local = s.local, f.remote = s.remote, f.asked = s.remote;
    f.protocol = protocol, f.cookie = key, f.ipv6 = v6;
    f.owner.uid = s.uid, f.owner.netns = netns;
    fresh.emplace_back(s.inode, f);
  }
}

void ProcSockets::find_holders(const std::vector<std::string>& pids) {
  holder_of_.clear();
  hidden_ = 0;
  for (const std::string& pid : pids) {
    std::error_code ec;
    fs::directory_iterator it(fmt::format("{}/{}/fd", proc_, pid), ec);
    if (ec == std::errc::permission_denied) ++hidden_;
    for (fs::directory_iterator end; !ec && it != end; it.increment(ec)) {
      char target[64];
      const ssize_t n = readlink(it->path().c_str(), target, sizeof target);
      const std::string_view text(target, n > 0 ? static_cast<size_t>(n) : 0);
      if (!text.starts_with("socket:[") || holder_of_.size() > kMostSockets) continue;
      uint64_t inode = 0;
      (void)std::from_chars(text.data() + 8, text.data() + text.size(), inode);
      uint32_t number = 0;
      (void)std::from_chars(pid.data(), pid.data() + pid.size(), number);
      holder_of_.emplace(inode, number);
    }
  }
}

void ProcSockets::look(const std::function<void(const Flow&)>& each) {
  const bool first = look_++ == 0;
  const uint64_t now = boot_nanoseconds();
  const std::vector<std::string> pids = numbers_in(proc_);
  std::set<uint64_t> namespaces;
  std::vector<std::pair<uint64_t, Flow>> fresh;
  for (const std::string& pid : pids) {
    struct stat s{};
    const std::string folder = fmt::format("{}/{}", proc_, pid);
    if (stat((folder + "/ns/net").c_str(), &s) != 0 || !namespaces.insert(s.st_ino).second) continue;
    const auto netns = static_cast<uint32_t>(s.st_ino);
    read_table(folder + "/net/tcp", IPPROTO_TCP, false, netns, fresh);
    read_table(folder + "/net/tcp6", IPPROTO_TCP, true, netns, fresh);
    read_table(folder + "/net/udp", IPPROTO_UDP, false, netns, fresh);
    read_table(folder + "/net/udp6", IPPROTO_UDP, true, netns, fresh);
  }
  if (!fresh.empty()) find_holders(pids);
  for (auto& [inode, f] : fresh) {
    if (const auto it = holder_of_.find(inode); it != holder_of_.end()) {
      const uint32_t netns = f.owner.netns;
      (void)read_owner(proc_, it->second, cgroups_, f.owner);
      f.owner.netns = netns;
    }
    f.start = first ? 0 : now;
    f.last = now;
    f.stage = first ? kFlowOngoing : kFlowOpen;
    each(f);
    if (known_.size() < kMostSockets) known_[f.cookie] = {f, look_};
  }
  for (auto it = known_.begin(); it != known_.end();) {
    if (it->second.look == look_) {
      ++it;
      continue;
    }
    Flow& gone = it->second.flow;
    gone.stage = kFlowClosed;
    gone.last = now;
    each(gone);
    it = known_.erase(it);
  }
}

}  // namespace egret::sensor
