#include "investigate/conclude.h"

#include "investigate/bisect.h"
#include "investigate/case_tables.h"
#include "investigate/cause.h"
#include "investigate/facts.h"
#include "investigate/judgement.h"
#include "investigate/payloads.h"
#include "investigate/plan.h"
#include "investigate/verdict.h"

namespace egret::investigate {

Result<void> conclude(store::Engine& engine, Ticks now, Answer& a) {
  TRY(const auto judgements, load_judgements());
  TRY(const auto decision, load_decision());
  TRY(const auto span, flow_span(engine, a, now));
  CaseTables tables(a, span.first, span.second);
  TRY_VOID(tables.put(engine, a));
  TRY_VOID(find_names(engine, now, judgements, a));
  TRY_VOID(tables.put(engine, a));  // now with the names
  TRY_VOID(compare_regions(engine, now, judgements, a));
  TRY_VOID(find_release(engine, now, span.first, span.second, a));
  TRY_VOID(find_trigger(engine, now, judgements, a));
  explain_cause(a);
  TRY_VOID(weigh_verdict(engine, now, judgements, tables, a));
  decide(decision, judgements, tables, now, a);
  TRY_VOID(find_payloads(engine, now, judgements, a));
  TRY_VOID(find_credentials(engine, now, judgements, a));
  TRY_VOID(make_plan(engine, now, tables, a));
  TRY_VOID(tell_timeline(engine, now, judgements, a));
  TRY_VOID(collect_facts(engine, now, tables, a));
  return {};
}

}  // namespace egret::investigate
