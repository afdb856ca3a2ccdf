#include "detect/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/ip.h"
#include "base/text.h"

namespace egret::detect {
namespace {

// Limits of Sentinel: alerts of one run, and entities of one alert.
constexpr size_t kMostAlerts = 150, kMostEntities = 500;
constexpr size_t kLongestName = 256, kLongestDescription = 5000;

// Columns that say when what a row is about began and ended, in the order of trust.
constexpr std::string_view kStarts[] = {"StartTime", "StartTimeUtc", "FirstSeen", "First", "TimeGenerated", "Time"};
constexpr std::string_view kEnds[] = {"EndTime", "EndTimeUtc", "LastSeen", "Last", "TimeGenerated", "Time"};

std::optional<Ticks> time_of(const model::Batch& rows, size_t row, std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    const int c = rows.find_column(name);
    if (c >= 0 && rows.table().columns[static_cast<size_t>(c)].type == model::Type::kDatetime && !rows.is_null(c, row))
      return rows.number(c, row);
  }
  return {};
}

std::string value(const model::Batch& rows, size_t row, const std::string& column) {
  const int c = column.empty() ? -1 : rows.find_column(column);
  return c < 0 ? std::string() : rows.to_text(c, row);
}

void cut(std::string& text, size_t most) {
  if (text.size() <= most) return;
  size_t end = most - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text = text.substr(0, end) + "…";
}

// "DESKTOP-1.corp.example" and "user@corp.example" are what rules call FullName; the entity has them in parts.
void add_field(Entity& e, const std::string& identifier, std::string v) {
  if (v.empty()) return;
  if (identifier == "FullName" && e.type == "Host") {
    const size_t dot = v.find('.');
    e.fields.emplace_back("HostName", v.substr(0, dot));
    if (dot != std::string::npos) e.fields.emplace_back("DnsDomain", v.substr(dot + 1));
  } else if (identifier == "FullName" && e.type == "Account") {
    const size_t at = v.find('@'), slash = v.find('\\');
    if (slash != std::string::npos) {
      e.fields.emplace_back("Name", v.substr(slash + 1));
      e.fields.emplace_back("NTDomain", v.substr(0, slash));
    } else {
      e.fields.emplace_back("Name", v.substr(0, at));
      if (at != std::string::npos) e.fields.emplace_back("UPNSuffix", v.substr(at + 1));
    }
  } else {
    e.fields.emplace_back(identifier, std::move(v));
  }
}

bool is_private_address(const Entity& e) {
  if (e.type != "IP") return false;
  const auto address = IpAddress::parse(e.field("Address"));
  return address && address->is_private();
}

}  // namespace

struct Findings::Found {
  std::string key;
  std::vector<Entity> entities;
  std::string cluster, node, ns, pod, workload;
  std::string name, description, severity, tactics;
  std::vector<std::pair<std::string, std::string>> details, properties;
  std::optional<Ticks> start, end;
};

bool Findings::triggered(size_t rows) const {
  const auto n = static_cast<int64_t>(rows);
  if (rule_.kind == RuleKind::kNrt) return n > 0;
  switch (rule_.trigger) {
    case TriggerOperator::kGreater: return n > rule_.threshold;
    case TriggerOperator::kLess: return n < rule_.threshold;
    case TriggerOperator::kEqual: return n == rule_.threshold;
    case TriggerOperator::kNotEqual: return n != rule_.threshold;
  }
  return false;
}

std::string Findings::fill(const std::string& format, const model::Batch& rows, size_t row) const {
  std::string out;
  size_t at = 0;
  for (size_t open = format.find("{{"); open != std::string::npos; open = format.find("{{", at)) {
    const size_t close = format.find("}}", open);
    if (close == std::string::npos) break;
    out += format.substr(at, open - at);
    out += value(rows, row, std::string(trim(std::string_view(format).substr(open + 2, close - open - 2))));
    at = close + 2;
  }
  return out + format.substr(at);
}

