// Records of Azure's diagnostic settings, from a storage account (insights-logs-*/…/PT1H.json: one record a line), an Event Hub
// ({"records":[…]}), or a shipper. The category says which table Log Analytics would put them in; what has none goes to AzureDiagnostics,
// with its properties as columns named by their types, as there. Activity log records come in the same dress.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/firewall_rows.h"
#include "ingest/json_cell.h"
#include "ingest/json_dom.h"
#include "ingest/json_records.h"
#include "ingest/kube_audit.h"
#include "ingest/resource_id.h"
#include "ingest/table_rows.h"

namespace egret::ingest {
namespace {

constexpr std::string_view kControlPlane[] = {"guard",
                                              "cluster-autoscaler",
                                              "kube-apiserver",
                                              "kube-controller-manager",
                                              "kube-scheduler",
                                              "cloud-controller-manager",
                                              "csi-azuredisk-controller",
                                              "csi-azurefile-controller",
                                              "csi-snapshot-controller",
                                              "fleet-member-agent",
                                              "karpenter-events"};
constexpr std::string_view kActivity[] = {"Administrative", "Policy",         "ServiceHealth", "Alert",  "Autoscale", "Security",
                                          "Recommendation", "ResourceHealth", "Write",         "Delete", "Action"};

// "value" of {value, localizedValue}, or the text itself.
std::string_view plain(const std::optional<js::Element>& e) {
  if (!e) return {};
  return e->is_object() ? js::text(*e, "value") : js::text(*e);
}

// 'key':'value' of the pseudo JSON that Functions write into properties.
std::string_view pseudo(std::string_view text, std::string_view key) {
  const std::string mark = fmt::format("'{}':", key);
  size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  at += mark.size();
  if (at < text.size() && text[at] == '\'') {
    // The value may have quotes of its own: it ends before the next ",'" or "}".
    size_t end = text.find("','", at + 1);
    if (end == std::string_view::npos) end = text.find("'}", at + 1);
    const size_t number = text.find("',", at + 1);
    if (number != std::string_view::npos && (end == std::string_view::npos || number < end)) end = number;
    return end == std::string_view::npos ? text.substr(at + 1) : text.substr(at + 1, end - at - 1);
  }
  return text.substr(at, text.find_first_of(",}", at) - at);
}

class Reader {
 public:
  Reader(const Source& source, Sink& sink) : source_(source), sink_(sink), rows_(source, sink), audit_(sink) {}

  void run() {
    each_json_record(source_.bytes, {"records", "value"},
                     {.record = [&](std::string_view text, uint64_t line) { parse(text, line); },
                      .broken = [&](uint64_t line, std::string reason,
                                    std::string_view beginning) { sink_.error(line, std::move(reason), beginning); }});
    audit_.finish();
  }

 private:
  void parse(std::string_view text, uint64_t line) {
    js::Element e;
    if (parser_.parse(text.data(), text.size(), true).get(e) != simdjson::SUCCESS || !e.is_object()) {
      const bool quotes = text.contains("\"properties\": {'") || text.contains("\"properties\":{'");
      sink_.error(
          line, quotes ? "not valid JSON: properties are written with single quotes" : "not valid JSON", text,
          quotes ? "Azure Functions write FunctionAppLogs so into storage accounts; export the table from Log Analytics instead" : "");
      return;
    }
    // An Event Hub capture may wrap the record in a Body.
    if (const auto body = js::get(e, "body"); js::is_object(body) && js::get(*body, "category")) e = *body;
    if (js::is_array(js::get(e, "records"))) {
      js::each(js::get(e, "records"), [&](const js::Element& r) { record(r, text, line); });
      return;
    }
    record(e, text, line);
  }

