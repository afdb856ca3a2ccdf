#pragma once
// Names for pod UIDs and container ids, from what a node has on its disk and from a file or folder that something with the API's eyes
// keeps:
//   --pods PATH       pods as `kubectl get pods -o json` prints them: owner, labels, images, hostNetwork
//   /var/log/pods     kubelet's folders NAMESPACE_NAME_UID, made before the first container starts
//   /run/containerd   the bundle of every running container, with its name, image and pod in annotations
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace egret::sensor {

struct Pod {
  std::string uid, ns, name;
  std::string workload;  // "ns/Kind/name" of the topmost owner; empty when no source says it
  std::string node;
  std::string labels;     // JSON object, or empty
  int host_network = -1;  // 1 yes, 0 no, -1 not known
};

struct Container {
  std::string id, pod_uid, name, image, digest;  // digest: "sha256:…" of the image as it was pulled
};

struct PodSources {
  std::string pods;  // file or folder; may be empty
  std::string logs = "/var/log/pods";
  std::string containerd = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";
};

class Pods {
 public:
  explicit Pods(PodSources sources) : sources_(std::move(sources)) {}

  // Reads again what has changed on disk since the last time; true when it did. Cheap when nothing has.
  bool refresh();
  const Pod* pod(const std::string& uid);  // null when no source names it
  const Container* container(const std::string& id);
  size_t size() const { return pods_.size(); }
  uint64_t unreadable() const { return unreadable_; }  // files of --pods that were no pods

 private:
  void read_pods_file(const std::filesystem::path& file);
  void read_log_folders();
  void read_bundle(const std::string& id);

  PodSources sources_;
  std::unordered_map<std::string, Pod> pods_;
  std::unordered_map<std::string, Container> containers_;
  std::map<std::string, std::pair<std::filesystem::file_time_type, uintmax_t>> seen_;
  std::filesystem::file_time_type logs_changed_{};
  uint64_t unreadable_ = 0;
};

// One Pod, a PodList, an array of pods, or one of them a line; each pod found is handed over with its containers. False when it is none of
// these.
struct PodFound {
  Pod pod;
  std::string mirror_uid;  // the UID that a static pod has in its cgroup, when it is another
  std::vector<Container> containers;
};
bool parse_pods(std::string_view json, std::vector<PodFound>& out);
// The annotations of a container's OCI bundle (config.json of containerd or CRI-O).
bool parse_bundle(std::string_view json, const std::string& id, Container& container, Pod& pod);

}  // namespace egret::sensor
