#pragma once
// Contacts of one destination may have two causes. This finds out whether two candidates together explain them much better than
// any one does, from the weights that the tests gave contact by contact.
#include <string>
#include <vector>

#include "investigate/runner.h"

namespace egret::investigate {

struct Part {
  std::string candidate;  // that explains these best; empty for the undivided whole
  std::vector<int> contacts;
};

// One part with everything, or two.
std::vector<Part> split_contacts(const LedgerInput& in, const std::vector<TestResult>& results);

}  // namespace egret::investigate
