#include "investigate/missing.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace egret::investigate {
namespace {

std::string filled(std::string text, const std::string& cluster) {
  const std::string what = "{Cluster}";
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += cluster.size())
    text.replace(at, what.size(), cluster.empty() ? "the cluster" : cluster);
  return text;
}

}  // namespace

double expected_gain(const std::vector<Candidate>& candidates, double reliability, double discriminates) {
  std::vector<double> p;
  for (const Candidate& c : candidates) p.push_back(c.probability);
  const double before = entropy_bits(p);
  const double factor = std::pow(10.0, reliability / 10);
  double after = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (candidates[i].kind == "unknown") {
      after += p[i] * before;  // a log of pods says nothing where no pod did it
      continue;
    }
    std::vector<double> q = p;
    q[i] *= factor;
    double sum = 0;
    for (const double x : q) sum += x;
    for (double& x : q) x /= sum;
    after += p[i] * entropy_bits(q);
  }
  return std::max(0.0, discriminates * (before - after));
}

std::vector<Missing> find_missing(const std::vector<Candidate>& candidates, const std::vector<EvidenceTest>& tests,
                                  const std::vector<Covered>& coverage, const std::string& cluster, Ticks from, Ticks to) {
  std::vector<Missing> out;
  for (const EvidenceTest& t : tests) {
    if (t.missing.advice.empty()) continue;
    const bool covered = std::any_of(coverage.begin(), coverage.end(), [&](const Covered& c) {
      return std::find(t.missing.sources.begin(), t.missing.sources.end(), c.source) != t.missing.sources.end() &&
             (c.cluster.empty() || iequals(c.cluster, cluster)) && c.from <= to && c.to >= from;
    });
    if (covered) continue;
    Missing m;
    m.log = filled(t.missing.advice, cluster);
    m.where = cluster;
    m.entropy_gain = expected_gain(candidates, t.reliability, t.missing.discriminates);
    m.cost = filled(t.missing.cost, cluster);
    m.how = filled(t.missing.how, cluster);
    // Two tests may want the same log: it is said once, with what the better one would gain.
    const auto same = std::find_if(out.begin(), out.end(), [&](const Missing& x) { return x.log == m.log; });
    if (same == out.end())
      out.push_back(std::move(m));
    else if (same->entropy_gain < m.entropy_gain)
      *same = std::move(m);
  }
  std::stable_sort(out.begin(), out.end(), [](const Missing& a, const Missing& b) { return a.entropy_gain > b.entropy_gain; });
  return out;
}

}  // namespace egret::investigate
