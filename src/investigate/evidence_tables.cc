#include "investigate/evidence_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "model/catalogue.h"

namespace egret::investigate {
namespace {

// Views that evidence queries read as a table EvidenceX of what EgretX was.
constexpr const char* kWorkedOutOnce[] = {"Pods", "Nodes", "Starts", "Clocks", "NodeCaches"};

using model::Type;

const model::Table& stored(std::string_view name) { return *model::find_table(name); }

model::Table shape(std::string name, std::vector<std::pair<const char*, Type>> columns) {
  model::Table t;
  t.name = std::move(name);
  for (auto& [column, type] : columns) t.columns.push_back({.name = column, .type = type});
  t.build_index();
  return t;
}

model::Table renamed(std::string_view from, std::string name) {
  model::Table t = stored(from);
  t.name = std::move(name);
  return t;
}

const model::Table& names_shape() {
  static const model::Table t = shape("EvidenceNames", {{"Name", Type::kString}, {"Cluster", Type::kString}, {"How", Type::kString}});
  return t;
}

const model::Table& cluster_shape() {
  static const model::Table t = shape("EvidenceCluster", {{"Cluster", Type::kString},
                                                          {"From", Type::kDatetime},
                                                          {"To", Type::kDatetime},
                                                          {"Nodes", Type::kLong},
                                                          {"NodeSeconds", Type::kReal}});
  return t;
}

std::string id_list(const std::vector<int64_t>& ids) { return fmt::format("[{}]", fmt::join(ids, ",")); }

}  // namespace

std::vector<const model::Table*> evidence_shapes() {
  static const model::Table alert = renamed("EgretEvidenceAlerts", "EvidenceAlert");
  static const model::Table contacts = renamed("EgretEvidenceContacts", "EvidenceContacts");
  static const model::Table candidates = renamed("EgretEvidenceCandidates", "EvidenceCandidates");
  static const model::Table pods = shape("EvidencePods", {{"Cluster", Type::kString},
                                                          {"Namespace", Type::kString},
                                                          {"Pod", Type::kString},
                                                          {"Uid", Type::kString},
                                                          {"Kind", Type::kString},
                                                          {"Name", Type::kString},
                                                          {"Workload", Type::kString},
                                                          {"Node", Type::kString},
                                                          {"Ip", Type::kString},
                                                          {"HostNetwork", Type::kBool},
                                                          {"HostIp", Type::kString},
                                                          {"From", Type::kDatetime},
                                                          {"Started", Type::kDatetime},
                                                          {"To", Type::kDatetime},
                                                          {"Images", Type::kString},
                                                          {"Sidecar", Type::kBool},
                                                          {"Revision", Type::kString},
                                                          {"RowId", Type::kLong}});
  static const model::Table nodes = shape("EvidenceNodes", {{"Cluster", Type::kString},
                                                            {"Node", Type::kString},
                                                            {"Ip", Type::kString},
                                                            {"Created", Type::kDatetime},
                                                            {"Ready", Type::kDatetime},
                                                            {"Deleted", Type::kDatetime},
                                                            {"First", Type::kDatetime},
                                                            {"Region", Type::kString},
                                                            {"RowId", Type::kLong}});
  static const model::Table starts = shape("EvidenceStarts", {{"Cluster", Type::kString},
                                                              {"Namespace", Type::kString},
                                                              {"Pod", Type::kString},
                                                              {"Workload", Type::kString},
                                                              {"Node", Type::kString},
                                                              {"Time", Type::kDatetime},
                                                              {"First", Type::kBool},
                                                              {"RowId", Type::kLong}});
  static const model::Table clocks = shape("EvidenceClocks", {{"Cluster", Type::kString}, {"DnsShift", Type::kTimespan}});
  static const model::Table caches = shape("EvidenceNodeCaches", {{"Cluster", Type::kString}});
  return {&alert, &contacts, &candidates, &pods, &nodes, &starts, &clocks, &caches, &names_shape(), &cluster_shape()};
}

model::Batch alert_rows(const LedgerInput& in) {
  model::Batch b(stored("EgretEvidenceAlerts"));
  const Alert& a = *in.alert;
  b.add_row();
  b.set_datetime(b.column("TimeGenerated"), in.ran_at);
  b.set_string(b.column("Investigation"), in.investigation);
  b.set_string(b.column("AlertId"), a.id);
  if (a.time) b.set_datetime(b.column("Time"), a.time);
  if (a.end_time) b.set_datetime(b.column("EndTime"), a.end_time);
  b.set_string(b.column("Cluster"), a.cluster);
  b.set_string(b.column("Node"), a.node);
  b.set_string(b.column("Source"), a.source_address);
  b.set_string(b.column("Address"), a.address);
  if (a.port) b.set_int(b.column("Port"), *a.port);
  b.set_string(b.column("Name"), a.name);
  b.set_string(b.column("Workload"), a.workload);
  b.set_string(b.column("Pod"), a.pod);
  return b;
}

model::Batch contact_rows(const LedgerInput& in) {
  model::Batch b(stored("EgretEvidenceContacts"));
  for (const SeenContact& c : in.contacts) {
    b.add_row();
    b.set_datetime(b.column("TimeGenerated"), in.ran_at);
    b.set_string(b.column("Investigation"), in.investigation);
    b.set_int(b.column("Ledger"), in.ledger);
    b.set_int(b.column("Contact"), c.number);
    b.set_datetime(b.column("Time"), c.contact.time);
    b.set_timespan(b.column("Precision"), c.precision);
    b.set_timespan(b.column("Quiet"), c.quiet);
    b.set_string(b.column("Cluster"), c.contact.cluster);
    b.set_string(b.column("Node"), c.contact.node);
    b.set_string(b.column("Source"), c.contact.source);
    b.set_int(b.column("SourcePort"), c.source_port);
    b.set_string(b.column("Address"), c.contact.destination);
    b.set_int(b.column("Port"), c.contact.port);
    b.set_string(b.column("Name"), c.contact.name);
    b.set_string(b.column("Pod"), c.pod);
    b.set_string(b.column("Namespace"), c.ns);
    b.set_string(b.column("Workload"), c.workload);
    b.set_string(b.column("SeenBy"), c.seen_by);
    b.set_dynamic(b.column("RowIds"), id_list(c.contact.rows));
  }
  return b;
}

model::Batch candidate_rows(const LedgerInput& in) {
  model::Batch b(stored("EgretEvidenceCandidates"));
  for (size_t i = 0; i < in.candidates.size(); ++i) {
    const Candidate& c = in.candidates[i];
    b.add_row();
    b.set_datetime(b.column("TimeGenerated"), in.ran_at);
    b.set_string(b.column("Investigation"), in.investigation);
    b.set_int(b.column("Ledger"), in.ledger);
    b.set_string(b.column("Candidate"), c.id());
    b.set_string(b.column("Cluster"), c.cluster);
    b.set_string(b.column("Namespace"), c.ns);
    b.set_string(b.column("Kind"), c.kind);
    b.set_string(b.column("Name"), c.name);
    if (i < in.pods.size()) {
      b.set_bool(b.column("HostNetwork"), in.pods[i].host_network);
      b.set_bool(b.column("Sidecar"), in.pods[i].sidecar);
      b.set_string(b.column("Images"), in.pods[i].images);
    }
  }
  return b;
}

Result<void> put_evidence_tables(store::Engine& engine, const LedgerInput& in) {
  TRY_VOID(engine.put_temporary("EvidenceAlert", alert_rows(in)));
  TRY_VOID(engine.put_temporary("EvidenceContacts", contact_rows(in)));
  TRY_VOID(engine.put_temporary("EvidenceCandidates", candidate_rows(in)));
  model::Batch names(names_shape());
  for (const KnownName& n : in.names) {
    names.add_row();
    names.set_string(0, n.name);
    names.set_string(1, n.cluster);
    names.set_string(2, n.how);
  }
  TRY_VOID(engine.put_temporary("EvidenceNames", names));
  model::Batch clusters(cluster_shape());
  for (const ClusterSpan& c : in.clusters) {
    clusters.add_row();
    clusters.set_string(0, c.cluster);
    clusters.set_datetime(1, c.from);
    clusters.set_datetime(2, c.to);
    clusters.set_int(3, c.nodes);
    clusters.set_real(4, c.node_seconds);
  }
  return engine.put_temporary("EvidenceCluster", clusters);
}

Result<void> put_views_once(store::Engine& engine, Ticks now) {
  for (const char* t : kWorkedOutOnce) {
    TRY(const model::Batch rows, engine.query(fmt::format("Egret{}", t), now));
    TRY_VOID(engine.put_temporary(fmt::format("Evidence{}", t), rows));
  }
  return {};
}

std::string replay_preamble(const LedgerInput& in, std::string_view query) {
  const auto names = [&](std::string_view table) { return query.find(table) != std::string_view::npos; };
  std::string out;
  if (names("EvidenceAlert"))
    out += fmt::format("let EvidenceAlert = EgretEvidenceAlerts | where Investigation == {};\n", json_quote(in.investigation));
  for (const char* t : {"Contacts", "Candidates"})
    if (names(fmt::format("Evidence{}", t)))
      out += fmt::format("let Evidence{0} = EgretEvidence{0} | where Investigation == {1} and Ledger == {2};\n", t,
                         json_quote(in.investigation), in.ledger);
  for (const char* t : kWorkedOutOnce)
    if (names(fmt::format("Evidence{}", t))) out += fmt::format("let Evidence{0} = Egret{0};\n", t);
  if (names("EvidenceNames")) {
    std::string rows;
    for (const KnownName& n : in.names)
      rows += fmt::format("{}{}, {}, {}", rows.empty() ? "" : ", ", json_quote(n.name), json_quote(n.cluster), json_quote(n.how));
    out += fmt::format("let EvidenceNames = datatable(Name:string, Cluster:string, How:string) [{}];\n", rows);
  }
  if (names("EvidenceCluster")) {
    std::string rows;
    for (const ClusterSpan& c : in.clusters)
      rows += fmt::format("{}{}, datetime({}), datetime({}), {}, {:.1f}", rows.empty() ? "" : ", ", json_quote(c.cluster),
                          format_datetime(c.from), format_datetime(c.to), c.nodes, c.node_seconds);
    out += fmt::format("let EvidenceCluster = datatable(Cluster:string, From:datetime, To:datetime, Nodes:long, NodeSeconds:real) [{}];\n",
                       rows);
  }
  return out;
}

}  // namespace egret::investigate
