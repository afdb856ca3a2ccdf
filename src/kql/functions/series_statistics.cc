// Series as a whole: statistics, lines, outliers, seasons. A function with several results gives an array of them, in the
// documented order.
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

// ---- as a whole ----

double mean_of(const Series& s) { return s.empty() ? NAN : std::accumulate(s.begin(), s.end(), 0.0) / static_cast<double>(s.size()); }
double sum_of_squares(const Series& s, double mean) {
  double sum = 0;
  for (const double v : s) sum += (v - mean) * (v - mean);
  return sum;
}
// Sample variance, as all of the language's statistics.
double variance_of(const Series& s, double mean) { return s.size() < 2 ? 0 : sum_of_squares(s, mean) / static_cast<double>(s.size() - 1); }

struct Stats {
  double min = NAN, max = NAN, avg = NAN, stdev = NAN, variance = NAN, sum = 0;
  size_t min_index = 0, max_index = 0, length = 0;
};
std::optional<Stats> stats_of(std::string_view raw, bool ignore_missing) {
  if (!is_array(raw)) return {};
  const Series s = series_of(raw);
  Series present;
  Stats r;
  r.length = s.size();
  for (size_t i = 0; i < s.size(); ++i) {
    if (std::isnan(s[i])) {
      if (!ignore_missing) return {};
      continue;
    }
    present.push_back(s[i]);
    r.sum += s[i];
    if (!(s[i] >= r.min)) r.min = s[i], r.min_index = i;
    if (!(s[i] <= r.max)) r.max = s[i], r.max_index = i;
  }
  r.avg = mean_of(present);
  r.variance = variance_of(present, r.avg);
  r.stdev = std::sqrt(r.variance);
  return r;
}
void stats(const Args& a, Out& out) {
  const auto r = stats_of(a.text(0), !a.null(1) && a.boolean(1));
  if (!r) return out.text("[null,null,null,null,null,null,null]");
  out.text(fmt::format("[{},{},{},{},{},{},{}]", number_json(r->min), r->min_index, number_json(r->max), r->max_index, number_json(r->avg),
                       number_json(r->stdev), number_json(r->variance)));
}
void stats_bag(const Args& a, Out& out) {
  const auto r = stats_of(a.text(0), !a.null(1) && a.boolean(1));
  if (!r) return out.null();
  out.text(fmt::format(R"({{"min":{},"min_idx":{},"max":{},"max_idx":{},"avg":{},"stdev":{},"variance":{},"sum":{},"len":{}}})",
                       number_json(r->min), r->min_index, number_json(r->max), r->max_index, number_json(r->avg), number_json(r->stdev),
                       number_json(r->variance), number_json(r->sum), r->length));
}

template <bool Product>
void total(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  double r = Product ? 1 : 0;
  for (const double v : series_of(a.text(0))) {
    if (std::isnan(v)) return out.null();
    Product ? r *= v : r += v;
  }
  out.real(r);
}
double dot_of(const Series& s, const Series& t) {
  double r = 0;
  for (size_t i = 0; i < std::min(s.size(), t.size()); ++i) r += s[i] * t[i];
  return r;
}
void put_real(Out& out, double v) { std::isfinite(v) ? out.real(v) : out.null(); }
void dot(const Args& a, Out& out) { put_real(out, dot_of(series_of(a.text(0)), series_of(a.text(1)))); }
void magnitude(const Args& a, Out& out) {
  const Series s = series_of(a.text(0));
  put_real(out, std::sqrt(dot_of(s, s)));
}
void cosine(const Args& a, Out& out) {
  const Series s = series_of(a.text(0)), t = series_of(a.text(1));
  if (s.size() != t.size()) return out.null();
  put_real(out, dot_of(s, t) / std::sqrt(dot_of(s, s) * dot_of(t, t)));
}
void pearson(const Args& a, Out& out) {
  Series s = series_of(a.text(0)), t = series_of(a.text(1));
  if (s.size() != t.size() || s.empty()) return out.null();
  const double m = mean_of(s), n = mean_of(t);
  for (double& v : s) v -= m;
  for (double& v : t) v -= n;
  put_real(out, dot_of(s, t) / std::sqrt(dot_of(s, s) * dot_of(t, t)));
}

// ---- lines ----

