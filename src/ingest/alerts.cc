// Security alerts in the forms in which Defender hands them out, besides rows of SecurityAlert themselves (log_analytics.cc): ARM
// objects (`az security alert list`, the REST list), continuous export to Event Hubs, the payload of a Logic App, Microsoft Graph's
// alerts_v2, Sentinel's incident trigger, and the portal's CSV; and Azure Monitor's own alerts in the common alert schema. Entities
// become those of Log Analytics: members capitalised, kept as text, with $ref replaced by what it refers to.
#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "ingest/csv.h"
#include "ingest/decoder.h"
#include "ingest/json_dom.h"
#include "ingest/json_records.h"
#include "ingest/table_rows.h"

namespace egret::ingest {
namespace {

using Members = std::map<std::string, js::Element, std::less<>>;

// Members by their names in lower case: ARM writes alertDisplayName, the exports AlertDisplayName.
Members members_of(const js::Element& e) {
  Members m;
  js::each_member(e, [&](std::string_view key, const js::Element& v) {
    if (!v.is_null()) m.emplace(to_lower(key), v);
  });
  return m;
}

std::string_view text(const Members& m, std::initializer_list<std::string_view> names) {
  for (const std::string_view n : names)
    if (const auto it = m.find(n); it != m.end())
      if (const auto t = js::text(it->second); !t.empty()) return t;
  return {};
}

constexpr std::pair<std::string_view, std::string_view> kColumns[] = {
    {"alertdisplayname", "DisplayName"},
    {"alertdisplayname", "AlertName"},
    {"displayname", "DisplayName"},
    {"alertname", "AlertName"},
    {"alerttype", "AlertType"},
    {"severity", "AlertSeverity"},
    {"reportedseverity", "AlertSeverity"},
    {"alertseverity", "AlertSeverity"},
    {"description", "Description"},
    {"compromisedentity", "CompromisedEntity"},
    {"starttimeutc", "StartTime"},
    {"starttime", "StartTime"},
    {"endtimeutc", "EndTime"},
    {"endtime", "EndTime"},
    {"detectedtimeutc", "StartTime"},
    {"processingendtimeutc", "ProcessingEndTime"},
    {"processingendtime", "ProcessingEndTime"},
    {"vendorname", "VendorName"},
    {"productname", "ProductName"},
    {"productcomponentname", "ProductComponentName"},
    {"providername", "ProviderName"},
    {"systemalertid", "SystemAlertId"},
    {"provideralertid", "VendorOriginalId"},
    {"vendororiginalid", "VendorOriginalId"},
    {"status", "Status"},
    {"state", "Status"},
    {"isincident", "IsIncident"},
    {"confidencelevel", "ConfidenceLevel"},
    {"confidencescore", "ConfidenceScore"},
    {"remediationsteps", "RemediationSteps"},
    {"extendedlinks", "ExtendedLinks"},
    {"extendedproperties", "ExtendedProperties"},
    {"alerturi", "AlertLink"},
    {"alertlink", "AlertLink"},
    {"intent", "Tactics"},
    {"tactics", "Tactics"},
    {"techniques", "Techniques"},
    {"subtechniques", "SubTechniques"},
    {"workspacesubscriptionid", "WorkspaceSubscriptionId"},
    {"workspaceresourcegroup", "WorkspaceResourceGroup"},
    {"tenantid", "TenantId"},
};

class Entities {
 public:
  // The list as Log Analytics has it.
  std::string write(const js::Element& list) {
    index(list, 0);
    out_.clear();
    value(list, 0);
    return std::move(out_);
  }

 private:
  void index(const js::Element& e, int depth) {
    if (depth > 12) return;
    if (e.is_object()) {
      if (const auto id = js::text(e, "$id"); !id.empty()) by_id_.emplace(std::string(id), e);
      js::each_member(e, [&](std::string_view, const js::Element& v) { index(v, depth + 1); });
    } else if (e.is_array()) {
      js::each(e, [&](const js::Element& v) { index(v, depth + 1); });
    }
  }

