#pragma once
// Keeps what an investigation asked, saw and weighed as rows, so that its answer can be replayed and disputed.
#include "investigate/runner.h"

namespace egret::investigate {

Result<void> store_ledger(store::Engine& engine, const LedgerInput& in, const std::vector<Candidate>& candidates);

}  // namespace egret::investigate
