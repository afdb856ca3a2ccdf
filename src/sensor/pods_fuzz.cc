// Pods as JSON, container bundles and cgroup paths: a hostile pod chooses its labels, names and folders.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sensor/cgroup_path.h"
#include "sensor/pods.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::sensor;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<PodFound> found;
  (void)parse_pods(text, found);
  for (const PodFound& f : found)
    if (f.pod.uid.empty() || f.pod.name.empty()) __builtin_trap();
  Container container;
  Pod pod;
  (void)parse_bundle(text, "id", container, pod);
  const Place place = place_of(text);
  if (place.is_pod() && !place.unit.empty()) __builtin_trap();
  return 0;
}
