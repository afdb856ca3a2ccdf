#pragma once
// What really happened, and whether the rows that were written tell it.
#include <string>
#include <vector>

#include "drill/writers.h"

namespace egret::drill {

struct TrueOwner {
  std::string ns, kind, name;
  double share = 0;
  uint64_t contacts = 0;
};

struct Truth {
  std::vector<TrueOwner> owners;  // most contacts first
  bool knowable = false;
  std::string why;                      // one sentence
  std::vector<std::string> consistent;  // the workloads that the rows leave possible, ns/Kind/name, where few
  std::string json;                     // the whole truth.json
  uint64_t contacts = 0;
};

Truth tell_truth(const World& world, const Ledger& ledger, const Profile& profile, uint64_t seed);

}  // namespace egret::drill