  void value(const js::Element& e, int depth) {
    if (depth > 8 || out_.size() > (1u << 20)) {
      out_ += "null";
      return;
    }
    if (e.is_array()) {
      out_ += '[';
      bool first = true;
      js::each(e, [&](const js::Element& v) {
        if (!first) out_ += ',';
        first = false;
        value(v, depth + 1);
      });
      out_ += ']';
    } else if (e.is_object()) {
      if (const auto ref = js::text(e, "$ref"); !ref.empty())
        if (const auto it = by_id_.find(std::string(ref)); it != by_id_.end()) return value(it->second, depth + 1);
      out_ += '{';
      bool first = true;
      js::each_member(e, [&](std::string_view key, const js::Element& v) {
        if (!first) out_ += ',';
        first = false;
        std::string name(key);
        if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 32);
        append_json_string(out_, name);
        out_ += ':';
        value(v, depth + 1);
      });
      out_ += '}';
    } else {
      out_ += js::minified(e);
    }
  }

  std::map<std::string, js::Element> by_id_;
  std::string out_;
};

// Graph's evidence as entities.
std::string entities_of_graph(const std::optional<js::Element>& evidence) {
  JsonWriter w;
  w.begin_array();
  int n = 0;
  js::each(evidence, [&](const js::Element& e) {
    std::string_view kind = js::text(e, "@odata.type");
    kind = kind.substr(kind.rfind('.') == std::string_view::npos ? 0 : kind.rfind('.') + 1);
    const auto put = [&](std::string_view key, std::string_view v) {
      if (!v.empty()) w.key(key).string(v);
    };
    w.begin_object();
    w.key("$id").string(std::to_string(++n));
    if (kind == "deviceEvidence") {
      const std::string_view name = js::text(e, "deviceDnsName");
      put("HostName", name.substr(0, name.find('.')));
      if (name.contains('.')) put("DnsDomain", name.substr(name.find('.') + 1));
      put("AzureID", js::text(e, {"vmMetadata", "resourceId"}));
      put("OSFamily", js::text(e, "osPlatform"));
      put("Type", "host");
    } else if (kind == "ipEvidence") {
      put("Address", js::text(e, "ipAddress"));
      put("Type", "ip");
    } else if (kind == "urlEvidence") {
      put("Url", js::text(e, "url"));
      put("Type", "url");
    } else if (kind == "dnsEvidence") {
      put("DomainName", js::text(e, "domainName"));
      put("Type", "dns");
    } else if (kind == "fileEvidence") {
      put("Name", js::text(e, {"fileDetails", "fileName"}));
      put("Directory", js::text(e, {"fileDetails", "filePath"}));
      put("Sha256", js::text(e, {"fileDetails", "sha256"}));
      put("Type", "file");
    } else if (kind == "processEvidence") {
      put("CommandLine", js::text(e, "processCommandLine"));
      put("ImageName", js::text(e, {"imageFile", "fileName"}));
      put("Type", "process");
    } else if (kind == "userEvidence") {
      put("Name", js::text(e, {"userAccount", "accountName"}));
      put("UPNSuffix", js::text(e, {"userAccount", "domainName"}));
      put("Type", "account");
    } else if (kind == "kubernetesClusterEvidence") {
      put("Name", js::text(e, "name"));
      put("ResourceId", js::text(e, {"cloudResource", "resourceId"}));
      put("Type", "K8s-cluster");
    } else if (kind == "kubernetesNamespaceEvidence") {
      put("Name", js::text(e, "name"));
      put("Type", "K8s-namespace");
    } else if (kind == "kubernetesPodEvidence") {
      put("Name", js::text(e, "name"));
      put("Namespace", js::text(e, {"namespace", "name"}));
      put("Type", "K8s-pod");
    } else if (kind == "kubernetesControllerEvidence") {
      put("Name", js::text(e, "name"));
      put("Namespace", js::text(e, {"namespace", "name"}));
      put("Kind", js::text(e, "type"));
      put("Type", "K8s-controller");
    } else if (kind == "containerEvidence") {
      put("Name", js::text(e, "name"));
      put("ContainerId", js::text(e, "containerId"));
      put("Type", "container");
    } else if (kind == "azureResourceEvidence") {
      put("ResourceId", js::text(e, "resourceId"));
      put("Type", "azure-resource");
    } else {
      put("Type", kind.ends_with("Evidence") ? kind.substr(0, kind.size() - 8) : kind);
    }
    w.end_object();
  });
  w.end_array();
  return std::move(w).take();
}

class Reader {
 public:
  Reader(const Source& source, Sink& sink) : source_(source), sink_(sink), rows_(source, sink) {}

