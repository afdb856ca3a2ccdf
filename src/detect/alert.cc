#include "detect/alert.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "detect/attack.h"
#include "model/catalogue.h"

namespace egret::detect {

std::string_view Entity::field(std::string_view identifier) const {
  for (const auto& [name, value] : fields)
    if (name == identifier) return value;
  return {};
}

std::string Entity::key() const {
  std::string out = type;
  for (const auto& [name, value] : fields) out += "\x1f" + name + "=" + to_lower(value);
  return out;
}

std::string guid_of(std::string_view text) {
  const std::string hash = sha256_hex(text);
  // Version 8 (free form) and the RFC variant, so that it is a valid GUID.
  return fmt::format("{}-{}-8{}-{}{}-{}", hash.substr(0, 8), hash.substr(8, 4), hash.substr(13, 3), "89ab"[hash[16] & 3],
                     hash.substr(17, 3), hash.substr(20, 12));
}

namespace {

// Kubernetes entities refer to one another: a pod to its namespace, that to its cluster.
void write_kubernetes(JsonWriter& w, const Alert& a, int& id) {
  if (a.cluster.empty() && a.pod.empty() && a.workload.empty()) return;
  const auto begin = [&](std::string_view type, std::string_view name) {
    w.begin_object().key("$id").string(std::to_string(++id));
    if (!name.empty()) w.key("Name").string(name);
    return fmt::format("{{\"$ref\":\"{}\"}}", id) + (w.key("Type").string(type), "");
  };
  std::string cluster, space;
  if (!a.cluster.empty()) {
    cluster = begin("K8s-cluster", a.cluster);
    w.end_object();
  }
  if (!a.ns.empty()) {
    space = begin("K8s-namespace", a.ns);
    if (!cluster.empty()) w.key("Cluster").raw(cluster);
    w.end_object();
  }
  const auto parts = split(a.workload, '/');
  if (parts.size() == 3) {
    begin("K8s-" + to_lower(parts[1]), parts[2]);
    if (!space.empty()) w.key("Namespace").raw(space);
    w.end_object();
  }
  if (!a.pod.empty()) {
    begin("K8s-pod", a.pod);
    if (!space.empty()) w.key("Namespace").raw(space);
    w.end_object();
  }
}

}  // namespace

std::string entities_json(const Alert& alert) {
  JsonWriter w;
  int id = 1;  // Sentinel begins with 2
  w.begin_array();
  for (const Entity& e : alert.entities) {
    w.begin_object().key("$id").string(std::to_string(++id));
    for (const auto& [name, value] : e.fields) w.key(name).string(value);
    const EntityType* type = find_entity_type(e.type);
    w.key("Type").string(type ? type->alert_type : std::string_view(e.type)).end_object();
  }
  if (!alert.node.empty() && std::none_of(alert.entities.begin(), alert.entities.end(),
                                          [&](const Entity& e) { return e.type == "Host" && e.field("HostName") == alert.node; }))
    w.begin_object().key("$id").string(std::to_string(++id)).key("HostName").string(alert.node).key("Type").string("host").end_object();
  write_kubernetes(w, alert, id);
  w.end_array();
  return std::move(w).take();
}

namespace {

std::string json_list(const std::vector<std::string>& values) {
  JsonWriter w;
  w.begin_array();
  for (const std::string& v : values) w.string(v);
  w.end_array();
  return std::move(w).take();
}

std::string extended_properties(const Alert& a) {
  JsonWriter w;
  w.begin_object();
  const auto put = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) w.key(key).string(value);
  };
  put("Query", a.query);
  put("Query Start Time UTC", format_datetime(a.window_start));
  put("Query End Time UTC", format_datetime(a.window_end));
  put("Search Query Results Overall Count", std::to_string(a.results));
  put("Windows", std::to_string(a.windows));
  put("Analytic Rule Ids", json_list({a.rule_id}));
  put("Cluster", a.cluster);
  put("Node", a.node);
  put("Namespace", a.ns);
  put("Pod", a.pod);
  put("Workload", a.workload);
  put("Criticality", a.criticality);
  put("Criticality Source", a.criticality_source);
  if (!a.details.empty()) {
    JsonWriter d;
    d.begin_object();
    for (const auto& [name, value] : a.details) {
      d.key(name).begin_array();
      d.string(value).end_array();
    }
    d.end_object();
    put("Custom Details", std::move(d).take());
  }
  w.end_object();
  return std::move(w).take();
}

}  // namespace

model::Batch to_security_alerts(const std::vector<Alert>& alerts) {
  model::Batch rows(*model::find_table("SecurityAlert"));
  const auto set = [&](const char* column, std::string_view value) {
    if (!value.empty()) rows.set_string(rows.column(column), value);
  };
  const auto set_time = [&](const char* column, Ticks t) { rows.set_datetime(rows.column(column), t); };
  for (const Alert& a : alerts) {
    rows.add_row();
    set_time("TimeGenerated", a.time);
    set_time("StartTime", a.start);
    set_time("EndTime", a.end);
    set_time("ProcessingEndTime", a.time);
    set("SystemAlertId", a.id);
    set("VendorOriginalId", a.id);
    set("AlertType", a.rule_id);
    set("AlertName", a.name);
    set("DisplayName", a.name);
    set("Description", a.description);
    set("AlertSeverity", severity_name(a.severity));
    set("ProviderName", "egret");
    set("VendorName", "Egret");
    set("ProductName", "Egret");
    set("ProductComponentName", "Rules");
    set("Status", "New");
    set("Tactics", join(a.tactics, ", "));
    std::vector<std::string> techniques, sub;
    for (const std::string& t : a.techniques) (t.find('.') == std::string::npos ? techniques : sub).push_back(t);
    for (const std::string& t : sub)
      if (std::find(techniques.begin(), techniques.end(), t.substr(0, t.find('.'))) == techniques.end())
        techniques.push_back(t.substr(0, t.find('.')));
    if (!techniques.empty()) set("Techniques", json_list(techniques));
    if (!sub.empty()) set("SubTechniques", json_list(sub));
    set("CompromisedEntity", !a.pod.empty() ? a.pod : !a.workload.empty() ? a.workload : a.node);
    set("Entities", entities_json(a));
    set("ExtendedProperties", extended_properties(a));
    set("Cluster", a.cluster);
    for (const auto& [property, value] : a.properties)
      if (const int c = rows.find_column(property);
          c >= 0 && rows.table().columns[static_cast<size_t>(c)].type == model::Type::kString && property != "ProviderName")
        rows.set_string(c, value);
  }
  return rows;
}

}  // namespace egret::detect
