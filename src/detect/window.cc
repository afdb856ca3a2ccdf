#include "detect/window.h"

#include <algorithm>

namespace egret::detect {

std::vector<Window> windows(const Rule& rule, Ticks from, Ticks to, Ticks now) {
  std::vector<Window> found;
  if (to < from || rule.frequency <= 0) return found;
  // The first window whose end is at or after the first row; the last whose end is at or after the last one.
  Ticks end = from / rule.frequency * rule.frequency;
  if (end < from) end += rule.frequency;
  const Ticks last_row = std::min(to, now);
  for (;; end += rule.frequency) {
    const bool last = end >= last_row;
    // The final, unfinished stretch is seen as of now rather than not at all.
    const Ticks cut = std::min(end, std::max(now, from));
    if (found.empty() || cut > found.back().end) found.push_back({cut - rule.period, cut, cut + rule.egret.delay});
    if (last) break;
  }
  return found;
}

bool any_rows(std::span<const Bin> bins, Ticks width, Ticks start, Ticks end) {
  auto it = std::upper_bound(bins.begin(), bins.end(), start - width, [](Ticks t, const Bin& b) { return t < b.start; });
  for (; it != bins.end() && it->start <= end; ++it)
    if (it->rows > 0) return true;
  return false;
}

}  // namespace egret::detect
