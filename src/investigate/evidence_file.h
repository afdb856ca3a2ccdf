#pragma once
// An evidence test as its content file declares it. The tests that come with it are store::SampleCase, in the same file.
#include <map>
#include <string>
#include <vector>

#include "base/embedded.h"
#include "base/result.h"

namespace egret::investigate {

struct EvidenceTest {
  std::string id, question, group, file;
  double reliability = 0;  // decibans that it may give at most, either way
  std::vector<std::string> needs;
  std::string query;  // reads EvidenceAlert, EvidenceContacts, …; returns Candidate, Weight, Reason, RowIds and perhaps Contact
  // What to say when its log is not there, and how much it would tell (see missing.h). Empty advice: nothing to switch on.
  struct Missing {
    std::string advice, how, cost;
    std::vector<std::string> sources;  // of EgretCoverage; one of them covering the contacts is enough
    double discriminates = 0;          // share of cases in which the log names the owner among those left
  } missing;
};

Result<EvidenceTest> parse_evidence_test(const ContentFile& file);
// All of content/evidence, by id. Every error of every file at once.
Result<std::vector<EvidenceTest>> load_evidence_tests();

}  // namespace egret::investigate
