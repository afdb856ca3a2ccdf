// Series, element by element: arithmetic, filters, filling of gaps.
#include "kql/functions/series.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kql/functions/tables.h"

namespace egret::kql {
namespace {

using functions::ArrayOut;
using functions::json_of;
using functions::number_json;
using functions::Series;
using functions::series_of;
using json::is_array;
using json::Kind;

// ---- element by element ----

template <auto F>
void each(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  Series s = series_of(a.text(0));
  for (double& v : s) v = std::isnan(v) ? v : F(v);
  out.text(json_of(s));
}
// A number stands for a series of it; the longer series ends with missing values.
template <auto F>
void both(const Args& a, Out& out) {
  const std::string_view x = a.text(0), y = a.text(1);
  if (!is_array(x) && !is_array(y)) return out.null();
  const Series s = series_of(x), t = series_of(y);
  const double sc = json::number(x).value_or(NAN), tc = json::number(y).value_or(NAN);
  const size_t n = std::max(is_array(x) ? s.size() : 0, is_array(y) ? t.size() : 0);
  ArrayOut list(out.scratch);
  for (size_t i = 0; i < n; ++i) {
    const double v = is_array(x) ? (i < s.size() ? s[i] : NAN) : sc, w = is_array(y) ? (i < t.size() ? t[i] : NAN) : tc;
    if (std::isnan(v) || std::isnan(w)) {
      list.add("null");
    } else if constexpr (std::is_same_v<decltype(F(v, w)), bool>) {
      list.add(F(v, w) ? "true" : "false");
    } else {
      list.add(number_json(F(v, w)));
    }
  }
  out.text(list.done());
}
double f_abs(double v) { return std::fabs(v); }
double f_acos(double v) { return std::acos(v); }
double f_asin(double v) { return std::asin(v); }
double f_atan(double v) { return std::atan(v); }
double f_ceil(double v) { return std::ceil(v); }
double f_cos(double v) { return std::cos(v); }
double f_exp(double v) { return std::exp(v); }
double f_floor(double v) { return std::floor(v); }
double f_log(double v) { return std::log(v); }
double f_sign(double v) { return v < 0 ? -1 : v > 0; }
double f_sin(double v) { return std::sin(v); }
double f_tan(double v) { return std::tan(v); }
double f_add(double v, double w) { return v + w; }
double f_subtract(double v, double w) { return v - w; }
double f_multiply(double v, double w) { return v * w; }
double f_divide(double v, double w) { return v / w; }
double f_pow(double v, double w) { return std::pow(v, w); }
bool f_equals(double v, double w) { return v == w; }
bool f_not_equals(double v, double w) { return v != w; }
bool f_greater(double v, double w) { return v > w; }
bool f_greater_equals(double v, double w) { return v >= w; }
bool f_less(double v, double w) { return v < w; }
bool f_less_equals(double v, double w) { return v <= w; }

// ---- filters and filling ----

void fir(const Args& a, Out& out) {  // (series, filter, normalise, centre)
  if (!is_array(a.text(0)) || !is_array(a.text(1))) return out.null();
  const Series s = series_of(a.text(0));
  Series f = series_of(a.text(1));
  const double sum = std::accumulate(f.begin(), f.end(), 0.0);
  if (a.boolean(2) && sum != 0)
    for (double& v : f) v /= sum;
  const auto shift = a.boolean(3) ? static_cast<int64_t>(f.size() / 2) : 0;
  Series r(s.size(), 0);
  for (int64_t i = 0; i < static_cast<int64_t>(s.size()); ++i)
    for (int64_t k = 0; k < static_cast<int64_t>(f.size()); ++k)
      if (const int64_t at = i - k + shift; at >= 0 && at < static_cast<int64_t>(s.size()))
        r[static_cast<size_t>(i)] += s[static_cast<size_t>(at)] * f[static_cast<size_t>(k)];
  out.text(json_of(r));
}
void iir(const Args& a, Out& out) {
  const Series s = series_of(a.text(0)), b = series_of(a.text(1)), d = series_of(a.text(2));
  if (d.empty() || d[0] == 0) return out.null();
  Series r(s.size(), 0);
  for (size_t i = 0; i < s.size(); ++i) {
    for (size_t k = 0; k < b.size() && k <= i; ++k) r[i] += b[k] * s[i - k];
    for (size_t k = 1; k < d.size() && k <= i; ++k) r[i] -= d[k] * r[i - k];
    r[i] /= d[0];
  }
  out.text(json_of(r));
}

bool is_missing(const Args& a, size_t i, std::string_view e) {
  return a.null(i) ? json::kind(e) == Kind::kNull : json::equal(e, a.text(i)) || json::kind(e) == Kind::kNull;
}

template <bool Backward>
void fill_from_neighbour(const Args& a, Out& out) {  // (series, what counts as missing)
  if (!is_array(a.text(0))) return out.null();
  auto all = json::elements(a.text(0));
  if constexpr (Backward) std::reverse(all.begin(), all.end());
  std::string_view last;
  for (std::string_view& e : all) {
    if (!is_missing(a, 1, e))
      last = e;
    else if (last.data())
      e = last;
  }
  if constexpr (Backward) std::reverse(all.begin(), all.end());
  ArrayOut list(out.scratch);
  for (const std::string_view e : all) list.add(e);
  out.text(list.done());
}
void fill_const(const Args& a, Out& out) {  // (series, value, what counts as missing)
  if (!is_array(a.text(0))) return out.null();
  ArrayOut list(out.scratch);
  json::Elements it(a.text(0));
  for (std::string_view e; it.next(e);) list.add(is_missing(a, 2, e) ? (a.null(1) ? "null" : a.text(1)) : e);
  out.text(list.done());
}
void fill_linear(const Args& a, Out& out) {  // (series, what counts as missing, fill edges, constant)
  if (!is_array(a.text(0))) return out.null();
  const auto all = json::elements(a.text(0));
  Series s;
  for (const std::string_view e : all) s.push_back(is_missing(a, 1, e) ? NAN : json::number(e).value_or(NAN));
  std::vector<size_t> known;
  for (size_t i = 0; i < s.size(); ++i)
    if (!std::isnan(s[i])) known.push_back(i);
  if (known.empty()) {
    std::fill(s.begin(), s.end(), a.null(3) ? NAN : a.real(3));
    return out.text(json_of(s));
  }
  for (size_t k = 0; k + 1 < known.size(); ++k)
    for (size_t i = known[k] + 1; i < known[k + 1]; ++i)
      s[i] =
          s[known[k]] + (s[known[k + 1]] - s[known[k]]) * static_cast<double>(i - known[k]) / static_cast<double>(known[k + 1] - known[k]);
  if (a.boolean(2)) {
    std::fill(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(known.front()), s[known.front()]);
    std::fill(s.begin() + static_cast<std::ptrdiff_t>(known.back()), s.end(), s[known.back()]);
  }
  out.text(json_of(s));
}

constexpr Native kNatives[] = {
    native<each<f_abs>>("k_series_abs", "d>d"),
    native<each<f_acos>>("k_series_acos", "d>d"),
    native<each<f_asin>>("k_series_asin", "d>d"),
    native<each<f_atan>>("k_series_atan", "d>d"),
    native<each<f_ceil>>("k_series_ceiling", "d>d"),
    native<each<f_cos>>("k_series_cos", "d>d"),
    native<each<f_exp>>("k_series_exp", "d>d"),
    native<each<f_floor>>("k_series_floor", "d>d"),
    native<each<f_log>>("k_series_log", "d>d"),
    native<each<f_sign>>("k_series_sign", "d>d"),
    native<each<f_sin>>("k_series_sin", "d>d"),
    native<each<f_tan>>("k_series_tan", "d>d"),
    native<both<f_add>>("k_series_add", "dd>d"),
    native<both<f_subtract>>("k_series_subtract", "dd>d"),
    native<both<f_multiply>>("k_series_multiply", "dd>d"),
    native<both<f_divide>>("k_series_divide", "dd>d"),
    native<both<f_pow>>("k_series_pow", "dd>d"),
    native<both<f_equals>>("k_series_equals", "dd>d"),
    native<both<f_not_equals>>("k_series_not_equals", "dd>d"),
    native<both<f_greater>>("k_series_greater", "dd>d"),
    native<both<f_greater_equals>>("k_series_greater_equals", "dd>d"),
    native<both<f_less>>("k_series_less", "dd>d"),
    native<both<f_less_equals>>("k_series_less_equals", "dd>d"),
    native<fir>("k_series_fir", "ddbb>d"),
    native<iir>("k_series_iir", "ddd>d"),
    native<fill_from_neighbour<false>>("k_series_fill_forward", "dD>d"),
    native<fill_from_neighbour<true>>("k_series_fill_backward", "dD>d"),
    native<fill_const>("k_series_fill_const", "dDD>d"),
    native<fill_linear>("k_series_fill_linear", "dDbR>d"),
};

constexpr ScalarFunction kRows[] = {
    EGRET_SERIES_1("abs", "d", "Without signs."),
    EGRET_SERIES_1("acos", "d", "Arc cosines."),
    EGRET_SERIES_1("asin", "d", "Arc sines."),
    EGRET_SERIES_1("atan", "d", "Arc tangents."),
    EGRET_SERIES_1("ceiling", "d", "Whole numbers above."),
    EGRET_SERIES_1("cos", "d", "Cosines."),
    EGRET_SERIES_1("exp", "d", "Powers of e."),
    EGRET_SERIES_1("floor", "d", "Whole numbers below."),
    EGRET_SERIES_1("log", "d", "Natural logarithms."),
    EGRET_SERIES_1("sign", "d", "Signs."),
    EGRET_SERIES_1("sin", "d", "Sines."),
    EGRET_SERIES_1("tan", "d", "Tangents."),
    EGRET_SERIES_2("add", "d", "Sums."),
    EGRET_SERIES_2("subtract", "d", "Differences."),
    EGRET_SERIES_2("multiply", "d", "Products."),
    EGRET_SERIES_2("divide", "d", "Quotients."),
    EGRET_SERIES_2("pow", "d", "Powers."),
    EGRET_SERIES_2("equals", "d", "Whether equal."),
    EGRET_SERIES_2("not_equals", "d", "Whether not equal."),
    EGRET_SERIES_2("greater", "d", "Whether greater."),
    EGRET_SERIES_2("greater_equals", "d", "Whether greater or equal."),
    EGRET_SERIES_2("less", "d", "Whether less."),
    EGRET_SERIES_2("less_equals", "d", "Whether less or equal."),
    {.name = "series_fir",
     .syntax = "series_fir(series, filter [, normalize [, center]])",
     .doc = "Filtered by weights of the last elements.",
     .min_args = 2,
     .max_args = 4,
     .types = "ddbb>d",
     .sql = "k_series_fir({0}, {1}, coalesce({2}, true), coalesce({3}, false))"},
    {.name = "series_iir",
     .syntax = "series_iir(series, numerators, denominators)",
     .doc = "Filtered recursively.",
     .min_args = 3,
     .max_args = 3,
     .types = "ddd>d",
     .sql = "k_series_iir({0}, {1}, {2})"},
    {.name = "series_fill_forward",
     .syntax = "series_fill_forward(series [, missing])",
     .doc = "Missing elements take the one before.",
     .min_args = 1,
     .max_args = 2,
     .types = "dd>d",
     .sql = "k_series_fill_forward({0}, {1})"},
    {.name = "series_fill_backward",
     .syntax = "series_fill_backward(series [, missing])",
     .doc = "Missing elements take the one behind.",
     .min_args = 1,
     .max_args = 2,
     .types = "dd>d",
     .sql = "k_series_fill_backward({0}, {1})"},
    {.name = "series_fill_const",
     .syntax = "series_fill_const(series, value [, missing])",
     .doc = "Missing elements take the value.",
     .min_args = 2,
     .max_args = 3,
     .types = "ddd>d",
     .sql = "k_series_fill_const({0}, {1}, {2})"},
    {.name = "series_fill_linear",
     .syntax = "series_fill_linear(series [, missing [, fill_edges [, constant]]])",
     .doc = "Missing elements lie on the line between their neighbours.",
     .min_args = 1,
     .max_args = 4,
     .types = "ddbr>d",
     .sql = "k_series_fill_linear({0}, {1}, coalesce({2}, true), {3})"},
};

}  // namespace

namespace functions {
const FunctionTable kSeries{kRows, kNatives};
}

}  // namespace egret::kql
