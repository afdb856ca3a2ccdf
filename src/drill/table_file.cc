// Log Analytics rows in the three ways people export them: az's array of strings, JSON lines of a workspace's data export, and
// portal CSV is left to the alerts.
#include <fmt/format.h>

#include "drill/writers.h"

namespace egret::drill {
namespace {

// The export settings of a team are the same for all its tables.
bool az_form(const World& w) { return Random(w.seed).fork("export form").chance(0.35); }

std::string table_path(const World& w, const Cluster& c, std::string_view table, std::string_view part) {
  if (az_form(w)) return fmt::format("{}/{}{}.json", c.name, table, part);
  const std::string lower = [&] {
    std::string s(table);
    for (char& ch : s) ch = static_cast<char>(std::tolower(ch));
    return s;
  }();
  return fmt::format(
      "{}/am-{}/WorkspaceResourceId=/subscriptions/{}/resourcegroups/{}/providers/microsoft.operationalinsights/workspaces/{}/y={}/m={}/"
      "d={}/h={}/m=00/PT05M{}.json",
      c.name, lower, c.subscription, w.workspace_group, c.workspace, iso(w.to).substr(0, 4), iso(w.to).substr(5, 2), iso(w.to).substr(8, 2),
      iso(w.to).substr(11, 2), part);
}

}  // namespace

bool Pen::has(std::string_view source) const {
  for (const auto& r : removed)
    if (r == source) return false;
  return true;
}

std::pair<Micros, Micros> Pen::gap(const Cluster& c, std::string_view source) const {
  Random r = Random(world.seed).fork("gap " + c.name + std::string(source));
  if (!r.chance(0.12)) return {0, 0};
  const Micros at = world.from + static_cast<Micros>(r.real() * static_cast<double>(world.to - world.from));
  return {at, at + r.between(4, 18) * kMinute};
}

TableFile::TableFile(Pen& pen, const Cluster& c, std::string_view table, std::string_view part)
    : file_(pen.out, std::string(table) + std::string(part), table_path(pen.world, c, table, part)),
      kind_(std::string(table) + std::string(part)),
      out_(pen.out),
      table_(table),
      cluster_(c),
      world_(pen.world),
      as_text_(az_form(pen.world)) {
  if (as_text_) file_.text() += "[\n";
  if (!forms_of(world_).repeats) return;
  repeats_ = Random(world_.seed).fork("repeats " + c.name + kind_);
  late_path_ = table_path(world_, c, table, part);
  if (const size_t at = late_path_.find("/m=00/PT05M"); at != std::string::npos) late_path_.replace(at, 11, "/m=05/PT05M");
}

TableFile::~TableFile() {
  if (as_text_) file_.text() += any_ ? "\n]\n" : "]\n";
}

TableFile& TableFile::begin(Micros time) {
  row_.clear();
  first_ = true;
  return this->time("TimeGenerated", time, 7);
}

void TableFile::column(std::string_view name) {
  if (as_text_)
    row_ += first_ ? "    \"" : ",\n    \"";
  else
    row_ += first_ ? "{\"" : ",\"";
  first_ = false;
  row_ += name;
  row_ += as_text_ ? "\": " : "\":";
}

TableFile& TableFile::text(std::string_view name, std::string_view value) {
  column(name);
  append_json_string(row_, value);
  return *this;
}
TableFile& TableFile::number(std::string_view name, double value) {
  column(name);
  if (as_text_)
    fmt::format_to(std::back_inserter(row_), "\"{}\"", value);
  else
    fmt::format_to(std::back_inserter(row_), "{}", value);
  return *this;
}
TableFile& TableFile::boolean(std::string_view name, bool value) {
  column(name);
  row_ += as_text_ ? (value ? "\"True\"" : "\"False\"") : (value ? "true" : "false");
  return *this;
}
TableFile& TableFile::time(std::string_view name, Micros value, int digits) { return text(name, iso(value, digits)); }
TableFile& TableFile::dynamic(std::string_view name, std::string_view json) {
  if (as_text_) return text(name, json);
  column(name);
  row_ += json;
  return *this;
}

void TableFile::end() {
  if (as_text_)
    text("TableName", "PrimaryResult");
  else {
    text("Type", table_);
    text("TenantId", world_.tenant);
    std::string id = cluster_.resource_id;
    for (char& ch : id) ch = static_cast<char>(std::tolower(ch));
    text("_ResourceId", id);
  }
  // Agents that got no answer send again, and what waited comes with the next piece. A query sees all of it in one answer.
  const double draw = repeats_ ? repeats_->real() : 1;
  if (draw < 0.03 && !as_text_) {
    if (!late_) late_.emplace(out_, kind_, late_path_);
    row(*late_);
    if (draw >= 0.015) return;  // late only
  } else if (draw < 0.015) {
    row(file_);
  }
  row(file_);
}

void TableFile::row(Output::File& file) {
  std::string& out = file.text();
  if (as_text_) {
    if (any_) out += ",\n";
    out += "  {\n";
    out += row_;
    out += "\n  }";
  } else {
    out += row_;
    out += "}\n";
  }
  any_ = true;
  file.row();
}

}  // namespace egret::drill
