#pragma once
// Is it bad? Evidence for and against from content/verdict, summed in decibans, and the rule of content/verdict/decision.yaml that
// turns the sum into a classification. The rule is lopsided on purpose: what is malicious must never be called benign.
#include <string>
#include <vector>

#include "base/result.h"
#include "investigate/answer.h"
#include "investigate/case_tables.h"
#include "investigate/judgement.h"
#include "store/engine.h"

namespace egret::investigate {

struct Decision {
  double prior = 0;
  double true_positive_at = 0, true_positive_alone = 0, true_positive_together = 0;
  double benign_at = 0, benign_owner = 0, benign_veto = 0;
  std::vector<std::string> benign_needs;  // groups
  Ticks expires = 0;
};

Result<Decision> load_decision();

// Fills verdict.evidence and techniques: every row of every test, the strongest of each group counted.
Result<void> weigh_verdict(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, const CaseTables& tables,
                           Answer& answer);

// Pure: classification, confidence, reasons, premises and expiry from the evidence and the owner's probability.
void decide(const Decision& decision, const std::vector<Judgement>& judgements, const CaseTables& tables, Ticks now, Answer& answer);

}  // namespace egret::investigate
