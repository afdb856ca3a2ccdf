#pragma once
// A detection rule: Microsoft Sentinel's analytics rule as its YAML has it, plus the section `egret`, which Sentinel ignores.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace egret::detect {

enum class RuleKind { kScheduled, kNrt };
enum class Severity { kInformational, kLow, kMedium, kHigh };
enum class TriggerOperator { kGreater, kLess, kEqual, kNotEqual };
enum class Grouping { kSingleAlert, kAlertPerResult };

const char* severity_name(Severity s);  // "High"

struct FieldMapping {
  std::string identifier, column;
};

struct EntityMapping {
  std::string type;  // "IP"
  std::vector<FieldMapping> fields;
};

struct AlertProperty {
  std::string property, column;
};

// How alerts of a rule join into incidents.
struct IncidentConfiguration {
  bool create = true;
  bool group = false;
  Ticks lookback = 5 * kTicksPerHour;
  enum class Matching { kAllEntities, kAnyAlert, kSelected } matching = Matching::kAllEntities;
  std::vector<std::string> group_by_entities, group_by_details;
};

// What Sentinel's format cannot say.
struct Extension {
  // Columns of the result that name where it happened; empty: none. An alert carries them as Kubernetes entities.
  std::string cluster, node, ns, pod, workload;
  enum class Clock { kEvent, kIngestion } clock = Clock::kEvent;  // which time the window means
  Ticks delay = 5 * kTicksPerMinute;                              // a window is evaluated so long after its end, for rows that come late
  std::vector<std::string> whole_history;  // tables that the window does not cut (state, not events); tables named Egret… never are
  bool on_absence = false;                 // it looks for what did not happen: windows without any row are evaluated too
};

struct Rule {
  std::string id, name, description, version;
  Severity severity = Severity::kMedium;
  RuleKind kind = RuleKind::kScheduled;
  bool enabled = true;
  Ticks frequency = kTicksPerHour, period = kTicksPerHour;
  TriggerOperator trigger = TriggerOperator::kGreater;
  int64_t threshold = 0;
  std::vector<std::string> tactics, techniques;  // "Exfiltration", "T1041" or "T1071.001"
  std::string query;
  std::vector<EntityMapping> entities;
  std::vector<std::string> entity_columns;                          // sentinelEntitiesMappings: columns that hold entities as JSON
  std::vector<std::pair<std::string, std::string>> custom_details;  // name, column
  std::string name_format, description_format, severity_column, tactics_column;
  std::vector<AlertProperty> properties;
  Grouping grouping = Grouping::kSingleAlert;
  bool suppress = false;
  Ticks suppression = 0;
  IncidentConfiguration incident;
  Extension egret;
  std::string file;  // as shown to the user
};

}  // namespace egret::detect
