#include "store/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/embedded.h"
#include "model/catalogue.h"

namespace egret::store {
namespace {

std::string missing_column(const model::Column& c) {
  const std::string name = quote_identifier(c.name);
  if (c.type == model::Type::kString) return "'' AS " + name;
  return fmt::format("NULL::{} AS {}", model::sql_type(c.type), name);
}

// The shape's columns from a relation that has some of them.
std::string select_sql(const model::Table& shape, const std::function<bool(const std::string&)>& has, bool sealed, std::string_view from) {
  std::string list;
  for (const model::Column& c : shape.columns) {
    const bool there = has(c.name);
    list += there ? quote_identifier(c.name) : missing_column(c);
    list += ", ";
    if (!c.is_address) continue;
    const std::string companion = quote_identifier(c.name + "$ip");
    if (!there) {
      list += "NULL::HUGEINT AS " + companion;
    } else if (sealed) {
      list += fmt::format("({}::HUGEINT * 18446744073709551616 + {}::HUGEINT) AS {}", quote_identifier(c.name + "$high"),
                          quote_identifier(c.name + "$low"), companion);
    } else {
      list += companion;
    }
    list += ", ";
  }
  return fmt::format("SELECT {}\"_RowId\", \"_IngestionTime\", \"_SourceId\" FROM {}", list, from);
}

std::string sealed_sql(const model::Table& shape, const std::vector<SealedFile>& sealed) {
  std::map<std::vector<std::string>, std::string> alike;  // files by their columns
  for (const SealedFile& f : sealed) {
    std::string& list = alike[f.columns];
    list += (list.empty() ? "" : ", ") + quote_text(f.path);
  }
  std::string rows;
  for (const auto& [columns, files] : alike) {
    const auto has = [&](const std::string& name) { return std::find(columns.begin(), columns.end(), name) != columns.end(); };
    rows += (rows.empty() ? "" : " UNION ALL ") + select_sql(shape, has, true, fmt::format("read_parquet([{}])", files));
  }
  return rows;
}

std::string view_sql(const model::Table& shape, const StoredTable* stored) {
  std::string rows;
  if (stored) {
    rows = select_sql(shape, [&](const std::string& name) { return stored->has(name); }, false, stored->physical);
    if (!stored->sealed.empty()) rows += " UNION ALL " + sealed_sql(shape, stored->sealed);
  } else {
    rows = select_sql(
        shape, [](const std::string&) { return false; }, false,
        "(SELECT NULL::BIGINT AS \"_RowId\", NULL::BIGINT AS \"_IngestionTime\", NULL::INTEGER AS \"_SourceId\" WHERE false)");
  }
  return fmt::format("CREATE OR REPLACE TEMP VIEW {} AS {}", quote_identifier(shape.name), rows);
}

// The text from its parameter list on; what stands before it is comment.
std::string without_doc(std::string_view text) {
  while (true) {
    const size_t from = text.find_first_not_of(" \t\r\n");
    if (from == std::string_view::npos) return {};
    text.remove_prefix(from);
    if (!text.starts_with("//")) return std::string(text);
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end);
  }
}

}  // namespace

std::string rows_sql(const StoredTable& table, bool hot, const std::vector<SealedFile>& files) {
  model::Table shape;
  for (const StoredColumn& c : table.columns) shape.columns.push_back({.name = c.name, .type = c.type});
  std::string rows;
  if (hot) rows = select_sql(shape, [](const std::string&) { return true; }, false, table.physical);
  if (!files.empty()) rows += (hot ? " UNION ALL " : "") + sealed_sql(shape, files);
  return rows;
}

bool StoredTable::has(std::string_view column) const {
  return std::any_of(columns.begin(), columns.end(), [&](const StoredColumn& c) { return c.name == column; });
}

const model::Table* Tables::keep(model::Table table) {
  table.build_index();
  return kept_.emplace_back(std::make_unique<model::Table>(std::move(table))).get();
}

const model::Table* Tables::shape_locked(std::string_view name) const {
  const auto it = entries_.find(name);
  if (it != entries_.end() && it->second.temporary_shape) return it->second.temporary_shape;
  if (it != entries_.end() && it->second.stored_shape) return it->second.stored_shape;
  return model::find_table(name);
}

const model::Table* Tables::table(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return shape_locked(name);
}

std::optional<std::string> Tables::function(std::string_view name) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = functions_.find(name); it != functions_.end()) return it->second;
  }
  if (name.find('/') != std::string_view::npos || name.find('.') != std::string_view::npos) return {};
  const auto file = content_file(fmt::format("functions/{}.kql", name));
  if (!file) return {};
  return without_doc(file->text);
}

std::vector<std::string> Tables::names() const {
  std::set<std::string> all;
  for (std::string& name : model::table_names()) all.insert(std::move(name));
  for (const ContentFile& f : content_files("functions"))
    if (f.path.ends_with(".kql")) all.insert(f.path.substr(10, f.path.size() - 14));
  const std::lock_guard lock(mutex_);
  for (const auto& [name, entry] : entries_) all.insert(name);
  for (const auto& [name, text] : functions_) all.insert(name);
  return {all.begin(), all.end()};
}

void Tables::define_function(std::string name, std::string text) {
  const std::lock_guard lock(mutex_);
  functions_[std::move(name)] = without_doc(text);
}

void Tables::publish(std::string_view name, StoredTable stored, bool temporary, const model::Table* shape) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[std::string(name)];
  ++entry.version;
  if (temporary) {
    model::Table copy;
    copy.name = std::string(name);
    if (shape) copy.columns = shape->columns, copy.doc = shape->doc;
    entry.temporary_shape = keep(std::move(copy));
    entry.temporary = std::move(stored);
    return;
  }
  // What the catalogue declares, and after it the columns that only the rows have.
  const model::Table* declared = model::find_table(name);
  const model::Table* base = declared ? declared : entry.stored_shape ? entry.stored_shape : shape;
  model::Table merged;
  merged.name = std::string(name);
  if (base) merged.columns = base->columns, merged.doc = base->doc, merged.origin = base->origin, merged.open = base->open;
  merged.build_index();
  size_t added = 0;
  for (const StoredColumn& c : stored.columns) {
    if (merged.find(c.name) >= 0) continue;
    merged.columns.push_back({.name = c.name, .type = c.type, .is_address = c.is_address, .added = true});
    ++added;
  }
  if (!declared || added > 0) entry.stored_shape = keep(std::move(merged));
  entry.stored = std::move(stored);
}

std::optional<StoredTable> Tables::stored(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(name);
  return it == entries_.end() ? std::nullopt : it->second.stored;
}

std::optional<StoredTable> Tables::temporary(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(name);
  return it == entries_.end() ? std::nullopt : it->second.temporary;
}

std::vector<std::string> Tables::stored_names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_)
    if (entry.stored) names.push_back(name);
  return names;
}

std::optional<Tables::View> Tables::view(std::string_view name, std::optional<uint64_t> have) const {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(name);
  const uint64_t version = it == entries_.end() ? 0 : it->second.version;
  if (have == version) return {};
  const model::Table* shape = shape_locked(name);
  if (!shape) return {};
  const StoredTable* stored = nullptr;
  if (it != entries_.end()) stored = it->second.temporary ? &*it->second.temporary : it->second.stored ? &*it->second.stored : nullptr;
  return View{version, view_sql(*shape, stored)};
}

}  // namespace egret::store
