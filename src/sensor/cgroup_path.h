#pragma once
// What the path of a cgroup says of who lives in it: kubelet's layouts of both drivers (cgroupfs: kubepods/burstable/podUID/CONTAINER;
// systemd: kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID.slice/cri-containerd-CONTAINER.scope), and systemd's units.
#include <string>
#include <string_view>

namespace egret::sensor {

struct Place {
  std::string pod_uid;    // with dashes, as the API has it; a static pod's is 32 digits
  std::string container;  // 64 hexadecimal digits; empty for the pod itself
  std::string qos;        // guaranteed, burstable, besteffort
  std::string unit;       // of systemd, with its suffix ("kubelet.service", "session-1.scope"); empty for a pod
  bool is_pod() const { return !pod_uid.empty(); }
};

Place place_of(std::string_view path);

}  // namespace egret::sensor
