#pragma once
// Who could have made the contacts of a ledger: every workload with a pod that was there then, and the processes of a node that
// its logs name.
#include "investigate/evidence_tables.h"

namespace egret::investigate {

// Fills candidates and pods of the input from its contacts.
Result<void> find_candidates(store::Engine& engine, const Places& places, Ticks now, LedgerInput& in);

}  // namespace egret::investigate
