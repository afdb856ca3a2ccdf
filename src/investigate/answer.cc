#include "investigate/answer.h"

#include <algorithm>

namespace egret::investigate {

const char* classification_name(Classification c) {
  switch (c) {
    case Classification::kTruePositive: return "TruePositive";
    case Classification::kBenignPositive: return "BenignPositive";
    case Classification::kFalsePositive: return "FalsePositive";
    case Classification::kUndetermined: return "Undetermined";
  }
  return "Undetermined";
}

bool Release::settings_alone() const {
  return !changes.empty() &&
         std::ranges::all_of(changes, [](const Change& c) { return c.what.starts_with("configmap ") || c.what.starts_with("secret "); });
}

const Candidate* Answer::owner() const {
  if (candidates.empty() || candidates.front().kind == "unknown") return nullptr;
  return &candidates.front();
}

}  // namespace egret::investigate
