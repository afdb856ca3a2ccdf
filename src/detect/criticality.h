#pragma once
// How critical a workload is: from its labels and annotations (content function EgretWorkloads), else from a list
// (content/criticality.yaml, which the user's content folder overrides).
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "detect/alert.h"
#include "store/engine.h"

namespace egret::detect {

struct CriticalityEntry {
  std::string cluster = "*", ns = "*", workload = "*";  // patterns with * and ?; workload is the name without namespace and kind
  std::string level;                                    // Critical, High, Medium, Low
  std::string reason;
};

Result<std::vector<CriticalityEntry>> read_criticality(std::string_view yaml, std::string_view file);
// "critical", "tier-0", "business-critical: true" … as one of the four levels; empty for anything else.
std::string criticality_level(std::string_view mark);
bool matches_pattern(std::string_view pattern, std::string_view text);

// Fills Alert::criticality where a workload is named.
Result<void> add_criticality(store::Engine& engine, Ticks now, std::vector<Alert>& alerts);

}  // namespace egret::detect
