#include "kql/functions/values.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/text.h"

namespace egret::kql::values {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <typename T>
std::optional<T> whole(std::string_view s, int base = 10) {
  if (s.starts_with('+')) s.remove_prefix(1);
  T v{};
  const auto [end, bad] = std::from_chars(s.data(), s.data() + s.size(), v, base);
  if (bad != std::errc() || end != s.data() + s.size() || s.empty()) return {};
  return v;
}

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

// The forms that are not ISO: reads numbers and words from left to right and says what each must be.
class LooseDate {
 public:
  explicit LooseDate(std::string_view text) : text_(text) {}

  std::optional<Ticks> parse() {
    int numbers[3] = {};
    int digits[3] = {};
    int n = 0, month = 0;
    bool year_first = false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_digit(c)) {
        const size_t from = at_;
        int v = 0;
        while (at_ < text_.size() && is_digit(text_[at_])) v = std::min(v, 100'000'000) * 10 + (text_[at_++] - '0');
        if (at_ < text_.size() && text_[at_] == ':') {
          at_ = from;
          if (!time()) return {};
          continue;
        }
        if (n == 3) return {};
        if (n == 0 && at_ - from == 4) year_first = true;
        digits[n] = static_cast<int>(at_ - from);
        numbers[n++] = v;
      } else if (is_alpha(c)) {
        const std::string word = take_word();
        if (word == "t" || word == "at" || word == "of" || word == "th" || word == "st" || word == "nd" || word == "rd") continue;
        if (word == "am" || word == "pm") {
          if (hour_ > 12 || hour_ < 0) return {};
          hour_ = hour_ % 12 + (word == "pm" ? 12 : 0);
        } else if (word == "z" || word == "utc" || word == "gmt") {
          continue;
        } else if (word.size() >= 3) {
          const int m = month_of(word);
          if (m && month) return {};
          if (m) {
            month = m;
          } else if (!is_weekday(word)) {
            return {};
          }
        } else {
          return {};
        }
      } else if ((c == '+' || c == '-') && hour_ >= 0) {
        if (!zone()) return {};
      } else if (c == ' ' || c == ',' || c == '/' || c == '-' || c == '.') {
        ++at_;
      } else {
        return {};
      }
    }
    Civil c;
    if (month) {
      if (n != 2) return {};
      c.month = month;
      c.day = year_first ? numbers[1] : numbers[0];
      c.year = year_first ? numbers[0] : numbers[1];
      if ((year_first ? digits[0] : digits[1]) == 2) c.year += c.year < 50 ? 2000 : 1900;
    } else if (n == 3) {
      c.year = year_first ? numbers[0] : numbers[2];
      c.month = year_first ? numbers[1] : numbers[0];
      c.day = year_first ? numbers[2] : numbers[1];
      if (!year_first && digits[2] == 2) c.year += c.year < 50 ? 2000 : 1900;
    } else if (n == 2 && year_first) {
      c.year = numbers[0];
      c.month = numbers[1];
    } else if (n == 1 && digits[0] == 4 && hour_ < 0) {
      c.year = numbers[0];
    } else if (n == 1 && digits[0] == 8) {
      c.year = numbers[0] / 10000;
      c.month = numbers[0] / 100 % 100;
      c.day = numbers[0] % 100;
    } else {
      return {};
    }
    // The exact parser knows the calendar.
    const auto day = parse_iso_datetime(fmt::format("{:04}-{:02}-{:02}", c.year, c.month, c.day));
    if (!day || c.year > 9999) return {};
    const Ticks t = *day + std::max(hour_, 0) * kTicksPerHour + minute_ * kTicksPerMinute + second_ * kTicksPerSecond + fraction_ - offset_;
    if (t < 0 || t > kMaxDatetime) return {};
    return t;
  }

 private:
  std::string take_word() {
    const size_t from = at_;
    while (at_ < text_.size() && is_alpha(text_[at_])) ++at_;
    return to_lower(text_.substr(from, at_ - from));
  }
  static int month_of(std::string_view word) {
    for (int m = 0; m < 12; ++m)
      if (word.substr(0, 3) == kMonths[m]) return m + 1;
    return 0;
  }
  static bool is_weekday(std::string_view word) {
    for (const std::string_view d : {"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
      if (word.substr(0, 3) == d) return true;
    return false;
  }
  int two() {
    int v = 0, n = 0;
    while (at_ < text_.size() && is_digit(text_[at_]) && n++ < 2) v = v * 10 + (text_[at_++] - '0');
    return n ? v : -1;
  }
  bool time() {
    if (hour_ >= 0) return false;
    hour_ = two();
    if (at_ >= text_.size() || text_[at_++] != ':') return false;
    minute_ = two();
    if (at_ < text_.size() && text_[at_] == ':') {
      ++at_;
      second_ = two();
      if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == ',') && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])) {
        ++at_;
        int n = 0;
        for (; at_ < text_.size() && is_digit(text_[at_]); ++at_, ++n)
          if (n < 7) fraction_ = fraction_ * 10 + (text_[at_] - '0');
        for (; n < 7; ++n) fraction_ *= 10;
      }
    }
    return hour_ >= 0 && hour_ < 24 && minute_ >= 0 && minute_ < 60 && second_ >= 0 && second_ < 60;
  }
  bool zone() {
    const int sign = text_[at_++] == '-' ? -1 : 1;
    const int hh = two();
    if (at_ < text_.size() && text_[at_] == ':') ++at_;
    const int mm = std::max(two(), 0);
    offset_ = sign * (hh * kTicksPerHour + mm * kTicksPerMinute);
    return hh >= 0 && hh <= 14 && mm < 60;
  }

  std::string_view text_;
  size_t at_ = 0;
  int hour_ = -1, minute_ = 0, second_ = 0;
  int64_t fraction_ = 0, offset_ = 0;
};

