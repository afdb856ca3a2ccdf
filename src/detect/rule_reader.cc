// Longer than most files: one reader, a method for each part of the format.
#include "detect/rule_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

#include "base/duration.h"
#include "base/text.h"
#include "detect/attack.h"

namespace egret::detect {

const char* severity_name(Severity s) {
  switch (s) {
    case Severity::kInformational: return "Informational";
    case Severity::kLow: return "Low";
    case Severity::kMedium: return "Medium";
    case Severity::kHigh: return "High";
  }
  return "";
}

namespace {

constexpr Ticks kShortest = 5 * kTicksPerMinute, kLongest = 14 * kTicksPerDay;  // what Sentinel's scheduler accepts
constexpr Ticks kNrtWindow = kTicksPerHour;  // of a back-test: each event is seen once, as an NRT rule sees it
constexpr size_t kMostMappings = 10, kMostIdentifiers = 3;

bool is_guid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

bool is_null(const YAML::Node& node) { return !node.IsDefined() || node.IsNull(); }

std::string listed(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view n : names) out += (out.empty() ? "" : ", ") + std::string(n);
  return out;
}

std::string did_you_mean(std::string_view typed, std::span<const std::string_view> names) {
  const std::string near = near_name(typed, names);
  return near.empty() ? fmt::format("one of {}", listed(names)) : fmt::format("did you mean '{}'?", near);
}

class Reader {
 public:
  Reader(std::string_view yaml, std::string_view file) {
    out_.text = std::string(yaml);
    rule_.file = std::string(file);
  }

  RuleFile read() {
    YAML::Node root;
    try {
      root = YAML::Load(out_.text);
    } catch (const YAML::Exception& e) {
      // yaml-cpp stops at the first mistake of syntax: what comes after it cannot be trusted.
      const bool placed = e.mark.line >= 0;
      add(placed ? e.mark.line + 1 : 1, placed ? e.mark.column + 1 : 1, 1, "this is not YAML: " + e.msg,
          syntax_hint(placed ? e.mark.line + 1 : 1));
      return std::move(out_);
    }
    if (!root.IsMap()) {
      add(1, 1, 1, "a rule is a mapping of keys such as id, name, severity and query");
      return std::move(out_);
    }
    try {
      read_root(root);
    } catch (const YAML::Exception& e) {
      add(std::max(e.mark.line, 0) + 1, std::max(e.mark.column, 0) + 1, 1, "this value has an unexpected form: " + e.msg);
    }
    if (!has_errors(out_.diagnostics)) out_.rule = std::move(rule_);
    return std::move(out_);
  }

 private:
  using Names = std::vector<std::string_view>;

  // ---- diagnostics

  void add(int line, int column, int length, std::string message, std::string hint = {}, bool warning = false) {
    out_.diagnostics.push_back({line, column, length, std::move(message), std::move(hint), warning});
  }
  void error(const YAML::Node& at, std::string message, std::string hint = {}) { place(at, std::move(message), std::move(hint), false); }
  void warn(const YAML::Node& at, std::string message, std::string hint = {}) { place(at, std::move(message), std::move(hint), true); }
  void place(const YAML::Node& at, std::string message, std::string hint, bool warning) {
    const YAML::Mark m = at.Mark();
    int length = 1;
    if (at.IsScalar()) {
      const std::string& text = at.Scalar();
      length = static_cast<int>(std::min(text.find('\n'), text.size()));
    }
    add(std::max(m.line, 0) + 1, std::max(m.column, 0) + 1, std::max(length, 1), std::move(message), std::move(hint), warning);
  }

  std::string syntax_hint(int line) const {
    size_t at = 0;
    for (int n = 1; n < line && at != std::string::npos; ++n)
      at = out_.text.find('\n', at) == std::string::npos ? std::string::npos : out_.text.find('\n', at) + 1;
    if (at == std::string::npos) return {};
    const std::string_view text = std::string_view(out_.text).substr(at, out_.text.find('\n', at) - at);
    if (text.find('\t') != std::string_view::npos) return "YAML is indented with spaces, never with tabs";
    if (text.find(": ") != text.rfind(": ")) return "quote a value that contains ': '";
    return "look at the indentation and quotes of this line and the one before";
  }

  // ---- plain values

