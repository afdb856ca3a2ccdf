#include "model/catalogue.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "base/embedded.h"

namespace egret::model {
namespace {

constexpr std::string_view kPublished = "tables/azure-monitor.tsv";

// Where each published table's lines lie in the TSV: found once, so that a table is only parsed when it is named.
const std::map<std::string_view, std::string_view>& published() {
  static const auto index = [] {
    std::map<std::string_view, std::string_view> found;
    const std::string_view text = embedded_text(kPublished);
    size_t from = text.find('\n') + 1;  // header
    std::string_view name;
    size_t begin = from;
    while (from < text.size()) {
      size_t end = text.find('\n', from);
      if (end == std::string_view::npos) end = text.size();
      const std::string_view row_name = text.substr(from, text.find('\t', from) - from);
      if (row_name != name) {
        if (!name.empty()) found[name] = text.substr(begin, from - begin);
        name = row_name;
        begin = from;
      }
      from = end + 1;
    }
    if (!name.empty()) found[name] = text.substr(begin);
    return found;
  }();
  return index;
}

void add_published_columns(std::string_view lines, Table& table) {
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    std::string_view line = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view{} : lines.substr(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const size_t a = line.find('\t');
    const size_t b = line.find('\t', a + 1);
    if (a == std::string_view::npos || b == std::string_view::npos) continue;
    const auto type = type_from_name(line.substr(b + 1));
    if (table.find(line.substr(a + 1, b - a - 1)) >= 0) continue;
    table.columns.push_back({.name = std::string(line.substr(a + 1, b - a - 1)), .type = type.value_or(Type::kString)});
  }
}

[[noreturn]] void bad_declaration(const std::string& path, const std::string& what) {
  fmt::print(stderr, "egret: {}: {}\n", path, what);
  std::abort();
}

// The declared columns come first, in their order; the published rest follows.
void read_declaration(const std::string& path, const std::string& text, Table& table) {
  try {
    const YAML::Node root = YAML::Load(text);
    table.doc = root["doc"].as<std::string>("");
    table.origin = root["origin"].as<std::string>("Egret");
    table.open = root["open"].as<bool>(false);
    for (const auto& entry : root["columns"]) {
      Column c;
      c.name = entry.first.as<std::string>();
      const YAML::Node& spec = entry.second;
      const auto type = type_from_name(spec["type"].as<std::string>("string"));
      if (!type) bad_declaration(path, "column " + c.name + " has an unknown type");
      c.type = *type;
      c.doc = spec["doc"].as<std::string>("");
      c.is_address = spec["address"].as<bool>(false);
      c.added = spec["added"].as<bool>(false);
      table.columns.push_back(std::move(c));
    }
    table.build_index();
  } catch (const YAML::Exception& e) {
    bad_declaration(path, e.what());
  }
}

std::unique_ptr<Table> load(std::string_view name) {
  auto table = std::make_unique<Table>();
  table->name = std::string(name);
  const std::string path = fmt::format("tables/{}.yaml", name);
  const std::string_view declaration = embedded_text(path);
  const auto lines = published().find(name);
  if (!declaration.data() && lines == published().end()) return nullptr;
  table->origin = "Azure Monitor";
  if (declaration.data()) read_declaration(path, std::string(declaration), *table);
  if (lines != published().end()) add_published_columns(lines->second, *table);
  table->build_index();
  return table;
}

}  // namespace

const Table* find_table(std::string_view name) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<Table>, std::less<>> tables;
  const std::lock_guard lock(mutex);
  if (const auto it = tables.find(name); it != tables.end()) return it->second.get();
  return tables.emplace(std::string(name), load(name)).first->second.get();
}

std::vector<std::string> declared_table_names() {
  std::vector<std::string> names;
  for (const ContentFile& f : content_files("tables"))
    if (f.path.ends_with(".yaml")) names.push_back(f.path.substr(7, f.path.size() - 12));
  return names;
}

std::vector<std::string> table_names() {
  std::set<std::string> names;
  for (const auto& [name, lines] : published()) names.emplace(name);
  for (std::string& name : declared_table_names()) names.insert(std::move(name));
  return {names.begin(), names.end()};
}

}  // namespace egret::model
