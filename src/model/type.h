#pragma once
// The scalar types of KQL, and how the store keeps each.
#include <optional>
#include <string_view>

namespace egret::model {

enum class Type {
  kBool,      // BOOLEAN, may be null
  kInt,       // INTEGER, may be null
  kLong,      // BIGINT, may be null
  kReal,      // DOUBLE, may be null
  kDecimal,   // DOUBLE (34 significant digits are not kept), may be null
  kString,    // VARCHAR, never null: absent is ''
  kDatetime,  // BIGINT ticks (base/time.h), may be null
  kTimespan,  // BIGINT ticks, may be null
  kDynamic,   // VARCHAR with JSON text, may be null
  kGuid,      // VARCHAR in lower case with dashes, may be null
};

std::string_view type_name(Type t);                         // "datetime"
std::optional<Type> type_from_name(std::string_view name);  // also the aliases: int64, double, date, time, boolean, uuid …
std::string_view sql_type(Type t);                          // "BIGINT"

}  // namespace egret::model
