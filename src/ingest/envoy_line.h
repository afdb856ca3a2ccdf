#pragma once
// One access-log line of Envoy or Istio: default text formats, JSON with Istio's or Envoy Gateway's names, TCP lines, ztunnel.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace egret::ingest {

struct EnvoyAccess {
  std::optional<Ticks> time;  // start of the request
  std::string method, path, protocol, authority, server_name, user_agent, request_id, flags, route;
  std::string upstream_cluster;
  std::string upstream_host, downstream_local, downstream_remote;  // address:port, or what Envoy writes instead
  std::string forwarded_for;
  int64_t code = 0, received = 0, sent = 0, milliseconds = 0;
  bool has_code = false, has_milliseconds = false;
  // ztunnel names both ends.
  std::string pod, pod_namespace, direction;
};

enum class EnvoyLine { kAccess, kOther, kMalformed, kNo };

EnvoyLine parse_envoy(std::string_view line, EnvoyAccess& access, std::string& reason);

}  // namespace egret::ingest
