#include "sensor/pods.h"

#include <fstream>
#include <sstream>

namespace egret::sensor {

namespace fs = std::filesystem;

namespace {

constexpr size_t kMostNames = 1 << 16;  // beyond that the oldest knowledge goes, all at once
constexpr uintmax_t kLargestFile = 256 << 20;

bool read_whole(const fs::path& file, std::string& out) {
  std::error_code ec;
  const uintmax_t size = fs::file_size(file, ec);
  if (ec || size > kLargestFile) return false;
  std::ifstream in(file, std::ios::binary);
  if (!in) return false;
  out.assign(std::istreambuf_iterator<char>(in), {});
  return true;
}

template <typename Map>
void bound(Map& map) {
  if (map.size() > kMostNames) map.clear();
}

}  // namespace

bool Pods::refresh() {
  bool changed = false;
  std::error_code ec;
  const auto look = [&](const fs::path& file) {
    std::error_code e;
    const auto time = fs::last_write_time(file, e);
    const auto size = fs::file_size(file, e);
    if (e) return;
    auto& known = seen_[file.string()];
    if (known == std::pair{time, size}) return;
    known = {time, size};
    changed = true;
    read_pods_file(file);
  };
  if (!sources_.pods.empty()) {
    if (fs::is_directory(sources_.pods, ec)) {
      for (fs::directory_iterator it(sources_.pods, ec), end; !ec && it != end; it.increment(ec))
        if (it->path().extension() == ".json") look(it->path());
    } else {
      look(sources_.pods);
    }
  }
  const auto time = fs::last_write_time(sources_.logs, ec);
  if (!ec && time != logs_changed_) {
    logs_changed_ = time;
    read_log_folders();
    changed = true;
  }
  return changed;
}

void Pods::read_pods_file(const fs::path& file) {
  std::string text;
  std::vector<PodFound> found;
  if (!read_whole(file, text) || !parse_pods(text, found)) {
    ++unreadable_;
    return;
  }
  bound(pods_);
  bound(containers_);
  for (PodFound& f : found) {
    for (Container& c : f.containers) containers_[c.id] = std::move(c);
    if (!f.mirror_uid.empty()) pods_[f.mirror_uid] = f.pod;
    pods_[f.pod.uid] = std::move(f.pod);
  }
}

void Pods::read_log_folders() {
  std::error_code ec;
  bound(pods_);
  for (fs::directory_iterator it(sources_.logs, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    const size_t first = name.find('_'), last = name.rfind('_');
    if (first == std::string::npos || last <= first + 1) continue;
    Pod& p = pods_[name.substr(last + 1)];
    if (!p.name.empty()) continue;  // a fuller source knows it
    p.uid = name.substr(last + 1);
    p.ns = name.substr(0, first);
    p.name = name.substr(first + 1, last - first - 1);
  }
}

void Pods::read_bundle(const std::string& id) {
  if (sources_.containerd.empty() || id.find('/') != std::string::npos) return;
  std::string text;
  if (!read_whole(fs::path(sources_.containerd) / id / "config.json", text)) return;
  Container c;
  Pod p;
  if (!parse_bundle(text, id, c, p)) return;
  bound(pods_);
  bound(containers_);
  if (!p.uid.empty()) {
    Pod& known = pods_[p.uid];
    if (known.name.empty()) known = std::move(p);
  }
  containers_[id] = std::move(c);
}

const Pod* Pods::pod(const std::string& uid) {
  const auto it = pods_.find(uid);
  return it == pods_.end() || it->second.name.empty() ? nullptr : &it->second;
}

const Container* Pods::container(const std::string& id) {
  if (id.empty()) return nullptr;
  auto it = containers_.find(id);
  if (it == containers_.end()) {
    read_bundle(id);
    it = containers_.find(id);
  }
  return it == containers_.end() ? nullptr : &it->second;
}

}  // namespace egret::sensor