  void record(const js::Element& e, std::string_view text, uint64_t line) {
    const auto properties = js::get(e, "properties");
    std::string_view time_text = js::text(e, "time");
    if (time_text.empty()) time_text = js::text(e, "eventTimestamp");
    if (time_text.empty()) time_text = js::text(e, "TimeGenerated");
    if (time_text.empty()) time_text = js::text(e, "timeStamp");
    std::string_view id = js::text(e, "resourceId");
    if (id.empty()) id = js::text(e, "ResourceId");
    const std::string_view category = plain(js::get(e, "category"));
    const auto time = parse_time(time_text, source_.time_form());

    const std::string_view log = js::text(js::get(properties, "log"));
    if (category == "kube-audit" || category == "kube-audit-admin" || (category.empty() && log.contains("audit.k8s.io"))) {
      const bool admin = category == "kube-audit-admin";
      const std::string cluster = cluster_of_id_or_source(id, source_, sink_);
      if (log.empty() && !js::is_object(js::get(properties, "log"))) {
        sink_.error(line, "an audit record without properties.log", text);
        return;
      }
      const std::string id_copy(id), pod(js::text(js::get(properties, "pod")));
      const AuditContext context{.cluster = cluster, .admin = admin, .resource_id = id_copy, .pod_name = pod, .clock = time};
      const auto inner = js::get(properties, "log");
      const std::string why = log.empty() ? audit_.decode(*inner, context) : audit_.decode_text(log, context);
      if (!why.empty()) sink_.error(line, "properties.log is not an audit event: " + why, log.empty() ? text : log);
      return;
    }
    if (std::find(std::begin(kControlPlane), std::end(kControlPlane), category) != std::end(kControlPlane)) {
      rows_.begin("AKSControlPlane");
      rows_.set("Category", Cell::of(category));
      rows_.set("Message", Cell::of(log));
      rows_.set("PodName", Cell::of(js::text(js::get(properties, "pod"))));
      rows_.set("Stream", Cell::of(js::text(js::get(properties, "stream"))));
      rows_.set("Level", Cell::of(js::text(e, "level")));
      common(e, time_text, id);
      rows_.end(line, text);
      return;
    }
    if (const auto metric = js::text(e, "metricName"); !metric.empty() && category.empty()) {
      rows_.begin("AzureMetrics");
      rows_.set("MetricName", Cell::of(metric));
      for (const std::string_view key : {"total", "count", "minimum", "maximum", "average", "timeGrain"})
        if (const auto v = js::get(e, key)) rows_.set(key, cell_of(*v, scratch_));
      const std::string upper(id);
      rows_.set("ResourceId", Cell::of(upper));
      common(e, time_text, id);
      rows_.end(line, text);
      return;
    }
    const std::string_view operation = plain(js::get(e, "operationName"));
    if (activity(e, category, operation, properties)) return activity_row(e, time_text, id, category, operation, line, text);
    if (category == "FunctionAppLogs") return function_row(e, properties, time_text, id, line, text);
    if (category == "AuditEvent" && to_lower(id).contains("/microsoft.keyvault/")) {
      rows_.begin("AZKVAuditLogs");
      members(e);
      if (const auto identity = js::get(e, "identity")) rows_.set("Identity", cell_of(*identity, scratch_));
      if (js::is_object(properties)) members(*properties);
      common(e, time_text, id);
      rows_.end(line, text);
      return;
    }
    if (const auto table = table_of_name(category); !table.empty() && js::is_object(properties)) {
      rows_.begin(table);
      members(*properties);
      common(e, time_text, id);
      rows_.end(line, text);
      return;
    }
    diagnostics_row(e, properties, time_text, id, category, operation, line, text);
  }

  void common(const js::Element& e, std::string_view time, std::string_view id) {
    rows_.set("TimeGenerated", Cell::of(time));
    if (!id.empty()) {
      lower_ = to_lower(id);
      rows_.set("_ResourceId", Cell::of(lower_));
      rows_.resource(id);
    }
    if (const auto t = js::text(e, "tenantId"); !t.empty()) rows_.set("TenantId", Cell::of(t));
  }

  // Members by their names; the table has them in another case, if at all.
  void members(const js::Element& e) {
    js::each_member(e, [&](std::string_view key, const js::Element& value) {
      if (key == "properties" || key == "time" || key == "category" || key == "resourceId" || key == "tenantId" || key == "identity")
        return;
      rows_.set(key, cell_of(value, scratch_));
    });
  }

  static bool activity(const js::Element& e, std::string_view category, std::string_view operation,
                       const std::optional<js::Element>& properties) {
    if (js::get(e, "eventTimestamp") && js::get(e, "operationName")) return true;  // az monitor activity-log list
    if (std::find(std::begin(kActivity), std::end(kActivity), category) != std::end(kActivity)) return true;
    // Shippers cut the category off; what is left has an operation of a provider and who called.
    const size_t slashes = static_cast<size_t>(std::count(operation.begin(), operation.end(), '/'));
    return category.empty() && slashes >= 2 && operation.substr(0, 10).size() == 10 && iequals(operation.substr(0, 10), "microsoft.") &&
           !js::get(properties, "log") && js::get(e, "callerIpAddress").has_value();
  }

