#include "investigate/ledger.h"

#include <fmt/format.h>

#include "model/catalogue.h"

namespace egret::investigate {

Result<void> store_ledger(store::Engine& engine, const LedgerInput& in, const std::vector<Candidate>& candidates) {
  if (in.ledger == 1) TRY_VOID(engine.append(alert_rows(in), in.ran_at));
  TRY_VOID(engine.append(contact_rows(in), in.ran_at));
  TRY_VOID(engine.append(candidate_rows(in), in.ran_at));
  model::Batch b(*model::find_table("EgretLedger"));
  const auto row = [&](const Candidate& c) {
    b.add_row();
    b.set_datetime(b.column("TimeGenerated"), in.ran_at);
    b.set_string(b.column("Investigation"), in.investigation);
    b.set_string(b.column("AlertId"), in.alert->id);
    b.set_int(b.column("Ledger"), in.ledger);
    b.set_string(b.column("Candidate"), c.kind == "unknown" ? std::string("unknown") : c.id());
    b.set_string(b.column("Cluster"), c.cluster);
    b.set_real(b.column("Probability"), c.probability);
    b.set_real(b.column("Score"), c.score);
  };
  for (const Candidate& c : candidates) {
    row(c);
    for (const Evidence& e : c.evidence) {
      row(c);
      b.set_string(b.column("Test"), e.test);
      b.set_string(b.column("Group"), e.group);
      b.set_real(b.column("Weight"), e.weight);
      b.set_bool(b.column("Counted"), e.counted);
      b.set_string(b.column("Reason"), e.reason);
      b.set_string(b.column("Query"), e.query);
      b.set_dynamic(b.column("RowIds"), fmt::format("[{}]", fmt::join(e.rows, ",")));
    }
  }
  return engine.append(b, in.ran_at);
}

}  // namespace egret::investigate
