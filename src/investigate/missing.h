#pragma once
// Which log, had it been kept, would tell most: the expected fall of entropy, from the same candidates and probabilities.
#include <string>
#include <vector>

#include "investigate/evidence_file.h"
#include "investigate/score.h"

namespace egret::investigate {

struct Covered {
  std::string cluster, source;
  Ticks from = 0, to = 0;
};

// Bits that a test of that reliability would take off, if in `discriminates` of the cases it spoke for the true candidate.
double expected_gain(const std::vector<Candidate>& candidates, double reliability, double discriminates);

// For each test whose log covers no contact of the ledger: advice, ranked by gain.
std::vector<Missing> find_missing(const std::vector<Candidate>& candidates, const std::vector<EvidenceTest>& tests,
                                  const std::vector<Covered>& coverage, const std::string& cluster, Ticks from, Ticks to);

}  // namespace egret::investigate
