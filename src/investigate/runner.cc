#include "investigate/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/text.h"
#include "investigate/rows.h"

namespace egret::investigate {

Result<std::vector<TestResult>> run_tests(store::Engine& engine, const std::vector<EvidenceTest>& tests, Ticks now) {
  std::vector<TestResult> results;
  for (const EvidenceTest& t : tests) {
    // A table that holds nothing has nothing to say; its query is not worth the time.
    const bool any = t.needs.empty() ||
                     std::any_of(t.needs.begin(), t.needs.end(), [&](const std::string& table) { return engine.row_count(table) > 0; });
    if (!any) continue;
    auto batch = engine.query(t.query, now);
    if (!batch) return usage_error(fmt::format("{}: {}", t.file, batch.error().message), batch.error().hint);
    const Rows rows(*batch);
    for (const char* column : {"Candidate", "Weight", "Reason", "RowIds"})
      if (!rows.has(column)) return usage_error(fmt::format("{}: the query's result has no column {}", t.file, column));
    const bool by_contact = rows.has("Contact");
    TestResult r;
    r.test = &t;
    for (size_t i = 0; i < rows.size(); ++i) {
      Weighed w;
      w.candidate = rows.text("Candidate", i);
      w.weight = rows.real("Weight", i);
      if (w.candidate.empty() || !std::isfinite(w.weight)) continue;
      w.weight = std::clamp(w.weight, -t.reliability, t.reliability);
      if (by_contact) w.contact = static_cast<int>(rows.number("Contact", i));
      w.reason = rows.text("Reason", i);
      w.rows = rows.ids("RowIds", i);
      if (w.rows.size() > 50) w.rows.resize(50);
      std::string candidate = w.candidate;
      r.rows[std::move(candidate)].push_back(std::move(w));
    }
    results.push_back(std::move(r));
  }
  return results;
}

std::vector<Candidate> weigh(const LedgerInput& in, const std::vector<TestResult>& results, const std::vector<int>& contacts,
                             const Calibration& calibration) {
  std::vector<Candidate> out = in.candidates;
  const double n = static_cast<double>(std::max<size_t>(out.size(), 1));
  Candidate unknown;
  unknown.kind = "unknown";
  unknown.name = "unknown";
  unknown.cluster = out.empty() ? in.alert->cluster : out[0].cluster;
  out.push_back(std::move(unknown));
  for (Candidate& c : out) {
    const double prior = c.kind == "unknown" ? calibration.unknown_share : (1 - calibration.unknown_share) / n;
    c.evidence.clear();
    for (const TestResult& r : results) {
      const auto it = r.rows.find(c.id());
      if (it == r.rows.end()) continue;
      std::vector<Weighed> rows;
      for (const Weighed& w : it->second)
        if (w.contact == 0 || contacts.empty() || std::find(contacts.begin(), contacts.end(), w.contact) != contacts.end())
          rows.push_back(w);
      if (rows.empty()) continue;
      Evidence e = combine(rows, r.test->reliability);
      if (std::abs(e.weight) < 0.05) continue;
      e.test = r.test->id;
      e.group = r.test->group;
      e.query = replay_preamble(in, r.test->query) + std::string(trim(r.test->query)) +
                fmt::format("\n| where Candidate == {}", json_quote(c.id()));
      c.evidence.push_back(std::move(e));
    }
    c.score = 10 * std::log10(prior) + count_strongest(c.evidence);
  }
  normalise(out, calibration);
  return out;
}

}  // namespace egret::investigate
