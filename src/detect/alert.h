#pragma once
// What a rule found: one alert, as data and as a row of SecurityAlert.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "detect/rule.h"
#include "model/batch.h"

namespace egret::detect {

// One entity: its type as rules write it, and identifier → value.
struct Entity {
  std::string type;  // "IP", "Host", …; "K8s-pod" and so on for those of the egret section
  std::vector<std::pair<std::string, std::string>> fields;
  std::string_view field(std::string_view identifier) const;
  std::string key() const;  // type and values: equal for equal things
  auto operator<=>(const Entity&) const = default;
};

struct Alert {
  std::string id;  // deterministic: a GUID made of rule, time and what was found
  std::string rule_id, name, description;
  Severity severity = Severity::kMedium;
  std::vector<std::string> tactics, techniques;
  Ticks time = 0;            // when the rule would have raised it
  Ticks start = 0, end = 0;  // of what it rests on: the window, or the rows' own times where they say
  Ticks window_start = 0, window_end = 0;
  int64_t results = 0;  // rows of the query
  int64_t windows = 1;  // in which it was seen again (it is raised once)
  std::vector<Entity> entities;
  std::string cluster, node, ns, pod, workload;                 // where; workload as namespace/Kind/name
  std::string criticality;                                      // of the workload: Critical, High, Medium, Low or empty
  std::string criticality_source;                               // why: a label, an annotation, the list
  std::vector<std::pair<std::string, std::string>> details;     // customDetails: name, value
  std::vector<std::pair<std::string, std::string>> properties;  // overridden columns of SecurityAlert
  std::string query;                                            // of the rule
  std::string incident_key;                                     // what alerts of this rule are grouped by
  IncidentConfiguration incident;
};

// SecurityAlert.Entities: [{"$id":"2","Address":"192.0.2.1","Type":"ip"}, …], Kubernetes entities nested as Defender writes them.
std::string entities_json(const Alert& alert);
// Rows of SecurityAlert with ProviderName "egret".
model::Batch to_security_alerts(const std::vector<Alert>& alerts);

// A GUID that is the same for the same text.
std::string guid_of(std::string_view text);

}  // namespace egret::detect
