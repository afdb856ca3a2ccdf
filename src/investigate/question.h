#pragma once
// What is asked: an alert that the data holds, or an address, a name and a time that a person has heard of.
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "investigate/answer.h"
#include "store/engine.h"

namespace egret::investigate {

struct Question {
  std::string alert;    // id of one alert (or its beginning); empty: choose
  std::string address;  // these three ask without an alert
  std::string name;
  Ticks time = 0;
  std::string cluster;  // narrows any of the above
};

struct Intake {
  Alert alert;
  std::vector<Alert> related;  // of the same destination or source, near in time: one incident
  std::vector<Alert> others;   // further alerts that were not taken, most severe first; the user is told
};

// Alerts of SecurityAlert as plain data, most severe and earliest first. Rows of no network destination are kept last.
Result<std::vector<Alert>> read_alerts(store::Engine& engine, Ticks now);
// Chooses the alert, or makes one from the question. kNotFound with a hint when there is nothing to ask about.
Result<Intake> take_in(store::Engine& engine, const Question& question, Ticks now);

}  // namespace egret::investigate