  bool text(const YAML::Node& value, std::string_view what, std::string& into) {
    if (!value.IsScalar()) {
      error(value, fmt::format("{} must be a text", what));
      return false;
    }
    into = value.Scalar();
    return true;
  }

  bool duration(const YAML::Node& value, std::string_view what, Ticks& into) {
    std::string written;
    if (!text(value, what, written)) return false;
    const auto span = parse_duration(written);
    if (!span) {
      std::string hint = "write it as 5m, 1h, 14d or PT1H";
      if (!written.empty() && std::all_of(written.begin(), written.end(), [](char c) { return c >= '0' && c <= '9'; }))
        hint = fmt::format("a unit is missing: {0}m, {0}h or {0}d", written);
      error(value, fmt::format("'{}' is not a length of time", written), hint);
      return false;
    }
    into = *span;
    return true;
  }

  bool boolean(const YAML::Node& value, std::string_view what, bool& into) {
    std::string written;
    if (!text(value, what, written)) return false;
    if (iequals(written, "true") || iequals(written, "false")) {
      into = iequals(written, "true");
      return true;
    }
    error(value, fmt::format("{} is true or false, not '{}'", what, written));
    return false;
  }

  // One of the names; -1 after an error. Case is forgiven with a warning, since Sentinel does not forgive it.
  int one_of(const YAML::Node& value, std::string_view what, const Names& names) {
    std::string written;
    if (!text(value, what, written)) return -1;
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] == written) return static_cast<int>(i);
      if (iequals(names[i], written)) {
        warn(value, fmt::format("'{}' is written '{}'", written, names[i]));
        return static_cast<int>(i);
      }
    }
    error(value, fmt::format("{} cannot be '{}'", what, written), did_you_mean(written, names));
    return -1;
  }

  // Calls `each` for the entries of a mapping, complaining of doubled keys.
  void entries(const YAML::Node& map, std::string_view what,
               const std::function<void(const std::string&, const YAML::Node&, const YAML::Node&)>& each) {
    if (is_null(map)) return;
    if (!map.IsMap()) return error(map, fmt::format("{} must be a mapping of keys to values", what));
    std::set<std::string> seen;
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) {
        error(entry.first, "a key must be a text");
        continue;
      }
      const std::string key = entry.first.Scalar();
      if (!seen.insert(key).second) error(entry.first, fmt::format("'{}' stands here twice", key));
      each(key, entry.first, entry.second);
    }
  }

  void items(const YAML::Node& list, std::string_view what, const std::function<void(const YAML::Node&)>& each) {
    if (is_null(list)) return;
    if (!list.IsSequence()) return error(list, fmt::format("{} must be a list", what), "begin each item with '- '");
    for (const auto& item : list) each(item);
  }

  void unknown_key(const YAML::Node& key, std::string_view where, const Names& names) {
    const std::string near = near_name(key.Scalar(), names);
    if (near.empty()) return warn(key, fmt::format("{} has no key '{}'; it is ignored", where, key.Scalar()));
    error(key, fmt::format("{} has no key '{}'", where, key.Scalar()), fmt::format("did you mean '{}'?", near));
    mistyped_.insert(near);
  }

  void use_column(const YAML::Node& value, std::string_view what, std::string& into) {
    if (!text(value, what, into)) return;
    if (into.empty()) return error(value, fmt::format("{} names no column", what));
    note_column(value, into, what);
  }

  void note_column(const YAML::Node& at, const std::string& column, std::string_view what) {
    int line = at.Mark().line + 1, start = at.Mark().column + 1;
    // Inside of a longer text ("{{Column}}") or behind a quote: the place is found in the source.
    int n = 0;
    size_t from = 0;
    while (n + 1 < line) {
      from = out_.text.find('\n', from) + 1;
      ++n;
    }
    const size_t found = out_.text.find(column, std::min(from + static_cast<size_t>(start) - 1, out_.text.size()));
    if (found != std::string::npos && found - from < 4000) {
      for (size_t i = from; i < found; ++i)
        if (out_.text[i] == '\n') {
          ++line;
          from = i + 1;
        }
      start = static_cast<int>(found - from) + 1;
    }
    out_.columns.push_back({column, line, start, static_cast<int>(column.size()), std::string(what)});
  }

  // Columns in "Traffic to {{DstIpAddr}}".
  void use_format(const YAML::Node& value, std::string_view what, std::string& into) {
    if (!text(value, what, into)) return;
    for (size_t at = into.find("{{"); at != std::string::npos; at = into.find("{{", at)) {
      const size_t end = into.find("}}", at);
      if (end == std::string::npos) return error(value, fmt::format("{} opens '{{{{' and does not close it", what));
      const std::string column(trim(std::string_view(into).substr(at + 2, end - at - 2)));
      if (column.empty()) {
        error(value, fmt::format("{} has '{{{{}}}}' without a column", what));
      } else {
        note_column(value, column, what);
      }
      at = end + 2;
    }
  }

  // ---- the parts of a rule

  void read_entity_mappings(const YAML::Node& list) {
    items(list, "entityMappings", [&](const YAML::Node& item) {
      EntityMapping mapping;
      const EntityType* type = nullptr;
      YAML::Node fields;
      bool typed = false;
      entries(item, "an entity mapping", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
        if (key == "entityType") {
          typed = true;
          if (!text(value, "entityType", mapping.type)) return;
          type = find_entity_type(mapping.type);
          Names names;
          for (const EntityType& t : entity_types()) names.push_back(t.name);
          if (!type) return error(value, fmt::format("there is no entity type '{}'", mapping.type), did_you_mean(mapping.type, names));
          if (type->name != mapping.type) warn(value, fmt::format("'{}' is written '{}'", mapping.type, type->name));
          mapping.type = std::string(type->name);
        } else if (key == "fieldMappings") {
          fields = value;
        } else {
          unknown_key(at, "an entity mapping", {"entityType", "fieldMappings"});
        }
      });
      if (!item.IsMap()) return;
      if (!typed) error(item, "this entity mapping has no entityType");
      if (is_null(fields)) return error(item, "this entity mapping has no fieldMappings");
      items(fields, "fieldMappings", [&](const YAML::Node& field) {
        FieldMapping f;
        entries(field, "a field mapping", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
          if (key == "identifier") {
            if (!text(value, "identifier", f.identifier)) return;
            if (!type || has_identifier(*type, f.identifier)) return;
            const auto known = split(type->identifiers, ' ');
            error(value, fmt::format("{} has no identifier '{}'", type->name, f.identifier),
                  did_you_mean(f.identifier, Names(known.begin(), known.end())));
          } else if (key == "columnName") {
            use_column(value, "columnName", f.column);
          } else {
            unknown_key(at, "a field mapping", {"identifier", "columnName"});
          }
        });
        if (field.IsMap() && !field["identifier"]) error(field, "this field mapping has no identifier");
        if (field.IsMap() && !field["columnName"]) error(field, "this field mapping has no columnName");
        mapping.fields.push_back(std::move(f));
      });
      if (mapping.fields.size() > kMostIdentifiers)
        warn(fields, fmt::format("Sentinel takes at most {} identifiers for one entity", kMostIdentifiers));
      rule_.entities.push_back(std::move(mapping));
    });
    if (rule_.entities.size() > kMostMappings) warn(list, fmt::format("Sentinel takes at most {} entity mappings", kMostMappings));
  }

  void read_override(const YAML::Node& map) {
    entries(map, "alertDetailsOverride", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      if (is_null(value)) return;
      if (key == "alertDisplayNameFormat") {
        use_format(value, key, rule_.name_format);
      } else if (key == "alertDescriptionFormat") {
        use_format(value, key, rule_.description_format);
      } else if (key == "alertSeverityColumnName" || key == "alertSeverity") {
        use_column(value, key, rule_.severity_column);
      } else if (key == "alertTacticsColumnName" || key == "alertTactics") {
        use_column(value, key, rule_.tactics_column);
      } else if (key == "alertDynamicProperties") {
        items(value, key, [&](const YAML::Node& item) {
          AlertProperty p;
          entries(item, "an alert property", [&](const std::string& k, const YAML::Node& a, const YAML::Node& v) {
            if (k == "alertProperty") {
              const Names names = {"AlertLink",    "ConfidenceLevel",      "ConfidenceScore",  "ExtendedLinks", "ProductName",
                                   "ProviderName", "ProductComponentName", "RemediationSteps", "Techniques",    "SubTechniques"};
              if (const int i = one_of(v, k, names); i >= 0) p.property = std::string(names[static_cast<size_t>(i)]);
            } else if (k == "value") {
              use_column(v, k, p.column);
            } else {
              unknown_key(a, "an alert property", {"alertProperty", "value"});
            }
          });
          rule_.properties.push_back(std::move(p));
        });
      } else {
        unknown_key(at, "alertDetailsOverride",
                    {"alertDisplayNameFormat", "alertDescriptionFormat", "alertSeverityColumnName", "alertTacticsColumnName",
                     "alertDynamicProperties"});
      }
    });
  }

  void read_incident(const YAML::Node& map) {
    IncidentConfiguration& c = rule_.incident;
    entries(map, "incidentConfiguration", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      if (key == "createIncident") {
        boolean(value, key, c.create);
      } else if (key == "groupingConfiguration") {
        entries(value, key, [&](const std::string& k, const YAML::Node& a, const YAML::Node& v) {
          if (k == "enabled") {
            boolean(v, k, c.group);
          } else if (k == "lookbackDuration") {
            duration(v, k, c.lookback);
          } else if (k == "matchingMethod") {
            const int i = one_of(v, k, {"AllEntities", "AnyAlert", "Selected"});
            if (i >= 0) c.matching = static_cast<IncidentConfiguration::Matching>(i);
          } else if (k == "groupByEntities" || k == "groupByAlertDetails" || k == "groupByCustomDetails") {
            items(v, k, [&](const YAML::Node& item) {
              std::string name;
              if (!text(item, k, name)) return;
              if (k == "groupByEntities" && !find_entity_type(name)) error(item, fmt::format("there is no entity type '{}'", name));
              (k == "groupByEntities" ? c.group_by_entities : c.group_by_details).push_back(name);
            });
          } else if (k != "reopenClosedIncident") {
            unknown_key(a, "groupingConfiguration",
                        {"enabled", "reopenClosedIncident", "lookbackDuration", "matchingMethod", "groupByEntities", "groupByAlertDetails",
                         "groupByCustomDetails"});
          }
        });
      } else {
        unknown_key(at, "incidentConfiguration", {"createIncident", "groupingConfiguration"});
      }
    });
  }

  void read_extension(const YAML::Node& map) {
    Extension& e = rule_.egret;
    entries(map, "egret", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      if (key == "cluster") return use_column(value, key, e.cluster);
      if (key == "node") return use_column(value, key, e.node);
      if (key == "namespace") return use_column(value, key, e.ns);
      if (key == "pod") return use_column(value, key, e.pod);
      if (key == "workload") return use_column(value, key, e.workload);
      if (key == "delay") return void(duration(value, key, e.delay));
      if (key == "onAbsence") return void(boolean(value, key, e.on_absence));
      if (key == "time") {
        const int i = one_of(value, key, {"event", "ingestion"});
        if (i >= 0) e.clock = static_cast<Extension::Clock>(i);
        return;
      }
      if (key == "wholeHistory") {
        return items(value, key, [&](const YAML::Node& item) {
          std::string name;
          if (text(item, key, name)) e.whole_history.push_back(name);
        });
      }
      unknown_key(at, "egret", {"cluster", "node", "namespace", "pod", "workload", "delay", "onAbsence", "time", "wholeHistory"});
    });
  }

  void read_tactics(const YAML::Node& list) {
    items(list, "tactics", [&](const YAML::Node& item) {
      std::string name;
      if (!text(item, "a tactic", name)) return;
      const auto names = tactic_names();
      const int i =
          std::find(names.begin(), names.end(), name) != names.end() ? 0 : one_of(item, "a tactic", Names(names.begin(), names.end()));
      if (i >= 0) rule_.tactics.push_back(name);
    });
  }

  void read_techniques(const YAML::Node& list) {
    items(list, "relevantTechniques", [&](const YAML::Node& item) {
      std::string id;
      if (!text(item, "a technique", id)) return;
      if (!is_technique_form(id)) return error(item, fmt::format("'{}' is not an ATT&CK technique", id), "write it as T1041 or T1071.001");
      if (id[1] == '1' && technique_name(id).empty())
        warn(item, fmt::format("ATT&CK has no technique {} that Egret knows", id),
             "retired or new? see https://attack.mitre.org/techniques/");
      rule_.techniques.push_back(id);
    });
  }

  void read_query(const YAML::Node& value) {
    if (!text(value, "query", rule_.query)) return;
    if (trim(rule_.query).empty()) return error(value, "the query is empty");
    QueryPlace& q = out_.query;
    q.text = rule_.query;
    q.line = value.Mark().line + 1;
    q.column = value.Mark().column + 1;
    q.first_line = q.line + 1;
    const auto lines = split(out_.text, '\n');
    if (q.line < 1 || q.line > static_cast<int>(lines.size())) return;
    const std::string& head = lines[static_cast<size_t>(q.line) - 1];
    q.literal = q.column <= static_cast<int>(head.size()) && head[static_cast<size_t>(q.column) - 1] == '|';
    for (size_t i = static_cast<size_t>(q.line); q.literal && i < lines.size(); ++i)
      if (const size_t first = lines[i].find_first_not_of(' '); first != std::string::npos && lines[i][first] != '\r') {
        q.indent = static_cast<int>(first);
        break;
      }
  }

  void read_trigger(const YAML::Node& value) {
    // The short form of rule files, and the long one of the REST interface.
    const int i = one_of(value, "triggerOperator", {"gt", "lt", "eq", "ne", "GreaterThan", "LessThan", "Equal", "NotEqual"});
    if (i >= 0) rule_.trigger = static_cast<TriggerOperator>(i % 4);
  }

  void read_threshold(const YAML::Node& value) {
    std::string written;
    if (!text(value, "triggerThreshold", written)) return;
    const auto [end, failed] = std::from_chars(written.data(), written.data() + written.size(), rule_.threshold);
    if (failed != std::errc() || end != written.data() + written.size() || rule_.threshold < 0)
      error(value, fmt::format("triggerThreshold is a count of rows, not '{}'", written));
  }

  void read_root(const YAML::Node& root) {
    static const Names kKeys = {"id",
                                "name",
                                "displayName",
                                "description",
                                "severity",
                                "kind",
                                "enabled",
                                "queryFrequency",
                                "queryPeriod",
                                "triggerOperator",
                                "triggerThreshold",
                                "tactics",
                                "relevantTechniques",
                                "techniques",
                                "subTechniques",
                                "query",
                                "entityMappings",
                                "sentinelEntitiesMappings",
                                "customDetails",
                                "alertDetailsOverride",
                                "eventGroupingSettings",
                                "suppressionDuration",
                                "suppressionEnabled",
                                "requiredDataConnectors",
                                "version",
                                "incidentConfiguration",
                                "metadata",
                                "tags",
                                "status",
                                "alertRuleTemplateName",
                                "templateVersion",
                                "egret",
                                "tests"};
    std::set<std::string> present;
    YAML::Node frequency, period;
    entries(root, "a rule", [&](const std::string& key, const YAML::Node& at, const YAML::Node& value) {
      present.insert(key);
      if (key == "kind") {
        if (const int i = one_of(value, key, {"Scheduled", "NRT"}); i >= 0) rule_.kind = static_cast<RuleKind>(i);
      } else if (key == "id") {
        if (text(value, key, rule_.id) && !is_guid(rule_.id))
          error(value, fmt::format("id is a GUID, not '{}'", rule_.id),
                "make one with uuidgen; it must stay the same for the life of the rule");
      } else if (key == "name" || key == "displayName") {
        if (text(value, key, rule_.name) && trim(rule_.name).empty()) error(value, "the rule has no name");
      } else if (key == "description") {
        text(value, key, rule_.description);
        const std::string_view d = trim(rule_.description);
        if (d.size() >= 2 && d.front() == '\'' && d.back() == '\'')
          rule_.description = std::string(d.substr(1, d.size() - 2));  // published rules quote it twice
      } else if (key == "severity") {
        if (const int i = one_of(value, key, {"Informational", "Low", "Medium", "High"}); i >= 0) rule_.severity = static_cast<Severity>(i);
      } else if (key == "enabled") {
        boolean(value, key, rule_.enabled);
      } else if (key == "queryFrequency") {
        if (duration(value, key, rule_.frequency)) frequency = value;
      } else if (key == "queryPeriod") {
        if (duration(value, key, rule_.period)) period = value;
      } else if (key == "triggerOperator") {
        read_trigger(value);
      } else if (key == "triggerThreshold") {
        read_threshold(value);
      } else if (key == "tactics") {
        read_tactics(value);
      } else if (key == "relevantTechniques" || key == "techniques") {
        read_techniques(value);
      } else if (key == "query") {
        read_query(value);
      } else if (key == "entityMappings") {
        read_entity_mappings(value);
      } else if (key == "sentinelEntitiesMappings") {
        items(value, key, [&](const YAML::Node& item) {
          std::string column;
          entries(item, key, [&](const std::string&, const YAML::Node&, const YAML::Node& v) { use_column(v, "columnName", column); });
          rule_.entity_columns.push_back(column);
        });
      } else if (key == "customDetails") {
        entries(value, key, [&](const std::string& name, const YAML::Node&, const YAML::Node& v) {
          std::string column;
          use_column(v, "customDetails", column);
          rule_.custom_details.emplace_back(name, column);
        });
      } else if (key == "alertDetailsOverride") {
        read_override(value);
      } else if (key == "eventGroupingSettings") {
        entries(value, key, [&](const std::string& k, const YAML::Node& a, const YAML::Node& v) {
          if (k != "aggregationKind") return unknown_key(a, key, {"aggregationKind"});
          if (const int i = one_of(v, k, {"SingleAlert", "AlertPerResult"}); i >= 0) rule_.grouping = static_cast<Grouping>(i);
        });
      } else if (key == "suppressionDuration") {
        duration(value, key, rule_.suppression);
      } else if (key == "suppressionEnabled") {
        boolean(value, key, rule_.suppress);
      } else if (key == "incidentConfiguration") {
        read_incident(value);
      } else if (key == "version") {
        text(value, key, rule_.version);
      } else if (key == "egret") {
        read_extension(value);
      } else if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
        unknown_key(at, "a rule", kKeys);
      }
    });

    for (const std::string_view key : {"id", "name", "severity", "query"}) require(present, key);
    if (!present.contains("kind"))
      add(1, 1, 1, "there is no 'kind'; the rule is taken as Scheduled", "add kind: Scheduled or kind: NRT", true);
    if (rule_.kind == RuleKind::kScheduled) {
      for (const std::string_view key : {"queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold"}) require(present, key);
      check_schedule(frequency, period);
    } else {
      rule_.frequency = rule_.period = kNrtWindow;
    }
    if (rule_.suppress && rule_.suppression == 0)
      add(1, 1, 1, "suppressionEnabled is true, but there is no suppressionDuration", "add suppressionDuration: 5h");
  }

  void require(const std::set<std::string>& present, std::string_view key) {
    if (present.contains(std::string(key)) || mistyped_.contains(std::string(key)) || (key == "name" && present.contains("displayName")))
      return;
    add(1, 1, 1, fmt::format("the rule has no '{}'", key));
  }

  void check_schedule(const YAML::Node& frequency, const YAML::Node& period) {
    if (is_null(frequency) || is_null(period)) return;
    if (rule_.frequency <= 0) return error(frequency, "queryFrequency must be longer than nothing");
    if (rule_.period < rule_.frequency)
      error(period, fmt::format("queryPeriod ({}) is shorter than queryFrequency ({}): rows between the windows would never be seen",
                                short_duration(rule_.period), short_duration(rule_.frequency)));
    for (const auto& [node, span, name] :
         {std::tuple(frequency, rule_.frequency, "queryFrequency"), std::tuple(period, rule_.period, "queryPeriod")})
      if (span < kShortest || span > kLongest) warn(node, fmt::format("Sentinel accepts a {} from 5m to 14d only; Egret runs it", name));
    if (rule_.period >= 2 * kTicksPerDay && rule_.frequency < kTicksPerHour)
      warn(frequency, "Sentinel runs a rule that looks back 2 days or more at most once an hour; Egret runs it as it is");
  }

  RuleFile out_;
  Rule rule_;
  std::set<std::string> mistyped_;  // right names of keys that were mistyped: not reported missing as well
};

}  // namespace

RuleFile read_rule(std::string_view yaml, std::string_view file) { return Reader(yaml, file).read(); }

bool looks_like_rule(std::string_view yaml) {
  bool query = false, severity = false;
  while (!yaml.empty()) {
    const size_t end = yaml.find('\n');
    const std::string_view line = yaml.substr(0, end);
    query |= line.starts_with("query:");
    severity |= line.starts_with("severity:") || line.starts_with("queryFrequency:") || line.starts_with("kind:") ||
                line.starts_with("triggerOperator:");
    yaml = end == std::string_view::npos ? std::string_view{} : yaml.substr(end + 1);
  }
  return query && severity;
}

}  // namespace egret::detect
