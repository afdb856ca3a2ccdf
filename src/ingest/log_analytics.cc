// Rows of Log Analytics tables, in the ways that people get them: `az monitor log-analytics query` (an array of objects, all values as
// text), the REST answer (tables, columns, rows), Kusto's v2 frames, CSV of the portal and of notebooks, workspace export folders and
// other JSON lines. The table is named by evidence.yaml, a Type or TableName member, a file or folder name, or else told by the columns.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ingest/csv.h"
#include "ingest/decoder.h"
#include "ingest/json_cell.h"
#include "ingest/json_dom.h"
#include "ingest/json_records.h"
#include "ingest/table_rows.h"
#include "model/catalogue.h"

namespace egret::ingest {
namespace {

constexpr std::string_view kHint =
    "name the table: as the file's name, or under `files` in evidence.yaml (kind: KubePodInventory). Rows of a summarised query are no "
    "rows of a table; export them unsummarised";

// Classic Application Insights rows carry their kind in itemType.
std::string_view app_table(std::string_view item_type) {
  constexpr std::pair<std::string_view, std::string_view> kKinds[] = {{"request", "AppRequests"},
                                                                      {"dependency", "AppDependencies"},
                                                                      {"trace", "AppTraces"},
                                                                      {"exception", "AppExceptions"},
                                                                      {"customEvent", "AppEvents"},
                                                                      {"customMetric", "AppMetrics"},
                                                                      {"availabilityResult", "AppAvailabilityResults"},
                                                                      {"pageView", "AppPageViews"},
                                                                      {"browserTiming", "AppBrowserTimings"},
                                                                      {"performanceCounter", "AppPerformanceCounters"}};
  for (const auto& [kind, table] : kKinds)
    if (kind == item_type) return table;
  return {};
}

class Reader {
 public:
  Reader(const Source& source, Sink& sink) : source_(source), sink_(sink), rows_(source, sink) {
    if (!source.kind.empty() && model::find_table(source.kind)) named_ = source.kind;
  }

  void json() {
    each_json_record(source_.bytes, {"tables", "value", "results", "rows"},
                     {.record = [&](std::string_view text, uint64_t line) { record(text, line); },
                      .broken = [&](uint64_t line, std::string reason,
                                    std::string_view beginning) { sink_.error(line, std::move(reason), beginning); }});
  }

  void csv() {
    std::string_view bytes = source_.bytes;
    Csv csv(bytes, separator_of(bytes));
    std::vector<std::string_view> cells;
    if (!csv.next(cells)) return;
    std::vector<std::string> header(cells.begin(), cells.end());
    if (!header.empty() && trim(header[0]).empty()) header[0].clear();  // pandas' index
    const size_t type = static_cast<size_t>(std::find(header.begin(), header.end(), "Type") - header.begin());
    std::string table;
    while (csv.next(cells)) {
      if (csv.broken()) {
        sink_.error(csv.line(), "a quoted value is never closed", csv.whole());
        continue;
      }
      if (cells.size() > header.size() && !(cells.size() == header.size() + 1 && cells.back().empty())) {
        sink_.error(csv.line(), fmt::format("{} values where the header has {}", cells.size(), header.size()), csv.whole());
        continue;
      }
      const std::string_view row_type = type < cells.size() ? cells[type] : std::string_view();
      if (table.empty() || (!row_type.empty() && row_type != table && named_.empty())) {
        table = choose(header, row_type, {});
        if (table.empty()) {
          sink_.error(csv.line(), "the columns fit no table", csv.whole(), std::string(kHint));
          return;
        }
      }
      rows_.begin(table);
      for (size_t i = 0; i < cells.size() && i < header.size(); ++i)
        if (!header[i].empty() && !cells[i].empty()) rows_.set(header[i], Cell::of(cells[i]));
      rows_.end(csv.line(), csv.whole());
    }
  }

 private:
  std::string choose(const std::vector<std::string>& columns, std::string_view type, std::string_view item_type) {
    if (!named_.empty()) return named_;
    if (const auto t = table_of_name(type); !t.empty()) return std::string(t);
    if (type == "AzureNetworkAnalytics_CL") return "NTANetAnalytics";
    if (const auto t = app_table(item_type); !t.empty()) return std::string(t);
    std::string key = std::string(type) + "\n";
    for (const std::string& c : columns) key += c + "\n";
    if (key == last_key_) return last_table_;
    last_key_ = key;
    last_table_ = std::string(table_of_columns(columns, source_.path));
    // The traffic analytics of NSG flow logs, before NTANetAnalytics.
    const auto has = [&](std::string_view c) {
      return std::any_of(columns.begin(), columns.end(), [&](const std::string& x) { return bare_column(x).starts_with(c); });
    };
    if (last_table_.empty() && has("FlowIntervalEndTime") && has("AllowedOutFlows") && has("FlowDirection"))
      last_table_ = "NTANetAnalytics";
    return last_table_;
  }

  void record(std::string_view text, uint64_t line) {
    js::Element e;
    if (parser_.parse(text.data(), text.size(), true).get(e) != simdjson::SUCCESS) {
      sink_.error(line, "not valid JSON", text);
      return;
    }
    if (!e.is_object()) {
      sink_.error(line, "a row is not a JSON object", text);
      return;
    }
    if (js::is_array(js::get(e, "columns")) && js::is_array(js::get(e, "rows"))) return table(e, "columns", "rows", "name", line);
    if (const auto frame = js::text(e, "FrameType"); !frame.empty()) {
      if (frame == "DataTable" && js::text(e, "TableKind") == "PrimaryResult") table(e, "Columns", "Rows", "ColumnName", line);
      return;
    }
    if (js::is_array(js::get(e, "Columns")) && js::is_array(js::get(e, "Rows"))) return table(e, "Columns", "Rows", "ColumnName", line);
    object(e, text, line);
  }

