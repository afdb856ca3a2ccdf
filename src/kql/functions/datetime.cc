// Dates, times of day, spans. Ticks and the proleptic Gregorian calendar (base/time.h); weeks begin on Sunday.
#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "kql/functions/tables.h"
#include "kql/functions/values.h"

namespace egret::kql {
namespace {

using model::Type;

enum class Part {
  kYear,
  kQuarter,
  kMonth,
  kWeek,
  kWeekOfYear,
  kDay,
  kDayOfYear,
  kDayOfWeek,
  kHour,
  kMinute,
  kSecond,
  kMillisecond,
  kMicrosecond,
  kNanosecond
};
struct PartName {
  std::string_view name;
  Part part;
};
constexpr PartName kParts[] = {
    {"year", Part::kYear},
    {"quarter", Part::kQuarter},
    {"month", Part::kMonth},
    {"week", Part::kWeek},
    {"week_of_year", Part::kWeekOfYear},
    {"weekofyear", Part::kWeekOfYear},
    {"day", Part::kDay},
    {"dayofyear", Part::kDayOfYear},
    {"dayofweek", Part::kDayOfWeek},
    {"hour", Part::kHour},
    {"minute", Part::kMinute},
    {"second", Part::kSecond},
    {"millisecond", Part::kMillisecond},
    {"microsecond", Part::kMicrosecond},
    {"nanosecond", Part::kNanosecond},
};

std::optional<Part> part_from(std::string_view name) {
  for (const PartName& p : kParts)
    if (iequals(p.name, name) || (name.size() > 1 && name.back() == 's' && iequals(p.name, name.substr(0, name.size() - 1)))) return p.part;
  return {};
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }
int64_t day_of(Ticks t) { return floor_div(t, kTicksPerDay); }
int64_t week_of(Ticks t) { return floor_div(day_of(t) + 1, 7); }  // day 0 is a Monday
int64_t month_of(Ticks t) {
  const Civil c = civil_from_ticks(t);
  return int64_t{c.year} * 12 + c.month - 1;
}
Ticks from_month(int64_t months) {
  Civil c;
  c.year = static_cast<int>(floor_div(months, 12));
  c.month = static_cast<int>(months - floor_div(months, 12) * 12) + 1;
  return ticks_from_civil(c);
}

int64_t span_of(Part p) {
  switch (p) {
    case Part::kWeek: return 7 * kTicksPerDay;
    case Part::kDay: return kTicksPerDay;
    case Part::kHour: return kTicksPerHour;
    case Part::kMinute: return kTicksPerMinute;
    case Part::kSecond: return kTicksPerSecond;
    case Part::kMillisecond: return 10'000;
    case Part::kMicrosecond: return 10;
    default: return 0;
  }
}

// How many borders of that period lie between b and a.
void difference(const Args& args, Out& out) {
  const auto part = part_from(args.text(0));
  const Ticks a = args.integer(1), b = args.integer(2);
  if (!part) return out.null();
  switch (*part) {
    case Part::kYear: return out.integer(floor_div(month_of(a), 12) - floor_div(month_of(b), 12));
    case Part::kQuarter: return out.integer(floor_div(month_of(a), 3) - floor_div(month_of(b), 3));
    case Part::kMonth: return out.integer(month_of(a) - month_of(b));
    case Part::kWeek: return out.integer(week_of(a) - week_of(b));
    case Part::kNanosecond: return out.integer((a - b) * 100);
    default: break;
  }
  const int64_t span = span_of(*part);
  span ? out.integer(floor_div(a, span) - floor_div(b, span)) : out.null();
}

void put_datetime(Out& out, Ticks t) { t >= 0 && t <= kMaxDatetime ? out.integer(t) : out.null(); }

int days_in(int64_t month) { return static_cast<int>((from_month(month + 1) - from_month(month)) / kTicksPerDay); }

void add(const Args& args, Out& out) {  // (part, amount, datetime)
  const auto part = part_from(args.text(0));
  const int64_t n = args.integer(1);
  const Ticks t = args.integer(2);
  if (!part || n > 4'000'000'000'000 || n < -4'000'000'000'000) return out.null();
  const int64_t months = *part == Part::kYear ? 12 : *part == Part::kQuarter ? 3 : *part == Part::kMonth ? 1 : 0;
  if (months) {
    if (n > 200'000 || n < -200'000) return out.null();
    const Civil c = civil_from_ticks(t);
    const int64_t to = month_of(t) + n * months;
    if (to < 12 || to >= 120'000) return out.null();
    const int day = std::min(c.day, days_in(to));
    return put_datetime(out, from_month(to) + (day - 1) * kTicksPerDay + t % kTicksPerDay);
  }
  if (*part == Part::kNanosecond) return put_datetime(out, t + n / 100);
  const int64_t span = span_of(*part);
  int64_t by = 0;
  if (!span || __builtin_mul_overflow(n, span, &by) || __builtin_add_overflow(t, by, &by)) return out.null();
  put_datetime(out, by);
}

int64_t iso_week(Ticks t) {
  const int64_t day = day_of(t), weekday = ((day % 7) + 7) % 7;  // Monday 0
  const Ticks thursday = (day - weekday + 3) * kTicksPerDay;
  const Ticks new_year = from_month(floor_div(month_of(thursday), 12) * 12);
  return (thursday - new_year) / kTicksPerDay / 7 + 1;
}

int64_t day_of_year(Ticks t) { return day_of(t) - day_of(from_month(floor_div(month_of(t), 12) * 12)) + 1; }

void part_of(const Args& args, Out& out) {
  const auto part = part_from(args.text(0));
  if (!part) return out.null();
  const Ticks t = args.integer(1);
  const Civil c = civil_from_ticks(t);
  switch (*part) {
    case Part::kYear: return out.integer(c.year);
    case Part::kQuarter: return out.integer((c.month - 1) / 3 + 1);
    case Part::kMonth: return out.integer(c.month);
    case Part::kWeek:
    case Part::kWeekOfYear: return out.integer(iso_week(t));
    case Part::kDay: return out.integer(c.day);
    case Part::kDayOfYear: return out.integer(day_of_year(t));
    case Part::kDayOfWeek: return out.integer(((day_of(t) + 1) % 7 + 7) % 7);
    case Part::kHour: return out.integer(c.hour);
    case Part::kMinute: return out.integer(c.minute);
    case Part::kSecond: return out.integer(c.second);
    case Part::kMillisecond: return out.integer(c.ticks / 10'000);
    case Part::kMicrosecond: return out.integer(c.ticks / 10);
    case Part::kNanosecond: return out.integer(int64_t{c.ticks} * 100);
  }
}

// (datetime, offset in periods)
template <Part P, bool End>
void border(const Args& args, Out& out) {
  const Ticks t = args.integer(0);
  const int64_t offset = (args.null(1) ? 0 : args.integer(1)) + (End ? 1 : 0);
  Ticks at = 0;
  if (offset > 4'000'000 || offset < -4'000'000) return out.null();
  if constexpr (P == Part::kYear) {
    at = from_month((floor_div(month_of(t), 12) + offset) * 12);
  } else if constexpr (P == Part::kMonth) {
    at = from_month(month_of(t) + offset);
  } else if constexpr (P == Part::kWeek) {
    at = ((week_of(t) + offset) * 7 - 1) * kTicksPerDay;
  } else {
    at = (day_of(t) + offset) * kTicksPerDay;
  }
  put_datetime(out, End ? at - 1 : at);
}

// (year, month, day, hour, minute, seconds)
void make_datetime(const Args& a, Out& out) {
  Civil c;
  const int64_t y = a.integer(0), m = a.integer(1), d = a.integer(2), h = a.integer(3), mi = a.integer(4);
  const double s = a.real(5);
  if (y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > days_in(y * 12 + m - 1) || h < 0 || h > 23 || mi < 0 || mi > 59 ||
      !(s >= 0 && s < 60))
    return out.null();
  c.year = static_cast<int>(y), c.month = static_cast<int>(m), c.day = static_cast<int>(d), c.hour = static_cast<int>(h),
  c.minute = static_cast<int>(mi);
  out.integer(ticks_from_civil(c) + std::llround(s * 1e7));
}

void make_timespan(const Args& a, Out& out) {  // (days, hours, minutes, seconds)
  const double s = a.real(3);
  if (a.integer(1) < 0 || a.integer(1) > 23 || a.integer(2) < 0 || a.integer(2) > 59 || !(s >= 0 && s < 60) || a.integer(0) > 10'000'000 ||
      a.integer(0) < -10'000'000)
    return out.null();
  out.integer(a.integer(0) * kTicksPerDay + a.integer(1) * kTicksPerHour + a.integer(2) * kTicksPerMinute + std::llround(s * 1e7));
}

size_t run_length(std::string_view s, size_t at) {
  size_t n = 1;
  while (at + n < s.size() && s[at + n] == s[at]) ++n;
  return n;
}

void append_fraction(std::string& out, int64_t ticks, size_t digits, bool cut_zeros) {
  std::string f = fmt::format("{:07}", ticks).substr(0, std::min<size_t>(digits, 7));
  if (cut_zeros)
    while (!f.empty() && f.back() == '0') f.pop_back();
  out += f;
}

void format_datetime_by(const Args& a, Out& out) {
  const Ticks t = a.integer(0);
  const Civil c = civil_from_ticks(t);
  const std::string_view f = a.text(1);
  std::string& s = out.scratch;
  s.clear();
  for (size_t i = 0; i < f.size();) {
    const size_t n = run_length(f, i);
    const auto number = [&](int v) { s += n >= 2 ? fmt::format("{:02}", v) : std::to_string(v); };
    switch (f[i]) {
      case 'd': number(c.day); break;
      case 'H': number(c.hour); break;
      case 'h': number(c.hour % 12 ? c.hour % 12 : 12); break;
      case 'm': number(c.minute); break;
      case 'M': number(c.month); break;
      case 's': number(c.second); break;
      case 'y':
        s += n >= 4 ? fmt::format("{:04}", c.year) : n >= 2 ? fmt::format("{:02}", c.year % 100) : std::to_string(c.year % 100);
        break;
      case 'f': append_fraction(s, c.ticks, n, false); break;
      case 'F': append_fraction(s, c.ticks, n, true); break;
      case 't': s += n >= 2 ? (c.hour < 12 ? "AM" : "PM") : (c.hour < 12 ? "A" : "P"); break;
      default: s += f.substr(i, n);
    }
    i += n;
  }
  out.text(s);
}

void format_timespan_by(const Args& a, Out& out) {
  const Ticks span = a.integer(0);
  const uint64_t v = span < 0 ? 0 - static_cast<uint64_t>(span) : static_cast<uint64_t>(span);
  const std::string_view f = a.text(1);
  std::string& s = out.scratch;
  s = span < 0 ? "-" : "";
  for (size_t i = 0; i < f.size();) {
    const size_t n = run_length(f, i);
    const auto number = [&](uint64_t x) { s += fmt::format("{:0{}}", x, n); };
    switch (f[i]) {
      case 'd': number(v / kTicksPerDay); break;
      case 'H':
      case 'h': number(v / kTicksPerHour % 24); break;
      case 'm': number(v / kTicksPerMinute % 60); break;
      case 's': number(v / kTicksPerSecond % 60); break;
      case 'f': append_fraction(s, static_cast<int64_t>(v % kTicksPerSecond), n, false); break;
      case 'F': append_fraction(s, static_cast<int64_t>(v % kTicksPerSecond), n, true); break;
      default: s += f.substr(i, n);
    }
    i += n;
  }
  out.text(s);
}

template <int64_t PerUnit>  // units a tick; negative: ticks a unit
void from_unix(const Args& a, Out& out) {
  const double ticks = PerUnit > 0 ? a.real(0) / PerUnit : a.real(0) * -PerUnit;
  const auto v = values::real_to_long(std::floor(ticks));
  if (!v) return out.null();
  // Exact where the number is whole.
  int64_t t = *v;
  if (__builtin_add_overflow(t, kUnixEpochTicks, &t)) return out.null();
  put_datetime(out, t);
}

constexpr Native kNatives[] = {
    native<difference>("k_datetime_diff", "sll>l"),
    native<add>("k_datetime_add", "sll>l"),
    native<part_of>("k_datetime_part", "sl>l"),
    native<border<Part::kDay, false>>("k_startofday", "lL>l"),
    native<border<Part::kWeek, false>>("k_startofweek", "lL>l"),
    native<border<Part::kMonth, false>>("k_startofmonth", "lL>l"),
    native<border<Part::kYear, false>>("k_startofyear", "lL>l"),
    native<border<Part::kDay, true>>("k_endofday", "lL>l"),
    native<border<Part::kWeek, true>>("k_endofweek", "lL>l"),
    native<border<Part::kMonth, true>>("k_endofmonth", "lL>l"),
    native<border<Part::kYear, true>>("k_endofyear", "lL>l"),
    native<make_datetime>("k_make_datetime", "lllllr>l"),
    native<make_timespan>("k_make_timespan", "lllr>l"),
    native<format_datetime_by>("k_format_datetime", "ls>s"),
    native<format_timespan_by>("k_format_timespan", "ls>s"),
    native<from_unix<-10'000'000>>("k_from_unix_seconds", "r>l"),
    native<from_unix<-10'000>>("k_from_unix_millis", "r>l"),
    native<from_unix<-10>>("k_from_unix_micros", "r>l"),
    native<from_unix<100>>("k_from_unix_nanos", "r>l"),
};

// The period may be a constant only; a wrong one is told now.
Emitted with_part(std::span<const Typed> args, std::string_view function, std::string_view kernel, std::initializer_list<Type> rest,
                  Type result) {
  auto part = coerce(args[0], Type::kString);
  if (!part) return std::unexpected(fmt::format("argument 1 of {}() {}", function, part.error()));
  if (const std::string* name = part->literal ? std::get_if<std::string>(&*part->literal) : nullptr; name && !part_from(*name)) {
    std::vector<std::string> known;
    for (const PartName& p : kParts) known.emplace_back(p.name);
    const std::string near = near_name(*name, known);
    return std::unexpected(
        fmt::format("'{}' is no period of {}(){}", *name, function,
                    near.empty() ? ": year, quarter, month, week, day, hour, minute, second, …" : ", did you mean '" + near + "'?"));
  }
  std::string sql = fmt::format("{}({}", kernel, part->sql);
  size_t i = 1;
  bool constant = true;
  for (const Type t : rest) {
    auto a = coerce(args[i], t);
    if (!a) return std::unexpected(fmt::format("argument {} of {}() {}", i + 1, function, a.error()));
    sql += ", " + a->sql;
    constant &= a->is_constant;
    ++i;
  }
  return Typed{.sql = sql + ")", .type = result, .is_constant = constant};
}
Emitted emit_diff(std::span<const Typed> a, const EmitContext&) {
  return with_part(a, "datetime_diff", "k_datetime_diff", {Type::kDatetime, Type::kDatetime}, Type::kLong);
}
Emitted emit_add(std::span<const Typed> a, const EmitContext&) {
  return with_part(a, "datetime_add", "k_datetime_add", {Type::kLong, Type::kDatetime}, Type::kDatetime);
}
Emitted emit_part(std::span<const Typed> a, const EmitContext&) {
  return with_part(a, "datetime_part", "k_datetime_part", {Type::kDatetime}, Type::kLong);
}

Emitted emit_make_datetime(std::span<const Typed> args, const EmitContext&) {
  if (args.size() == 1) return convert(args[0], Type::kDatetime);
  if (args.size() == 2)
    return std::unexpected(std::string("make_datetime() takes a year, month and day, and maybe hour, minute and second"));
  std::string sql = "k_make_datetime(";
  for (size_t i = 0; i < 6; ++i) {
    auto v = i < args.size()
                 ? coerce(args[i], i == 5 ? Type::kReal : Type::kLong)
                 : Emitted(typed_literal(i == 5 ? Type::kReal : Type::kLong, i == 5 ? Typed::Value(0.0) : Typed::Value(int64_t{0})));
    if (!v) return std::unexpected(fmt::format("argument {} of make_datetime() {}", i + 1, v.error()));
    sql += (i ? ", " : "") + v->sql;
  }
  return Typed{.sql = sql + ")", .type = Type::kDatetime, .is_constant = args[0].is_constant};
}

Emitted emit_make_timespan(std::span<const Typed> args, const EmitContext&) {
  if (args.size() == 1) return convert(args[0], Type::kTimespan);
  std::vector<std::string> v;
  for (size_t i = 0; i < args.size(); ++i) {
    const bool seconds = args.size() > 2 && i + 1 == args.size();
    auto c = coerce(args[i], seconds ? Type::kReal : Type::kLong);
    if (!c) return std::unexpected(fmt::format("argument {} of make_timespan() {}", i + 1, c.error()));
    v.push_back(c->sql);
  }
  if (v.size() < 4) v.insert(v.begin(), "0::BIGINT");
  if (v.size() < 4) v.push_back("0.0::DOUBLE");
  return Typed{.sql = fmt::format("k_make_timespan({}, {}, {}, {})", v[0], v[1], v[2], v[3]),
               .type = Type::kTimespan,
               .is_constant = args[0].is_constant};
}

Emitted emit_now(std::span<const Typed> args, const EmitContext& context) {
  Typed now = typed_literal(Type::kDatetime, context.now);
  if (args.empty()) return now;
  auto offset = coerce(args[0], Type::kTimespan);
  if (!offset) return std::unexpected("the offset of now() " + offset.error());
  if (offset->literal && std::get_if<int64_t>(&*offset->literal))
    return typed_literal(Type::kDatetime, context.now + std::get<int64_t>(*offset->literal));
  return Typed{.sql = fmt::format("({} + {})", now.sql, offset->sql), .type = Type::kDatetime, .is_constant = offset->is_constant};
}

Emitted emit_ago(std::span<const Typed> args, const EmitContext& context) {
  auto span = coerce(args[0], Type::kTimespan);
  if (!span) return std::unexpected("argument 1 of ago() " + span.error());
  if (span->literal && std::get_if<int64_t>(&*span->literal))
    return typed_literal(Type::kDatetime, context.now - std::get<int64_t>(*span->literal));
  return Typed{.sql = fmt::format("({} - {})", typed_literal(Type::kDatetime, context.now).sql, span->sql),
               .type = Type::kDatetime,
               .is_constant = span->is_constant};
}

// The engine knows the time zones; its clock counts microseconds, the tick below them is kept apart.
template <bool ToLocal>
Emitted emit_zone(std::span<const Typed> args, const EmitContext&) {
  auto t = coerce(args[0], Type::kDatetime), zone = coerce(args[1], Type::kString);
  if (!t) return std::unexpected("argument 1 " + t.error());
  if (!zone) return std::unexpected("argument 2 " + zone.error());
  const std::string micros = fmt::format("(({} - {}) // 10)", t->sql, kUnixEpochTicks);
  const std::string from = ToLocal ? "'UTC'" : zone->sql, to = ToLocal ? zone->sql : "'UTC'";
  return Typed{
      .sql = fmt::format("({} + (epoch_us(timezone({}, timezone({}, make_timestamp({})))) - {}) * 10)", t->sql, to, from, micros, micros),
      .type = Type::kDatetime,
      .is_constant = t->is_constant};
}

#define EGRET_PART_FUNCTION(NAME, PART, DOC) \
  {.name = NAME,                             \
   .syntax = NAME "(datetime)",              \
   .doc = DOC,                               \
   .min_args = 1,                            \
   .max_args = 1,                            \
   .types = "t>i",                           \
   .sql = "CAST(k_datetime_part('" PART "', {0}) AS INTEGER)"}
#define EGRET_BORDER_FUNCTION(NAME, DOC)   \
  {.name = NAME,                           \
   .syntax = NAME "(datetime [, offset])", \
   .doc = DOC,                             \
   .min_args = 1,                          \
   .max_args = 2,                          \
   .types = "tl>t",                        \
   .sql = "k_" NAME "({0}, {1})"}

constexpr ScalarFunction kRows[] = {
    {.name = "now",
     .syntax = "now([offset])",
     .doc = "The time of the query, the same in all of it.",
     .min_args = 0,
     .max_args = 1,
     .emit = emit_now},
    {.name = "ago",
     .syntax = "ago(timespan)",
     .doc = "The time of the query less the timespan.",
     .min_args = 1,
     .max_args = 1,
     .emit = emit_ago},
    {.name = "datetime_diff",
     .syntax = "datetime_diff(period, a, b)",
     .doc = "How many borders of the period lie from b to a.",
     .min_args = 3,
     .max_args = 3,
     .emit = emit_diff},
    {.name = "datetime_add",
     .syntax = "datetime_add(period, amount, datetime)",
     .doc = "So many periods later.",
     .min_args = 3,
     .max_args = 3,
     .emit = emit_add},
    {.name = "datetime_part",
     .syntax = "datetime_part(part, datetime)",
     .doc = "A part of the date or time as a number.",
     .min_args = 2,
     .max_args = 2,
     .emit = emit_part},
    {.name = "datepart",
     .syntax = "datepart(part, datetime)",
     .doc = "The same as datetime_part.",
     .min_args = 2,
     .max_args = 2,
     .emit = emit_part,
     .replaced_by = "datetime_part"},
    EGRET_BORDER_FUNCTION("startofday", "Midnight at the start of the day."),
    EGRET_BORDER_FUNCTION("startofweek", "Midnight at the start of the week, which is a Sunday."),
    EGRET_BORDER_FUNCTION("startofmonth", "Midnight at the start of the month."),
    EGRET_BORDER_FUNCTION("startofyear", "Midnight at the start of the year."),
    EGRET_BORDER_FUNCTION("endofday", "The last tick of the day."),
    EGRET_BORDER_FUNCTION("endofweek", "The last tick of the week."),
    EGRET_BORDER_FUNCTION("endofmonth", "The last tick of the month."),
    EGRET_BORDER_FUNCTION("endofyear", "The last tick of the year."),
    {.name = "dayofweek",
     .syntax = "dayofweek(datetime)",
     .doc = "Days since Sunday, as a timespan.",
     .min_args = 1,
     .max_args = 1,
     .types = "t>p",
     .sql = "(k_datetime_part('dayofweek', {0}) * 864000000000)"},
    EGRET_PART_FUNCTION("dayofmonth", "day", "Day of the month."),
    EGRET_PART_FUNCTION("dayofyear", "dayofyear", "Day of the year."),
    EGRET_PART_FUNCTION("hourofday", "hour", "Hour of the day."),
    EGRET_PART_FUNCTION("monthofyear", "month", "Month of the year."),
    EGRET_PART_FUNCTION("getmonth", "month", "Month of the year."),
    EGRET_PART_FUNCTION("getyear", "year", "Year."),
    EGRET_PART_FUNCTION("week_of_year", "week_of_year", "Week of the year after ISO 8601."),
    EGRET_PART_FUNCTION("weekofyear", "week_of_year", "Week of the year after ISO 8601."),
    {.name = "make_datetime",
     .syntax = "make_datetime(year, month, day [, hour [, minute [, second]]])",
     .doc = "The datetime of these parts, null where there is none.",
     .min_args = 1,
     .max_args = 6,
     .emit = emit_make_datetime},
    {.name = "make_timespan",
     .syntax = "make_timespan([day,] hour, minute [, second])",
     .doc = "The timespan of these parts.",
     .min_args = 1,
     .max_args = 4,
     .emit = emit_make_timespan},
    {.name = "format_datetime",
     .syntax = "format_datetime(datetime, format)",
     .doc = "Written by a format such as yyyy-MM-dd HH:mm:ss.fff.",
     .min_args = 2,
     .max_args = 2,
     .types = "ts>s",
     .sql = "coalesce(k_format_datetime({0}, {1}), '')"},
    {.name = "format_timespan",
     .syntax = "format_timespan(timespan, format)",
     .doc = "Written by a format such as d.hh:mm:ss.",
     .min_args = 2,
     .max_args = 2,
     .types = "ps>s",
     .sql = "coalesce(k_format_timespan({0}, {1}), '')"},
    {.name = "unixtime_seconds_todatetime",
     .syntax = "unixtime_seconds_todatetime(number)",
     .doc = "Seconds since 1970.",
     .min_args = 1,
     .max_args = 1,
     .types = "r>t",
     .sql = "k_from_unix_seconds({0})"},
    {.name = "unixtime_milliseconds_todatetime",
     .syntax = "unixtime_milliseconds_todatetime(number)",
     .doc = "Milliseconds since 1970.",
     .min_args = 1,
     .max_args = 1,
     .types = "r>t",
     .sql = "k_from_unix_millis({0})"},
    {.name = "unixtime_microseconds_todatetime",
     .syntax = "unixtime_microseconds_todatetime(number)",
     .doc = "Microseconds since 1970.",
     .min_args = 1,
     .max_args = 1,
     .types = "r>t",
     .sql = "k_from_unix_micros({0})"},
    {.name = "unixtime_nanoseconds_todatetime",
     .syntax = "unixtime_nanoseconds_todatetime(number)",
     .doc = "Nanoseconds since 1970.",
     .min_args = 1,
     .max_args = 1,
     .types = "r>t",
     .sql = "k_from_unix_nanos({0})"},
    {.name = "datetime_utc_to_local",
     .syntax = "datetime_utc_to_local(datetime, zone)",
     .doc = "The local time of an IANA time zone.",
     .min_args = 2,
     .max_args = 2,
     .emit = emit_zone<true>},
    {.name = "datetime_local_to_utc",
     .syntax = "datetime_local_to_utc(datetime, zone)",
     .doc = "UTC of a local time of an IANA time zone.",
     .min_args = 2,
     .max_args = 2,
     .emit = emit_zone<false>},
};
#undef EGRET_PART_FUNCTION
#undef EGRET_BORDER_FUNCTION

}  // namespace

namespace functions {
const FunctionTable kDatetime{kRows, kNatives};
}

}  // namespace egret::kql
