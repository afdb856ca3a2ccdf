#pragma once
// The contacts to be explained: rows of EgretFlows that lead to the address, one per connection however many rows and observers
// it had, each with the node it left and, where an observer stood before the translation, the pod.
#include <string>
#include <vector>

#include "base/result.h"
#include "investigate/answer.h"
#include "investigate/places.h"
#include "store/engine.h"

namespace egret::investigate {

struct SeenContact {
  Contact contact;
  int number = 0;  // from 1, over the whole investigation
  int source_port = 0, nat_port = 0;
  Ticks end = 0, precision = 0;
  Ticks quiet = 0;                // since the contact before it from the same node; a day where there is none
  std::string ns, pod, workload;  // where a row identifies the pod
  std::string seen_by;            // sources, comma-separated
  bool start = false;             // the row is the beginning of a connection
};

// Rows of one connection become one contact; an observer before the translation and one after it are joined where node, time and
// port allow only one partner. Sorted by time.
std::vector<SeenContact> merge_contacts(std::vector<SeenContact> rows);

// How exact the times of a log really are: where all rows of a minute carry the moment at which they were written out together, a
// minute, whatever digits they show. Zero where the rows do not say so.
Result<Ticks> measured_precision(store::Engine& engine, const std::string& source, const std::string& cluster, Ticks about, Ticks now);

// Over all clusters. `names`: further names that lead to the address, for observers that see names only.
Result<std::vector<SeenContact>> find_contacts(store::Engine& engine, const Places& places, const Alert& alert,
                                               const std::vector<std::string>& addresses, const std::vector<std::string>& names, Ticks now);

}  // namespace egret::investigate
