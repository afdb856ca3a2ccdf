#pragma once
// What the report shows besides the answer, read while the data is there: inputs, coverage and its gaps, flows over time, credentials
// in reach, and the timeline.
#include <vector>

#include "base/result.h"
#include "investigate/answer.h"
#include "investigate/case_tables.h"
#include "investigate/judgement.h"
#include "store/engine.h"

namespace egret::investigate {

Result<void> collect_facts(store::Engine& engine, Ticks now, const CaseTables& tables, Answer& answer);
Result<void> find_credentials(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& answer);
Result<void> tell_timeline(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& answer);

}  // namespace egret::investigate