struct Unit {
  std::string_view name;
  double ticks;
};
constexpr Unit kUnits[] = {
    {"tick", 1},      {"ticks", 1},    {"microsecond", 10}, {"microseconds", 10}, {"micro", 10},         {"us", 10},
    {"ms", 1e4},      {"milli", 1e4},  {"millis", 1e4},     {"millisecond", 1e4}, {"milliseconds", 1e4}, {"s", 1e7},
    {"sec", 1e7},     {"second", 1e7}, {"seconds", 1e7},    {"m", 6e8},           {"min", 6e8},          {"minute", 6e8},
    {"minutes", 6e8}, {"h", 36e9},     {"hr", 36e9},        {"hrs", 36e9},        {"hour", 36e9},        {"hours", 36e9},
    {"d", 864e9},     {"day", 864e9},  {"days", 864e9},     {"ns", 0.01},         {"nanosecond", 0.01},  {"nanoseconds", 0.01},
};

}  // namespace

std::optional<int64_t> real_to_long(double v) {
  if (!(v >= -9223372036854775808.0 && v < 9223372036854775808.0)) return {};
  return static_cast<int64_t>(v);
}

std::optional<int64_t> to_long(std::string_view text) {
  text = trim(text);
  const bool minus = text.starts_with('-');
  const std::string_view unsigned_text = minus ? text.substr(1) : text;
  if (unsigned_text.starts_with("0x") || unsigned_text.starts_with("0X")) {
    const auto v = whole<uint64_t>(unsigned_text.substr(2), 16);
    if (!v) return {};
    return static_cast<int64_t>(minus ? 0 - *v : *v);
  }
  if (const auto v = whole<int64_t>(text)) return v;
  if (unsigned_text.empty() || !(is_digit(unsigned_text[0]) || unsigned_text[0] == '.')) return {};
  const auto real = to_real(text);
  return real ? real_to_long(*real) : std::nullopt;
}

std::optional<double> to_real(std::string_view text) {
  text = trim(text);
  if (text.empty()) return {};
  if (iequals(text, "nan")) return NAN;
  if (iequals(text, "inf") || iequals(text, "+inf") || iequals(text, "infinity")) return INFINITY;
  if (iequals(text, "-inf") || iequals(text, "-infinity")) return -INFINITY;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    const auto v = to_long(text);
    return v ? std::optional(static_cast<double>(*v)) : std::nullopt;
  }
  std::string_view s = text;
  if (s.starts_with('+')) s.remove_prefix(1);
  double v = 0;
  const auto [end, bad] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (end != s.data() + s.size() || bad == std::errc::invalid_argument) return {};
  return v;
}

std::optional<bool> to_bool(std::string_view text) {
  text = trim(text);
  if (iequals(text, "true")) return true;
  if (iequals(text, "false")) return false;
  if (const auto v = whole<int64_t>(text)) return *v != 0;
  return {};
}

std::optional<Ticks> to_datetime(std::string_view text) {
  text = trim(text);
  if (text.empty()) return {};
  if (const auto t = parse_iso_datetime(text)) return t;
  return LooseDate(text).parse();
}

