#pragma once
// The case as tables, so that content can ask about it in KQL. While an investigation runs they are temporary tables of the engine;
// a query that is printed gets them as datatables in front, so that it runs as printed.
//
//   CaseAlert     one row: AlertId, Rule, Time, EndTime, Severity, Cluster, Address, Port, Name, From, To (the data's time)
//   CaseContacts  Contact, Time, Cluster, Node, Source, Destination, Name, Port, BytesOut, BytesIn, Blocked
//   CaseOwners    Cluster, Namespace, Kind, Name, Workload, Container, Probability, Share; none when nobody is likely
//   CaseNames     Name, Address, Cluster, How; names that led to the address there and then
#include <string>
#include <string_view>

#include "base/result.h"
#include "investigate/answer.h"
#include "model/batch.h"
#include "store/engine.h"

namespace egret::investigate {

class CaseTables {
 public:
  // `from` and `to`: the time that flow logs of the alert's cluster cover.
  CaseTables(const Answer& answer, Ticks from, Ticks to);
  // Puts them, replacing earlier ones. Call again after names were found.
  Result<void> put(store::Engine& engine, const Answer& answer);
  // The query with those tables that it names in front of it.
  std::string printed(std::string_view query) const;
  Ticks from() const { return from_; }
  Ticks to() const { return to_; }

 private:
  void build(const Answer& answer);
  Ticks from_, to_;
  std::vector<model::Batch> batches_;
};

// What the flow logs of the cluster (all clusters when it is empty) cover; the data's own span where coverage is silent.
Result<std::pair<Ticks, Ticks>> flow_span(store::Engine& engine, const Answer& answer, Ticks now);

}  // namespace egret::investigate
