// The alert that starts the investigation, in one of the forms in which people get it; those of varied fleets are in alert_forms.cc.
#include <fmt/format.h>

#include <algorithm>

#include "drill/alert.h"
#include "drill/writers.h"

namespace egret::drill {
namespace {

Alert compose(Pen& pen) {
  const World& world = pen.world;
  const Cluster& c = world.clusters[world.affected];
  Random random = Random(world.seed).fork("alert");
  const Endpoint& target = world.endpoints[world.target];
  std::vector<const Contact*> contacts;
  for (const Contact& k : c.contacts)
    if (k.culprit && (k.endpoint == world.target || k.address == world.accused)) contacts.push_back(&k);
  assert(!contacts.empty());
  // Detection looks at a stretch of time; it may end before later contacts happen.
  const Micros lag = std::min<Micros>(random.between(12, 50) * kMinute, (world.to - contacts.front()->at) / 2);
  Alert a;
  a.start = contacts.front()->at;
  a.made = a.start + lag;
  a.end = a.start;
  for (const Contact* k : contacts)
    if (k->at < a.made) a.end = k->at;
  a.start = a.start / kSecond * kSecond;
  a.end = a.end / kSecond * kSecond;
  const Contact& first = *contacts.front();
  const Node& node = c.nodes[first.node];
  const std::string vmss = fmt::format("/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{}",
                                       c.subscription, c.node_group, c.vmss);
  a.id = fmt::format("{}_{}", 2'517'000'000'000'000'000LL + random.between(0, 999'999'999'999'999LL), random.uuid());
  const std::string where =
      R"("Location":{"CountryCode":"US","CountryName":"United States","State":"California","City":"San Francisco","Longitude":-122.4,"Latitude":37.8,"Asn":13335})";
  a.resource = c.resource_id;
  const std::string& kind = world.scenario->alert_type;
  if (kind == "surge") {
    const bool names_pod = world.scenario->alert_names == "pod" && first.pod != kHostProcess;
    a.provider = "ASI Scheduled Alerts";
    a.product = "Azure Sentinel";
    a.type = fmt::format("{}_{}", world.workspace_id, random.uuid());
    a.name = random.pick({"Outbound HTTPS volume far above baseline", "Egress to unknown endpoint exceeds learned baseline",
                          "Surge of outbound traffic from AKS workload"});
    a.description = "A sustained increase in outbound HTTPS traffic to an endpoint that was not seen in the learning period.";
    a.tactics = "Exfiltration";
    a.techniques = R"(["T1041"])";
    a.entities = fmt::format(R"([{{"$id":"3","Address":"{}","Type":"ip"}})", ip_text(world.accused));
    std::string details = fmt::format(R"({{"Cluster":["{}"],"DestinationPort":["{}"])", c.name, first.port);
    if (names_pod) {
      const Pod& p = c.pods[first.pod];
      const Workload& x = world.workload_of(c, p);
      details += fmt::format(R"(,"Pod":["{}"],"Namespace":["{}"],"Node":["{}"])", p.name, x.ns, node.name);
      a.entities += fmt::format(
          R"(,{{"$id":"4","Name":"{0}","Namespace":{{"$ref":"5"}},"Type":"K8s-pod"}},{{"$id":"5","Name":"{1}","Cluster":{{"$ref":"6"}},"Type":"K8s-namespace"}},{{"$id":"6","CloudResource":{{"$ref":"7"}},"Type":"K8s-cluster"}},{{"$id":"7","ResourceId":"{2}","Type":"azure-resource"}})",
          p.name, x.ns, c.resource_id);
      a.compromised = p.name;
      pen.ledger.alert_names_pod = true;
    } else {
      details += fmt::format(R"(,"Node":["{}"])", node.name);
      a.entities += fmt::format(R"(,{{"$id":"4","HostName":"{}","Type":"host"}})", node.name);
      a.compromised = node.name;
    }
    a.entities += "]";
    details += "}";
    a.properties = {{"Query Period", "01:00:00"},        {"Query Start Time UTC", iso(a.made - kHour)},
                    {"Query End Time UTC", iso(a.made)}, {"Trigger Operator", "GreaterThan"},
                    {"Trigger Threshold", "0"},          {"Custom Details", details},
                    {"Analytic Rule Name", a.name}};
    a.steps = "[]";
    return a;
  }
  a.provider = "Azure Security Center";
  a.steps =
      R"(["1. Isolate the affected machine.","2. Review the processes and containers that ran at that time.","3. Block the address at the network security group or the firewall."])";
  // Behind a load balancer the detection may know the address that the traffic left from, or the node's.
  const bool by_node = random.chance(0.7);
  const Ip victim = by_node ? node.ip : c.egress_ips[0];
  if (kind == "suspicious-domain" || kind == "mining") {
    a.type = kind == "mining" ? "AzureDNS_CurrencyMining" : "AzureDNS_ThreatIntelSuspectDomain";
    a.name =
        kind == "mining" ? "Digital currency mining activity" : "Communication with suspicious domain identified by threat intelligence";
    a.description = kind == "mining"
                        ? fmt::format("Analysis of DNS transactions from {} detected digital currency mining activity.", c.vmss)
                        : fmt::format(
                              "Communication with suspicious domain was detected by analyzing DNS transactions from your resource and "
                              "comparing against known malicious domains identified by threat intelligence feeds.");
    a.severity = kind == "mining" ? "Low" : "Medium";
    a.tactics = "CommandAndControl";
    a.properties = {{"DomainName", target.name},
                    {"Compromised Host", by_node ? node.name : c.vmss},
                    {"resourceType", "Virtual Machine"},
                    {"ActionTaken", "Detected"}};
    a.entities = fmt::format(
        R"([{{"$id":"3","DomainName":"{}","Type":"dns"}},{{"$id":"4","HostName":"{}","AzureID":"{}","Type":"host"}},{{"$id":"5","ResourceId":"{}","Type":"azure-resource"}},{{"$id":"6","Address":"{}","Type":"ip"}}])",
        target.name, by_node ? node.name : c.vmss, vmss, vmss, ip_text(world.accused));
    pen.ledger.alert_names_target = true;
  } else {
    a.type = "Network_CommunicationWithC2";
    a.name = "Network communication with a malicious machine detected";
    a.severity = "Medium";
    a.tactics = "CommandAndControl";
    a.description = fmt::format(
        "Network traffic analysis indicates that your machine (IP {}) has communicated with what is possibly a Command and Control center. "
        "When the compromised resource is a load balancer or an application gateway, the suspected activity might indicate that one or "
        "more of the resources in the backend pool (of the load balancer or application gateway) has communicated with what is possibly a "
        "Command and Control center.",
        ip_text(victim));
    a.properties = {{"Victim IP", ip_text(victim)},
                    {"Attacker IP", ip_text(world.accused)},
                    {"Attacker Port", std::to_string(first.port)},
                    {"Victim Port", std::to_string(first.nat_port)},
                    {"ActionTaken", "Detected"},
                    {"resourceType", "Virtual Machine"}};
    if (random.chance(0.5)) a.properties.erase(a.properties.begin() + 3);
    a.entities = fmt::format(R"([{{"$id":"4","HostName":"{}","AzureID":"{}","Type":"host"}},{{"$id":"5","Address":"{}",{},"Type":"ip"}}])",
                             by_node ? node.name : c.vmss, vmss, ip_text(world.accused), where);
  }
  a.compromised = by_node ? node.name : c.vmss;
  a.resource = vmss;
  a.techniques = R"(["T1071"])";
  return a;
}

void as_rows(Pen& pen, const Alert& a, bool az) {
  const World& world = pen.world;
  Output::File file(pen.out, "alert", az ? "alerts/SecurityAlert.json" : "alerts/SecurityAlert.jsonl");
  JsonWriter w(az ? 2 : 0);
  if (az) w.begin_array();
  w.begin_object();
  const auto text = [&](std::string_view k, std::string_view v) { w.key(k).string(v); };
  text("AlertLink", "https://portal.azure.com/#blade/Microsoft_Azure_Security_AzureDefenderForData/AlertBlade/alertId/" + a.id);
  text("AlertName", a.name);
  text("AlertSeverity", a.severity);
  text("AlertType", a.type);
  text("CompromisedEntity", a.compromised);
  text("ConfidenceLevel", "Unknown");
  text("Description", a.description);
  text("DisplayName", a.name);
  text("EndTime", iso(a.end, az ? 0 : 7));
  text("Entities", a.entities);
  text("ExtendedProperties", properties_json(a));
  if (az)
    text("IsIncident", "False");
  else
    w.key("IsIncident").boolean(false);
  text("ProcessingEndTime", iso(a.made, 7));
  text("ProductName", a.product);
  text("ProviderName", a.provider);
  text("RemediationSteps", a.steps);
  text("ResourceId", a.resource);
  text("StartTime", iso(a.start, az ? 0 : 7));
  text("Status", "New");
  text("SystemAlertId", a.id);
  text("Tactics", a.tactics);
  text("Techniques", a.techniques);
  text("TenantId", world.tenant);
  text("TimeGenerated", iso(a.made + 30 * kSecond, 7));
  text("Type", "SecurityAlert");
  text("VendorName", "Microsoft");
  if (az) text("TableName", "PrimaryResult");
  w.end_object();
  if (az) w.end_array();
  file.text() = std::move(w).take() + '\n';
  file.row();
}

void as_az_list(Pen& pen, const Alert& a) {
  const Cluster& c = pen.world.clusters[pen.world.affected];
  Output::File file(pen.out, "alert", "alerts/az-security-alert-list.json");
  JsonWriter w(2);
  const auto text = [&](std::string_view k, std::string_view v) { w.key(k).string(v); };
  w.begin_array().begin_object();
  text("id", fmt::format("/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Security/locations/{}/alerts/{}", c.subscription,
                         c.node_group, c.region, a.id));
  text("name", a.id);
  text("type", "Microsoft.Security/Locations/alerts");
  w.key("properties").begin_object();
  text("status", "Active");
  text("timeGeneratedUtc", iso(a.made + 30 * kSecond, 7));
  text("processingEndTimeUtc", iso(a.made, 7));
  text("version", "2022-01-01.0");
  text("vendorName", "Microsoft");
  text("productName", "Microsoft Defender for Cloud");
  text("alertType", a.type);
  text("startTimeUtc", iso(a.start, 7));
  text("endTimeUtc", iso(a.end, 7));
  text("severity", a.severity);
  w.key("isIncident").boolean(false);
  text("systemAlertId", a.id);
  text("intent", a.tactics);
  w.key("resourceIdentifiers").begin_array().begin_object();
  text("azureResourceId", a.resource);
  text("type", "AzureResource");
  w.end_object().end_array();
  text("compromisedEntity", a.compromised);
  text("alertDisplayName", a.name);
  text("description", a.description);
  w.key("extendedProperties").raw(properties_json(a));
  // The REST form writes the members of entities in lower camel case.
  std::string entities = a.entities;
  for (size_t i = 0; i + 1 < entities.size(); ++i)
    if ((entities[i] == '{' || entities[i] == ',') && entities[i + 1] == '"' && i + 2 < entities.size())
      entities[i + 2] = static_cast<char>(std::tolower(entities[i + 2]));
  w.key("entities").raw(entities);
  w.end_object().end_object().end_array();
  file.text() = std::move(w).take() + '\n';
  file.row();
}

}  // namespace

void write_alerts(Pen& pen) {
  const Alert a = compose(pen);
  const Forms forms = forms_of(pen.world);
  switch (forms.alert) {
    case Forms::Alert::kUsual: break;
    case Forms::Alert::kPortalCsv: write_portal_alert(pen, a); break;
    case Forms::Alert::kGraph: write_graph_alert(pen, a); break;
    case Forms::Alert::kLogicApp: write_logic_app_alert(pen, a); break;
  }
  if (forms.alert != Forms::Alert::kUsual) pen.ledger.sources.insert("alert");
  if (forms.alert != Forms::Alert::kUsual && !forms.alert_twice) return;
  const auto form = Random(pen.world.seed).fork("alert form").below(3);
  if (form == 0 && a.provider == "Azure Security Center")
    as_az_list(pen, a);
  else
    as_rows(pen, a, form != 2);
  pen.ledger.sources.insert("alert");
}

}  // namespace egret::drill