struct Line {
  double r2 = 0, slope = 0, variance = 0, residual = 0, intercept = 0;
  double at(double x) const { return intercept + slope * x; }
};
// Least squares over elements [from, to), x counted from 0.
Line fit(const Series& s, size_t from, size_t to) {
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (size_t i = from; i < to; ++i) {
    if (std::isnan(s[i])) continue;
    const auto x = static_cast<double>(i - from);
    n += 1, sx += x, sy += s[i], sxx += x * x, sxy += x * s[i];
  }
  Line l;
  if (n == 0) return l;
  const double d = n * sxx - sx * sx;
  l.slope = d != 0 ? (n * sxy - sx * sy) / d : 0;
  l.intercept = (sy - l.slope * sx) / n;
  const double mean = sy / n;
  double all = 0, rest = 0;
  for (size_t i = from; i < to; ++i) {
    if (std::isnan(s[i])) continue;
    const double e = s[i] - l.at(static_cast<double>(i - from));
    all += (s[i] - mean) * (s[i] - mean), rest += e * e;
  }
  const double degrees = n > 1 ? n - 1 : 1;
  l.variance = all / degrees, l.residual = rest / degrees;
  l.r2 = all > 0 ? 1 - rest / all : 0;
  return l;
}
Series points(const Line& l, size_t n) {
  Series s(n);
  for (size_t i = 0; i < n; ++i) s[i] = l.at(static_cast<double>(i));
  return s;
}
void fit_line(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  const Series s = series_of(a.text(0));
  const Line l = fit(s, 0, s.size());
  out.text(fmt::format("[{},{},{},{},{},{}]", number_json(l.r2), number_json(l.slope), number_json(l.variance), number_json(l.residual),
                       number_json(l.intercept), json_of(points(l, s.size()))));
}
void fit_line_bag(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  const Series s = series_of(a.text(0));
  const Line l = fit(s, 0, s.size());
  out.text(fmt::format(R"({{"rsquare":{},"slope":{},"variance":{},"rvariance":{},"interception":{},"line_fit":{}}})", number_json(l.r2),
                       number_json(l.slope), number_json(l.variance), number_json(l.residual), number_json(l.intercept),
                       json_of(points(l, s.size()))));
}
constexpr size_t kMaxSplit = 4096;  // every split is tried
void fit_2lines(const Args& a, Out& out) {
  if (!is_array(a.text(0))) return out.null();
  const Series s = series_of(a.text(0));
  if (s.size() < 4 || s.size() > kMaxSplit) return out.null();
  size_t best = 2;
  double least = INFINITY;
  for (size_t at = 2; at + 2 <= s.size(); ++at) {
    const Line l = fit(s, 0, at), r = fit(s, at, s.size());
    const double rest = l.residual * static_cast<double>(std::max<size_t>(at - 1, 1)) +
                        r.residual * static_cast<double>(std::max<size_t>(s.size() - at - 1, 1));
    if (rest < least) least = rest, best = at;
  }
  const Line l = fit(s, 0, best), r = fit(s, best, s.size()), all = fit(s, 0, s.size());
  Series line = points(l, best);
  for (const double v : points(r, s.size() - best)) line.push_back(v);
  const double residual = least / static_cast<double>(s.size() - 1);
  const double r2 = all.variance > 0 ? 1 - residual / all.variance : 0;
  const auto part = [](const Line& x) {
    return fmt::format("{},{},{},{},{}", number_json(x.r2), number_json(x.slope), number_json(x.intercept), number_json(x.variance),
                       number_json(x.residual));
  };
  out.text(fmt::format("[{},{},{},{},{},{},{}]", number_json(r2), best, number_json(all.variance), number_json(residual), json_of(line),
                       part(r), part(l)));
}

// ---- outliers and seasons ----

