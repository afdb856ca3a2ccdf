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
#include <functional>
#include <string>
#include <vector>

#include "base/embedded.h"
#include "base/result.h"
#include "investigate/answer.h"
#include "investigate/result_row.h"
#include "store/engine.h"

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

// Every row that the queries of one kind give, in the order of the files. An error names the file.
Result<void> each_row(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, std::string_view kind,
                      const std::function<void(const Judgement&, const ResultRow&)>& take);

}  // namespace egret::investigate