std::optional<Ticks> to_timespan(std::string_view text) {
  text = trim(text);
  if (text.empty()) return {};
  const bool minus = text.starts_with('-');
  std::string_view s = minus || text.starts_with('+') ? text.substr(1) : text;
  const auto finish = [&](double ticks) -> std::optional<Ticks> {
    const auto v = real_to_long(std::round(ticks));
    if (!v) return {};
    return minus ? -*v : *v;
  };
  if (s.find(':') == std::string_view::npos) {
    double v = 0;
    const auto [end, bad] = std::from_chars(s.data(), s.data() + s.size(), v, std::chars_format::fixed);
    if (bad != std::errc()) return {};
    const std::string_view unit = trim(s.substr(static_cast<size_t>(end - s.data())));
    if (unit.empty()) return finish(v * static_cast<double>(kTicksPerDay));
    for (const Unit& u : kUnits)
      if (iequals(u.name, unit)) return finish(v * u.ticks);
    return {};
  }
  int64_t days = 0;
  const size_t colon = s.find(':');
  if (const size_t dot = s.find('.'); dot != std::string_view::npos && dot < colon) {
    const auto v = whole<int64_t>(s.substr(0, dot));
    if (!v || *v < 0 || *v > 10'675'199) return {};
    days = *v;
    s.remove_prefix(dot + 1);
  }
  std::vector<std::string> parts = split(s, ':');
  if (parts.size() < 2 || parts.size() > 4) return {};
  if (parts.size() == 4) {
    const auto v = whole<int64_t>(parts[0]);
    if (!v || *v < 0 || *v > 10'675'199) return {};
    days = *v;
    parts.erase(parts.begin());
  }
  const auto hours = whole<int64_t>(parts[0]), minutes = whole<int64_t>(parts[1]);
  if (!hours || !minutes || *hours < 0 || *hours > 23 || *minutes < 0 || *minutes > 59) return {};
  int64_t ticks = days * kTicksPerDay + *hours * kTicksPerHour + *minutes * kTicksPerMinute;
  if (parts.size() == 3) {
    std::string seconds = parts[2], fraction;
    if (const size_t dot = seconds.find('.'); dot != std::string::npos) {
      fraction = seconds.substr(dot + 1);
      seconds.resize(dot);
    }
    const auto v = whole<int64_t>(seconds);
    if (!v || *v < 0 || *v > 59) return {};
    fraction.resize(7, '0');
    const auto f = whole<int64_t>(fraction);
    if (!f) return {};
    ticks += *v * kTicksPerSecond + *f;
  }
  return minus ? -ticks : ticks;
}

std::optional<std::string> to_guid(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && ((text.front() == '{' && text.back() == '}') || (text.front() == '(' && text.back() == ')')))
    text = text.substr(1, text.size() - 2);
  const bool dashes = text.size() == 36;
  if (!dashes && text.size() != 32) return {};
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (dashes && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (c != '-') return {};
      continue;
    }
    if (!is_digit(c) && !((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) return {};
    if (out.size() == 8 || out.size() == 13 || out.size() == 18 || out.size() == 23) out += '-';
    out += is_digit(c) ? c : static_cast<char>(c | 0x20);
  }
  return out;
}

std::string datetime_text(Ticks t) {
  const Civil c = civil_from_ticks(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:07}Z", c.year, c.month, c.day, c.hour, c.minute, c.second, c.ticks);
}

std::string timespan_text(Ticks span) { return format_timespan(span); }

std::string real_text(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "Infinity" : "-Infinity";
  if (v == 0) return std::signbit(v) ? "-0.0" : "0.0";
  const double size = std::fabs(v);
  std::string s = fmt::format("{}", v);
  if (size >= 1e15 || size < 1e-5) {
    s = fmt::format("{:e}", v);
    // fmt pads the mantissa to six digits: take the shortest that reads back.
    for (int digits = 0; digits <= 17; ++digits) {
      s = fmt::format("{:.{}E}", v, digits);
      if (to_real(s) == v) break;
    }
    return s;
  }
  if (s.find_first_of(".e") == std::string::npos) s += ".0";
  return s;
}

std::string json_real(double v) {
  if (!std::isfinite(v)) return "\"" + real_text(v) + "\"";
  std::string s = real_text(v);
  return s;
}

}  // namespace egret::kql::values
