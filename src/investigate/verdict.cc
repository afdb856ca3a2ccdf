#include "investigate/verdict.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>

#include "base/embedded.h"
#include "investigate/result_row.h"

namespace egret::investigate {

namespace {

const Judgement* find(const std::vector<Judgement>& all, const std::string& id) {
  const auto it = std::ranges::find(all, id, &Judgement::id);
  return it == all.end() ? nullptr : &*it;
}

double probability(double decibans) { return 1 / (1 + std::pow(10, -decibans / 10)); }

}  // namespace

Result<Decision> load_decision() {
  const auto file = content_file("verdict/decision.yaml");
  if (!file) return not_found("content verdict/decision.yaml is missing");
  try {
    const YAML::Node n = YAML::Load(file->text);
    Decision d;
    d.prior = n["prior"].as<double>();
    d.true_positive_at = n["true_positive_at"].as<double>();
    d.true_positive_alone = n["true_positive_alone"].as<double>();
    d.true_positive_together = n["true_positive_together"].as<double>();
    d.benign_at = n["benign_at"].as<double>();
    d.benign_owner = n["benign_owner"].as<double>();
    d.benign_veto = n["benign_veto"].as<double>();
    for (const auto& g : n["benign_needs"]) d.benign_needs.push_back(g.as<std::string>());
    const std::string days = n["expires"].as<std::string>();
    if (!days.ends_with('d')) return usage_error("verdict/decision.yaml: expires is a number of days, as 30d");
    d.expires = std::stoll(days) * kTicksPerDay;
    return d;
  } catch (const std::exception& e) {
    return usage_error(std::string("verdict/decision.yaml: ") + e.what());
  }
}

Result<void> weigh_verdict(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, const CaseTables& tables,
                           Answer& a) {
  auto& evidence = a.verdict.evidence;
  TRY_VOID(each_row(engine, now, judgements, "verdict", [&](const Judgement& j, const ResultRow& row) {
    const double weight = std::clamp(row.real("Weight"), -j.cap, j.cap);
    if (weight == 0 || row.text("Reason").empty()) return;
    evidence.push_back({.test = j.id,
                        .group = j.group,
                        .weight = weight,
                        .reason = row.text("Reason"),
                        .query = tables.printed(j.query),
                        .rows = row.rows("RowIds"),
                        .counted = true});
  }));
  std::stable_sort(evidence.begin(), evidence.end(),
                   [](const Evidence& x, const Evidence& y) { return std::abs(x.weight) > std::abs(y.weight); });
  std::vector<std::string> groups;
  for (auto& e : evidence) {
    e.counted = std::ranges::find(groups, e.group) == groups.end();
    if (e.counted) groups.push_back(e.group);
    const Judgement* j = find(judgements, e.test);
    if (!e.counted || e.weight <= 0 || !j) continue;
    for (const auto& t : j->techniques) {
      if (std::ranges::find(a.verdict.techniques, t) == a.verdict.techniques.end()) a.verdict.techniques.push_back(t);
    }
  }
  return {};
}

void decide(const Decision& d, const std::vector<Judgement>& judgements, const CaseTables& tables, Ticks now, Answer& a) {
  auto& v = a.verdict;
  v.score = d.prior;
  double strongest = 0;
  bool purpose = false;
  for (const auto& e : v.evidence) {
    if (!e.counted) continue;
    v.score += e.weight;
    strongest = std::max(strongest, e.weight);
    purpose |= e.weight < 0 && std::ranges::find(d.benign_needs, e.group) != d.benign_needs.end();
  }
  double owned = 0;  // by the owners of the contacts, each as sure as it is
  for (const auto& c : a.candidates) {
    double share = 0;
    for (const auto& o : a.owners) {
      if (o.candidate == c.id() && (o.cluster.empty() || o.cluster == c.cluster)) share += o.share;
    }
    if (c.kind != "unknown" && (share > 0 || a.owner() == &c)) owned += c.probability;
  }
  const double malicious = probability(v.score);
  std::string why_not;
  if (v.score >= d.true_positive_at && (strongest >= d.true_positive_alone || v.score >= d.true_positive_together)) {
    v.classification = Classification::kTruePositive;
    v.confidence = malicious;
  } else if (v.score <= d.benign_at) {
    if (!purpose)
      why_not = "It is not called benign because nothing says what the contact is for.";
    else if (owned < d.benign_owner)
      why_not = "It is not called benign because it is not certain who made the contact.";
    else if (strongest >= d.benign_veto)
      why_not = "It is not called benign because of what speaks against it.";
    else if (a.contacts.empty())
      why_not = "It is not called benign because the contact itself is not in the data.";
    else
      v.classification = Classification::kBenignPositive;
    v.confidence = v.classification == Classification::kBenignPositive ? (1 - malicious) * owned : std::max(malicious, 1 - malicious);
  } else {
    v.confidence = std::max(malicious, 1 - malicious);
  }
  const int side = v.classification == Classification::kTruePositive ? 1 : v.classification == Classification::kBenignPositive ? -1 : 0;
  for (const auto& e : v.evidence) {
    if (!e.counted || (side != 0 && e.weight * side < 0)) continue;
    v.reasons.push_back(side == 0 ? (e.weight > 0 ? "For bad: " : "For harmless: ") + e.reason : e.reason);
  }
  for (const auto& e : v.evidence) {
    if (e.counted && side != 0 && e.weight * side < 0) v.reasons.push_back("Against this: " + e.reason);
  }
  if (!why_not.empty()) v.reasons.insert(v.reasons.begin(), why_not);
  if (v.reasons.empty()) v.reasons.push_back("Nothing in the data speaks for or against it.");
  if (v.classification == Classification::kBenignPositive) {
    for (const auto& e : v.evidence) {
      const Judgement* j = find(judgements, e.test);
      if (!j || e.weight > 0 || !e.counted) continue;
      for (auto p : j->premises) {
        p.query = tables.printed(p.query);
        if (!p.overturned_by.empty() && !p.overturned_by.ends_with('.')) p.overturned_by += '.';
        v.premises.push_back(std::move(p));
      }
    }
    v.expires = now + d.expires;
  }
}

}  // namespace egret::investigate
