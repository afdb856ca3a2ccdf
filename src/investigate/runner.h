#pragma once
// Runs the evidence tests over one ledger's tables and keeps every row that they returned.
#include <map>
#include <string>
#include <vector>

#include "investigate/evidence_tables.h"
#include "investigate/score.h"

namespace egret::investigate {

struct TestResult {
  const EvidenceTest* test = nullptr;
  std::map<std::string, std::vector<Weighed>> rows;  // by candidate
};

// A test whose query fails or whose result has the wrong shape is an error that names its file: content is broken, not the data.
Result<std::vector<TestResult>> run_tests(store::Engine& engine, const std::vector<EvidenceTest>& tests, Ticks now);

// Scores of the candidates from the rows about these contacts (all when empty); adds "unknown". Not yet sorted by probability.
std::vector<Candidate> weigh(const LedgerInput& in, const std::vector<TestResult>& results, const std::vector<int>& contacts,
                             const Calibration& calibration);

}  // namespace egret::investigate
