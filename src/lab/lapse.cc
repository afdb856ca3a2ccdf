#include "lab/lapse.h"

#include <cassert>

#include "base/time.h"

namespace egret::lab {

using drill::Micros;

void Lapse::skip(Micros real, Micros by) {
  assert(by >= 0 && (skips_.empty() || skips_.back().first <= real));
  skips_.emplace_back(real, by);
}

Micros Lapse::of(Micros real) const {
  if (real == drill::kNever) return real;
  for (const auto& [at, by] : skips_)
    if (at > real) real -= by;
  return real;
}

std::string Lapse::date_anew(std::string_view text, Micros since) const {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    size_t n = 0;
    while (n < kShape.size() && i + n < text.size() && (kShape[n] == 'd' ? digit(text[i + n]) : text[i + n] == kShape[n])) ++n;
    size_t end = i + n;
    if (n == kShape.size()) {
      if (end < text.size() && text[end] == '.')
        for (++end; end < text.size() && digit(text[end]); ++end) continue;
      if (end < text.size() && text[end] == 'Z') {
        const std::string_view fraction = text.substr(i + n, end - i - n);
        const auto ticks = parse_iso_datetime(std::string(text.substr(i, n)) + 'Z');
        const Micros whole = ticks ? (*ticks - kUnixEpochTicks) / 10 : 0;
        if (ticks && whole + drill::kSecond > since) {
          // The fraction stays as it is: every skip is of whole seconds.
          out += drill::iso(of(whole)).substr(0, kShape.size());
          out += fraction;
          out += 'Z';
          i = end + 1;
          continue;
        }
      }
    }
    // What is no time may begin within what looked like one.
    out += text[i++];
  }
  return out;
}

}  // namespace egret::lab
