// Alert → contacts → candidates → evidence → owners and missing logs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "investigate/candidates.h"
#include "investigate/conclude.h"
#include "investigate/investigate.h"
#include "investigate/ledger.h"
#include "investigate/missing.h"
#include "investigate/rows.h"
#include "investigate/runner.h"
#include "investigate/split.h"

namespace egret::investigate {
namespace {

constexpr size_t kContactsWeighed = 60;  // further ones add next to nothing to a sum whose i-th term is 1/i
constexpr size_t kOtherClusters = 3;     // ledgers besides the accused cluster's

struct World {
  Places places;
  std::vector<Covered> coverage;
  std::map<std::string, std::vector<std::string>> egress;  // cluster → public addresses
};

Result<std::vector<Covered>> read_coverage(store::Engine& engine, Ticks now) {
  TRY(const model::Batch batch,
      engine.query("EgretCoverage | where isnotnull(StartTime) | project Cluster, Source, StartTime, EndTime", now));
  const Rows rows(batch);
  std::vector<Covered> out;
  for (size_t i = 0; i < rows.size(); ++i)
    out.push_back({rows.text("Cluster", i), rows.text("Source", i), rows.number("StartTime", i), rows.number("EndTime", i)});
  return out;
}

bool watches_flows(const std::string& source) {
  for (const char* s : {"vnet-flow", "nsg-flow", "firewall-network", "zeek-conn", "hubble", "traffic-analytics", "sensor"})
    if (source == s) return true;
  return false;
}

std::vector<ClusterSpan> spans(const World& world, const std::vector<SeenContact>& contacts) {
  std::set<std::string> clusters;
  for (const PodPlace& p : world.places.pods()) clusters.insert(p.cluster);
  for (const NodePlace& n : world.places.nodes()) clusters.insert(n.cluster);
  for (const SeenContact& c : contacts) clusters.insert(c.contact.cluster);
  std::vector<ClusterSpan> out;
  for (const std::string& cluster : clusters) {
    ClusterSpan s;
    s.cluster = cluster;
    for (const bool flows_only : {true, false}) {
      for (const Covered& c : world.coverage) {
        if (!c.cluster.empty() && !iequals(c.cluster, cluster)) continue;
        if (flows_only && !watches_flows(c.source)) continue;
        s.from = s.from ? std::min(s.from, c.from) : c.from;
        s.to = std::max(s.to, c.to);
      }
      if (s.to > s.from) break;
    }
    for (const SeenContact& c : contacts) {
      if (c.contact.cluster != cluster) continue;
      s.from = s.from ? std::min(s.from, c.contact.time) : c.contact.time;
      s.to = std::max(s.to, c.contact.time);
    }
    if (s.to - s.from < kTicksPerHour) s.from -= kTicksPerHour, s.to += kTicksPerHour;
    for (const NodePlace& n : world.places.nodes()) {
      if (n.cluster != cluster) continue;
      const Ticks begin = std::max(s.from, n.created), end = n.deleted ? std::min(s.to, n.deleted) : s.to;
      if (end <= begin) continue;
      ++s.nodes;
      s.node_seconds += static_cast<double>(end - begin) / kTicksPerSecond;
    }
    if (s.nodes == 0) {
      std::set<std::string> names;
      for (const PodPlace& p : world.places.pods())
        if (p.cluster == cluster) names.insert(p.node);
      s.nodes = static_cast<int64_t>(std::max<size_t>(names.size(), 1));
      s.node_seconds = static_cast<double>(s.nodes) * static_cast<double>(s.to - s.from) / kTicksPerSecond;
    }
    out.push_back(std::move(s));
  }
  return out;
}

// Whom the alert means, from what the fleet knows of the names and addresses in it.
void place_alert(const World& world, Alert& a) {
  if (!a.pod.empty()) {
    const size_t slash = a.pod.find('/');
    const std::string ns = slash == std::string::npos ? "" : a.pod.substr(0, slash);
    if (const PodPlace* p = world.places.pod_named(a.cluster, ns, slash == std::string::npos ? a.pod : a.pod.substr(slash + 1), a.time)) {
      a.cluster = p->cluster, a.workload = p->workload, a.pod = p->ns + "/" + p->pod;
      if (a.node.empty()) a.node = p->node;
    }
  }
  if (!a.node.empty())
    if (const NodePlace* n = world.places.node_named(a.node)) {
      a.node = n->node;
      a.cluster = n->cluster;
    } else {
      // The alert may name the scale set: the cluster then, and no node.
      for (const NodePlace& m : world.places.nodes())
        if (to_lower(m.node).starts_with(to_lower(a.node))) a.cluster = m.cluster;
      a.node.clear();
    }
  if (!a.source_address.empty()) {
    if (const PodPlace* p = world.places.pod_at(a.cluster, a.source_address, a.time); p && a.node.empty()) {
      a.cluster = p->cluster, a.node = p->node;
    } else if (const NodePlace* n = world.places.node_at(a.cluster, a.source_address, a.time); n && a.node.empty()) {
      a.cluster = n->cluster, a.node = n->node;
    }
    for (const auto& [cluster, addresses] : world.egress)
      if (a.cluster.empty() && std::find(addresses.begin(), addresses.end(), a.source_address) != addresses.end()) a.cluster = cluster;
  }
  // The cluster as the fleet writes it.
  for (const PodPlace& p : world.places.pods())
    if (iequals(p.cluster, a.cluster)) a.cluster = p.cluster;
}

Result<std::vector<KnownName>> names_of(store::Engine& engine, const Alert& alert, Ticks now) {
  std::vector<KnownName> out;
  if (!alert.name.empty()) out.push_back({alert.name, alert.cluster, "alert"});
  if (alert.address.empty()) return out;
  TRY(const model::Batch batch,
      engine.query(
          fmt::format("EgretNamesOf({}) | order by Times desc, Name asc, Cluster asc, How asc | take 200", json_quote(alert.address)),
          now));
  const Rows rows(batch);
  for (size_t i = 0; i < rows.size(); ++i) out.push_back({rows.text("Name", i), rows.text("Cluster", i), rows.text("How", i)});
  return out;
}

// Whether a name is the one that the alert accuses, or below it.
bool is_accused(const Alert& alert, const std::string& name) {
  return iequals(name, alert.name) || to_lower(name).ends_with("." + to_lower(alert.name));
}

// An alert about a name at an address that has others, too: what went there for another name is not what it accuses. Where no row has the
// accused name (it may be an alias), nothing is left out.
template <typename T, typename NameOf>
void keep_accused(const Alert& alert, std::vector<T>& all, NameOf name_of) {
  if (alert.name.empty() || alert.address.empty()) return;
  if (std::ranges::none_of(all, [&](const T& x) { return is_accused(alert, name_of(x)); })) return;
  std::erase_if(all, [&](const T& x) { return !name_of(x).empty() && !is_accused(alert, name_of(x)); });
}

using PodName = std::array<std::string, 3>;  // cluster, namespace, name

// Pods that asked for a name that leads to the address and never for the accused one: their contacts are about something else.
Result<std::set<PodName>> asked_for_others(store::Engine& engine, const Alert& alert, const std::vector<KnownName>& led_there, Ticks now) {
  std::set<PodName> out;
  std::string names;
  for (const KnownName& n : led_there) names += (names.empty() ? "" : ", ") + json_quote(n.name);
  TRY(const model::Batch batch, engine.query(fmt::format(R"(EgretDns
| where Name in ({0})
| extend Accused = Name =~ {1} or Name endswith {2}
| join kind=inner (EvidencePods | where not(HostNetwork) and isnotempty(Ip) | project Cluster, SrcIp = Ip, PodNamespace = Namespace, PodName = Pod, From, To) on Cluster, SrcIp
| where Time between ((From - 1m) .. (coalesce(To, Time) + 1m))
| summarize Accused = countif(Accused) by Cluster, PodNamespace, PodName
| where Accused == 0)",
                                                         names, json_quote(alert.name), json_quote("." + alert.name)),
                                             now));
  const Rows rows(batch);
  for (size_t i = 0; i < rows.size(); ++i) out.insert({rows.text("Cluster", i), rows.text("PodNamespace", i), rows.text("PodName", i)});
  return out;
}

// An alert that says only a name: the addresses that it led to, the most frequent first.
Result<std::vector<std::string>> addresses_of(store::Engine& engine, const Alert& alert, Ticks now) {
  if (!alert.address.empty()) return std::vector<std::string>{alert.address};
  TRY(const model::Batch batch,
      engine.query(
          fmt::format(
              R"(EgretDns | where HasAnswers and Name == {0}{1} | mv-expand Answer = Answers to typeof(string) | where isnotempty(parse_ipv4(Answer)) or Answer contains ":"
| summarize Times = count() by Answer | order by Times desc, Answer asc | take 50)",
              json_quote(alert.name), alert.cluster.empty() ? "" : fmt::format(" and Cluster == {}", json_quote(alert.cluster))),
          now));
  const Rows rows(batch);
  std::vector<std::string> out;
  for (size_t i = 0; i < rows.size(); ++i) out.push_back(rows.text("Answer", i));
  return out;
}

