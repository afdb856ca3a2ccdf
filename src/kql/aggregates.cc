#include "kql/aggregates.h"

#include <algorithm>

namespace egret::kql {
namespace {

struct Row {
  std::string_view name;
  std::string_view prefix;  // of the column's name; "=" takes the argument's name as it is
};
// Sorted by subject, as the reference lists them.
constexpr Row kAggregates[] = {
    {"count", "count"},
    {"countif", "countif"},
    {"cnt", "count"},
    {"dcount", "dcount"},
    {"dcountif", "dcountif"},
    {"count_distinct", "count_distinct"},
    {"count_distinctif", "count_distinctif"},
    {"sum", "sum"},
    {"sumif", "sumif"},
    {"avg", "avg"},
    {"avgif", "avgif"},
    {"min", "min"},
    {"minif", "minif"},
    {"max", "max"},
    {"maxif", "maxif"},
    {"stdev", "stdev"},
    {"stdevif", "stdevif"},
    {"stdevp", "stdevp"},
    {"variance", "variance"},
    {"varianceif", "varianceif"},
    {"variancep", "variancep"},
    {"variancepif", "variancepif"},
    {"covariance", "covariance"},
    {"covariancep", "covariancep"},
    {"percentile", "percentile"},
    {"percentiles", "percentile"},
    {"percentiles_array", "percentiles"},
    {"percentilew", "percentilew"},
    {"percentilesw", "percentilesw"},
    {"percentilesw_array", "percentilesw"},
    {"make_list", "list"},
    {"makelist", "list"},
    {"make_list_if", "list"},
    {"make_list_with_nulls", "list"},
    {"make_set", "set"},
    {"makeset", "set"},
    {"make_set_if", "set"},
    {"make_bag", "bag"},
    {"make_bag_if", "bag"},
    {"make_dictionary", "dictionary"},
    {"take_any", "="},
    {"take_anyif", "="},
    {"any", "any"},
    {"anyif", "any"},
    {"arg_max", "="},
    {"arg_min", "="},
    {"argmax", "max"},
    {"argmin", "min"},
    {"binary_all_and", "binary_all_and"},
    {"binary_all_or", "binary_all_or"},
    {"binary_all_xor", "binary_all_xor"},
    {"buildschema", "schema"},
    {"hll", "hll"},
    {"hll_if", "hll"},
    {"hll_merge", "hll_merge"},
    {"tdigest", "tdigest"},
    {"tdigest_merge", "merge_tdigest"},
    {"merge_tdigest", "merge_tdigest"},
};

// Functions that leave the name of their first argument to the column that they make.
constexpr std::string_view kNamedAfterArgument[] = {
    "bin",        "floor",     "bin_at",   "bin_auto",  "tostring",    "toint",        "tolong", "todouble",
    "toreal",     "todecimal", "tobool",   "toboolean", "todatetime",  "totimespan",   "toguid", "todynamic",
    "parse_json", "parsejson", "toobject", "tohex",     "extractjson", "extract_json",
};

using model::Type;
constexpr ColumnOfResult kStats[] = {{"min", Type::kReal}, {"min_idx", Type::kLong}, {"max", Type::kReal},     {"max_idx", Type::kLong},
                                     {"avg", Type::kReal}, {"stdev", Type::kReal},   {"variance", Type::kReal}};
constexpr ColumnOfResult kFitLine[] = {{"rsquare", Type::kReal},   {"slope", Type::kReal},        {"variance", Type::kReal},
                                       {"rvariance", Type::kReal}, {"interception", Type::kReal}, {"line_fit", Type::kDynamic}};
constexpr ColumnOfResult kFit2Lines[] = {
    {"rsquare", Type::kReal},           {"split_idx", Type::kLong},          {"variance", Type::kReal},
    {"rvariance", Type::kReal},         {"line_fit", Type::kDynamic},        {"right_rsquare", Type::kReal},
    {"right_slope", Type::kReal},       {"right_interception", Type::kReal}, {"right_variance", Type::kReal},
    {"right_rvariance", Type::kReal},   {"left_rsquare", Type::kReal},       {"left_slope", Type::kReal},
    {"left_interception", Type::kReal}, {"left_variance", Type::kReal},      {"left_rvariance", Type::kReal},
};
constexpr ColumnOfResult kAnomalies[] = {{"ad_flag", Type::kDynamic}, {"ad_score", Type::kDynamic}, {"baseline", Type::kDynamic}};
constexpr ColumnOfResult kDecompose[] = {
    {"baseline", Type::kDynamic}, {"seasonal", Type::kDynamic}, {"trend", Type::kDynamic}, {"residual", Type::kDynamic}};
constexpr ColumnOfResult kPeriods[] = {{"periods", Type::kDynamic}, {"scores", Type::kDynamic}};
constexpr ColumnOfResult kSorted[] = {{"sorted", Type::kDynamic}};

struct Known {
  std::string_view name;
  model::Type type;
};
// Published functions that bind but do not run here.
constexpr Known kKnown[] = {
    {"geo_info_from_ip_address", model::Type::kDynamic},
    {"parse_user_agent", model::Type::kDynamic},
};

}  // namespace

bool is_aggregate(std::string_view name) {
  return std::any_of(std::begin(kAggregates), std::end(kAggregates), [&](const Row& r) { return r.name == name; });
}

std::vector<std::string_view> aggregate_names() {
  std::vector<std::string_view> names;
  for (const Row& r : kAggregates) names.push_back(r.name);
  return names;
}

std::string aggregate_name(std::string_view function, const std::string& argument, size_t args) {
  for (const Row& r : kAggregates) {
    if (r.name != function) continue;
    if (r.prefix == "=") return argument;
    if (function == "count" || function == "countif" || function == "cnt") return std::string(r.prefix) + "_";
    (void)args;
    return std::string(r.prefix) + "_" + argument;
  }
  return {};
}

FunctionNaming function_naming(std::string_view name) {
  if (std::find(std::begin(kNamedAfterArgument), std::end(kNamedAfterArgument), name) != std::end(kNamedAfterArgument))
    return FunctionNaming::kFirstArgument;
  if (name == "strlen") return FunctionNaming::kPrefix;
  return FunctionNaming::kNone;
}

std::span<const ColumnOfResult> columns_of_result(std::string_view f) {
  if (f == "series_stats") return kStats;
  if (f == "series_fit_line") return kFitLine;
  if (f == "series_fit_2lines") return kFit2Lines;
  if (f == "series_decompose_anomalies") return kAnomalies;
  if (f == "series_decompose" || f == "series_decompose_forecast") return kDecompose;
  if (f == "series_periods_detect" || f == "series_periods_validate") return kPeriods;
  if (f == "array_sort_asc" || f == "array_sort_desc") return kSorted;
  return {};
}

std::optional<model::Type> known_function_type(std::string_view name) {
  for (const Known& k : kKnown)
    if (k.name == name) return k.type;
  return {};
}

}  // namespace egret::kql
