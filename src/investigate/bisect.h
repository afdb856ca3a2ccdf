#pragma once
// Release bisect: which version of the owner brought the contact. Versions are the spans between its changes (image, template,
// ConfigMap, Secret); each is told with how long it ran under the eyes of a flow log, and how many contacts it made, so that a
// version that hardly ran is not called good in silence.
#include <vector>

#include "base/result.h"
#include "investigate/answer.h"
#include "store/engine.h"

namespace egret::investigate {

struct ChangeRow {
  Ticks time = 0;
  std::string what, object, from, to, revision, by, release, commit, image, digest, status;
  std::vector<int64_t> rows;
};

// Pure: the changes of one workload in one cluster (sorted by time), the times of its contacts (sorted), and the time that flow
// logs cover. `workload` is only written into the changes.
Release bisect(const std::string& workload, const std::vector<ChangeRow>& changes, const std::vector<Ticks>& contacts, Ticks covered_from,
               Ticks covered_to);

// Names of the keys that differ between two JSON objects, as "+new, -gone, ~changed"; empty when either is no object.
std::string changed_keys(const std::string& from, const std::string& to);

// Reads EgretChanges for the owner and fills answer.release.
Result<void> find_release(store::Engine& engine, Ticks now, Ticks covered_from, Ticks covered_to, Answer& answer);

}  // namespace egret::investigate
