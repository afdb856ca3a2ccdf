// What the network's own resolvers log: the firewall's DNS proxy (AZFWDnsQuery: questions and the code of the answer) and a DNS security
// policy of the virtual network (DNSQueryLogs: with the answers). Both see the node that a question came from: that of the CoreDNS pod
// which passed it on, or the asker's own where it asks the node's resolver. A name that CoreDNS keeps is not asked for again.
#include <fmt/format.h>

#include <functional>
#include <map>

#include "drill/stages.h"
#include "drill/writers.h"

namespace egret::drill {
namespace {

struct Asked {
  Micros at;
  Ip node;
  std::string name;
  std::vector<Ip> answers;
  uint32_t ttl;
  bool data;  // the name carries data; its answer is a text
};

// Calls `with` for each question that leaves the nodes, in order.
void each_question(Pen& pen, uint32_t index, std::string_view source, const std::function<void(const Asked&)>& with) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  Random random = pen.random.fork("askers");
  const auto [gap_from, gap_to] = pen.gap(c, source);
  std::vector<const Pod*> servers;
  for (const Pod& p : c.pods)
    if (world.workload_of(c, p).name == "coredns") servers.push_back(&p);
  std::map<uint32_t, Micros> kept;  // endpoint: until when CoreDNS has its answer
  std::vector<Asked> all;
  for (uint32_t i = 0; i < c.contacts.size(); ++i) {
    const Contact& k = c.contacts[i];
    if (!k.asked || (k.asked_at >= gap_from && k.asked_at < gap_to)) continue;
    const Endpoint& e = world.endpoints[k.endpoint];
    const bool direct = k.pod == kHostProcess || world.workload_of(c, c.pods[k.pod]).dns_default;
    Ip from = c.nodes[k.node].ip;
    if (!direct) {
      Micros& until = kept[k.endpoint];
      if (k.label == 0 && k.asked_at < until) continue;
      const Pod* server = nullptr;
      for (size_t n = 0, first = random.below(std::max<size_t>(servers.size(), 1)); n < servers.size() && server == nullptr; ++n) {
        const Pod* s = servers[(first + n) % servers.size()];
        if (s->started <= k.asked_at && s->ended > k.asked_at) server = s;
      }
      if (server == nullptr) continue;
      until = k.asked_at + std::min<Micros>(e.ttl, 30) * kSecond;  // AKS keeps answers for 30 seconds at most
      from = c.nodes[server->node].ip;
    }
    const auto answers = world.resolve(k.endpoint, c.region_index, k.asked_at);
    all.push_back({k.asked_at + 700, from, k.label != 0 ? exfil_name(e, k) : e.name, k.label != 0 ? std::vector<Ip>{} : answers, e.ttl,
                   k.label != 0});
    if (source == "dns policy" && k.label == 0) pen.ledger.contacts[index][i] |= kAnswerRow;
  }
  std::stable_sort(all.begin(), all.end(), [](const Asked& a, const Asked& b) { return a.at < b.at; });
  for (const Asked& a : all) with(a);
}

}  // namespace

void write_dns_proxy(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  if (!c.firewall || !forms_of(world).dns_proxy) return;
  Random random = pen.random.fork("dns proxy");
  std::string resource = fmt::format("/SUBSCRIPTIONS/{}/RESOURCEGROUPS/{}/PROVIDERS/MICROSOFT.NETWORK/AZUREFIREWALLS/AFW-{}",
                                     c.subscription, c.resource_group, c.name);
  for (char& ch : resource) ch = static_cast<char>(std::toupper(ch));
  std::optional<Output::File> file;
  Micros hour = 0;
  each_question(pen, index, "dns proxy", [&](const Asked& q) {
    if (!file || q.at >= hour + kHour) {
      hour = q.at / kHour * kHour;
      const std::string when = iso(hour);
      file.reset();
      file.emplace(pen.out, "firewall-dns",
                   fmt::format("{}/insights-logs-azfwdnsquery/resourceId={}/y={}/m={}/d={}/h={}/m=00/PT1H.json", c.name, resource,
                               when.substr(0, 4), when.substr(5, 2), when.substr(8, 2), when.substr(11, 2)));
    }
    const std::string_view type = q.data ? "TXT" : "A";
    fmt::format_to(
        std::back_inserter(file->text()),
        R"({{"category":"AZFWDnsQuery","time":"{}","resourceId":"{}","properties":{{"SourceIp":"{}","SourcePort":{},"QueryId":{},"QueryType":"{}","QueryClass":"IN","QueryName":"{}.","Protocol":"udp","RequestSize":{},"DnssecOkBit":false,"EDNS0BufferSize":1232,"ResponseCode":"NOERROR","ResponseFlags":"qr,rd,ra","ResponseSize":{},"RequestDurationSecs":{:.9f},"ErrorNumber":0,"ErrorMessage":""}}}})",
        iso(q.at + random.between(1, 30) * 1000, 7), resource, ip_text(q.node), random.between(1024, 65535), random.between(1, 65535), type,
        q.name, q.name.size() + 28, q.name.size() * 2 + 60 + q.answers.size() * 16, random.real(0.0005, 0.03));
    file->text() += '\n';
    file->row();
  });
  pen.ledger.sources.insert("firewall-dns");
}

void write_dns_policy(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  if (!forms_of(world).dns_policy) return;
  Random random = pen.random.fork("dns policy");
  TableFile t(pen, c, "DNSQueryLogs");
  const std::string network = fmt::format("/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}",
                                          c.subscription, c.resource_group, c.vnet);
  const std::string policy = fmt::format("/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/dnsResolverPolicies/dnsp-{}",
                                         c.subscription, c.resource_group, world.organisation);
  each_question(pen, index, "dns policy", [&](const Asked& q) {
    std::string answers;
    for (const Ip ip : q.answers)
      answers += fmt::format(R"({}{{"RData":"{}","Type":"A","Class":"IN","TTL":{}}})", answers.empty() ? "" : ",", ip_text(ip), q.ttl);
    if (q.data) answers = R"({"RData":"b2s=","Type":"TXT","Class":"IN","TTL":1})";
    t.begin(q.at)
        .text("OperationName", "RESPONSE_SUCCESS")
        .text("Region", c.region)
        .text("VirtualNetworkId", network)
        .text("ResolverPolicyId", policy);
    t.text("SourceIpAddress", ip_text(q.node))
        .number("SourcePort", static_cast<double>(random.between(1024, 65535)))
        .text("QueryName", q.name + '.')
        .text("QueryType", q.data ? "TXT" : "A")
        .text("QueryClass", "IN")
        .text("Transport", "UDP");
    t.number("ResponseCode", 0)
        .number("QueryResponseTime", static_cast<double>(random.between(1, 40)))
        .text("ResolutionPath", "PublicDnsResolution")
        .text("ResolverPolicyRuleAction", "NoMatch")
        .dynamic("Answer", '[' + answers + ']');
    t.end();
  });
  pen.ledger.sources.insert("dns-query-logs");
}

}  // namespace egret::drill