  void json() {
    each_json_record(source_.bytes, {"value", "records", "alerts", "Alerts"},
                     {.record = [&](std::string_view t, uint64_t line) { parse(t, line); },
                      .broken = [&](uint64_t line, std::string reason,
                                    std::string_view beginning) { sink_.error(line, std::move(reason), beginning); }});
  }

  // The portal's list: headers of its own, times that name their zone in the header.
  void csv() {
    Csv csv(source_.bytes, separator_of(source_.bytes));
    std::vector<std::string_view> cells;
    if (!csv.next(cells)) return;
    struct Head {
      std::string column;
      std::optional<Ticks> offset;
    };
    std::vector<Head> heads;
    const bool recommendations = source_.bytes.substr(0, 2000).contains("recommendationId");
    for (const std::string_view cell : cells) {
      Head h;
      std::string_view name = trim(cell);
      if (const size_t zone = name.find("(UTC"); zone != std::string_view::npos) {
        std::string_view z = name.substr(zone + 4);
        z = z.substr(0, z.find(')'));
        const auto probe = parse_time(
            "2000-01-01T00:00:00" +
            (z.empty() ? "Z"
                       : std::string(z.substr(0, 1)) + (z.contains(':') ? (z.size() == 5 ? "0" : "") + std::string(z.substr(1))
                                                                        : (z.size() == 2 ? "0" : "") + std::string(z.substr(1)) + ":00")));
        if (probe) h.offset = ticks_from_civil({.year = 2000}) - *probe;
        name = trim(name.substr(0, zone));
      }
      h.column = recommendations ? recommendation_column(name) : alert_column(name);
      heads.push_back(std::move(h));
    }
    while (csv.next(cells)) {
      if (csv.broken() || cells.size() != heads.size()) {
        sink_.error(
            csv.line(),
            csv.broken() ? "a quoted value is never closed" : fmt::format("{} values where the header has {}", cells.size(), heads.size()),
            csv.whole());
        continue;
      }
      rows_.begin(recommendations ? "SecurityRecommendation" : "SecurityAlert");
      for (size_t i = 0; i < cells.size(); ++i) {
        if (heads[i].column.empty() || cells[i].empty()) continue;
        if (heads[i].offset) {
          if (const auto t = parse_time(cells[i], {*heads[i].offset, source_.month_first})) {
            const std::string iso = format_datetime(*t);
            rows_.set(heads[i].column, Cell::of(iso));
            if (heads[i].column == "StartTime" && !rows_.has("TimeGenerated")) rows_.set("TimeGenerated", Cell::of(iso));
          }
          continue;
        }
        rows_.set(heads[i].column, Cell::of(cells[i]));
        if (heads[i].column == "DisplayName") rows_.set("AlertName", Cell::of(cells[i]));
      }
      rows_.end(csv.line(), csv.whole());
    }
  }

 private:
  static std::string alert_column(std::string_view name) {
    constexpr std::pair<std::string_view, std::string_view> kPortal[] = {{"alert title", "DisplayName"},
                                                                         {"alert name", "DisplayName"},
                                                                         {"alert", "DisplayName"},
                                                                         {"affected resource", "CompromisedEntity"},
                                                                         {"resource", "CompromisedEntity"},
                                                                         {"severity", "AlertSeverity"},
                                                                         {"status", "Status"},
                                                                         {"activity start time", "StartTime"},
                                                                         {"start time", "StartTime"},
                                                                         {"detection time", "TimeGenerated"},
                                                                         {"time", "TimeGenerated"},
                                                                         {"mitre att&ck tactics", "Tactics"},
                                                                         {"mitre att&ck® tactics", "Tactics"},
                                                                         {"alert id", "SystemAlertId"},
                                                                         {"id", "SystemAlertId"},
                                                                         {"description", "Description"},
                                                                         {"timegeneratedutc", "TimeGenerated"},
                                                                         {"timegenerated", "TimeGenerated"},
                                                                         {"resourceid", "ResourceId"},
                                                                         {"entities", "Entities"}};
    const std::string low = to_lower(name);
    for (const auto& [from, to] : kPortal)
      if (from == low) return std::string(to);
    for (const auto& [from, to] : kColumns)
      if (from == low) return std::string(to);
    return {};
  }

