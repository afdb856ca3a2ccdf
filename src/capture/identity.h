#pragma once
// Whose packets a capture holds. `egret pcap capture` writes it as the comment of the file's section, where Wireshark shows it, and the
// reader takes it from there:
//
//   Egret capture of one pod
//   cluster: datum-cac-aks-01
//   namespace: payment
//   pod: pay-7c9d-x2k4f
//   …
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"

namespace egret::capture {

struct Identity {
  std::string cluster, name_space, pod, pod_uid, workload, container, image, node;
  std::vector<IpAddress> addresses;  // of the pod: a flow from one of them is the pod's
};

std::string identity_comment(const Identity& identity);
std::optional<Identity> identity_from_comment(std::string_view comment);

}  // namespace egret::capture
