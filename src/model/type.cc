#include "model/type.h"

#include <utility>

#include "base/text.h"
#include "model/table.h"

namespace egret::model {
namespace {

struct Row {
  Type type;
  std::string_view name, sql;
};
constexpr Row kTypes[] = {
    {Type::kBool, "bool", "BOOLEAN"},        {Type::kInt, "int", "INTEGER"},          {Type::kLong, "long", "BIGINT"},
    {Type::kReal, "real", "DOUBLE"},         {Type::kDecimal, "decimal", "DOUBLE"},   {Type::kString, "string", "VARCHAR"},
    {Type::kDatetime, "datetime", "BIGINT"}, {Type::kTimespan, "timespan", "BIGINT"}, {Type::kDynamic, "dynamic", "VARCHAR"},
    {Type::kGuid, "guid", "VARCHAR"},
};
constexpr std::pair<std::string_view, Type> kAliases[] = {
    {"boolean", Type::kBool},  {"int32", Type::kInt},     {"int64", Type::kLong}, {"double", Type::kReal},   {"float", Type::kReal},
    {"date", Type::kDatetime}, {"time", Type::kTimespan}, {"uuid", Type::kGuid},  {"uniqueid", Type::kGuid}, {"object", Type::kDynamic},
};

}  // namespace

std::string_view type_name(Type t) { return kTypes[static_cast<int>(t)].name; }
std::string_view sql_type(Type t) { return kTypes[static_cast<int>(t)].sql; }

std::optional<Type> type_from_name(std::string_view name) {
  for (const Row& r : kTypes)
    if (iequals(r.name, name)) return r.type;
  for (const auto& [alias, type] : kAliases)
    if (iequals(alias, name)) return type;
  return {};
}

int Table::find(std::string_view column) const {
  const auto it = index_.find(std::string(column));
  return it == index_.end() ? -1 : it->second;
}

void Table::build_index() {
  index_.clear();
  for (size_t i = 0; i < columns.size(); ++i) index_.emplace(columns[i].name, static_cast<int>(i));
}

}  // namespace egret::model