  void object(const js::Element& e, std::string_view text, uint64_t line) {
    std::string_view type = js::text(e, "Type");
    if (type.empty()) type = js::text(e, "TableName");
    columns_.clear();
    js::each_member(e, [&](std::string_view key, const js::Element&) { columns_.emplace_back(key); });
    const std::string name = choose(columns_, type, js::text(e, "itemType"));
    if (name.empty()) {
      sink_.error(line, "the columns fit no table", text, std::string(kHint));
      return;
    }
    // Workspace exports repeat rows word by word.
    if (source_.path.contains("WorkspaceResourceId=") && !sink_.first_time(name, text)) {
      sink_.note("rows of a workspace export that were there twice, word by word, were taken once");
      return;
    }
    rows_.begin(name);
    std::string scratch;
    js::each_member(e, [&](std::string_view key, const js::Element& value) {
      if (key != "TableName" || rows_.knows("TableName")) rows_.set(key, cell_of(value, scratch));
    });
    rows_.end(line, text);
  }

  // {"columns":[{"name":…}],"rows":[[…]]}
  void table(const js::Element& e, std::string_view columns_key, std::string_view rows_key, std::string_view name_key, uint64_t line) {
    std::vector<std::string> columns;
    js::each(js::get(e, columns_key),
             [&](const js::Element& c) { columns.emplace_back(c.is_string() ? js::text(c) : js::text(c, name_key)); });
    const size_t type_at = static_cast<size_t>(std::find(columns.begin(), columns.end(), "Type") - columns.begin());
    const size_t item_at = static_cast<size_t>(std::find(columns.begin(), columns.end(), "itemType") - columns.begin());
    uint64_t n = 0;
    std::string scratch;
    bool stop = false;
    js::each(js::get(e, rows_key), [&](const js::Element& row) {
      ++n;
      simdjson::dom::array values;
      if (stop) return;
      if (row.get(values) != simdjson::SUCCESS) {
        // v2 frames carry errors as rows that are objects.
        sink_.error(n, "a row is not a list of values", js::minified(row));
        return;
      }
      std::string_view type, item;
      if (type_at < columns.size() && type_at < values.size()) type = js::text(values.at(type_at).value_unsafe());
      if (item_at < columns.size() && item_at < values.size()) item = js::text(values.at(item_at).value_unsafe());
      const std::string name = choose(columns, type, item);
      if (name.empty()) {
        sink_.error(line, "the columns fit no table", js::minified(row), std::string(kHint));
        stop = true;
        return;
      }
      rows_.begin(name);
      size_t i = 0;
      for (const js::Element v : values) {
        if (i < columns.size()) rows_.set(columns[i], cell_of(v, scratch));
        ++i;
      }
      rows_.end(n, {});
    });
  }

  const Source& source_;
  Sink& sink_;
  TableRows rows_;
  simdjson::dom::parser parser_;
  std::string named_, last_key_, last_table_;
  std::vector<std::string> columns_;
};

void decode(const Source& source, Sink& sink) {
  Reader r(source, sink);
  if (begins_as_json(source.bytes))
    r.json();
  else
    r.csv();
}

int recognise(std::string_view head, std::string_view path) {
  if (begins_as_json(head)) {
    if (head.contains("\"FrameType\"") && head.contains("DataSetHeader")) return 95;
    if (head.contains("\"tables\"") && head.contains("\"columns\"") && head.contains("\"name\"")) return 92;
    if (path.contains("WorkspaceResourceId=")) return 95;
    const bool time = head.contains("\"TimeGenerated\"");
    const bool typed =
        head.contains("\"Type\"") || head.contains("\"TableName\"") || head.contains("\"_ResourceId\"") || head.contains("\"TenantId\"");
    if (time) return typed ? 88 : 75;
    if (head.contains("\"TableName\"") && head.contains("\"PrimaryResult\"")) return 85;
    if (head.contains("\"itemType\"") && head.contains("\"cloud_RoleName\"")) return 85;
    return 0;
  }
  std::string_view line = head.substr(0, head.find('\n'));
  if (line.size() > 16 * 1024 || line.find_first_of(",;\t") == std::string_view::npos) return 0;
  if (line.contains("TimeGenerated")) return 85;
  Csv csv(line, separator_of(line));
  std::vector<std::string_view> cells;
  if (!csv.next(cells) || cells.size() < 3) return 0;
  const std::vector<std::string> columns(cells.begin(), cells.end());
  if (line.contains("itemType") && line.contains("timestamp")) return 80;
  if (line.contains("[UTC]")) return table_of_columns(columns, path).empty() ? 0 : 80;
  return 0;
}

}  // namespace

extern const Decoder kLogAnalytics;
const Decoder kLogAnalytics{
    "log-analytics",
    "rows of any Azure Monitor table: az monitor log-analytics query, REST and Kusto answers, portal CSV, workspace export, JSON lines",
    "any", recognise, decode};

}  // namespace egret::ingest
