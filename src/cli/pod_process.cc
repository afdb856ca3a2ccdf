#include "cli/pod_process.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "base/text.h"
#include "sensor/cgroup_path.h"

namespace egret::cli {
namespace {

// "7:pids:/kubepods/…" and "0::/kubepods.slice/…": any hierarchy may be the one that tells.
sensor::Place place_of_process(const std::filesystem::path& proc) {
  std::ifstream in(proc / "cgroup");
  for (std::string line; std::getline(in, line);) {
    const size_t colon = line.find(':', line.find(':') == std::string::npos ? 0 : line.find(':') + 1);
    if (colon == std::string::npos) continue;
    if (sensor::Place p = sensor::place_of(std::string_view(line).substr(colon + 1)); p.is_pod()) return p;
  }
  return {};
}

ino_t netns_of(const std::string& pid) {
  struct stat st{};
  return ::stat(fmt::format("/proc/{}/ns/net", pid).c_str(), &st) == 0 ? st.st_ino : 0;
}

}  // namespace

Result<PodProcess> find_pod_process(const std::string& pod, const sensor::PodSources& sources) {
  const size_t slash = pod.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == pod.size() || pod.find('/', slash + 1) != std::string::npos)
    return usage_error(fmt::format("'{}' names no pod", pod), "write NAMESPACE/NAME, for example payment/pay-7c9d-x2k4f");
  sensor::Pods pods(sources);
  pods.refresh();
  struct Process {
    int pid;
    sensor::Place place;
  };
  std::map<std::string, std::vector<Process>> by_pod;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ec)) {
    const std::string name = entry.path().filename().string();
    int pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || end != name.data() + name.size()) continue;
    if (sensor::Place place = place_of_process(entry.path()); place.is_pod()) by_pod[place.pod_uid].push_back({pid, std::move(place)});
  }
  std::vector<std::string> names;
  for (const auto& [uid, processes] : by_pod) {
    const sensor::Pod* p = pods.pod(uid);
    if (!p) continue;
    std::string full = p->ns + "/" + p->name;
    if (full != pod) {
      names.push_back(std::move(full));
      continue;
    }
    PodProcess found;
    capture::Identity& id = found.identity;
    id.name_space = p->ns;
    id.pod = p->name;
    id.pod_uid = uid;
    id.workload = p->workload;
    id.node = p->node;
    std::set<std::string> containers, images;
    for (const Process& x : processes) {
      // The lowest is the one that lives longest: the sandbox's.
      if (found.pid == 0 || x.pid < found.pid) found.pid = x.pid;
      if (const sensor::Container* c = x.place.container.empty() ? nullptr : pods.container(x.place.container)) {
        containers.insert(c->name);
        images.insert(c->digest.empty() || c->image.contains('@') ? c->image : c->image + "@" + c->digest);
      }
    }
    id.container = join({containers.begin(), containers.end()}, ", ");
    id.image = join({images.begin(), images.end()}, ", ");
    if (id.node.empty()) {
      char host[256] = {};
      if (gethostname(host, sizeof host - 1) == 0) id.node = host;
    }
    found.host_network = p->host_network == 1 || netns_of(std::to_string(found.pid)) == netns_of("1");
    return found;
  }
  const std::string near = near_name(pod, names);
  std::string hint = !near.empty()    ? fmt::format("did you mean '{}'?", near)
                     : !names.empty() ? fmt::format("pods that run here: {}", join(names, ", "))
                     : by_pod.empty()
                         ? "no process here is in a cgroup of kubelet's: run it on the pod's node, with the host's processes in view"
                         : "pods run here, but nothing names them: give --pods FILE (kubectl get pods -A -o json)";
  return not_found(fmt::format("no process of pod {} runs here", pod), std::move(hint));
}

}  // namespace egret::cli
