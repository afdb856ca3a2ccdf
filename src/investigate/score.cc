#include "investigate/score.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <tuple>

namespace egret::investigate {

Evidence combine(const std::vector<Weighed>& rows, double reliability) {
  std::vector<const Weighed*> sorted;
  for (const Weighed& r : rows) sorted.push_back(&r);
  std::stable_sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return std::abs(a->weight) > std::abs(b->weight); });
  Evidence e;
  double sum = 0;
  int rank = 0;
  for (const Weighed* r : sorted) {
    sum += r->weight / ++rank;
    e.rows.insert(e.rows.end(), r->rows.begin(), r->rows.end());
  }
  e.weight = std::clamp(sum, -reliability, reliability);
  if (!sorted.empty()) {
    e.reason = sorted[0]->reason;
    // The sentence of the strongest row stands for all; how many agree with it is part of what it says.
    const auto agree = std::count_if(rows.begin(), rows.end(), [&](const Weighed& w) { return w.weight * sorted[0]->weight > 0; });
    if (sorted[0]->contact && agree > 1)
      e.reason += " (and likewise at " + std::to_string(agree - 1) + (agree == 2 ? " other contact)" : " other contacts)");
  }
  std::sort(e.rows.begin(), e.rows.end());
  e.rows.erase(std::unique(e.rows.begin(), e.rows.end()), e.rows.end());
  return e;
}

double count_strongest(std::vector<Evidence>& evidence) {
  std::map<std::string, Evidence*> strongest;
  for (Evidence& e : evidence) {
    e.counted = false;
    Evidence*& best = strongest[e.group];
    if (!best || std::abs(e.weight) > std::abs(best->weight)) best = &e;
  }
  double sum = 0;
  for (auto& [group, e] : strongest) {
    e->counted = true;
    sum += e->weight;
  }
  std::stable_sort(evidence.begin(), evidence.end(), [](const Evidence& a, const Evidence& b) {
    return a.counted != b.counted ? a.counted : std::abs(a.weight) > std::abs(b.weight);
  });
  return sum;
}

namespace {

// The most probable first; equal ones by name, so that the same evidence gives the same answer every time. A probability is compared to
// twelve digits: the last ones depend on the order in which a sum was added up.
void order(std::vector<Candidate>& candidates) {
  const auto key = [](const Candidate& c) { return std::tuple(-std::round(c.probability * 1e12), c.cluster, c.id()); };
  std::ranges::sort(candidates, {}, key);
}

}  // namespace

void normalise(std::vector<Candidate>& candidates, const Calibration& calibration) {
  double top = -1e300;
  for (const Candidate& c : candidates) top = std::max(top, c.score);
  double sum = 0;
  for (Candidate& c : candidates) {
    c.probability = std::pow(10.0, (c.score - top) / (10.0 * calibration.temperature));
    sum += c.probability;
  }
  const double n = static_cast<double>(candidates.size());
  for (Candidate& c : candidates) c.probability = (c.probability / sum) * (1 - calibration.left) + calibration.left / n;
  order(candidates);
}

double entropy_bits(std::span<const double> probabilities) {
  double bits = 0;
  for (const double p : probabilities)
    if (p > 0) bits -= p * std::log2(p);
  return bits;
}

std::vector<Candidate> mix(std::vector<std::pair<double, std::vector<Candidate>>> ledgers) {
  std::vector<Candidate> all;
  std::map<std::string, std::pair<size_t, double>> where;  // index, best probability so far
  for (auto& [share, candidates] : ledgers) {
    for (Candidate& c : candidates) {
      const double own = c.probability;
      const auto [it, fresh] = where.try_emplace(c.cluster + "|" + c.id(), all.size(), own);
      if (fresh) {
        c.probability = share * own;
        all.push_back(std::move(c));
        continue;
      }
      Candidate& kept = all[it->second.first];
      const double sum = kept.probability + share * own;
      if (own > it->second.second) {
        it->second.second = own;
        kept = std::move(c);
      }
      kept.probability = sum;
    }
  }
  order(all);
  return all;
}

}  // namespace egret::investigate
