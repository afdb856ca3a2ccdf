#pragma once
// The sidecar of a pod: the real Envoy, configured as Istio's is. What the pod's own program sends over TCP is led through it, and
// requests to the pod's port as well; it writes Istio's access log.
#include <filesystem>
#include <string>

#include "base/result.h"
#include "lab/netns.h"

namespace egret::lab {

inline constexpr unsigned kProxyGroup = 1337;  // the proxy's own connections are known by their group, as Istio has it

// EGRET_ENVOY, or where scripts/envoy puts it.
Result<std::string> envoy_program();
// Leads the pod's TCP through the proxy: what it sends to port 15001, what comes for its port 8080 to 15006.
Setup sidecar_rules();
std::string envoy_configuration(const std::string& pod, const std::string& ns, const std::filesystem::path& access_log);

}  // namespace egret::lab
