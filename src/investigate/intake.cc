#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "investigate/alert_entities.h"
#include "investigate/question.h"
#include "investigate/rows.h"

namespace egret::investigate {
namespace {

constexpr Ticks kSameIncident = 24 * kTicksPerHour;

int severity_rank(std::string_view s) {
  if (iequals(s, "Critical")) return 4;
  if (iequals(s, "High")) return 3;
  if (iequals(s, "Medium")) return 2;
  if (iequals(s, "Low")) return 1;
  return 0;
}

bool has_destination(const Alert& a) { return !a.address.empty() || !a.name.empty(); }

// An indicator that matches is often one alert per indicator and window: same address or name, or the same pod, within a day.
bool same_incident(const Alert& a, const Alert& b) {
  if (b.time > a.end_time + kSameIncident || a.time > b.end_time + kSameIncident) return false;
  if (!a.address.empty() && a.address == b.address) return true;
  if (!a.name.empty() && a.name == b.name) return true;
  return !a.pod.empty() && a.pod == b.pod && a.cluster == b.cluster;
}

}  // namespace

Result<std::vector<Alert>> read_alerts(store::Engine& engine, Ticks now) {
  TRY(const model::Batch batch, engine.query(R"(SecurityAlert
| extend Start = coalesce(StartTime, TimeGenerated), End = coalesce(EndTime, StartTime, TimeGenerated)
| project TimeGenerated, Start, End, Id = iff(isempty(SystemAlertId), VendorOriginalId, SystemAlertId), Rule = iff(isempty(DisplayName), AlertName, DisplayName),
    Provider = iff(isempty(ProductName), ProviderName, ProductName), AlertSeverity, Description, Entities, ExtendedProperties, CompromisedEntity,
    ResourceId = iff(isempty(ResourceId), _ResourceId, ResourceId), Cluster, Status
| order by TimeGenerated asc)",
                                             now));
  const Rows rows(batch);
  std::vector<Alert> alerts;
  for (size_t i = 0; i < rows.size(); ++i) {
    Alert a;
    a.id = rows.text("Id", i);
    a.time = rows.number("Start", i);
    a.end_time = std::max(a.time, Ticks{rows.number("End", i)});
    a.rule = rows.text("Rule", i);
    a.provider = rows.text("Provider", i);
    a.severity = rows.text("AlertSeverity", i);
    a.cluster = rows.text("Cluster", i);
    const std::string entities = rows.text("Entities", i), properties = rows.text("ExtendedProperties", i),
                      description = rows.text("Description", i), compromised = rows.text("CompromisedEntity", i),
                      resource = rows.text("ResourceId", i);
    read_entities({entities, properties, description, compromised, resource}, a);
    if (a.id.empty()) a.id = sha256_hex(entities + properties + a.rule + std::to_string(a.time)).substr(0, 16);
    // Later rows of one alert are its updates.
    const auto known = std::find_if(alerts.begin(), alerts.end(), [&](const Alert& x) { return x.id == a.id; });
    if (known != alerts.end())
      *known = std::move(a);
    else
      alerts.push_back(std::move(a));
  }
  std::stable_sort(alerts.begin(), alerts.end(), [](const Alert& a, const Alert& b) {
    if (has_destination(a) != has_destination(b)) return has_destination(a);
    if (severity_rank(a.severity) != severity_rank(b.severity)) return severity_rank(a.severity) > severity_rank(b.severity);
    return a.time < b.time;
  });
  return alerts;
}

Result<Intake> take_in(store::Engine& engine, const Question& question, Ticks now) {
  Intake in;
  if (!question.address.empty() || !question.name.empty()) {
    in.alert.id = "question-" + sha256_hex(question.address + "|" + question.name + "|" + question.cluster).substr(0, 12);
    in.alert.rule = "asked by hand";
    in.alert.provider = "egret";
    in.alert.address = question.address;
    in.alert.name = question.name;
    in.alert.cluster = question.cluster;
    in.alert.time = in.alert.end_time = question.time;
    return in;
  }
  TRY(std::vector<Alert> alerts, read_alerts(engine, now));
  if (alerts.empty())
    return not_found(
        "there is no alert in these logs, and no rule found one",
        "ask with --address ADDRESS or --name NAME, and --time TIME when known; `egret collect --print` shows how to export alerts");
  size_t chosen = alerts.size();
  if (!question.alert.empty()) {
    std::vector<std::string> ids;
    for (size_t i = 0; i < alerts.size(); ++i) {
      ids.push_back(alerts[i].id);
      if (alerts[i].id == question.alert || (chosen == alerts.size() && alerts[i].id.starts_with(question.alert))) chosen = i;
    }
    if (chosen == alerts.size()) {
      const std::string near = near_name(question.alert, ids);
      return usage_error(fmt::format("there is no alert '{}'", question.alert),
                         near.empty()
                             ? fmt::format("the alerts are: {}",
                                           join({ids.begin(), ids.begin() + static_cast<long>(std::min<size_t>(ids.size(), 5))}, ", "))
                             : fmt::format("did you mean '{}'?", near));
    }
  } else {
    for (size_t i = 0; i < alerts.size() && chosen == alerts.size(); ++i)
      if (question.cluster.empty() || alerts[i].cluster.empty() || iequals(alerts[i].cluster, question.cluster)) chosen = i;
    if (chosen == alerts.size()) return not_found(fmt::format("no alert is about cluster '{}'", question.cluster));
  }
  in.alert = alerts[chosen];
  if (!has_destination(in.alert) && in.alert.pod.empty() && in.alert.workload.empty())
    return not_found(fmt::format("alert {} names neither an address nor a name that something talked to", in.alert.id),
                     "say it with --address or --name");
  for (size_t i = 0; i < alerts.size(); ++i) {
    if (i == chosen) continue;
    (same_incident(in.alert, alerts[i]) ? in.related : in.others).push_back(alerts[i]);
  }
  return in;
}

}  // namespace egret::investigate