  static std::string recommendation_column(std::string_view name) {
    constexpr std::pair<std::string_view, std::string_view> kExport[] = {{"exportedTimestamp", "TimeGenerated"},
                                                                         {"resourceId", "AssessedResourceId"},
                                                                         {"recommendationId", "RecommendationId"},
                                                                         {"recommendationName", "RecommendationName"},
                                                                         {"recommendationDisplayName", "RecommendationDisplayName"},
                                                                         {"description", "Description"},
                                                                         {"remediationSteps", "RemediationDescription"},
                                                                         {"severity", "RecommendationSeverity"},
                                                                         {"state", "RecommendationState"},
                                                                         {"notApplicableReason", "NotApplicableReason"},
                                                                         {"firstEvaluationDate", "FirstEvaluationDate"},
                                                                         {"statusChangeDate", "StatusChangeDate"},
                                                                         {"azurePortalRecommendationLink", "RecommendationLink"}};
    for (const auto& [from, to] : kExport)
      if (from == name) return std::string(to);
    return {};
  }

  void parse(std::string_view t, uint64_t line) {
    js::Element e;
    if (parser_.parse(t.data(), t.size(), true).get(e) != simdjson::SUCCESS || !e.is_object()) {
      sink_.error(line, "not valid JSON", t);
      return;
    }
    // A Logic App's run history wraps the trigger's output.
    for (const std::string_view wrapper : {"body", "triggerBody", "outputs", "data"})
      if (const auto inner = js::get(e, wrapper); js::is_object(inner) && !js::get(e, "properties")) e = *inner;
    if (const auto inner = js::get(e, "body"); js::is_object(inner)) e = *inner;
    // Sentinel's incident trigger lists the alerts.
    if (auto alerts = js::get(e, {"object", "properties", "Alerts"}); alerts || (alerts = js::get(e, {"object", "properties", "alerts"}))) {
      js::each(alerts, [&](const js::Element& a) { alert(a, t, line); });
      return;
    }
    if (const auto list = js::get(e, "value"); js::is_array(list)) {
      js::each(list, [&](const js::Element& a) { alert(a, t, line); });
      return;
    }
    alert(e, t, line);
  }

  // The payload of an action group in the common alert schema: the dimensions that the rule split by are what it says of who and what.
  void common(const js::Element& e, std::string_view t, uint64_t line) {
    const auto get = [&](std::string_view key) { return js::text(e, {"essentials", key}); };
    const auto put = [&](std::string_view column, std::string_view value) {
      if (!value.empty() && !rows_.has(column)) rows_.set(column, Cell::of(value));
    };
    const auto condition = js::get(e, {"alertContext", "condition"});
    rows_.begin("SecurityAlert");
    put("TimeGenerated", get("firedDateTime"));
    put("StartTime", js::text(e, {"alertContext", "condition", "windowStartTime"}));
    put("StartTime", js::text(e, {"alertContext", "SearchIntervalStartTimeUtc"}));
    put("StartTime", get("firedDateTime"));
    put("EndTime", js::text(e, {"alertContext", "condition", "windowEndTime"}));
    put("EndTime", js::text(e, {"alertContext", "SearchIntervalEndtimeUtc"}));
    put("EndTime", get("firedDateTime"));
    put("ProcessingEndTime", get("firedDateTime"));
    put("DisplayName", get("alertRule"));
    put("AlertName", get("alertRule"));
    put("AlertType", get("signalType"));
    put("Description", get("description"));
    constexpr std::pair<std::string_view, std::string_view> kSeverities[] = {
        {"Sev0", "High"}, {"Sev1", "High"}, {"Sev2", "Medium"}, {"Sev3", "Low"}, {"Sev4", "Informational"}};
    for (const auto& [from, to] : kSeverities)
      if (get("severity") == from) put("AlertSeverity", to);
    put("Status", get("monitorCondition"));
    put("SystemAlertId", get("originAlertId"));
    put("SystemAlertId", get("alertId"));
    put("VendorOriginalId", get("alertId"));
    put("ProviderName", "Azure Monitor");
    put("ProductName", get("monitoringService").empty() ? "Azure Monitor" : get("monitoringService"));
    put("VendorName", "Microsoft");
    js::each(js::get(e, {"essentials", "alertTargetIDs"}), [&](const js::Element& id) {
      put("ResourceId", js::text(id));
      put("_ResourceId", to_lower(js::text(id)));
    });
    js::each(js::get(e, {"essentials", "configurationItems"}), [&](const js::Element& item) { put("CompromisedEntity", js::text(item)); });
    JsonWriter w;
    w.begin_object();
    const auto fact = [&](std::string_view key, std::string_view value) {
      if (!key.empty() && !value.empty()) w.key(key).string(value);
    };
    if (condition)
      js::each(js::get(*condition, "allOf"), [&](const js::Element& one) {
        js::each(js::get(one, "dimensions"), [&](const js::Element& d) { fact(js::text(d, "name"), js::text(d, "value")); });
      });
    // The older log alerts hand out the first rows of their result.
    bool first = true;
    js::each(js::get(e, {"alertContext", "SearchResults", "tables"}), [&](const js::Element& table) {
      std::vector<std::string_view> columns;
      js::each(js::get(table, "columns"), [&](const js::Element& c) { columns.push_back(js::text(c, "name")); });
      js::each(js::get(table, "rows"), [&](const js::Element& row) {
        size_t i = 0;
        if (std::exchange(first, false))
          js::each(row, [&](const js::Element& v) { fact(i < columns.size() ? columns[i] : "", js::text(v)), ++i; });
      });
    });
    w.end_object();
    put("ExtendedProperties", std::move(w).take());
    put("Type", "SecurityAlert");
    rows_.end(line, t);
  }

