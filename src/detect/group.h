#pragma once
// Alerts that belong together: one incident.
#include <string>
#include <vector>

#include "detect/alert.h"

namespace egret::detect {

struct AlertGroup {
  std::string id;     // deterministic: of its first alert
  std::string title;  // of the gravest alert
  Severity severity = Severity::kInformational;
  Ticks start = 0, end = 0;
  std::vector<size_t> alerts;     // indices into what was grouped, by time
  std::vector<Entity> entities;   // shared by two alerts or more; of a single alert, all
  std::string cluster, workload;  // where all agree, else empty
};

struct GroupOptions {
  Ticks within = 5 * kTicksPerHour;  // between the end of one and the start of the next
};

// Alerts join when they share an entity that tells things apart (a public address, a pod, a workload, a node, a name; not a
// cluster or a private address without its cluster) and lie near in time. A rule's incidentConfiguration is honoured: one that
// says createIncident: false joins others but never stands alone; AnyAlert joins all alerts of that rule.
std::vector<AlertGroup> group(const std::vector<Alert>& alerts, const GroupOptions& options = {});

}  // namespace egret::detect