Findings::Found Findings::read(const model::Batch& rows, size_t row) const {
  Found f;
  for (const EntityMapping& m : rule_.entities) {
    Entity e{m.type, {}};
    for (const FieldMapping& field : m.fields) add_field(e, field.identifier, value(rows, row, field.column));
    if (!e.fields.empty() && std::find(f.entities.begin(), f.entities.end(), e) == f.entities.end()) f.entities.push_back(std::move(e));
  }
  f.cluster = value(rows, row, rule_.egret.cluster);
  f.node = value(rows, row, rule_.egret.node);
  f.ns = value(rows, row, rule_.egret.ns);
  f.pod = value(rows, row, rule_.egret.pod);
  f.workload = value(rows, row, rule_.egret.workload);
  if (f.ns.empty() && std::count(f.workload.begin(), f.workload.end(), '/') == 2) f.ns = f.workload.substr(0, f.workload.find('/'));
  f.name = rule_.name_format.empty() ? rule_.name : fill(rule_.name_format, rows, row);
  f.description = rule_.description_format.empty() ? rule_.description : fill(rule_.description_format, rows, row);
  f.severity = value(rows, row, rule_.severity_column);
  f.tactics = value(rows, row, rule_.tactics_column);
  for (const auto& [name, column] : rule_.custom_details) f.details.emplace_back(name, value(rows, row, column));
  for (const AlertProperty& p : rule_.properties)
    if (std::string v = value(rows, row, p.column); !v.empty()) f.properties.emplace_back(p.property, std::move(v));
  f.start = time_of(rows, row, kStarts);
  f.end = time_of(rows, row, kEnds);
  if (f.end && f.start && *f.end < *f.start) f.end = f.start;

  // What the row is about: its entities and where. Where a workload is named, its pods, their nodes and addresses are one party.
  // A rule that maps nothing is about whole rows.
  for (const Entity& e : f.entities)
    if (f.workload.empty() || !is_private_address(e)) f.key += e.key() + "\x1e";
  f.key += f.cluster + "\x1f" + f.workload;
  if (f.workload.empty()) f.key += "\x1f" + f.node + "\x1f" + f.pod;
  if (rule_.entities.empty() && f.cluster.empty() && f.node.empty() && f.pod.empty() && f.workload.empty())
    for (size_t c = 0; c < rows.table().columns.size(); ++c) f.key += rows.to_text(static_cast<int>(c), row) + "\x1f";
  return f;
}