  void alert(const js::Element& e, std::string_view t, uint64_t line) {
    if (js::is_object(js::get(e, "essentials"))) return common(e, t, line);
    if (js::get(e, "createdDateTime") && (js::get(e, "title") || js::get(e, "detectorId"))) return graph(e, t, line);
    const auto properties = js::get(e, "properties");
    const Members m = members_of(js::is_object(properties) ? *properties : e);
    if (text(m, {"alertdisplayname", "alertname", "displayname", "alerttype"}).empty()) {
      sink_.error(line, "no alert: it has neither a name nor a type", t);
      return;
    }
    rows_.begin("SecurityAlert");
    std::string scratch;
    for (const auto& [key, column] : kColumns) {
      const auto it = m.find(key);
      if (it == m.end() || rows_.has(column)) continue;
      const js::Element& v = it->second;
      if (v.is_string()) {
        rows_.set(column, Cell::of(js::text(v)));
      } else if (v.is_bool()) {
        rows_.set(column, {.kind = Cell::kBool, .number = js::boolean(v)});
      } else {
        scratch = js::minified(v);
        rows_.set(column, v.is_object() || v.is_array() ? Cell::json(scratch) : Cell::of(scratch));
      }
    }
    rows_.set(
        "TimeGenerated",
        Cell::of(text(m, {"timegeneratedutc", "timegenerated", "reportedtimeutc", "detectedtimeutc", "createdtimeutc", "starttimeutc"})));
    if (!rows_.has("ProviderName")) rows_.set("ProviderName", Cell::of("Azure Security Center"));
    if (!rows_.has("ProductName")) rows_.set("ProductName", Cell::of("Azure Security Center"));
    if (!rows_.has("VendorName")) rows_.set("VendorName", Cell::of("Microsoft"));
    if (!rows_.has("SystemAlertId"))
      rows_.set("SystemAlertId", Cell::of(js::text(e, "name").empty() ? js::text(e, "id") : js::text(e, "name")));
    if (const auto it = m.find("entities"); it != m.end()) {
      if (it->second.is_array()) {
        scratch = Entities().write(it->second);
        rows_.set("Entities", Cell::of(scratch));
      } else {
        rows_.set("Entities", Cell::of(js::text(it->second)));
      }
    }
    std::string id(text(m, {"azureresourceid", "associatedresource", "resourceid"}));
    if (const auto it = m.find("resourceidentifiers"); id.empty() && it != m.end())
      js::each(it->second, [&](const js::Element& r) {
        const Members x = members_of(r);
        if (id.empty()) id = std::string(text(x, {"azureresourceid"}));
      });
    // The alert's own id names its subscription at least.
    if (id.empty() && js::text(e, "id").starts_with("/subscriptions/")) rows_.resource(js::text(e, "id"));
    if (!id.empty()) {
      rows_.set("ResourceId", Cell::of(id));
      const std::string lower = to_lower(id);
      rows_.set("_ResourceId", Cell::of(lower));
    }
    rows_.set("Type", Cell::of("SecurityAlert"));
    rows_.end(line, t);
  }

