#pragma once
// The answer as a page for a terminal: verdict first, readable in a minute, 100 columns. Values that come from logs are made
// safe for a terminal.
#include <string>

#include "investigate/answer.h"

namespace egret::investigate {

struct PageOptions {
  bool colours = false;
  bool evidence = false;   // every test with its query, instead of the strongest ones
  bool all_steps = false;  // every command of the plan: apply, verify and undo
  int width = 100;
  std::string incident = {};  // number of the stored incident, named in the last line; may be empty
};

std::string render_page(const Answer& answer, const PageOptions& options);
// One line: "BenignPositive 0.97: kube-system/DaemonSet/omsagent in canadacentral → ifconfig.co (172.64.80.1)".
std::string headline(const Answer& answer);
// Puts the stored incident's number into the commands of the plan, which were written before it was known.
void name_incident(Answer& answer, int64_t number);

}  // namespace egret::investigate