void Findings::raise(const Window& window, std::vector<Found> found, size_t results) {
  const Found& first = found.front();
  Alert a;
  a.rule_id = rule_.id;
  a.name = first.name;
  a.description = first.description;
  cut(a.name, kLongestName);
  cut(a.description, kLongestDescription);
  a.severity = rule_.severity;
  for (const Severity s : {Severity::kInformational, Severity::kLow, Severity::kMedium, Severity::kHigh})
    if (iequals(first.severity, severity_name(s))) a.severity = s;
  a.tactics = rule_.tactics;
  if (!first.tactics.empty()) {
    a.tactics.clear();
    for (const std::string& t : split(first.tactics, ','))
      if (const std::string_view name = trim(t); !name.empty()) a.tactics.emplace_back(name);
  }
  a.techniques = rule_.techniques;
  a.time = window.run_at;
  a.window_start = window.start;
  a.window_end = window.end;
  a.start = window.end;
  a.end = window.start;
  bool timed = true;
  a.cluster = first.cluster;
  a.node = first.node;
  a.ns = first.ns;
  a.pod = first.pod;
  a.workload = first.workload;
  a.results = static_cast<int64_t>(results);
  std::string keys;
  std::set<Entity> entities;
  std::map<std::string, std::vector<std::string>> details;
  for (Found& f : found) {
    keys += f.key + "\x1d";
    for (Entity& e : f.entities)
      if (a.entities.size() < kMostEntities && entities.insert(e).second) a.entities.push_back(std::move(e));
    for (auto& [name, v] : f.details)
      if (auto& all = details[name]; std::find(all.begin(), all.end(), v) == all.end()) all.push_back(v);
    timed &= f.start.has_value();
    if (f.start) a.start = std::min(a.start, *f.start);
    if (f.end) a.end = std::max(a.end, *f.end);
    // One alert about several places names none of them as the place; of a workload's pods, the first stands for all.
    const bool same_workload = !f.workload.empty() && f.workload == a.workload && f.cluster == a.cluster;
    if (f.cluster != a.cluster) a.cluster.clear();
    if (f.node != a.node && !same_workload) a.node.clear();
    if (f.ns != a.ns) a.ns.clear();
    if (f.pod != a.pod && !same_workload) a.pod.clear();
    if (f.workload != a.workload) a.workload.clear();
    seen_[f.key] = {alerts_.size(), window.end};
  }
  if (!timed) {
    a.start = window.start;
    a.end = window.end;
  }
  for (const auto& [name, column] : rule_.custom_details) {
    (void)column;
    a.details.emplace_back(name, join(details[name], ", "));
  }
  a.properties = first.properties;
  a.query = rule_.query;
  a.incident = rule_.incident;
  a.id = guid_of(fmt::format("{}\x1c{}\x1c{}", rule_.id, window.end, keys));
  alerts_.push_back(std::move(a));
}

Findings::Outcome Findings::take(const Window& window, const model::Batch& rows) {
  if (rows.rows() == 0) {  // a rule that watches for absence: there is nothing to read entities from
    Found nothing;
    nothing.name = rule_.name;
    nothing.description = rule_.description;
    if (const auto it = seen_.find(""); it != seen_.end() && it->second.window_end >= window.start) {
      Alert& a = alerts_[it->second.alert];
      ++a.windows;
      a.end = window.end;
      it->second.window_end = window.end;
      return Outcome::kRepeated;
    }
    raise(window, {std::move(nothing)}, 0);
    return Outcome::kRaised;
  }
  std::vector<Found> fresh;
  std::set<size_t> continued;
  std::set<std::string> here;
  for (size_t row = 0; row < rows.rows(); ++row) {
    Found f = read(rows, row);
    const auto it = seen_.find(f.key);
    if (it != seen_.end() && it->second.window_end >= window.start && it->second.window_end < window.end) {
      Alert& a = alerts_[it->second.alert];
      if (f.end) a.end = std::max(a.end, *f.end);
      continued.insert(it->second.alert);
      it->second.window_end = window.end;
      here.insert(f.key);
      continue;
    }
    if (here.contains(f.key)) {  // another row about what this window continues
      Alert& a = alerts_[it->second.alert];
      if (f.end) a.end = std::max(a.end, *f.end);
      continue;
    }
    fresh.push_back(std::move(f));
  }
  for (const size_t i : continued) ++alerts_[i].windows;
  if (fresh.empty()) return Outcome::kRepeated;
  if (rule_.grouping == Grouping::kSingleAlert) {
    raise(window, std::move(fresh), rows.rows());
    return Outcome::kRaised;
  }
  // One alert per result; rows about the same thing are one. Past the limit, the rest is one alert.
  std::map<std::string, size_t> group_of;
  std::vector<std::vector<Found>> groups;
  for (Found& f : fresh) {
    const auto [it, added] = group_of.emplace(f.key, groups.size());
    if (added) {
      if (groups.size() == kMostAlerts)
        it->second = kMostAlerts - 1;
      else
        groups.emplace_back();
    }
    groups[it->second].push_back(std::move(f));
  }
  for (auto& g : groups) {
    const size_t n = g.size();
    raise(window, std::move(g), n);
  }
  return Outcome::kRaised;
}

}  // namespace egret::detect
