// Azure Firewall in front of a cluster: network rules with the node's address and the translated port, application rules with
// the name from the TLS greeting, DNS questions of the proxy.
#include <fmt/format.h>

#include "drill/writers.h"

namespace egret::drill {

void write_firewall(Pen& pen, uint32_t index) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[index];
  if (!c.firewall) return;
  Random random = pen.random;
  const auto [gap_from, gap_to] = pen.gap(c, "firewall");
  std::string resource = fmt::format("/SUBSCRIPTIONS/{}/RESOURCEGROUPS/{}/PROVIDERS/MICROSOFT.NETWORK/AZUREFIREWALLS/AFW-{}",
                                     c.subscription, c.resource_group, c.name);
  for (char& ch : resource) ch = static_cast<char>(std::toupper(ch));
  // Teams log either what the network rules or what the application rules let through.
  const bool application = Random(world.seed).fork("firewall rules").chance(0.4);
  const std::string category = application ? "AZFWApplicationRule" : "AZFWNetworkRule";
  std::string lower = category;
  for (char& ch : lower) ch = static_cast<char>(std::tolower(ch));
  size_t i = 0;
  for (Micros hour = world.from / kHour * kHour; hour < world.to; hour += kHour) {
    const std::string when = iso(hour);
    Output::File file(pen.out, application ? "firewall-application" : "firewall-network",
                      fmt::format("{}/insights-logs-{}/resourceId={}/y={}/m={}/d={}/h={}/m=00/PT1H.json", c.name, lower, resource,
                                  when.substr(0, 4), when.substr(5, 2), when.substr(8, 2), when.substr(11, 2)));
    for (; i < c.contacts.size() && c.contacts[i].at < hour + kHour; ++i) {
      const Contact& k = c.contacts[i];
      // An application rule is one of the web; what else the fleet does is let through by network rules that nobody logs then.
      if (application && k.port != 443 && k.port != 80) continue;
      if (k.dns_only || (k.at >= gap_from && k.at < gap_to)) continue;
      const Endpoint& e = world.endpoints[k.endpoint];
      const Node& n = c.nodes[k.node];
      fmt::format_to(std::back_inserter(file.text()), R"({{"category":"{}","time":"{}","resourceId":"{}","properties":{{)", category,
                     iso(k.at + random.between(1, 40) * 1000, 7), resource);
      if (application) {
        fmt::format_to(
            std::back_inserter(file.text()),
            R"("Protocol":"{}","SourceIp":"{}","SourcePort":{},"DestinationPort":{},"Fqdn":"{}","TargetUrl":"","Action":"Allow","Policy":"afwp-{}","RuleCollectionGroup":"DefaultApplicationRuleCollectionGroup","RuleCollection":"allow-web","Rule":"any-web","ActionReason":"","IsTlsInspected":false,"WebCategory":"","IsExplicitProxyRequest":false}}}})",
            k.port == 443 ? "HTTPS" : "HTTP", ip_text(n.ip), k.nat_port, k.port, e.name, world.organisation);
        pen.ledger.contacts[index][i] |= kFlowRow | kAnswerRow;
      } else {
        fmt::format_to(
            std::back_inserter(file.text()),
            R"("Protocol":"TCP","SourceIp":"{}","SourcePort":{},"DestinationIp":"{}","DestinationPort":{},"Action":"Allow","Policy":"afwp-{}","RuleCollectionGroup":"DefaultNetworkRuleCollectionGroup","RuleCollection":"allow-out","Rule":"aks-egress","ActionReason":""}}}})",
            ip_text(n.ip), k.nat_port, ip_text(k.address), k.port, world.organisation);
        pen.ledger.contacts[index][i] |= kFlowRow;
      }
      file.text() += '\n';
      file.row();
    }
  }
  pen.ledger.sources.insert(application ? "firewall-application" : "firewall-network");
}

}  // namespace egret::drill
