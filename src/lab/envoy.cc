#include "lab/envoy.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "base/json.h"

namespace egret::lab {

Result<std::string> envoy_program() {
  std::string path;
  if (const char* chosen = std::getenv("EGRET_ENVOY")) {
    path = chosen;
  } else {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    path =
        (cache != nullptr ? std::string(cache) : std::string(home != nullptr ? home : "/root") + "/.cache") + "/egret/envoy-1.40.0/envoy";
  }
  if (::access(path.c_str(), X_OK) != 0)
    return unavailable(fmt::format("a workload has a sidecar, and Envoy is not there: {}", path),
                       "scripts/envoy fetches it, EGRET_ENVOY names another place, and --no-sidecar does without");
  return path;
}

Setup sidecar_rules() {
  Setup s;
  s.rules = fmt::format(
      "table inet sidecar {{\n"
      "  chain output {{\n    type nat hook output priority -100;\n    meta skgid {0} return\n    ip daddr 127.0.0.0/8 return\n"
      "    ip6 daddr ::1 return\n    meta nfproto ipv4 meta l4proto tcp redirect to :15001\n  }}\n"
      "  chain prerouting {{\n    type nat hook prerouting priority dstnat;\n    meta nfproto ipv4 tcp dport 8080 redirect to :15006\n  "
      "}}\n}}\n",
      kProxyGroup);
  return s;
}

namespace {

// Istio's fields of the JSON access log, in its order.
constexpr std::pair<std::string_view, std::string_view> kFields[] = {
    {"authority", "%REQ(:AUTHORITY)%"},
    {"bytes_received", "%BYTES_RECEIVED%"},
    {"bytes_sent", "%BYTES_SENT%"},
    {"connection_termination_details", "%CONNECTION_TERMINATION_DETAILS%"},
    {"downstream_local_address", "%DOWNSTREAM_LOCAL_ADDRESS%"},
    {"downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"},
    {"duration", "%DURATION%"},
    {"method", "%REQ(:METHOD)%"},
    {"path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"},
    {"protocol", "%PROTOCOL%"},
    {"request_id", "%REQ(X-REQUEST-ID)%"},
    {"requested_server_name", "%REQUESTED_SERVER_NAME%"},
    {"response_code", "%RESPONSE_CODE%"},
    {"response_code_details", "%RESPONSE_CODE_DETAILS%"},
    {"response_flags", "%RESPONSE_FLAGS%"},
    {"route_name", "%ROUTE_NAME%"},
    {"start_time", "%START_TIME%"},
    {"upstream_cluster", "%UPSTREAM_CLUSTER%"},
    {"upstream_host", "%UPSTREAM_HOST%"},
    {"upstream_local_address", "%UPSTREAM_LOCAL_ADDRESS%"},
    {"upstream_service_time", "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"},
    {"upstream_transport_failure_reason", "%UPSTREAM_TRANSPORT_FAILURE_REASON%"},
    {"user_agent", "%REQ(USER-AGENT)%"},
    {"x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"},
};

std::string access_log_json(const std::filesystem::path& file) {
  std::string fields;
  for (const auto& [name, value] : kFields) fields += fmt::format("{}\"{}\":\"{}\"", fields.empty() ? "" : ",", name, value);
  return fmt::format(
      R"([{{"name":"envoy.access_loggers.file","typed_config":{{"@type":"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog","path":{},"log_format":{{"json_format":{{{}}}}}}}}}])",
      json_quote(file.string()), fields);
}

// Requests as requests. `cluster`: where they go.
std::string http_filter(std::string_view prefix, std::string_view cluster, const std::string& log) {
  return fmt::format(
      R"({{"name":"envoy.filters.network.http_connection_manager","typed_config":{{"@type":"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager","stat_prefix":"{0}","use_remote_address":true,"normalize_path":false,"access_log":{2},"route_config":{{"virtual_hosts":[{{"name":"any","domains":["*"],"routes":[{{"name":"default","match":{{"prefix":"/"}},"route":{{"cluster":"{1}"}}}}]}}]}},"http_filters":[{{"name":"envoy.filters.http.router","typed_config":{{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}}}]}}}})",
      prefix, cluster, log);
}

std::string tcp_filter(std::string_view cluster, const std::string& log) {
  return fmt::format(
      R"({{"name":"envoy.filters.network.tcp_proxy","typed_config":{{"@type":"type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy","stat_prefix":"{0}","cluster":"{0}","access_log":{1}}}}})",
      cluster, log);
}

constexpr std::string_view kInspect =
    R"({"name":"envoy.filters.listener.original_dst","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst"}},{"name":"envoy.filters.listener.tls_inspector","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"}},{"name":"envoy.filters.listener.http_inspector","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector"}})";

}  // namespace

std::string envoy_configuration(const std::string& pod, const std::string& ns, const std::filesystem::path& file) {
  const std::string log = access_log_json(file);
  const auto listener = [&](std::string_view name, int port, std::string_view chains) {
    return fmt::format(
        R"({{"name":"{}","address":{{"socket_address":{{"address":"0.0.0.0","port_value":{}}}}},"listener_filters_timeout":"1s","continue_on_listener_filters_timeout":true,"listener_filters":[{}],"filter_chains":[{}]}})",
        name, port, kInspect, chains);
  };
  const std::string outbound = fmt::format(
      R"({{"filter_chain_match":{{"application_protocols":["http/1.1","http/1.0"],"transport_protocol":"raw_buffer"}},"filters":[{}]}},{{"filters":[{}]}})",
      http_filter("outbound", "PassthroughCluster", log), tcp_filter("PassthroughCluster", log));
  const std::string inbound = fmt::format(R"({{"filters":[{}]}})", http_filter("inbound", "inbound|8080||", log));
  return fmt::format(
      R"({{"node":{{"id":"sidecar~{0}.{1}~{1}.svc.cluster.local","cluster":"{0}.{1}"}},"admin":{{"address":{{"socket_address":{{"address":"127.0.0.1","port_value":15000}}}}}},"static_resources":{{"listeners":[{2},{3}],"clusters":[{{"name":"PassthroughCluster","type":"ORIGINAL_DST","lb_policy":"CLUSTER_PROVIDED","connect_timeout":"3s"}},{{"name":"inbound|8080||","type":"STATIC","connect_timeout":"3s","load_assignment":{{"cluster_name":"inbound|8080||","endpoints":[{{"lb_endpoints":[{{"endpoint":{{"address":{{"socket_address":{{"address":"127.0.0.1","port_value":8080}}}}}}}}]}}]}}}}]}}}})",
      pod, ns, listener("virtualOutbound", 15001, outbound), listener("virtualInbound", 15006, inbound));
}

}  // namespace egret::lab
