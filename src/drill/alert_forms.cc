// The alert as people hand it on: rows that somebody exported from the portal, Microsoft Graph's answer, what a workflow got.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <map>

#include "drill/alert.h"

namespace egret::drill {
namespace {

std::string csv_cell(std::string_view cell) {
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

// 4/1/2024, 6:14:09.000 AM
std::string portal_time(Micros t) {
  const std::string i = iso(t, 3);
  const int month = std::stoi(i.substr(5, 2)), day = std::stoi(i.substr(8, 2)), hour = std::stoi(i.substr(11, 2));
  return fmt::format("{}/{}/{}, {}:{} {}", month, day, i.substr(0, 4), hour % 12 == 0 ? 12 : hour % 12, i.substr(14, 9),
                     hour < 12 ? "AM" : "PM");
}

}  // namespace

std::string properties_json(const Alert& alert) {
  JsonWriter w;
  w.begin_object();
  for (const auto& [k, v] : alert.properties) w.key(k).string(v);
  w.end_object();
  return std::move(w).take();
}

void write_portal_alert(Pen& pen, const Alert& a) {
  Output::File file(pen.out, "alert", "alerts/query_data.csv");
  const std::vector<std::pair<std::string, std::string>> cells = {{"TenantId", pen.world.tenant},
                                                                  {"TimeGenerated [UTC]", portal_time(a.made + 30 * kSecond)},
                                                                  {"DisplayName", a.name},
                                                                  {"AlertName", a.name},
                                                                  {"AlertSeverity", a.severity},
                                                                  {"Description", a.description},
                                                                  {"ProviderName", a.provider},
                                                                  {"VendorName", "Microsoft"},
                                                                  {"SystemAlertId", a.id},
                                                                  {"ResourceId", a.resource},
                                                                  {"AlertType", a.type},
                                                                  {"IsIncident", "false"},
                                                                  {"StartTime [UTC]", portal_time(a.start)},
                                                                  {"EndTime [UTC]", portal_time(a.end)},
                                                                  {"ProcessingEndTime [UTC]", portal_time(a.made)},
                                                                  {"RemediationSteps", a.steps},
                                                                  {"ExtendedProperties", properties_json(a)},
                                                                  {"Entities", a.entities},
                                                                  {"ProductName", a.product},
                                                                  {"Status", "New"},
                                                                  {"CompromisedEntity", a.compromised},
                                                                  {"Tactics", a.tactics},
                                                                  {"Techniques", a.techniques},
                                                                  {"Type", "SecurityAlert"}};
  std::string& text = file.text();
  text += "\xEF\xBB\xBF";
  for (const auto& [name, value] : cells) text += (&name == &cells.front().first ? "" : ",") + csv_cell(name);
  text += "\r\n";
  for (const auto& [name, value] : cells) text += (&name == &cells.front().first ? "" : ",") + csv_cell(value);
  text += "\r\n";
  file.row();
}

// The entities as Graph's evidence: each kind has a type of its own, and references are resolved.
namespace {

void evidence(JsonWriter& w, const YAML::Node& entities, Micros at) {
  const std::vector<YAML::Node> nodes(entities.begin(), entities.end());
  std::map<std::string, YAML::Node> by_id;
  for (const YAML::Node& e : nodes) by_id[e["$id"].as<std::string>("")] = e;
  const auto text = [](const YAML::Node& n, const char* key) { return n[key] ? n[key].as<std::string>("") : std::string(); };
  const auto refers = [&](const YAML::Node& n, const char* key) {
    return n[key] && n[key]["$ref"] ? by_id[n[key]["$ref"].as<std::string>()] : YAML::Node();
  };
  for (const YAML::Node& e : nodes) {
    const std::string type = text(e, "Type");
    const std::string kind = type == "host"             ? "deviceEvidence"
                             : type == "ip"             ? "ipEvidence"
                             : type == "dns"            ? "dnsEvidence"
                             : type == "azure-resource" ? "azureResourceEvidence"
                             : type == "K8s-pod"        ? "kubernetesPodEvidence"
                             : type == "K8s-namespace"  ? "kubernetesNamespaceEvidence"
                                                        : "kubernetesClusterEvidence";
    w.begin_object().key("@odata.type").string("#microsoft.graph.security." + kind);
    w.key("createdDateTime").string(iso(at, 7)).key("verdict").string("suspicious").key("remediationStatus").string("none");
    if (type == "host") {
      w.key("deviceDnsName").string(text(e, "HostName")).key("osPlatform").string("Linux");
      w.key("vmMetadata").begin_object().key("resourceId").string(text(e, "AzureID")).end_object();
    } else if (type == "ip") {
      w.key("ipAddress").string(text(e, "Address"));
    } else if (type == "dns") {
      w.key("domainName").string(text(e, "DomainName"));
    } else if (type == "azure-resource") {
      w.key("resourceId").string(text(e, "ResourceId"));
    } else {
      w.key("name").string(text(e, "Name"));
      if (const YAML::Node ns = refers(e, "Namespace"); ns.IsMap())
        w.key("namespace").begin_object().key("name").string(text(ns, "Name")).end_object();
      if (const YAML::Node resource = refers(e, "CloudResource"); resource.IsMap())
        w.key("cloudResource").begin_object().key("resourceId").string(text(resource, "ResourceId")).end_object();
    }
    w.end_object();
  }
}

}  // namespace

void write_graph_alert(Pen& pen, const Alert& a) {
  Output::File file(pen.out, "alert", "alerts/alerts_v2.json");
  JsonWriter w(2);
  const auto text = [&](std::string_view k, std::string_view v) { w.key(k).string(v); };
  std::string severity = a.severity;
  for (char& c : severity) c = static_cast<char>(std::tolower(c));
  w.begin_object();
  text("@odata.context", "https://graph.microsoft.com/v1.0/$metadata#security/alerts_v2");
  w.key("value").begin_array().begin_object();
  text("id", "dc" + a.id);
  text("providerAlertId", a.id);
  text("status", "new");
  text("severity", severity);
  text("serviceSource", a.provider == "Azure Security Center" ? "microsoftDefenderForCloud" : "microsoftSentinel");
  text("detectionSource", a.provider == "Azure Security Center" ? "microsoftDefenderForCloud" : "scheduledAlerts");
  text("productName", a.provider == "Azure Security Center" ? "Microsoft Defender for Cloud" : "Microsoft Sentinel");
  text("detectorId", a.type);
  text("tenantId", pen.world.tenant);
  text("title", a.name);
  text("description", a.description);
  text("category", a.tactics);
  text("alertWebUrl", "https://security.microsoft.com/alerts/dc" + a.id);
  w.key("assignedTo").null();
  w.key("mitreTechniques").raw(a.techniques);
  text("createdDateTime", iso(a.made + 30 * kSecond, 7));
  text("lastUpdateDateTime", iso(a.made + 90 * kSecond, 7));
  w.key("resolvedDateTime").null();
  text("firstActivityDateTime", iso(a.start, 7));
  text("lastActivityDateTime", iso(a.end, 7));
  w.key("evidence").begin_array();
  evidence(w, YAML::Load(a.entities), a.made);
  w.end_array().end_object().end_array().end_object();
  file.text() = std::move(w).take() + '\n';
  file.row();
}

void write_logic_app_alert(Pen& pen, const Alert& a) {
  Output::File file(pen.out, "alert", "alerts/workflow-run.json");
  JsonWriter w(2);
  const auto text = [&](std::string_view k, std::string_view v) { w.key(k).string(v); };
  w.begin_object();
  w.key("headers").raw(R"({"Content-Type":"application/json; charset=utf-8","User-Agent":"azure-security-center-automation"})");
  w.key("body").begin_object();
  text("VendorName", "Microsoft");
  text("AlertType", a.type);
  text("ProductName", a.product == "Azure Sentinel" ? a.product : "Microsoft Defender for Cloud");
  text("ProviderName", a.provider);
  text("StartTimeUtc", iso(a.start, 7));
  text("EndTimeUtc", iso(a.end, 7));
  text("TimeGenerated", iso(a.made + 30 * kSecond, 7));
  text("ProcessingEndTime", iso(a.made, 7));
  text("Severity", a.severity);
  text("Status", "New");
  w.key("ConfidenceLevel").null().key("ConfidenceScore").null();
  w.key("IsIncident").boolean(false);
  text("SystemAlertId", a.id);
  w.key("CorrelationKey").null();
  text("Intent", a.tactics);
  text("AzureResourceId", a.resource);
  text("CompromisedEntity", a.compromised);
  text("AlertDisplayName", a.name);
  text("Description", a.description);
  w.key("RemediationSteps").raw(a.steps);
  w.key("ExtendedProperties").raw(properties_json(a));
  w.key("Entities").raw(a.entities);
  text("AlertUri", "https://portal.azure.com/#blade/Microsoft_Azure_Security_AzureDefenderForData/AlertBlade/alertId/" + a.id);
  w.end_object().end_object();
  file.text() = std::move(w).take() + '\n';
  file.row();
}

}  // namespace egret::drill