  void activity_row(const js::Element& e, std::string_view time, std::string_view id, std::string_view category, std::string_view operation,
                    uint64_t line, std::string_view text) {
    rows_.begin("AzureActivity");
    const auto put = [&](std::string_view column, std::string_view value) {
      if (!value.empty()) rows_.set(column, Cell::of(value));
    };
    put("OperationNameValue", operation);
    put("OperationName", js::text(js::get(js::get(e, "operationName"), "localizedValue")));
    put("CategoryValue", category);
    put("Category", category);
    std::string_view status = plain(js::get(e, "status"));
    if (status.empty()) status = plain(js::get(e, "resultType"));
    put("ActivityStatusValue", status);
    put("ActivityStatus", status);
    std::string_view sub = plain(js::get(e, "subStatus"));
    if (sub.empty()) sub = plain(js::get(e, "resultSignature"));
    put("ActivitySubstatusValue", sub);
    put("CorrelationId", js::text(e, "correlationId"));
    put("OperationId", js::text(e, "operationId"));
    put("EventDataId", js::text(e, "eventDataId"));
    put("Level", js::text(e, "level"));
    put("EventSubmissionTimestamp", js::text(e, "submissionTimestamp"));
    std::string_view ip = js::text(e, "callerIpAddress");
    if (ip.empty()) ip = js::text(e, {"httpRequest", "clientIpAddress"});
    put("CallerIpAddress", ip);
    auto claims = js::get(e, {"identity", "claims"});
    if (!claims) claims = js::get(e, "claims");
    std::string_view caller = plain(js::get(e, "caller"));
    for (const std::string_view key :
         {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "upn", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
          "name", "appid", "http://schemas.microsoft.com/identity/claims/objectidentifier"})
      if (caller.empty()) caller = js::text(js::get(claims, key));
    put("Caller", caller);
    const auto json = [&](std::string_view column, const std::optional<js::Element>& value) {
      if (value) rows_.set(column, cell_of(*value, scratch_));
    };
    json("Claims", claims);
    json("Claims_d", claims);
    auto authorization = js::get(e, {"identity", "authorization"});
    if (!authorization) authorization = js::get(e, "authorization");
    json("Authorization", authorization);
    json("Authorization_d", authorization);
    json("Properties", js::get(e, "properties"));
    json("Properties_d", js::get(e, "properties"));
    json("HTTPRequest", js::get(e, "httpRequest"));
    const std::string lower = to_lower(id);
    put("ResourceId", lower);
    put("SubscriptionId", segment_after(lower, "subscriptions"));
    put("ResourceGroup", segment_after(lower, "resourcegroups"));
    put("ResourceProviderValue", segment_after(lower, "providers"));
    common(e, time, id);
    rows_.end(line, text);
  }

  void function_row(const js::Element& e, const std::optional<js::Element>& properties, std::string_view time, std::string_view id,
                    uint64_t line, std::string_view text) {
    rows_.begin("FunctionAppLogs");
    if (js::is_object(properties)) {
      members(*properties);
    } else {
      const std::string_view p = js::text(properties);
      for (const std::string_view key :
           {"appName", "roleInstance", "message", "category", "hostVersion", "functionInvocationId", "functionName", "hostInstanceId",
            "level", "levelId", "processId", "eventId", "eventName", "exceptionDetails", "exceptionMessage", "exceptionType", "activityId"})
        if (const auto v = pseudo(p, key); !v.empty()) rows_.set(key, Cell::of(v));
    }
    rows_.set("Location", Cell::of(js::text(e, "location")));
    common(e, time, id);
    rows_.end(line, text);
  }

  void flatten(const js::Element& e, const std::string& prefix, int depth) {
    js::each_member(e, [&](std::string_view key, const js::Element& value) {
      const std::string name = prefix.empty() ? std::string(key) : prefix + "_" + std::string(key);
      switch (value.type()) {
        case simdjson::dom::element_type::OBJECT:
          if (depth < 3) {
            flatten(value, name, depth + 1);
            return;
          }
          [[fallthrough]];
        case simdjson::dom::element_type::ARRAY:
        case simdjson::dom::element_type::STRING: rows_.set(name + "_s", cell_of(value, scratch_)); return;
        case simdjson::dom::element_type::BOOL: rows_.set(name + "_b", cell_of(value, scratch_)); return;
        case simdjson::dom::element_type::NULL_VALUE: return;
        default: rows_.set(name + "_d", cell_of(value, scratch_));
      }
    });
  }

