#include "detect/criticality.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>

#include "base/embedded.h"
#include "base/text.h"

namespace egret::detect {
namespace {

const std::vector<std::string> kLevels = {"Critical", "High", "Medium", "Low"};

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  // The usual two-finger walk: on a mismatch, the last star takes one more character.
  size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::string criticality_level(std::string_view mark) {
  const std::string m = to_lower(trim(mark));
  if (m == "critical" || m == "true" || m == "tier0" || m == "tier-0" || m == "0" || m == "mission-critical" || m == "business-critical")
    return "Critical";
  if (m == "high" || m == "tier1" || m == "tier-1" || m == "1") return "High";
  if (m == "medium" || m == "normal" || m == "tier2" || m == "tier-2" || m == "2") return "Medium";
  if (m == "low" || m == "tier3" || m == "tier-3" || m == "3") return "Low";
  return {};
}

Result<std::vector<CriticalityEntry>> read_criticality(std::string_view yaml, std::string_view file) {
  std::vector<CriticalityEntry> entries;
  const auto wrong = [&](const YAML::Mark& m, std::string message, std::string hint = {}) {
    return usage_error(fmt::format("{}:{}:{}: error: {}", file, m.line + 1, m.column + 1, message), std::move(hint));
  };
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root.IsMap() || !root["workloads"].IsSequence()) return wrong({}, "there is no list 'workloads'");
    for (const auto& item : root["workloads"]) {
      if (!item.IsMap()) return wrong(item.Mark(), "an entry is a mapping with level and at least one of cluster, namespace, workload");
      CriticalityEntry e;
      bool narrowed = false;
      for (const auto& field : item) {
        const std::string key = field.first.as<std::string>();
        const std::string value = field.second.as<std::string>();
        if (key == "cluster")
          e.cluster = value;
        else if (key == "namespace")
          e.ns = value;
        else if (key == "workload")
          e.workload = value;
        else if (key == "level")
          e.level = value;
        else if (key == "reason")
          e.reason = value;
        else
          return wrong(field.first.Mark(), fmt::format("an entry has no key '{}'", key),
                       fmt::format("did you mean '{}'?",
                                   near_name(key, std::vector<std::string>{"cluster", "namespace", "workload", "level", "reason"})));
        narrowed |= key == "cluster" || key == "namespace" || key == "workload";
      }
      if (std::find(kLevels.begin(), kLevels.end(), e.level) == kLevels.end())
        return wrong(item.Mark(), fmt::format("level cannot be '{}'", e.level), "one of Critical, High, Medium, Low");
      if (!narrowed) return wrong(item.Mark(), "this entry would match every workload", "name a cluster, a namespace or a workload");
      entries.push_back(std::move(e));
    }
  } catch (const YAML::Exception& e) {
    return wrong(e.mark, e.msg);
  }
  return entries;
}

Result<void> add_criticality(store::Engine& engine, Ticks now, std::vector<Alert>& alerts) {
  std::vector<CriticalityEntry> list;
  if (const auto file = content_file("criticality.yaml")) {
    TRY(list, read_criticality(file->text, file->origin == "built in" ? "criticality.yaml" : file->origin));
  }
  std::map<std::pair<std::string, std::string>, std::string> marked;  // cluster and workload → level
  bool any = false;
  for (const Alert& a : alerts) any |= !a.workload.empty();
  if (!any) return {};
  if (engine.row_count("EgretKubeObjects") > 0) {
    TRY(const model::Batch rows,
        engine.query("EgretWorkloads | where isnotempty(Criticality) | project Cluster, Workload, Criticality", now));
    for (size_t i = 0; i < rows.rows(); ++i)
      if (std::string level = criticality_level(rows.to_text(2, i)); !level.empty())
        marked[{rows.to_text(0, i), rows.to_text(1, i)}] = std::move(level);
  }
  for (Alert& a : alerts) {
    if (a.workload.empty()) continue;
    if (const auto it = marked.find({a.cluster, a.workload}); it != marked.end()) {
      a.criticality = it->second;
      a.criticality_source = "its labels or annotations";
      continue;
    }
    const auto parts = split(a.workload, '/');
    const std::string& name = parts.back();
    for (const CriticalityEntry& e : list)
      if (matches_pattern(e.cluster, a.cluster) && matches_pattern(e.ns, a.ns) && matches_pattern(e.workload, name)) {
        a.criticality = e.level;
        a.criticality_source = e.reason.empty() ? "criticality.yaml" : "criticality.yaml: " + e.reason;
        break;
      }
  }
  return {};
}

}  // namespace egret::detect
