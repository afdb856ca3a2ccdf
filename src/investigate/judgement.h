#pragma once
// The content of content/verdict: KQL that says what the names are, how regions differ, what sets the contact off, what speaks for
// malicious or benign, what requests carried, which credentials are in reach, and what happened when. Queries read the case's own tables
// (case_tables.h).
//
//   id: connection-check
//   kind: verdict                 # names, regions, trigger, verdict, payloads, credentials, timeline
//   question: Is the name one that only tells a caller its address?
//   group: behaviour              # verdict and trigger: tests of one group look at one observation, the strongest counts
//   cap: 12                       # decibans it may give at most, either way
//   query: |                      # verdict: Weight (+ malicious, - benign), Reason, RowIds; trigger: Weight, Object, Time, Reason, RowIds
//   techniques: [T1071]           # named when the test speaks for malicious
//   premise: { statement: …, overturned_by: …, query: … }   # of a test that speaks for benign
//   explains: [container-start]   # trigger: wins over these where both hold
//   tests: …                      # store/sample_rows.h
#include <string>
#include <vector>

#include "base/embedded.h"
#include "base/result.h"
#include "investigate/answer.h"

namespace egret::investigate {

struct Judgement {
  std::string id, kind, question, group, query, file;
  double cap = 0;
  std::vector<std::string> techniques, explains;
  std::vector<Premise> premises;
};

Result<Judgement> parse_judgement(const ContentFile& file);
// Those of content/verdict, by path; every error at once.
Result<std::vector<Judgement>> load_judgements();

}  // namespace egret::investigate
