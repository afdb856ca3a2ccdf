#pragma once
// From a pod's name to one of its processes on this node: through the cgroups that /proc tells and the names that kubelet keeps on disk.
#include <string>

#include "base/result.h"
#include "capture/identity.h"
#include "sensor/pods.h"

namespace egret::cli {

struct PodProcess {
  int pid = 0;
  capture::Identity identity;
  bool host_network = false;  // it has no network namespace of its own
};

// pod: "NS/NAME". Errors: no such pod here (with those that are), or none of its processes runs.
Result<PodProcess> find_pod_process(const std::string& pod, const sensor::PodSources& sources);

}  // namespace egret::cli