  void graph(const js::Element& e, std::string_view t, uint64_t line) {
    rows_.begin("SecurityAlert");
    const auto put = [&](std::string_view column, std::string_view value) {
      if (!value.empty()) rows_.set(column, Cell::of(value));
    };
    put("TimeGenerated", js::text(e, "createdDateTime"));
    put("StartTime", js::text(e, "firstActivityDateTime"));
    put("EndTime", js::text(e, "lastActivityDateTime"));
    put("ProcessingEndTime", js::text(e, "lastUpdateDateTime"));
    put("DisplayName", js::text(e, "title"));
    put("AlertName", js::text(e, "title"));
    put("Description", js::text(e, "description"));
    put("AlertType", js::text(e, "detectorId"));
    std::string severity(js::text(e, "severity"));
    if (!severity.empty() && severity[0] >= 'a') severity[0] = static_cast<char>(severity[0] - 32);
    put("AlertSeverity", severity);
    put("Status", js::text(e, "status"));
    put("SystemAlertId", js::text(e, "id"));
    put("VendorOriginalId", js::text(e, "providerAlertId"));
    put("ProviderName", js::text(e, "serviceSource"));
    put("ProductName", js::text(e, "productName").empty() ? js::text(e, "serviceSource") : js::text(e, "productName"));
    put("VendorName", "Microsoft");
    put("AlertLink", js::text(e, "alertWebUrl"));
    put("Tactics", js::text(e, "category"));
    put("TenantId", js::text(e, "tenantId"));
    if (const auto techniques = js::get(e, "mitreTechniques")) put("Techniques", js::minified(*techniques));
    const auto evidence = js::get(e, "evidence");
    put("Entities", entities_of_graph(evidence));
    js::each(evidence, [&](const js::Element& x) {
      std::string_view id = js::text(x, {"cloudResource", "resourceId"});
      if (id.empty()) id = js::text(x, "resourceId");
      if (id.empty()) id = js::text(x, {"vmMetadata", "resourceId"});
      if (!id.empty() && !rows_.has("ResourceId")) put("ResourceId", id);
      std::string_view name = js::text(x, "deviceDnsName");
      if (!name.empty() && !rows_.has("CompromisedEntity")) put("CompromisedEntity", name);
    });
    put("Type", "SecurityAlert");
    rows_.end(line, t);
  }

  const Source& source_;
  Sink& sink_;
  TableRows rows_;
  simdjson::dom::parser parser_;
};

void decode(const Source& source, Sink& sink) {
  Reader r(source, sink);
  if (begins_as_json(source.bytes))
    r.json();
  else
    r.csv();
}

int recognise(std::string_view head, std::string_view) {
  if (begins_as_json(head)) {
    if (head.contains("graph.security.alert") || (head.contains("\"serviceSource\"") && head.contains("\"detectionSource\""))) return 96;
    if (head.contains("\"alertDisplayName\"") && (head.contains("\"properties\"") || head.contains("\"systemAlertId\""))) return 94;
    if (head.contains("\"AlertDisplayName\"") && (head.contains("\"SystemAlertId\"") || head.contains("\"AlertUri\"")) &&
        !head.contains("\"tables\"") && !head.contains("\"TableName\""))
      return 93;
    if (head.contains("azureMonitorCommonAlertSchema") && head.contains("\"essentials\"")) return 95;
    if (head.contains("\"Microsoft.Security/Locations/alerts\"")) return 92;
    return 0;
  }
  const std::string line = to_lower(head.substr(0, std::min<size_t>(head.find('\n'), 8192)));
  if (line.contains("recommendationid") && line.contains("recommendationdisplayname")) return 90;
  if (line.contains("timegenerated")) return line.contains("alertdisplayname") && line.contains("systemalertid") ? 60 : 0;
  const bool title = line.contains("alert title") || line.contains("alertdisplayname") || line.contains("alert name");
  return title && line.contains("severity") && line.find_first_of(",;\t") != std::string::npos ? 85 : 0;
}

}  // namespace

extern const Decoder kAlerts;
const Decoder kAlerts{"security-alert",
                      "Defender alerts: az security alert list, ARM, continuous export, Logic App payloads, Microsoft Graph alerts_v2, "
                      "portal CSV (also of recommendations); Azure Monitor alerts in the common alert schema",
                      "SecurityAlert, SecurityRecommendation", recognise, decode};

}  // namespace egret::ingest