  void diagnostics_row(const js::Element& e, const std::optional<js::Element>& properties, std::string_view time, std::string_view id,
                       std::string_view category, std::string_view operation, uint64_t line, std::string_view text) {
    rows_.begin("AzureDiagnostics");
    const auto put = [&](std::string_view column, std::string_view value) {
      if (!value.empty()) rows_.set(column, Cell::of(value));
    };
    put("Category", category);
    put("OperationName", operation);
    put("OperationVersion", js::text(e, "operationVersion"));
    for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"resultType", "ResultType"},
                                   {"resultSignature", "ResultSignature"},
                                   {"resultDescription", "ResultDescription"},
                                   {"durationMs", "DurationMs"},
                                   {"callerIpAddress", "CallerIPAddress"},
                                   {"correlationId", "CorrelationId"},
                                   {"level", "Level"}})
      if (const auto v = js::get(e, from)) rows_.set(to, cell_of(*v, scratch_));
    const std::string upper_id(id);
    put("ResourceId", upper_id);
    const std::string lower = to_lower(id);
    put("SubscriptionId", segment_after(lower, "subscriptions"));
    put("ResourceGroup", segment_after(id, "resourcegroups"));
    put("ResourceProvider", segment_after(id, "providers"));
    put("Resource", id.substr(id.rfind('/') + 1));
    if (js::is_object(properties))
      flatten(*properties, "", 0);
    else if (properties)
      rows_.set("properties_s", cell_of(*properties, scratch_));
    if (const auto msg = js::text(e, "msg"); !msg.empty()) rows_.set("msg_s", Cell::of(msg));  // Stream Analytics lifts it out
    if (const auto identity = js::get(e, "identity"); js::is_object(identity)) flatten(*identity, "identity", 1);
    common(e, time, id);
    rows_.end(line, text);
  }

  const Source& source_;
  Sink& sink_;
  TableRows rows_;
  AuditDecoder audit_;
  simdjson::dom::parser parser_;
  std::string scratch_, lower_;
};

void decode(const Source& source, Sink& sink) { Reader(source, sink).run(); }

int recognise(std::string_view head, std::string_view path) {
  const std::string_view t = trim(head.substr(0, 64));
  if (!t.starts_with("{") && !t.starts_with("[")) return 0;
  if (head.contains("\"flowTuples\"")) return 0;
  const bool category = head.contains("\"category\""), id = head.contains("\"resourceId\"") || head.contains("\"ResourceId\""),
             time = head.contains("\"time\"");
  const bool operation = head.contains("\"operationName\"");
  // Of a cluster's control plane: audit events among them, and often other categories in the same file.
  // A bare event beside them (its quotes not escaped) makes the file a collector's.
  const bool bare = head.contains("\"kind\":\"Event\"") || head.contains("\"kind\": \"Event\"") || head.contains("\"objectRef\": {");
  if (category && !bare && head.contains("\"properties\"") &&
      (head.contains("/diagnosticLogs/Read") || head.contains("\\/diagnosticLogs\\/Read") || (id && head.contains("\"kube-audit"))))
    return 96;
  if (category && id && time) return path.contains("insights-logs-") ? 93 : 82;
  if (category && operation && (head.contains("\"properties\"") || id)) return 80;
  if (head.contains("\"eventTimestamp\"") && operation) return 80;
  if (operation && id && head.contains("\"callerIpAddress\"")) return 70;
  if (head.contains("\"metricName\"") && id && time) return 80;
  return 0;
}

}  // namespace

extern const Decoder kDiagnostics;
const Decoder kDiagnostics{
    "azure-diagnostics",
    "records of diagnostic settings and activity logs: storage blobs, Event Hub envelopes, lines (AKS control plane, firewall, Key Vault, "
    "any other)",
    "AKSAudit, AKSAuditAdmin, AKSControlPlane, AZFW*, AZKVAuditLogs, AzureActivity, AzureDiagnostics, FunctionAppLogs", recognise, decode};

}  // namespace egret::ingest
