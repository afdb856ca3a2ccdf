#pragma once
// Why: the names that led to the address there and then, the clusters compared, and what sets the contact off.
#include <vector>

#include "base/result.h"
#include "investigate/answer.h"
#include "investigate/case_tables.h"
#include "investigate/judgement.h"
#include "store/engine.h"

namespace egret::investigate {

Result<void> find_names(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& answer);
Result<void> compare_regions(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& answer);
// After the release was bisected: a release that brought the contact is a trigger when nothing nearer is.
Result<void> find_trigger(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& answer);
// The explanation, from what the other three found.
void explain_cause(Answer& answer);

}  // namespace egret::investigate
