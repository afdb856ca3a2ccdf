#include "sensor/processes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>

namespace egret::sensor {

namespace {

constexpr size_t kMostProcesses = 1 << 16;
constexpr size_t kLongestCommandLine = 1024;

std::string text_of(const char* chars, size_t most) { return std::string(chars, strnlen(chars, most)); }

std::string link_of(const std::string& path) {
  char text[4096];
  const ssize_t n = readlink(path.c_str(), text, sizeof text);
  return n > 0 ? std::string(text, static_cast<size_t>(n)) : std::string();
}

std::string beginning_of(const std::string& path, size_t most) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string out(most, '\0');
  const ssize_t n = ::read(fd, out.data(), most);
  ::close(fd);
  out.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return out;
}

}  // namespace

void Processes::read_proc(Process& p) {
  const std::string folder = fmt::format("{}/{}", proc_, p.pid);
  if (const std::string exe = link_of(folder + "/exe"); !exe.empty()) p.path = exe;
  std::string line = beginning_of(folder + "/cmdline", kLongestCommandLine);
  for (char& c : line)
    if (c == '\0') c = ' ';
  while (line.ends_with(' ')) line.pop_back();
  if (!line.empty()) p.command_line = std::move(line);
}

Process& Processes::fresh(const Owner& owner) {
  if (known_.size() >= kMostProcesses) known_.clear(), gone_.clear();  // a hostile node; /proc tells again what is alive
  Process p;
  p.pid = owner.pid, p.parent = owner.parent, p.uid = owner.uid, p.start = owner.process_start;
  p.name = text_of(owner.comm, kCommBytes);
  if (const Process* parent = find(owner.parent)) {
    p.parent_name = parent->name, p.parent_path = parent->path;
  } else if (owner.parent) {
    std::string name = beginning_of(fmt::format("{}/{}/comm", proc_, owner.parent), 64);
    while (name.ends_with('\n')) name.pop_back();
    p.parent_name = std::move(name);
    p.parent_path = link_of(fmt::format("{}/{}/exe", proc_, owner.parent));
  }
  return known_[owner.pid] = std::move(p);
}

Process& Processes::executed(const ProcessEvent& e) {
  Process& p = fresh(e.owner);
  p.path = text_of(e.path, kPathBytes);
  if (p.parent_name.empty()) p.parent_name = text_of(e.parent_comm, kCommBytes);
  read_proc(p);
  return p;
}

Process* Processes::exited(const ProcessEvent& e) {
  const auto it = known_.find(e.owner.pid);
  if (it == known_.end() || it->second.start != e.owner.process_start) return nullptr;
  gone_.emplace_back(e.header.time, e.owner.pid);
  return &it->second;
}

Process& Processes::of(const Owner& owner) {
  const auto it = known_.find(owner.pid);
  if (it != known_.end() && it->second.start == owner.process_start) return it->second;
  Process& p = fresh(owner);
  if (owner.pid) read_proc(p);
  return p;
}

const Process* Processes::find(uint32_t pid) const {
  const auto it = known_.find(pid);
  return it == known_.end() ? nullptr : &it->second;
}

void Processes::forget_before(uint64_t boot_ns) {
  while (!gone_.empty() && gone_.front().first < boot_ns) {
    const auto it = known_.find(gone_.front().second);
    // The number may have been given again since.
    if (it != known_.end() && it->second.start < boot_ns) known_.erase(it);
    gone_.pop_front();
  }
}

}  // namespace egret::sensor
