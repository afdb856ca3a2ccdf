#pragma once
// Content carries its own tests: rows that are given, and the rows that its query must then return. Evidence tests, rules and
// functions write them the same way, under `tests:` of their own file or of NAME.test.yaml beside it:
//
//   tests:
//     - name: asked seconds before
//       now: 2022-04-01T06:20:00Z           # default: just after the latest time given
//       given:
//         ASimDnsActivityLogs:
//           - {TimeGenerated: 2022-04-01T06:14:00Z, DnsQuery: ifconfig.co, Cluster: cc}
//           - {TimeGenerated: 2022-04-01T00:00:00Z, DnsQuery: example.org, repeat: 24, every: 1h, vary: {SrcPortNumber: [1, 2, 3]}}
//         EvidenceAlert: [...]              # not in the catalogue: becomes a temporary table, its types are read off the values
//       expect:                             # each must match another row of the result, by the columns that it names
//         - {Candidate: kube-system/DaemonSet/agent, Weight: ">20"}
//       other_rows: true                    # further rows in the result are fine; default: they are a failure
//
// `repeat` rows: every datetime of the row moves on by `every`, columns in `vary` take its values in turn.
// An expected value is the text of the cell, or ">n", ">=n", "<n", "<=n" (numbers), "~part", "!~part", "*" (anything but empty).
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/batch.h"
#include "store/engine.h"

namespace egret::store {

struct ExpectedCell {
  std::string column, wanted;
};

struct SampleCase {
  std::string name;
  int line = 0;  // 1-based, of the case in its file
  Ticks now = 0;
  std::vector<model::Batch> given;
  std::vector<std::vector<ExpectedCell>> expect;
  bool other_rows = false;
};

// The cases under the key `tests` of a YAML text; none when there is no such key. `tables` declares shapes that the catalogue
// does not know (they must outlive the cases). Errors say file:line:column.
Result<std::vector<SampleCase>> read_sample_cases(std::string_view yaml, std::string_view file,
                                                  std::span<const model::Table* const> tables = {});

// A fresh engine in memory that holds the given rows, and nothing else.
Result<std::unique_ptr<Engine>> sample_engine(const SampleCase& sample);

// What differs from the expectation, one sentence each; empty when nothing does.
std::vector<std::string> compare_rows(const SampleCase& sample, const model::Batch& result);

// The three above: given rows → query → differences. A query that does not compile is an Error.
Result<std::vector<std::string>> run_sample_case(const SampleCase& sample, std::string_view query);

}  // namespace egret::store
