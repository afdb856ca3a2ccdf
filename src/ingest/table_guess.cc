// Which table rows come from, when nothing names it: by its columns.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "ingest/table_rows.h"
#include "model/catalogue.h"

namespace egret::ingest {
namespace {

// Columns that nearly every table has, and those that `az monitor log-analytics query` and workbooks add.
constexpr std::string_view kCommon[] = {"TenantId",
                                        "TimeGenerated",
                                        "Type",
                                        "SourceSystem",
                                        "_ResourceId",
                                        "_SubscriptionId",
                                        "_BilledSize",
                                        "_IsBillable",
                                        "_ItemId",
                                        "_TimeReceived",
                                        "_Internal_WorkspaceResourceId",
                                        "MG",
                                        "ManagementGroupName",
                                        "Computer",
                                        "TableName",
                                        "RawData",
                                        "ResourceId",
                                        "_WorkspaceId",
                                        "Cluster"};

struct Index {
  std::vector<std::string> names;
  std::map<std::string, size_t> by_lower_name;
  std::unordered_map<std::string, std::vector<uint32_t>> tables_of_column;
  std::vector<uint32_t> width;
  std::vector<bool> declared;
};

const Index& index() {
  static const Index built = [] {
    Index x;
    x.names = model::table_names();
    const auto declared = model::declared_table_names();
    const std::set<std::string> ours(declared.begin(), declared.end());
    for (uint32_t i = 0; i < x.names.size(); ++i) {
      x.by_lower_name[to_lower(x.names[i])] = i;
      const model::Table* t = model::find_table(x.names[i]);
      x.width.push_back(t ? static_cast<uint32_t>(t->columns.size()) : 0);
      x.declared.push_back(ours.contains(x.names[i]));
      if (t && !x.names[i].starts_with("Egret"))
        for (const model::Column& c : t->columns)
          if (!c.added) x.tables_of_column[to_lower(c.name)].push_back(i);
    }
    return x;
  }();
  return built;
}

bool common(std::string_view column) {
  for (const std::string_view c : kCommon)
    if (iequals(c, column)) return true;
  return false;
}

// A part of the path that is a table's name: "am-kubepodinventory", "KubePodInventory-2022-04.csv", "AKSAudit/…".
std::string_view named_by_path(std::string_view path) {
  const Index& x = index();
  const auto look = [&](std::string_view part) -> std::string_view {
    const auto it = x.by_lower_name.find(to_lower(part));
    return it == x.by_lower_name.end() || part.size() < 6 ? std::string_view{} : std::string_view(x.names[it->second]);
  };
  size_t end = path.size();
  while (end > 0) {
    const size_t slash = path.rfind('/', end - 1);
    const size_t from = slash == std::string_view::npos ? 0 : slash + 1;
    std::string_view part = path.substr(from, end - from);
    if (part.starts_with("am-")) part.remove_prefix(3);
    if (const auto found = look(part.substr(0, part.find('.'))); !found.empty()) return found;
    size_t at = 0;
    while (at < part.size()) {
      size_t stop = part.find_first_of(".-_ ()[]", at);
      if (stop == std::string_view::npos) stop = part.size();
      if (const auto found = look(part.substr(at, stop - at)); !found.empty()) return found;
      at = stop + 1;
    }
    if (from == 0) break;
    end = from - 1;
  }
  return {};
}

}  // namespace

std::string_view table_of_name(std::string_view name) {
  const Index& x = index();
  const auto it = x.by_lower_name.find(to_lower(name));
  return it == x.by_lower_name.end() ? std::string_view{} : std::string_view(x.names[it->second]);
}

std::string_view bare_column(std::string_view header) {
  header = trim(header);
  if (const size_t bracket = header.find(" ["); bracket != std::string_view::npos && header.ends_with("]"))
    header = header.substr(0, bracket);
  return header;
}

std::string_view table_of_columns(const std::vector<std::string>& columns, std::string_view path) {
  const Index& x = index();
  std::vector<uint32_t> hits(x.names.size());
  uint32_t asked = 0;
  for (const std::string& column : columns) {
    const std::string_view c = bare_column(column);
    if (c.empty() || common(c)) continue;
    ++asked;
    const auto it = x.tables_of_column.find(to_lower(c));
    if (it == x.tables_of_column.end()) continue;
    for (const uint32_t t : it->second) ++hits[t];
  }
  const std::string_view named = named_by_path(path);
  if (!named.empty()) {
    const uint32_t t = static_cast<uint32_t>(x.by_lower_name.at(to_lower(named)));
    if (asked == 0 || hits[t] * 2 >= asked) return named;
  }
  // Nearly all columns must be the table's. Among equals, the narrower table, and one that Egret fills.
  size_t best = x.names.size();
  for (size_t t = 0; t < x.names.size(); ++t) {
    if (hits[t] < 2 || hits[t] * 10 < asked * 7) continue;
    const auto key = [&](size_t i) { return std::tuple(hits[i], x.declared[i] ? 1 : 0, -static_cast<int64_t>(x.width[i])); };
    if (best == x.names.size() || key(t) > key(best)) best = t;
  }
  return best == x.names.size() ? std::string_view{} : std::string_view(x.names[best]);
}

}  // namespace egret::ingest
