#pragma once
// The way from logs in the engine to an answer: alert → contacts → candidates → evidence → owners, then what conclude.h adds.
#include "base/result.h"
#include "investigate/answer.h"
#include "investigate/question.h"
#include "investigate/score.h"
#include "store/engine.h"

namespace egret::investigate {

struct Investigation {
  Answer answer;
  std::vector<Alert> others;  // alerts that this answer is not about
};

// Reads the store; appends the ledger (EgretLedger, EgretEvidence…) and commits. The alert that is asked about must be in
// SecurityAlert already: rules, where there is no alert, are run by the caller before.
Result<Investigation> investigate(store::Engine& engine, const Question& question, Ticks now);

// The part up to owners and missing logs.
Result<void> find_owner(store::Engine& engine, const Question& question, Ticks now, Investigation& into);

}  // namespace egret::investigate
