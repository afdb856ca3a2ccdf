#pragma once
// The addresses, routes and rules of each namespace, as text for ip and nft. Nothing here runs anything.
#include "lab/fleet.h"
#include "lab/netns.h"

namespace egret::lab {

inline constexpr std::string_view kMetadataAddress = "169.254.169.254", kPlatformResolver = "168.63.129.16";
inline constexpr uint16_t kIngressPort = 31380;

Setup internet_setup(const drill::World& world);
// The link between a node's namespace and its cluster's bridge, made in the internet's.
Setup node_uplink(uint32_t cluster, uint32_t node, const std::string& node_netns);
Setup node_setup(const drill::World& world, uint32_t cluster, uint32_t node);
// Translation rules of a node: masquerade, the resolver's service address, the ingress. Replaces those before.
Setup node_rules(const drill::World& world, uint32_t cluster, uint32_t node);
// Routes of the other nodes' pods, on a node that is there already.
Setup neighbour_route(const drill::World& world, uint32_t cluster, uint32_t other);
// Nothing on the node reaches these addresses (or everything again).
Setup unreachable_rules(const std::vector<drill::Ip>& addresses);
Setup pod_uplink(const drill::World& world, uint32_t cluster, uint32_t pod, const std::string& pod_netns);  // in the node's namespace
Setup pod_setup(const drill::World& world, uint32_t cluster, uint32_t pod);

std::string zone_text(const drill::World& world, uint32_t cluster);

}  // namespace egret::lab