SeenContact contact_of_alert(const Alert& a) {
  SeenContact s;
  s.number = 1;
  s.contact.time = a.time;
  s.end = a.end_time;
  s.quiet = kTicksPerDay;
  s.precision = std::max<Ticks>(a.end_time - a.time, 5 * kTicksPerMinute);
  s.contact.cluster = a.cluster, s.contact.node = a.node, s.contact.source = a.source_address;
  s.contact.destination = a.address, s.contact.name = a.name;
  s.contact.port = a.port.value_or(0);
  s.seen_by = "alert";
  return s;
}

std::vector<SeenContact> sampled(const std::vector<SeenContact>& all) {
  if (all.size() <= kContactsWeighed) return all;
  std::vector<SeenContact> out(all.begin(), all.begin() + kContactsWeighed / 3);
  const size_t rest = kContactsWeighed - out.size(), from = out.size();
  for (size_t i = 0; i < rest; ++i) out.push_back(all[from + i * (all.size() - from) / rest]);
  return out;
}

std::string told_apart(const LedgerInput& in, const Part& part, const Part& other) {
  const auto names = [&](const Part& p) {
    std::set<std::string> out;
    for (const SeenContact& c : in.contacts)
      if (std::find(p.contacts.begin(), p.contacts.end(), c.number) != p.contacts.end() && !c.contact.name.empty())
        out.insert(c.contact.name);
    return out;
  };
  const auto ports = [&](const Part& p) {
    std::set<std::string> out;
    for (const SeenContact& c : in.contacts)
      if (std::find(p.contacts.begin(), p.contacts.end(), c.number) != p.contacts.end()) out.insert(std::to_string(c.contact.port));
    return out;
  };
  const auto text = [](const std::set<std::string>& s) { return join({s.begin(), s.end()}, ", "); };
  if (const auto mine = names(part); !mine.empty() && mine != names(other)) return "the name " + text(mine);
  if (const auto mine = ports(part); mine != ports(other)) return "port " + text(mine);
  return "what happened just before each contact";
}

