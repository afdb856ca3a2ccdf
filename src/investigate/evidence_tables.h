#pragma once
// The tables that evidence queries read, as they are put before the engine for one ledger, and as `let` statements with which a
// query of the ledger runs again later:
//   EvidenceAlert       one row: what is asked                         (shape of EgretEvidenceAlerts)
//   EvidenceContacts    the contacts of the ledger                     (EgretEvidenceContacts)
//   EvidenceCandidates  who could have made them                       (EgretEvidenceCandidates)
//   EvidenceNames       Name, Cluster, How: names that led to the address: answer, flow, request, alert
//   EvidenceCluster     Cluster, From, To, Nodes, NodeSeconds: what was observed, for rates of coincidence
//   EvidencePods, EvidenceNodes, EvidenceStarts, EvidenceClocks, EvidenceNodeCaches    the views EgretPods …, worked out once
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "investigate/contacts.h"
#include "investigate/evidence_file.h"
#include "store/engine.h"

namespace egret::investigate {

struct KnownName {
  std::string name, cluster, how;
};

struct ClusterSpan {
  std::string cluster;
  Ticks from = 0, to = 0;
  int64_t nodes = 0;
  double node_seconds = 0;
};

// Shapes of the Evidence tables, for content tests that give rows of them.
std::vector<const model::Table*> evidence_shapes();

struct LedgerInput {
  std::string investigation;
  int ledger = 1;
  Ticks ran_at = 0;
  const Alert* alert = nullptr;
  std::vector<SeenContact> contacts;
  std::vector<Candidate> candidates;  // without "unknown"
  std::vector<PodPlace> pods;         // one of each candidate, for what it looks like
  std::vector<KnownName> names;
  std::vector<ClusterSpan> clusters;
};

model::Batch alert_rows(const LedgerInput& in);
model::Batch contact_rows(const LedgerInput& in);
model::Batch candidate_rows(const LedgerInput& in);

// Puts what the views say before the engine: the same for every ledger.
Result<void> put_views_once(store::Engine& engine, Ticks now);
// Puts all others before the engine.
Result<void> put_evidence_tables(store::Engine& engine, const LedgerInput& in);
// `let EvidenceX = …;` for each table that the query names.
std::string replay_preamble(const LedgerInput& in, std::string_view query);

}  // namespace egret::investigate
