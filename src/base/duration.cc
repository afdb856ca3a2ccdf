#include "base/duration.h"

#include <fmt/format.h>

#include <cctype>
#include <limits>

#include "base/text.h"

namespace egret {
namespace {

constexpr Ticks kLongest = std::numeric_limits<Ticks>::max() / 4;

// Reads "12" or "1.5"; moves `at` behind it.
std::optional<double> read_number(std::string_view text, size_t& at) {
  const size_t begin = at;
  double value = 0;
  while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]))) value = value * 10 + (text[at++] - '0');
  if (at == begin || at - begin > 15) return {};
  if (at + 1 < text.size() && text[at] == '.' && std::isdigit(static_cast<unsigned char>(text[at + 1]))) {
    double scale = 0.1;
    for (++at; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])); ++at, scale /= 10) value += (text[at] - '0') * scale;
  }
  return value;
}

bool add(Ticks& total, double amount, Ticks unit) {
  const double span = amount * static_cast<double>(unit);
  if (span > static_cast<double>(kLongest - total)) return false;
  total += static_cast<Ticks>(span + 0.5);
  return true;
}

std::optional<Ticks> parse_iso(std::string_view text) {
  Ticks total = 0;
  bool time_part = false, any = false;
  for (size_t at = 1; at < text.size();) {
    if (text[at] == 'T' || text[at] == 't') {
      if (time_part) return {};
      time_part = true;
      ++at;
      continue;
    }
    const auto amount = read_number(text, at);
    if (!amount || at >= text.size()) return {};
    Ticks unit = 0;
    switch (std::toupper(static_cast<unsigned char>(text[at++]))) {
      case 'W': unit = time_part ? 0 : 7 * kTicksPerDay; break;
      case 'D': unit = time_part ? 0 : kTicksPerDay; break;
      case 'H': unit = time_part ? kTicksPerHour : 0; break;
      case 'M': unit = time_part ? kTicksPerMinute : 0; break;
      case 'S': unit = time_part ? kTicksPerSecond : 0; break;
      default: break;
    }
    if (unit == 0 || !add(total, *amount, unit)) return {};
    any = true;
  }
  return any ? std::optional(total) : std::nullopt;
}

std::optional<Ticks> parse_clock(std::string_view text) {  // [d.]hh:mm[:ss[.f]]
  Ticks total = 0;
  const size_t colon = text.find(':');
  if (const size_t dot = text.find('.'); dot < colon) {
    size_t at = 0;
    const auto days = read_number(text.substr(0, dot), at);
    if (!days || at != dot || !add(total, *days, kTicksPerDay)) return {};
    text.remove_prefix(dot + 1);
  }
  const Ticks units[] = {kTicksPerHour, kTicksPerMinute, kTicksPerSecond};
  size_t at = 0, part = 0;
  for (; part < 3; ++part) {
    const auto amount = read_number(text, at);
    if (!amount || !add(total, *amount, units[part])) return {};
    if (at == text.size()) break;
    if (text[at++] != ':') return {};
  }
  return at == text.size() && part >= 1 ? std::optional(total) : std::nullopt;
}

struct Unit {
  std::string_view name;
  Ticks ticks;
};
constexpr Unit kUnits[] = {{"ms", 10'000}, {"d", kTicksPerDay}, {"h", kTicksPerHour}, {"m", kTicksPerMinute}, {"s", kTicksPerSecond}};

}  // namespace

std::optional<Ticks> parse_duration(std::string_view text) {
  text = trim(text);
  if (text.empty()) return {};
  if (text[0] == 'P' || text[0] == 'p') return parse_iso(text);
  if (text.find(':') != std::string_view::npos) return parse_clock(text);
  Ticks total = 0;
  for (size_t at = 0; at < text.size();) {
    const auto amount = read_number(text, at);
    if (!amount) return {};
    const Unit* unit = nullptr;
    for (const Unit& u : kUnits)
      if (iequals(text.substr(at, u.name.size()), u.name)) {
        unit = &u;
        break;
      }
    if (!unit || !add(total, *amount, unit->ticks)) return {};
    at += unit->name.size();
  }
  return total;
}

std::string short_duration(Ticks span) {
  std::string out;
  for (const auto& [name, ticks] :
       {Unit{"d", kTicksPerDay}, Unit{"h", kTicksPerHour}, Unit{"m", kTicksPerMinute}, Unit{"s", kTicksPerSecond}, Unit{"ms", 10'000}}) {
    if (span < ticks) continue;
    out += fmt::format("{}{}", span / ticks, name);
    span %= ticks;
  }
  return out.empty() ? "0s" : out;
}

}  // namespace egret
