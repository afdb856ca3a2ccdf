#include "lab/network.h"

#include <fmt/format.h>

#include <set>

#include "lab/attack.h"

namespace egret::lab {

using namespace drill;

namespace {

// Host side of every pod's link has one address of hardware, so that a pod needs no neighbour discovery for its gateway.
constexpr std::string_view kGatewayMac = "ee:ee:ee:ee:ee:ee", kGateway = "169.254.1.1", kGatewaySix = "fe80::ecee:eeff:feee:eeee";

std::string block_of(const Cluster& c, const Node& n) {
  return fmt::format("{}/24", ip_text(c.pod_base + (static_cast<Ip>(n.pod_block) << 8)));
}
std::string block_six(const Cluster& c, const Node& n) {
  return fmt::format("{}/120", pod_six(c, c.pod_base + (static_cast<Ip>(n.pod_block) << 8)));
}

std::string mac_text(const std::string& hex) {
  std::string s;
  for (size_t i = 0; i < 12; i += 2) s += (i > 0 ? ":" : "") + hex.substr(i, 2);
  return s;
}

}  // namespace

Setup internet_setup(const World& w) {
  Setup s;
  s.links = "link set lo up\n";
  std::set<Ip> addresses;
  for (const Endpoint& e : w.endpoints)
    for (const auto& pool : e.pools) addresses.insert(pool.begin(), pool.end());
  for (const Cluster& c : w.clusters) addresses.insert(c.api_server);
  if (holed(w) != nullptr) {
    const std::vector<Ip> visitors = visitors_of(w);
    addresses.insert(visitors.begin(), visitors.end());
    addresses.insert(attacker_of(w));
  }
  for (const Ip ip : addresses) s.links += fmt::format("addr add {}/32 dev lo\naddr add {}/128 dev lo\n", ip_text(ip), six_of(ip));
  for (const std::string_view a : {kMetadataAddress, kPlatformResolver}) s.links += fmt::format("addr add {}/32 dev lo\n", a);
  for (uint32_t i = 0; i < w.clusters.size(); ++i)
    s.links += fmt::format("link add br{0} type bridge\naddr add {1}/24 dev br{0}\naddr add {2}/64 dev br{0} nodad\nlink set br{0} up\n", i,
                           ip_text(w.clusters[i].vnet_base + 1), node_six(i, 1));
  return s;
}

Setup node_uplink(uint32_t cluster, uint32_t node, const std::string& netns) {
  Setup s;
  s.links = fmt::format("link add v{0}-{1} type veth peer name eth0 netns {2}\nlink set v{0}-{1} master br{0} up\n", cluster, node, netns);
  return s;
}

Setup node_setup(const World& w, uint32_t cluster, uint32_t node) {
  const Cluster& c = w.clusters[cluster];
  const Node& n = c.nodes[node];
  Setup s = node_rules(w, cluster, node);
  s.values = {{"ipv4/ip_forward", "1"},
              {"ipv6/conf/all/forwarding", "1"},
              {"netfilter/nf_conntrack_acct", "1"},
              {"netfilter/nf_conntrack_timestamp", "1"}};
  s.links = fmt::format(
      "link set lo up\nlink set eth0 address {} up\naddr add {}/24 dev eth0\naddr add {}/64 dev eth0 nodad\nroute add default via {}\n"
      "route add default via {}\n",
      mac_text(n.mac), ip_text(n.ip), node_six(cluster, n.ip), ip_text(c.vnet_base + 1), node_six(cluster, 1));
  for (uint32_t i = 0; i < c.nodes.size(); ++i)
    if (i != node && c.nodes[i].deleted == kNever) s.links += neighbour_route(w, cluster, i).links;
  return s;
}

Setup neighbour_route(const World& w, uint32_t cluster, uint32_t other) {
  const Cluster& c = w.clusters[cluster];
  const Node& n = c.nodes[other];
  Setup s;
  s.links = fmt::format("route replace {} via {}\nroute replace {} via {}\n", block_of(c, n), ip_text(n.ip), block_six(c, n),
                        node_six(cluster, n.ip));
  return s;
}

Setup node_rules(const World& w, uint32_t cluster, uint32_t node) {
  const Cluster& c = w.clusters[cluster];
  const Node& n = c.nodes[node];
  std::string service, ingress;
  for (const Pod& p : c.pods) {
    if (p.ended != kNever) continue;
    const Workload& x = w.workload_of(c, p);
    if (x.name == "coredns" && service.empty())
      service = fmt::format("    ip daddr {0} udp dport 53 dnat ip to {1}:53\n    ip daddr {0} tcp dport 53 dnat ip to {1}:53\n",
                            ip_text(c.dns_service), ip_text(p.ip));
    if (x.ssrf && p.node == node && ingress.empty())
      ingress = fmt::format("    ip daddr {} tcp dport {} dnat ip to {}:8080\n", ip_text(n.ip), kIngressPort, ip_text(p.ip));
  }
  Setup s;
  s.rules = fmt::format(
      "table inet kube {{}}\nflush table inet kube\ntable inet kube {{\n  chain prerouting {{\n    type nat hook prerouting priority "
      "dstnat;\n{}{}  }}\n"
      "  chain output {{\n    type nat hook output priority -100;\n{}  }}\n"
      "  chain postrouting {{\n    type nat hook postrouting priority srcnat;\n"
      "    oifname eth0 ip saddr {} ip daddr != {{ {}/16, {}/24 }} masquerade fully-random\n"
      "    oifname eth0 ip6 saddr fd00:244::/64 ip6 daddr != {{ fd00:244::/64, fd00:e::/32 }} masquerade fully-random\n  }}\n}}\n",
      service, ingress, service, block_of(c, n), ip_text(c.pod_base), ip_text(c.vnet_base));
  return s;
}

Setup unreachable_rules(const std::vector<Ip>& addresses) {
  Setup s;
  s.rules = "table inet boot {}\nflush table inet boot\n";
  if (addresses.empty()) {
    s.rules += "delete table inet boot\n";
    return s;
  }
  std::string list;
  for (const Ip ip : addresses) list += (list.empty() ? "" : ", ") + ip_text(ip);
  // A reset ends an attempt at once; an ICMP error does so only where it does not come while connect() is still at work.
  s.rules += fmt::format(
      "table inet boot {{\n  chain forward {{\n    type filter hook forward priority 0;\n    ip daddr {{ {0} }} meta l4proto tcp reject "
      "with tcp "
      "reset\n  }}\n  chain output {{\n    type filter hook output priority 0;\n    ip daddr {{ {0} }} meta l4proto tcp reject with tcp "
      "reset\n  "
      "}}\n}}\n",
      list);
  return s;
}

Setup pod_uplink(const World& w, uint32_t cluster, uint32_t pod, const std::string& netns) {
  const Cluster& c = w.clusters[cluster];
  const Ip ip = c.pods[pod].ip;
  Setup s;
  s.links = fmt::format(
      "link add veth{0} type veth peer name eth0 netns {1}\nlink set veth{0} address {2} up\nroute add {3}/32 dev veth{0}\nroute add "
      "{4}/128 dev "
      "veth{0}\n",
      pod, netns, kGatewayMac, ip_text(ip), pod_six(c, ip));
  return s;
}

Setup pod_setup(const World& w, uint32_t cluster, uint32_t pod) {
  const Cluster& c = w.clusters[cluster];
  const Ip ip = c.pods[pod].ip;
  Setup s;
  s.links = fmt::format(
      "link set lo up\nlink set eth0 up\naddr add {0}/32 dev eth0\naddr add {1}/128 dev eth0 nodad\n"
      "route add {2} dev eth0 scope link\nneigh replace {2} lladdr {3} dev eth0 nud permanent\nneigh replace {4} lladdr {3} dev eth0 nud "
      "permanent\n"
      "route add default via {2} dev eth0\nroute add default via {4} dev eth0\n",
      ip_text(ip), pod_six(c, ip), kGateway, kGatewayMac, kGatewaySix);
  return s;
}

std::string zone_text(const World& w, uint32_t cluster) {
  const Cluster& c = w.clusters[cluster];
  std::string text;
  for (const Endpoint& e : w.endpoints) {
    const auto& pool = e.pools[c.region_index];
    text += e.name;
    for (size_t i = 0; i < pool.size() && i < 2; ++i) text += ' ' + ip_text(pool[i]) + ' ' + six_of(pool[i]);
    text += '\n';
  }
  return text + fmt::format("kubernetes.default.svc.cluster.local {}\n", ip_text(c.api_server));
}

}  // namespace egret::lab
