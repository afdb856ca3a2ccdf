#include "investigate/answer.h"

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

const Candidate* Answer::owner() const {
  if (candidates.empty() || candidates.front().kind == "unknown") return nullptr;
  return &candidates.front();
}

}  // namespace egret::investigate
