// Application Insights' continuous export (until 2024): JSON lines, each with its kind as the first member and the circumstances under
// `context`. Later exports come through diagnostic settings as rows of the App* tables.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_dom.h"
#include "ingest/json_file.h"
#include "ingest/table_rows.h"

namespace egret::ingest {
namespace {

struct Kind {
  std::string_view member, table;
};
constexpr Kind kKinds[] = {
    {"request", "AppRequests"}, {"remoteDependency", "AppDependencies"},    {"message", "AppTraces"}, {"basicException", "AppExceptions"},
    {"event", "AppEvents"},     {"availability", "AppAvailabilityResults"}, {"view", "AppPageViews"}};

// Values come bare, or as {"value": …} for durations in ticks.
void set(TableRows& rows, std::string_view column, const std::optional<js::Element>& v, bool ticks = false) {
  if (!v) return;
  if (v->is_object()) return set(rows, column, js::get(*v, "value"), ticks);
  double d = 0;
  bool b = false;
  if (v->is_string())
    rows.set(column, Cell::of(js::text(*v)));
  else if (v->get_double().get(d) == simdjson::SUCCESS)
    rows.set(column, {.kind = Cell::kReal, .real = ticks ? d / 10'000 : d});
  else if (v->get_bool().get(b) == simdjson::SUCCESS)
    rows.set(column, {.kind = Cell::kBool, .number = b});
}

void record(const js::Element& e, std::string_view text, uint64_t line, TableRows& rows, Sink& sink) {
  for (const Kind& k : kKinds) {
    const auto list = js::get(e, k.member);
    if (!js::is_array(list)) continue;
    const auto context = js::get(e, "context");
    const auto of = [&](js::Path path) { return context ? js::get(*context, path) : std::nullopt; };
    js::each(list, [&](const js::Element& x) {
      rows.begin(k.table);
      set(rows, "TimeGenerated", of({"data", "eventTime"}));
      set(rows, "OperationId", of({"operation", "id"}));
      set(rows, "ParentId", of({"operation", "parentId"}));
      set(rows, "OperationName", of({"operation", "name"}));
      set(rows, "ClientIP", of({"location", "clientip"}));
      set(rows, "AppRoleInstance", of({"device", "roleInstance"}));
      set(rows, "AppRoleName", of({"device", "roleName"}));
      set(rows, "Message", js::get(x, "raw"));
      set(rows, "Name", js::get(x, "name"));
      set(rows, "Id", js::get(x, "id"));
      set(rows, "Url", js::get(x, "url"));
      set(rows, "Success", js::get(x, "success"));
      set(rows, "ResultCode", js::get(x, "responseCode") ? js::get(x, "responseCode") : js::get(x, "resultCode"));
      set(rows, "DurationMs", js::get(x, "durationMetric"), true);
      set(rows, "Data", js::get(x, "commandName"));
      set(rows, "Target", js::get(x, "baseName"));
      set(rows, "DependencyType", js::get(x, "dependencyTypeName"));
      set(rows, "ExceptionType", js::get(x, "exceptionType"));
      if (const auto level = js::text(x, "severityLevel"); !level.empty()) {
        constexpr std::string_view kLevels[] = {"Verbose", "Informational", "Warning", "Error", "Critical"};
        for (int64_t i = 0; i < 5; ++i)
          if (iequals(kLevels[i], level) || (i == 1 && iequals(level, "Information"))) rows.set("SeverityLevel", Cell::of(i));
      }
      if (const auto custom = of({"custom", "dimensions"})) {
        // A list of objects with one member each.
        std::string json = "{";
        js::each(custom, [&](const js::Element& one) {
          js::each_member(one, [&](std::string_view key, const js::Element& v) {
            json += fmt::format("{}{}:{}", json.size() > 1 ? "," : "", json_quote(key), js::minified(v));
          });
        });
        json += "}";
        rows.set("Properties", Cell::of(json));
      }
      rows.end(line, text);
    });
    return;
  }
  sink.error(line, "a continuous export record of a kind that is not read (metric, performance counter, session)", text);
}

void decode(const Source& source, Sink& sink) {
  TableRows rows(source, sink);
  each_record(source, sink, [&](const js::Element& e, std::string_view text, uint64_t line) { record(e, text, line, rows, sink); });
}

int recognise(std::string_view head, std::string_view) {
  return head.contains("\"internal\"") && head.contains("\"documentVersion\"") && head.contains("\"context\"") ? 93 : 0;
}

}  // namespace

extern const Decoder kAppInsightsExport;
const Decoder kAppInsightsExport{"app-insights-export", "Application Insights continuous export (classic), JSON lines",
                                 "AppRequests, AppDependencies, AppTraces, AppExceptions, AppEvents", recognise, decode};

}  // namespace egret::ingest