double quantile(Series sorted, double q) {
  if (sorted.empty()) return NAN;
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const double part = at - static_cast<double>(low);
  return low + 1 < sorted.size() ? sorted[low] * (1 - part) + sorted[low + 1] * part : sorted[low];
}
// How far outside the range of quantiles each element is, in widths of that range; 0 inside.
Series outlier_scores(const Series& s, double low_quantile, double high_quantile) {
  Series sorted;
  for (const double v : s)
    if (!std::isnan(v)) sorted.push_back(v);
  std::sort(sorted.begin(), sorted.end());
  const double low = quantile(sorted, low_quantile), high = quantile(sorted, high_quantile);
  double width = high - low;
  if (!(width > 1e-12)) {  // nearly all alike: any deviation counts by the deviation of all
    width = std::sqrt(variance_of(sorted, mean_of(sorted)));
    if (!(width > 1e-12)) width = INFINITY;
  }
  Series scores(s.size(), 0);
  for (size_t i = 0; i < s.size(); ++i) {
    if (s[i] > high) scores[i] = (s[i] - high) / width;
    if (s[i] < low) scores[i] = (s[i] - low) / width;
  }
  return scores;
}
void outliers(const Args& a, Out& out) {  // (series, kind, ignored value, low %, high %)
  if (!is_array(a.text(0))) return out.null();
  const bool tukey = a.text(1) == "tukey";
  const double low = a.null(3) ? (tukey ? 25 : 10) : a.real(3), high = a.null(4) ? (tukey ? 75 : 90) : a.real(4);
  Series s = series_of(a.text(0));
  if (!a.null(2))
    for (double& v : s)
      if (v == a.real(2)) v = NAN;
  out.text(json_of(outlier_scores(s, low / 100, high / 100)));
}

