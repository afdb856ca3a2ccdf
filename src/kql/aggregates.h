#pragma once
// The aggregate functions: names, how results are called, and the names of functions that are known but cannot run yet.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/type.h"

namespace egret::kql {

bool is_aggregate(std::string_view name);
std::vector<std::string_view> aggregate_names();
// "count_", "dcount_X", "X" for arg_max(X, …)
std::string aggregate_name(std::string_view function, const std::string& argument, size_t args);

// How a column gets its name from a scalar function that makes it.
enum class FunctionNaming { kNone, kFirstArgument, kOwnName, kPrefix };
FunctionNaming function_naming(std::string_view name);

// A function that makes several columns where a column list stands: the names behind "function_argument_", or
// "argument_sorted" for each argument of array_sort_asc() and array_sort_desc().
struct ColumnOfResult {
  std::string_view name;
  model::Type type;
};
std::span<const ColumnOfResult> columns_of_result(std::string_view function);

// Result type of a published function that Egret can bind but not run.
std::optional<model::Type> known_function_type(std::string_view name);

}  // namespace egret::kql
