#include "investigate/split.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace egret::investigate {
namespace {

constexpr size_t kFewEnough = 40;   // contacts looked at; more say nothing new
constexpr double kPerContact = 15;  // decibans that one contact may speak for or against a candidate
constexpr double kGain = 25;        // a second owner must explain that much more than the best single one
constexpr double kOwn = 10;         // and each must be better by this at some contact

}  // namespace

std::vector<Part> split_contacts(const LedgerInput& in, const std::vector<TestResult>& results) {
  Part whole;
  for (const SeenContact& c : in.contacts) whole.contacts.push_back(c.number);
  if (in.contacts.size() < 2 || in.candidates.size() < 2) return {whole};

  std::vector<int> contacts = whole.contacts;
  if (contacts.size() > kFewEnough) {
    std::vector<int> some;
    for (size_t i = 0; i < kFewEnough; ++i) some.push_back(contacts[i * contacts.size() / kFewEnough]);
    contacts = some;
  }
  std::map<int, size_t> index;
  for (size_t i = 0; i < contacts.size(); ++i) index[contacts[i]] = i;

  // Per candidate and contact: of each group the strongest weight.
  std::vector<std::string> ids;
  std::vector<std::vector<double>> score;
  for (const Candidate& c : in.candidates) {
    std::vector<std::map<std::string, double>> groups(contacts.size());
    for (const TestResult& r : results) {
      const auto it = r.rows.find(c.id());
      if (it == r.rows.end()) continue;
      for (const Weighed& w : it->second) {
        const auto at = index.find(w.contact);
        if (at == index.end()) continue;
        double& best = groups[at->second][r.test->group];
        if (std::abs(w.weight) > std::abs(best)) best = w.weight;
      }
    }
    std::vector<double> row;
    for (const auto& g : groups) {
      double sum = 0;
      for (const auto& [group, w] : g) sum += w;
      row.push_back(std::clamp(sum, -kPerContact, kPerContact));
    }
    ids.push_back(c.id());
    score.push_back(std::move(row));
  }
  const auto total = [](const std::vector<double>& v) {
    double sum = 0;
    for (const double x : v) sum += x;
    return sum;
  };
  double single = -1e300;
  for (const auto& row : score) single = std::max(single, total(row));
  double best = single + kGain;
  size_t a = 0, b = 0;
  for (size_t i = 0; i < score.size(); ++i)
    for (size_t j = i + 1; j < score.size(); ++j) {
      double sum = 0, for_i = 0, for_j = 0;
      for (size_t k = 0; k < contacts.size(); ++k) {
        sum += std::max(score[i][k], score[j][k]);
        for_i = std::max(for_i, score[i][k] - score[j][k]);
        for_j = std::max(for_j, score[j][k] - score[i][k]);
      }
      if (sum > best && for_i >= kOwn && for_j >= kOwn) best = sum, a = i, b = j;
    }
  if (a == b) return {whole};
  Part first{ids[a], {}}, second{ids[b], {}};
  for (size_t k = 0; k < contacts.size(); ++k) (score[a][k] >= score[b][k] ? first : second).contacts.push_back(contacts[k]);
  if (first.contacts.size() < second.contacts.size()) std::swap(first, second);
  return {first, second};
}

}  // namespace egret::investigate
