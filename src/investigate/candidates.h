#pragma once
// Who could have made the contacts of a ledger: every workload with a pod that was there then, the processes of a node that its logs
// name, and those whose pods of that time nobody wrote down: CronJobs, whose pods are swept away, and all workloads of a cluster of
// which there is only a later picture.
#include "investigate/evidence_tables.h"

namespace egret::investigate {

// Fills candidates and pods of the input from its contacts.
Result<void> find_candidates(store::Engine& engine, const Places& places, Ticks now, LedgerInput& in);

}  // namespace egret::investigate
