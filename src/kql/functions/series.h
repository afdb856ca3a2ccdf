#pragma once
// What the files about series share: a dynamic array of numbers as doubles and back. An element that is no number counts as missing.
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "kql/functions/json.h"
#include "kql/functions/list.h"
#include "kql/functions/values.h"

namespace egret::kql::functions {

using Series = std::vector<double>;  // NaN: missing

inline Series series_of(std::string_view raw) {
  Series s;
  json::Elements it(raw);
  for (std::string_view e; it.next(e);) s.push_back(json::number(e).value_or(NAN));
  return s;
}

inline std::string number_json(double v) { return std::isfinite(v) ? values::json_real(v) : "null"; }

inline std::string json_of(const Series& s) {
  std::string out;
  ArrayOut list(out);
  for (const double v : s) list.add(number_json(v));
  list.done();
  return out;
}

// Rows of functions over one series or two; RESULT is "d" for a series and "r" for a number.
#define EGRET_SERIES_1(NAME, RESULT, DOC) \
  {.name = "series_" NAME,                \
   .syntax = "series_" NAME "(series)",   \
   .doc = DOC,                            \
   .min_args = 1,                         \
   .max_args = 1,                         \
   .types = "d>" RESULT,                  \
   .sql = "k_series_" NAME "({0})"}
#define EGRET_SERIES_2(NAME, RESULT, DOC)       \
  {.name = "series_" NAME,                      \
   .syntax = "series_" NAME "(series, series)", \
   .doc = DOC,                                  \
   .min_args = 2,                               \
   .max_args = 2,                               \
   .types = "dd>" RESULT,                       \
   .sql = "k_series_" NAME "({0}, {1})"}

}  // namespace egret::kql::functions
