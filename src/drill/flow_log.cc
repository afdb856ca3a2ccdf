// Virtual network flow logs (version 4) as Network Watcher writes them: one PT1H.json per network interface and hour. Pods are
// behind their node's address here, with the port that the translation chose.
#include <fmt/format.h>

#include <algorithm>

#include "drill/writers.h"

namespace egret::drill {
namespace {

IpAddress v4(Ip ip) { return IpAddress::v4(ip); }

uint64_t packets(uint64_t bytes) { return bytes == 0 ? 0 : 3 + bytes / 1100; }

void append(std::string& out, const FlowTuple& t) {
  auto to = std::back_inserter(out);
  *to = '"';
  const auto ip = [&](const IpAddress& address) {
    const Ip a = address.v4_value();
    if (address.is_v4())
      fmt::format_to(to, "{}.{}.{}.{},", a >> 24, (a >> 16) & 255, (a >> 8) & 255, a & 255);
    else
      fmt::format_to(to, "{},", address.to_string());
  };
  fmt::format_to(to, "{},", t.ms);
  ip(t.source);
  ip(t.destination);
  fmt::format_to(to, "{},{},{},{},{},NX,{},{},{},{}\"", t.source_port, t.destination_port, t.protocol, t.direction, t.state, t.packets_out,
                 t.bytes_out, t.packets_in, t.bytes_in);
}

// A connection as its rows: begun, a delta for each minute that it lasts, ended.
void connection(std::vector<FlowTuple>& out, Micros at, uint32_t duration_ms, FlowTuple t, uint64_t bytes_out, uint64_t bytes_in) {
  t.ms = at / 1000;
  t.state = 'B';
  t.packets_out = t.bytes_out = t.packets_in = t.bytes_in = 0;
  out.push_back(t);
  const uint64_t minutes = duration_ms / 60'000;
  for (uint64_t m = 1; m <= minutes; ++m) {
    t.ms += 60'000;
    t.state = 'C';
    t.bytes_out = bytes_out / (minutes + 1);
    t.bytes_in = bytes_in / (minutes + 1);
    t.packets_out = packets(t.bytes_out);
    t.packets_in = packets(t.bytes_in);
    out.push_back(t);
  }
  t.ms = at / 1000 + duration_ms;
  t.state = 'E';
  t.bytes_out = bytes_out - minutes * (bytes_out / (minutes + 1));
  t.bytes_in = bytes_in - minutes * (bytes_in / (minutes + 1));
  t.packets_out = packets(t.bytes_out);
  t.packets_in = packets(t.bytes_in);
  out.push_back(t);
}

std::string upper(std::string s) {
  for (char& c : s) c = static_cast<char>(std::toupper(c));
  return s;
}

}  // namespace

void write_node_flows(Pen& pen, const Cluster& c, const Node& node, NodeFlows flows, Micros begin, Micros end, Micros last,
                      const std::function<int()>& copies) {
  const std::string watcher = fmt::format("NETWORKWATCHER_{}", upper(c.region));
  const std::string flow_log = fmt::format("{}-{}-FLOWLOG", upper(c.vnet), upper(c.resource_group));
  const std::string resource =
      fmt::format("/SUBSCRIPTIONS/{}/RESOURCEGROUPS/NETWORKWATCHERRG/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/{}/FLOWLOGS/{}",
                  upper(c.subscription), watcher, flow_log);
  const std::string target = fmt::format("/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}",
                                         c.subscription, c.resource_group, c.vnet);
  const std::string guid = Random(pen.world.seed).fork("flow log " + c.name).uuid();
  const std::string acl =
      fmt::format("/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkSecurityGroups/aks-agentpool-{}-nsg",
                  c.subscription, c.node_group, c.vmss.substr(c.vmss.find('-', 4) + 1, 8));
  const auto by_time = [](const FlowTuple& a, const FlowTuple& b) { return a.ms < b.ms; };
  auto& [out, in, denied] = flows;
  for (auto* tuples : {&out, &in, &denied}) std::stable_sort(tuples->begin(), tuples->end(), by_time);

  size_t o = 0, i = 0, d = 0;
  for (Micros hour = begin / kHour * kHour; hour < end; hour += kHour) {
    const std::string when = iso(hour);
    Output::File file(pen.out, "vnet-flow",
                      fmt::format("{}/insights-logs-flowlogflowevent/flowLogResourceID=/{}_NETWORKWATCHERRG/{}_{}/y={}/m={}/d={}/h={}/"
                                  "m=00/macAddress={}/PT1H.json",
                                  c.name, upper(c.subscription), watcher, flow_log, when.substr(0, 4), when.substr(5, 2), when.substr(8, 2),
                                  when.substr(11, 2), node.mac));
    std::string& text = file.text();
    text += "{\"records\":[";
    bool first_record = true;
    for (Micros minute = hour; minute < hour + kHour; minute += kMinute) {
      const int64_t until = std::min<int64_t>((minute + kMinute) / 1000, last / 1000);
      const size_t o0 = o, i0 = i, d0 = d;
      while (o < out.size() && out[o].ms < until) ++o;
      while (i < in.size() && in[i].ms < until) ++i;
      while (d < denied.size() && denied[d].ms < until) ++d;
      if (o == o0 && i == i0 && d == d0) continue;
      for (int copy = copies(); copy > 0; --copy) {
        if (!first_record) text += ',';
        first_record = false;
        fmt::format_to(
            std::back_inserter(text),
            R"({{"time":"{}","flowLogVersion":4,"flowLogGUID":"{}","macAddress":"{}","category":"FlowLogFlowEvent","flowLogResourceID":"{}","targetResourceID":"{}","operationName":"FlowLogFlowEvent","flowRecords":{{"flows":[{{"aclID":"{}","flowGroups":[)",
            iso(minute + kMinute + 12'562'508, 7), guid, node.mac, resource, target, acl);
        bool first_group = true;
        const auto group = [&](std::string_view rule, const std::vector<FlowTuple>& tuples, size_t from, size_t to) {
          if (from == to) return;
          if (!first_group) text += ',';
          first_group = false;
          fmt::format_to(std::back_inserter(text), R"({{"rule":"{}","flowTuples":[)", rule);
          for (size_t k = from; k < to; ++k) {
            if (k > from) text += ',';
            append(text, tuples[k]);
          }
          text += "]}";
          file.row(to - from);
        };
        group("DefaultRule_AllowInternetOutBound", out, o0, o);
        group("AllowHttpsInBound", in, i0, i);
        group("DefaultRule_DenyAllInBound", denied, d0, d);
        text += "]}]}}";
      }
    }
    text += "]}";
  }
}

void write_flow_logs(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  Random random = pen.random.fork("flow log");
  const Micros flushed = world.to - 4 * kMinute;  // the last minutes have not been written yet
  const bool lost = random.chance(0.05);

  std::vector<std::vector<uint32_t>> of_node(c.nodes.size()), in_of_node(c.nodes.size());
  for (uint32_t i = 0; i < c.contacts.size(); ++i) of_node[c.contacts[i].node].push_back(i);
  for (uint32_t i = 0; i < c.inbound.size(); ++i) in_of_node[c.pods[c.inbound[i].pod].node].push_back(i);

  for (uint32_t n = 0; n < c.nodes.size(); ++n) {
    const Node& node = c.nodes[n];
    std::vector<FlowTuple> out, in, denied;
    out.reserve(of_node[n].size() * 2 + 64);
    for (const uint32_t i : of_node[n]) {
      const Contact& k = c.contacts[i];
      if (k.dns_only) continue;
      connection(out, k.at, k.duration_ms, {0, v4(node.ip), v4(k.address), k.nat_port, k.port, k.protocol, 'O', 'B', 0, 0, 0, 0}, k.out,
                 k.in);
      if (k.at < flushed) pen.ledger.contacts[index][i] |= kFlowRow;
    }
    Random r = random.fork(node.name);
    const Micros begin = std::max(world.from, node.created), end = std::min(flushed, node.deleted);
    for (Micros t = begin + r.between(0, 60) * kSecond; t < end; t += r.between(45, 75) * kSecond)  // the kubelet's watch at the API server
      connection(out, t, static_cast<uint32_t>(r.between(500, 50'000)),
                 {0, v4(node.ip), v4(c.api_server), static_cast<uint16_t>(r.between(32768, 60999)), 443, 6, 'O', 'B', 0, 0, 0, 0},
                 static_cast<uint64_t>(r.between(2000, 40'000)), static_cast<uint64_t>(r.between(4000, 200'000)));
    for (const uint32_t i : in_of_node[n]) {
      const Inbound& q = c.inbound[i];
      connection(in, q.at - 20'000, q.ms + 300,
                 {0, v4(q.client), v4(node.ip), static_cast<uint16_t>(1024 + (q.at / 1000) % 60000), 31380, 6, 'I', 'B', 0, 0, 0, 0}, q.in,
                 q.out);
    }
    for (Micros t = begin + static_cast<Micros>(r.exponential(300) * kSecond); t < end;
         t += static_cast<Micros>(r.exponential(300) * kSecond))
      denied.push_back({t / 1000, v4(static_cast<Ip>(r.between(0x2d000000, 0xc6000000))), v4(node.ip),
                        static_cast<uint16_t>(r.between(1024, 65535)), static_cast<uint16_t>(r.pick({22, 23, 3389, 445, 8080, 6379, 5555})),
                        6, 'I', 'D', 0, 0, 0, 0});
    const Micros last = std::min(flushed, node.deleted == kNever ? flushed : node.deleted + kMinute);
    // Now and then a minute is written twice.
    write_node_flows(pen, c, node, {std::move(out), std::move(in), std::move(denied)}, begin, end, last,
                     [&] { return lost && r.chance(0.01) ? 2 : 1; });
  }
  pen.ledger.sources.insert("vnet-flow");
}

}  // namespace egret::drill
