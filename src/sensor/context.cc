#include "sensor/context.h"

#include <fmt/format.h>
#include <netinet/in.h>

namespace egret::sensor {

IpAddress address_of(const Endpoint& e) {
  IpAddress a;
  for (const uint8_t byte : e.address) a.value = a.value << 8 | byte;
  return a;
}

std::string_view protocol_name(uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP: return "TCP";
    case IPPROTO_UDP: return "UDP";
    case IPPROTO_ICMP: return "ICMP";
    case IPPROTO_ICMPV6: return "ICMPv6";
    case IPPROTO_SCTP: return "SCTP";
    default: return "other";
  }
}

std::string workload_of(const Context& c, const Identity& i, std::string_view process) {
  if (i.kind == Identity::Kind::kPod) return i.workload;
  if (i.kind == Identity::Kind::kUnknown) return {};
  std::string_view name = i.unit;
  // A session's scope says nothing of what ran in it.
  if (name.ends_with(".service"))
    name.remove_suffix(8);
  else if (!process.empty())
    name = process;
  return name.empty() ? std::string() : "node/HostProcess/" + std::string(name);
}

void add_owner(Row& row, const Context& c, const Identity& i, std::string_view process) {
  row.text("Cluster", c.cluster).text("SrcNode", c.node).text("SrcOwnerKind", kind_name(i)).text("SrcOwnerReason", i.reason);
  row.text("SrcNamespace", i.ns).text("SrcPodName", i.pod).text("SrcWorkload", workload_of(c, i, process));
  row.text("SrcPodUid", i.pod_uid).text("SrcContainer", i.container).text("SrcContainerId", i.container_id);
  row.text("SrcImage", i.image).text("SrcImageDigest", i.digest).text("SrcUnit", i.unit).dynamic("SrcPodLabels", i.labels);
}

}  // namespace egret::sensor
