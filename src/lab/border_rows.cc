#include "lab/border_rows.h"

#include <algorithm>
#include <fstream>

#include "base/number.h"
#include "base/text.h"
#include "lab/fleet.h"
#include "lab/network.h"

namespace egret::lab {

using namespace drill;

namespace {

bool of_platform(const IpAddress& a) { return a == *IpAddress::parse(kMetadataAddress) || a == *IpAddress::parse(kPlatformResolver); }

// The last line may be half written: it is no row.
bool parse(const std::string& line, FlowTuple& t) {
  const std::vector<std::string> f = split(line, '\t');
  if (f.size() != 11 || f[6].size() != 1) return false;
  const auto from = IpAddress::parse(f[1]), to = IpAddress::parse(f[2]);
  if (!from || !to) return false;
  t.source = *from;
  t.destination = *to;
  t.state = f[6][0];
  return read_number(f[0], t.ms) && read_number(f[3], t.source_port) && read_number(f[4], t.destination_port) &&
         read_number(f[5], t.protocol) && read_number(f[7], t.packets_out) && read_number(f[8], t.bytes_out) &&
         read_number(f[9], t.packets_in) && read_number(f[10], t.bytes_in);
}

}  // namespace

std::map<uint32_t, NodeFlows> read_border(const std::filesystem::path& path, const Cluster& cluster, uint32_t index) {
  std::map<IpAddress, uint32_t> node_of;
  for (uint32_t n = 0; n < cluster.nodes.size(); ++n) {
    node_of[IpAddress::v4(cluster.nodes[n].ip)] = n;
    node_of[*IpAddress::parse(node_six(index, cluster.nodes[n].ip))] = n;
  }
  std::map<uint32_t, NodeFlows> flows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    FlowTuple t;
    if (!parse(line, t) || of_platform(t.source) || of_platform(t.destination)) continue;
    if (const auto from = node_of.find(t.source); from != node_of.end()) {
      flows[from->second].out.push_back(t);
    } else if (const auto to = node_of.find(t.destination); to != node_of.end()) {
      t.direction = 'I';
      flows[to->second].in.push_back(t);
    }
  }
  return flows;
}

std::vector<Contact> contacts_with(const std::map<uint32_t, NodeFlows>& flows, Ip address) {
  std::vector<Contact> found;
  for (const auto& [node, f] : flows) {
    std::map<uint16_t, size_t> open;
    for (const FlowTuple& t : f.out) {
      if (t.destination != IpAddress::v4(address)) continue;
      if (t.state == 'B') {
        Contact k;
        k.at = t.ms * 1000;
        k.node = node;
        k.address = address;
        k.port = t.destination_port;
        k.nat_port = t.source_port;
        k.protocol = t.protocol;
        k.culprit = true;
        open[t.source_port] = found.size();
        found.push_back(k);
      }
      const auto at = open.find(t.source_port);
      if (at == open.end()) continue;
      Contact& k = found[at->second];
      k.out += t.bytes_out;
      k.in += t.bytes_in;
      k.duration_ms = static_cast<uint32_t>(t.ms - k.at / 1000);
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Contact& a, const Contact& b) { return a.at < b.at; });
  return found;
}

}  // namespace egret::lab
