#pragma once
// Rows of one window made into alerts: entities, names, grouping of events, and what only repeats.
#include <map>
#include <string>
#include <vector>

#include "detect/alert.h"
#include "detect/window.h"

namespace egret::detect {

class Findings {
 public:
  explicit Findings(const Rule& rule) : rule_(rule) {}

  enum class Outcome { kNothing, kRaised, kRepeated };
  // The trigger's condition must have been met. Windows come in order of time.
  Outcome take(const Window& window, const model::Batch& rows);
  bool triggered(size_t rows) const;
  std::vector<Alert> alerts() && { return std::move(alerts_); }

 private:
  struct Found;  // one row, read
  Found read(const model::Batch& rows, size_t row) const;
  std::string fill(const std::string& format, const model::Batch& rows, size_t row) const;
  void raise(const Window& window, std::vector<Found> found, size_t results);

  const Rule& rule_;
  std::vector<Alert> alerts_;
  struct Seen {
    size_t alert;
    Ticks window_end;
  };
  std::map<std::string, Seen> seen_;  // by what a row is about
};

}  // namespace egret::detect