struct LedgerOutcome {
  LedgerInput input;
  std::vector<Candidate> candidates;
  std::vector<Owner> owners;  // shares within the ledger
};

Result<LedgerOutcome> run_ledger(store::Engine& engine, const World& world, const std::vector<EvidenceTest>& tests, LedgerInput in,
                                 Ticks now) {
  const Calibration calibration;
  TRY_VOID(find_candidates(engine, world.places, now, in));
  TRY_VOID(put_evidence_tables(engine, in));
  TRY(const std::vector<TestResult> results, run_tests(engine, tests, now));
  const std::vector<Part> parts = split_contacts(in, results);
  size_t total = 0;
  for (const Part& p : parts) total += p.contacts.size();
  LedgerOutcome out;
  std::vector<std::pair<double, std::vector<Candidate>>> ledgers;
  for (size_t i = 0; i < parts.size(); ++i) {
    const double share = total ? static_cast<double>(parts[i].contacts.size()) / static_cast<double>(total) : 1;
    ledgers.emplace_back(share, weigh(in, results, parts[i].contacts, calibration));
    const Candidate& first = ledgers.back().second.front();
    Owner o;
    o.candidate = first.kind == "unknown" ? "unknown" : first.id();
    o.cluster = first.cluster;
    o.share = share;
    if (parts.size() > 1) o.distinguished_by = told_apart(in, parts[i], parts[1 - i]);
    out.owners.push_back(std::move(o));
  }
  out.candidates = mix(std::move(ledgers));
  out.input = std::move(in);
  return out;
}

