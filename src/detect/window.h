#pragma once
// When a rule runs, and what it sees each time.
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "detect/rule.h"

namespace egret::detect {

struct Window {
  Ticks start = 0, end = 0;  // rows with start < time <= end are seen; now() of the query is `end`
  Ticks run_at = 0;          // when the scheduler would run it: end plus the rule's delay
};

// All windows that can see a row of [from, to]: ends at whole multiples of the frequency since midnight of the epoch, the last one
// the first end at or after `to`, cut by now: a window that is not over yet is not run.
std::vector<Window> windows(const Rule& rule, Ticks from, Ticks to, Ticks now);

// Number of rows with a time in [start, start + width), as KQL's bin() cuts; sorted by start.
struct Bin {
  Ticks start = 0;
  int64_t rows = 0;
};
// May a row of the bins lie in (start, end]?
bool any_rows(std::span<const Bin> bins, Ticks width, Ticks start, Ticks end);

}  // namespace egret::detect