// Correlation of the series without its trend with itself, shifted by the period.
double periodicity(const Series& rest, size_t period) {
  if (period < 2 || period * 2 > rest.size()) return 0;
  double all = 0, with = 0;
  for (size_t i = 0; i < rest.size(); ++i) all += rest[i] * rest[i];
  for (size_t i = 0; i + period < rest.size(); ++i) with += rest[i] * rest[i + period];
  if (!(all > 0)) return 0;
  return with / all * static_cast<double>(rest.size()) / static_cast<double>(rest.size() - period);
}
Series detrended(const Series& s) {
  const Line l = fit(s, 0, s.size());
  Series rest(s.size());
  for (size_t i = 0; i < s.size(); ++i) rest[i] = std::isnan(s[i]) ? 0 : s[i] - l.at(static_cast<double>(i));
  return rest;
}
// A period counts where it is a peak among its neighbours.
double period_score(const Series& rest, double wanted) {
  const auto p = static_cast<size_t>(std::llround(wanted));
  const double score = periodicity(rest, p);
  if (score <= periodicity(rest, p - 1) || score < periodicity(rest, p + 1)) return 0;
  return std::clamp(score, 0.0, 1.0);
}
struct Period {
  double length, score;
};
std::vector<Period> periods_of(const Series& s, double least, double most, size_t count) {
  const Series rest = detrended(s);
  std::vector<Period> found;
  const size_t last = static_cast<size_t>(std::min(most, static_cast<double>(s.size()) / 2));
  for (size_t p = static_cast<size_t>(std::max(least, 2.0)); p <= last && found.size() < 10'000; ++p)
    if (const double score = period_score(rest, static_cast<double>(p)); score > 0) found.push_back({static_cast<double>(p), score});
  std::stable_sort(found.begin(), found.end(), [](const Period& x, const Period& y) { return x.score > y.score + 0.02; });
  if (found.size() > count) found.resize(count);
  return found;
}
void put_periods(Out& out, const std::vector<Period>& periods) {
  Series lengths, scores;
  for (const Period& p : periods) lengths.push_back(p.length), scores.push_back(p.score);
  out.text("[" + json_of(lengths) + "," + json_of(scores) + "]");
}
void periods_detect(const Args& a, Out& out) {  // (series, least, most, count)
  if (!is_array(a.text(0))) return out.null();
  put_periods(out, periods_of(series_of(a.text(0)), a.real(1), a.real(2), static_cast<size_t>(std::clamp<int64_t>(a.integer(3), 1, 16))));
}
void periods_validate(const Args& a, Out& out) {  // (series, array of periods)
  if (!is_array(a.text(0))) return out.null();
  const Series rest = detrended(series_of(a.text(0)));
  std::vector<Period> periods;
  for (const double p : series_of(a.text(1))) periods.push_back({p, period_score(rest, p)});
  put_periods(out, periods);
}

struct Decomposed {
  Series baseline, seasonal, trend, residual;
};
// seasonality: -1 finds one, 0 none, else the period. The last `test` points are not learned from.
Decomposed decompose(const Series& s, int64_t seasonality, std::string_view trend_kind, size_t test, double threshold) {
  const size_t n = s.size(), learn = n > test ? n - test : 0;
  const Series known(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(learn));
  Line trend;
  Series present;
  for (const double v : known)
    if (!std::isnan(v)) present.push_back(v);
  if (trend_kind == "linefit") {
    trend = fit(known, 0, learn);
  } else if (trend_kind != "none") {
    trend.intercept = present.empty() ? 0 : mean_of(present);
  }
  size_t period = seasonality > 0 ? static_cast<size_t>(seasonality) : 0;
  if (seasonality < 0) {
    const auto found = periods_of(known, 2, static_cast<double>(learn), 1);
    if (!found.empty() && found[0].score >= threshold) period = static_cast<size_t>(found[0].length);
  }
  Decomposed d;
  d.trend = points(trend, n);
  d.seasonal.assign(n, 0);
  if (period > 1 && period <= learn) {
    Series sums(period, 0), counts(period, 0);
    for (size_t i = 0; i < learn; ++i)
      if (!std::isnan(s[i])) sums[i % period] += s[i] - d.trend[i], counts[i % period] += 1;
    for (size_t i = 0; i < n; ++i) d.seasonal[i] = counts[i % period] > 0 ? sums[i % period] / counts[i % period] : 0;
  }
  d.baseline.resize(n);
  d.residual.resize(n);
  for (size_t i = 0; i < n; ++i) d.baseline[i] = d.trend[i] + d.seasonal[i], d.residual[i] = s[i] - d.baseline[i];
  return d;
}
size_t count_at(const Args& a, size_t i) { return static_cast<size_t>(std::clamp<int64_t>(a.integer(i), 0, 1 << 24)); }

void decompose_of(const Args& a, Out& out) {  // (series, seasonality, trend, test points, threshold)
  if (!is_array(a.text(0))) return out.null();
  const Decomposed d = decompose(series_of(a.text(0)), a.integer(1), a.text(2), count_at(a, 3), a.real(4));
  out.text(fmt::format("[{},{},{},{}]", json_of(d.baseline), json_of(d.seasonal), json_of(d.trend), json_of(d.residual)));
}
void decompose_anomalies(const Args& a, Out& out) {  // (series, threshold, seasonality, trend, test points, method, seasonality threshold)
  if (!is_array(a.text(0))) return out.null();
  const Series s = series_of(a.text(0));
  const Decomposed d = decompose(s, a.integer(2), a.text(3), count_at(a, 4), a.real(6));
  const bool tukey = a.text(5) == "tukey";
  const Series scores = outlier_scores(d.residual, tukey ? 0.25 : 0.1, tukey ? 0.75 : 0.9);
  ArrayOut flags(out.scratch);
  for (const double v : scores) flags.add(v >= a.real(1) ? "1" : v <= -a.real(1) ? "-1" : "0");
  flags.done();
  out.text("[" + out.scratch + "," + json_of(scores) + "," + json_of(d.baseline) + "]");
}
void decompose_forecast(const Args& a, Out& out) {  // (series, points, seasonality, trend, threshold)
  if (!is_array(a.text(0))) return out.null();
  const Series s = series_of(a.text(0));
  const size_t test = std::min(count_at(a, 1), s.size());
  const Decomposed d = decompose(s, a.integer(2), a.text(3), test, a.real(4));
  out.text(fmt::format("[{},{},{},{}]", json_of(d.baseline), json_of(d.seasonal), json_of(d.trend), json_of(d.residual)));
}

constexpr Native kNatives[] = {
    native<stats>("k_series_stats", "dB>d"),
    native<stats_bag>("k_series_stats_dynamic", "dB>d"),
    native<total<false>>("k_series_sum", "d>r"),
    native<total<true>>("k_series_product", "d>r"),
    native<dot>("k_series_dot_product", "dd>r"),
    native<magnitude>("k_series_magnitude", "d>r"),
    native<cosine>("k_series_cosine_similarity", "dd>r"),
    native<pearson>("k_series_pearson_correlation", "dd>r"),
    native<fit_line>("k_series_fit_line", "d>d"),
    native<fit_line_bag>("k_series_fit_line_dynamic", "d>d"),
    native<fit_2lines>("k_series_fit_2lines", "d>d"),
    native<outliers>("k_series_outliers", "dsRRR>d"),
    native<periods_detect>("k_series_periods_detect", "drrl>d"),
    native<periods_validate>("k_series_periods_validate", "dd>d"),
    native<decompose_of>("k_series_decompose", "dlslr>d"),
    native<decompose_anomalies>("k_series_decompose_anomalies", "drlslsr>d"),
    native<decompose_forecast>("k_series_decompose_forecast", "dllsr>d"),
};

constexpr ScalarFunction kRows[] = {
    EGRET_SERIES_1("sum", "r", "Sum of all."),
    EGRET_SERIES_1("product", "r", "Product of all."),
    EGRET_SERIES_1("magnitude", "r", "Length of the vector."),
    EGRET_SERIES_2("dot_product", "r", "Dot product."),
    EGRET_SERIES_2("cosine_similarity", "r", "Cosine of the angle between the vectors."),
    EGRET_SERIES_2("pearson_correlation", "r", "Pearson's correlation."),
    EGRET_SERIES_1("fit_line", "d", "Linear regression: rsquare, slope, variance, rvariance, interception, line_fit."),
    EGRET_SERIES_1("fit_line_dynamic", "d", "Linear regression as a bag."),
    EGRET_SERIES_1("fit_2lines", "d",
                   "Two lines with the best split: rsquare, split_idx, variance, rvariance, line_fit, and of the right and the left line "
                   "rsquare, slope, interception, variance, rvariance."),
    {.name = "series_stats",
     .syntax = "series_stats(series [, ignore_nonfinite])",
     .doc = "min, min_idx, max, max_idx, avg, stdev, variance.",
     .min_args = 1,
     .max_args = 2,
     .types = "db>d",
     .sql = "k_series_stats({0}, {1})"},
    {.name = "series_stats_dynamic",
     .syntax = "series_stats_dynamic(series [, ignore_nonfinite])",
     .doc = "Statistics as a bag.",
     .min_args = 1,
     .max_args = 2,
     .types = "db>d",
     .sql = "k_series_stats_dynamic({0}, {1})"},
    {.name = "series_outliers",
     .syntax = "series_outliers(series [, kind [, ignored [, low % [, high %]]]])",
     .doc = "How far outside each element is; 1.5 and more is an outlier.",
     .min_args = 1,
     .max_args = 5,
     .types = "dsrrr>d",
     .sql = "k_series_outliers({0}, coalesce({1}, 'ctukey'), {2}, {3}, {4})"},
    {.name = "series_periods_detect",
     .syntax = "series_periods_detect(series, least, most, count)",
     .doc = "The periods found and their scores.",
     .min_args = 4,
     .max_args = 4,
     .types = "drrl>d",
     .sql = "k_series_periods_detect({0}, {1}, {2}, {3})"},
    {.name = "series_periods_validate",
     .syntax = "series_periods_validate(series, period, …)",
     .doc = "The periods and their scores.",
     .min_args = 2,
     .max_args = 17,
     .types = "dd*>d",
     .sql = "k_series_periods_validate({0}, k_pack_array({1*}))"},
    {.name = "series_decompose",
     .syntax = "series_decompose(series [, seasonality [, trend [, test_points [, threshold]]]])",
     .doc = "baseline, seasonal, trend, residual.",
     .min_args = 1,
     .max_args = 5,
     .types = "dlslr>d",
     .sql = "k_series_decompose({0}, coalesce({1}, -1), coalesce({2}, 'avg'), coalesce({3}, 0), coalesce({4}, 0.6))"},
    {.name = "series_decompose_anomalies",
     .syntax =
         "series_decompose_anomalies(series [, threshold [, seasonality [, trend [, test_points [, method [, seasonality_threshold]]]]]])",
     .doc = "ad_flag, ad_score, baseline.",
     .min_args = 1,
     .max_args = 7,
     .types = "drlslsr>d",
     .sql = "k_series_decompose_anomalies({0}, coalesce({1}, 1.5), coalesce({2}, -1), coalesce({3}, 'avg'), coalesce({4}, 0), "
            "coalesce({5}, 'ctukey'), coalesce({6}, 0.6))"},
    {.name = "series_decompose_forecast",
     .syntax = "series_decompose_forecast(series, points [, seasonality [, trend [, threshold]]])",
     .doc = "baseline, seasonal, trend, residual, with the last points predicted.",
     .min_args = 2,
     .max_args = 5,
     .types = "dllsr>d",
     .sql = "k_series_decompose_forecast({0}, {1}, coalesce({2}, -1), coalesce({3}, 'linefit'), coalesce({4}, 0.6))"},
};

}  // namespace

namespace functions {
const FunctionTable kSeriesStatistics{kRows, kNatives};
}

}  // namespace egret::kql
