#pragma once
// The arithmetic of attribution, apart from where weights come from: combine the weights of tests into a score per candidate,
// scores into probabilities, and probabilities of several ledgers into one answer.
#include <map>
#include <span>
#include <string>
#include <vector>

#include "investigate/answer.h"

namespace egret::investigate {

// One row of a test's result.
struct Weighed {
  std::string candidate;
  int contact = 0;  // 0: about all contacts of the ledger
  double weight = 0;
  std::string reason;
  std::vector<int64_t> rows;
};

struct Calibration {
  double unknown_share = 0.10;  // prior of "unknown"
  double temperature = 1.0;     // scores are divided by it: tests of different groups are not wholly independent
  double left = 0.01;           // spread evenly over all hypotheses, whatever the weights: logs and models err
};

// Weights of one test for one candidate: repeated contacts add less each time (the i-th strongest 1/i of its weight), and the
// whole is capped at `reliability` either way.
Evidence combine(const std::vector<Weighed>& rows, double reliability);
// Marks the strongest of each group as counted, others not; returns the sum of those counted.
double count_strongest(std::vector<Evidence>& evidence);
// Scores become probabilities; candidates must include the one of kind "unknown". Sorts the most probable first.
void normalise(std::vector<Candidate>& candidates, const Calibration& calibration);
double entropy_bits(std::span<const double> probabilities);
// The mixture of ledgers by their share of contacts. A candidate keeps the evidence of the ledger that it does best in.
std::vector<Candidate> mix(std::vector<std::pair<double, std::vector<Candidate>>> ledgers);

}  // namespace egret::investigate