// Where an inventory says which container of the candidate's pods started last before the contacts' node saw one, it is named.
void name_place(const LedgerInput& in, std::vector<Candidate>& candidates) {
  std::set<std::string> nodes;
  for (const SeenContact& c : in.contacts)
    if (!c.contact.node.empty()) nodes.insert(c.contact.node);
  if (nodes.size() != 1) return;
  for (Candidate& c : candidates)
    if (c.kind != "unknown") c.node = *nodes.begin();
}

}  // namespace

Result<void> find_owner(store::Engine& engine, const Question& question, Ticks now, Investigation& into) {
  TRY(const std::vector<EvidenceTest> tests, load_evidence_tests());
  TRY(Intake intake, take_in(engine, question, now));
  Answer& answer = into.answer;
  into.others = std::move(intake.others);
  Alert& alert = intake.alert;

  TRY_VOID(put_views_once(engine, now));
  TRY(const model::Batch pods, engine.query("EvidencePods", now));
  TRY(const model::Batch nodes, engine.query("EvidenceNodes", now));
  World world{Places(pods, nodes), {}, {}};
  TRY(world.coverage, read_coverage(engine, now));
  {
    TRY(const model::Batch regions, engine.query("EgretRegions", now));
    const Rows rows(regions);
    for (size_t i = 0; i < rows.size(); ++i)
      for (const std::string& part : split(rows.text("EgressIps", i), '"'))
        if (part.size() > 6) world.egress[rows.text("Cluster", i)].push_back(part);
  }
  place_alert(world, alert);

  TRY(std::vector<KnownName> names, names_of(engine, alert, now));
  std::vector<KnownName> led_there = names;
  std::erase_if(led_there, [](const KnownName& n) { return n.how == "alert"; });
  std::set<PodName> others_pods;
  if (!alert.name.empty() && std::ranges::any_of(led_there, [&](const KnownName& n) { return is_accused(alert, n.name); })) {
    keep_accused(alert, names, [](const KnownName& n) -> const std::string& { return n.name; });
    TRY(others_pods, asked_for_others(engine, alert, led_there, now));
  }
  TRY(const std::vector<std::string> addresses, addresses_of(engine, alert, now));
  if (alert.address.empty() && !addresses.empty()) alert.address = addresses[0];
  std::vector<std::string> plain_names;
  for (const KnownName& n : names) plain_names.push_back(n.name);
  TRY(std::vector<SeenContact> contacts, find_contacts(engine, world.places, alert, addresses, plain_names, now));
  keep_accused(alert, contacts, [](const SeenContact& c) -> const std::string& { return c.contact.name; });
  const auto about_another = [&](const SeenContact& c) {
    return !c.pod.empty() && !is_accused(alert, c.contact.name) && others_pods.contains({c.contact.cluster, c.ns, c.pod});
  };
  if (!std::ranges::all_of(contacts, about_another)) std::erase_if(contacts, about_another);
  if (contacts.empty()) {
    if (!alert.time || (alert.cluster.empty() && alert.node.empty()))
      return not_found(fmt::format("no log shows a contact with {}", alert.address.empty() ? alert.name : alert.address),
                       "flow logs of the nodes' network would (`egret collect --print` prints the commands); with --time and --cluster an "
                       "answer is tried without them");
    contacts.push_back(contact_of_alert(alert));
  }

  // The accused cluster: the alert's, else that of the contact nearest in time.
  const auto in_cluster = [&](const std::string& cluster) {
    return std::any_of(contacts.begin(), contacts.end(), [&](const SeenContact& c) { return iequals(c.contact.cluster, cluster); });
  };
  if (alert.cluster.empty()) {
    const auto nearest = std::min_element(contacts.begin(), contacts.end(), [&](const SeenContact& a, const SeenContact& b) {
      return std::abs(a.contact.time - alert.time) < std::abs(b.contact.time - alert.time);
    });
    alert.cluster = nearest->contact.cluster;
  } else if (!in_cluster(alert.cluster) && alert.time) {
    SeenContact c = contact_of_alert(alert);
    c.number = static_cast<int>(contacts.size()) + 1;
    contacts.push_back(std::move(c));
  }

  std::map<std::string, std::vector<SeenContact>> by_cluster;
  for (const SeenContact& c : contacts)
    by_cluster[iequals(c.contact.cluster, alert.cluster) ? alert.cluster : c.contact.cluster].push_back(c);
  const std::vector<SeenContact>& accused = by_cluster[alert.cluster];
  alert.time = accused.front().contact.time;
  alert.end_time = accused.back().contact.time;
  if (!alert.port && accused.front().contact.port) alert.port = accused.front().contact.port;
  if (alert.source_address.empty()) alert.source_address = accused.front().contact.source;
  if (alert.node.empty() && accused.size() == 1) alert.node = accused.front().contact.node;

  std::vector<std::string> order = {alert.cluster};
  std::vector<std::pair<size_t, std::string>> others;
  for (const auto& [cluster, list] : by_cluster)
    if (cluster != alert.cluster) others.emplace_back(list.size(), cluster);
  std::sort(others.rbegin(), others.rend());
  for (size_t i = 0; i < others.size() && i < kOtherClusters; ++i) order.push_back(others[i].second);

  const std::vector<ClusterSpan> cluster_spans = spans(world, contacts);
  const std::string id = sha256_hex(fmt::format("{}|{}|{}|{}", alert.id, alert.address, alert.cluster, now)).substr(0, 16);
  int number = 0;
  for (const std::string& cluster : order) {
    LedgerInput in;
    in.investigation = id;
    in.ledger = ++number;
    in.ran_at = now;
    in.alert = &alert;
    in.contacts = sampled(by_cluster[cluster]);
    in.names = names;
    in.clusters = cluster_spans;
    TRY(LedgerOutcome outcome, run_ledger(engine, world, tests, std::move(in), now));
    name_place(outcome.input, outcome.candidates);
    TRY_VOID(store_ledger(engine, outcome.input, outcome.candidates));
    const double share = static_cast<double>(by_cluster[cluster].size()) / static_cast<double>(contacts.size());
    for (Owner& o : outcome.owners) {
      o.share *= share;
      if (o.cluster.empty()) o.cluster = cluster;
      answer.owners.push_back(std::move(o));
    }
    if (cluster != alert.cluster) continue;
    answer.missing = find_missing(outcome.candidates, tests, world.coverage, cluster, alert.time, alert.end_time);
    answer.candidates = std::move(outcome.candidates);
  }
  TRY_VOID(engine.commit());
  std::stable_sort(answer.owners.begin(), answer.owners.end(), [](const Owner& a, const Owner& b) { return a.share > b.share; });

  if (alert.name.empty()) {
    // The name that the answers of the accused cluster, else any, tie to the address.
    for (const bool here : {true, false})
      for (const KnownName& n : names)
        if (alert.name.empty() && (!here || iequals(n.cluster, alert.cluster))) alert.name = n.name;
  }
  if (alert.criticality.empty() && answer.owner()) {
    TRY(const model::Batch work, engine.query(fmt::format("EgretWorkloads | where Cluster == {} and Workload == {} | project Criticality",
                                                          json_quote(alert.cluster), json_quote(answer.owner()->id())),
                                              now));
    if (!work.empty()) alert.criticality = Rows(work).text("Criticality", 0);
  }
  answer.alert = alert;
  answer.related = std::move(intake.related);
  for (SeenContact& c : contacts) answer.contacts.push_back(std::move(c.contact));
  return {};
}

Result<Investigation> investigate(store::Engine& engine, const Question& question, Ticks now) {
  Investigation i;
  TRY_VOID(find_owner(engine, question, now, i));
  TRY_VOID(conclude(engine, now, i.answer));
  return i;
}

}  // namespace egret::investigate
