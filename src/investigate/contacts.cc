#include "investigate/contacts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>

#include "base/json.h"
#include "base/text.h"
#include "investigate/rows.h"

namespace egret::investigate {
namespace {

constexpr Ticks kIdle = 10 * kTicksPerMinute;    // deltas of one connection come at least this often
constexpr Ticks kDouble = 90 * kTicksPerSecond;  // two flow logs that see one connection write it within a minute

std::string add_source(std::string a, const std::string& b) {
  if (a.empty()) return b;
  if (b.empty() || a.find(b) != std::string::npos) return a;
  return a + ", " + b;
}

void absorb(SeenContact& a, SeenContact& b) {
  // Byte counts of two observers of one connection must not add up; those of deltas of one observer must.
  if (a.seen_by == b.seen_by) {
    a.contact.bytes_out += b.contact.bytes_out;
    a.contact.bytes_in += b.contact.bytes_in;
  } else {
    a.contact.bytes_out = std::max(a.contact.bytes_out, b.contact.bytes_out);
    a.contact.bytes_in = std::max(a.contact.bytes_in, b.contact.bytes_in);
  }
  if (b.precision < a.precision) {
    a.precision = b.precision;
    a.contact.time = b.contact.time;
  }
  a.end = std::max(a.end, b.end);
  a.contact.blocked = a.contact.blocked && b.contact.blocked;
  if (a.contact.name.empty()) a.contact.name = b.contact.name;
  if (a.contact.node.empty()) a.contact.node = b.contact.node;
  if (a.contact.destination.empty()) a.contact.destination = b.contact.destination;
  if (a.source_port == 0) a.source_port = b.source_port;
  if (a.workload.empty()) a.ns = b.ns, a.pod = b.pod, a.workload = b.workload;
  a.seen_by = add_source(a.seen_by, b.seen_by);
  a.contact.rows.insert(a.contact.rows.end(), b.contact.rows.begin(), b.contact.rows.end());
}

bool earlier(const SeenContact& a, const SeenContact& b) { return a.contact.time < b.contact.time; }

// Rows of one five-tuple.
std::vector<SeenContact> join_deltas(std::vector<SeenContact> rows) {
  const auto key = [](const SeenContact& c) {
    return std::tie(c.contact.cluster, c.contact.source, c.source_port, c.contact.destination, c.contact.port);
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const auto& a, const auto& b) { return key(a) != key(b) ? key(a) < key(b) : earlier(a, b); });
  std::vector<SeenContact> out;
  for (SeenContact& r : rows) {
    if (!out.empty() && r.source_port != 0 && key(out.back()) == key(r)) {
      SeenContact& last = out.back();
      const Ticks gap = r.contact.time - std::max(last.contact.time, last.end);
      if (r.contact.time - last.contact.time <= kDouble || (!r.start && gap <= kIdle)) {
        absorb(last, r);
        continue;
      }
    }
    out.push_back(std::move(r));
  }
  std::stable_sort(out.begin(), out.end(), earlier);
  return out;
}

// Pairs that are one connection seen twice, nearest in time first; each contact has at most one partner.
template <typename Fits>
std::vector<SeenContact> pair_up(std::vector<SeenContact> contacts, Fits fits) {
  struct Pair {
    Ticks apart;
    size_t a, b;
  };
  std::vector<Pair> pairs;
  for (size_t i = 0; i < contacts.size(); ++i)
    for (size_t j = 0; j < contacts.size(); ++j)
      if (i != j && fits(contacts[i], contacts[j])) pairs.push_back({std::abs(contacts[i].contact.time - contacts[j].contact.time), i, j});
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& x, const Pair& y) { return x.apart < y.apart; });
  std::vector<char> used(contacts.size(), 0), gone(contacts.size(), 0);
  for (const Pair& p : pairs) {
    if (used[p.a] || used[p.b]) continue;
    used[p.a] = used[p.b] = gone[p.b] = 1;
    absorb(contacts[p.a], contacts[p.b]);
  }
  std::vector<SeenContact> out;
  for (size_t i = 0; i < contacts.size(); ++i)
    if (!gone[i]) out.push_back(std::move(contacts[i]));
  std::stable_sort(out.begin(), out.end(), earlier);
  return out;
}

}  // namespace

std::vector<SeenContact> merge_contacts(std::vector<SeenContact> rows) {
  std::vector<SeenContact> contacts = join_deltas(std::move(rows));
  // Thousands of contacts need no pairing to say who it was, and pairing is quadratic.
  if (contacts.size() > 4000) return contacts;
  // One observer knows the pod, the other only the node.
  contacts = pair_up(std::move(contacts), [](const SeenContact& pod, const SeenContact& node) {
    if (pod.workload.empty() || !node.workload.empty() || pod.contact.cluster != node.contact.cluster) return false;
    if (!node.contact.node.empty() && !pod.contact.node.empty() && node.contact.node != pod.contact.node) return false;
    if (pod.contact.port && node.contact.port && pod.contact.port != node.contact.port) return false;
    if (!pod.contact.destination.empty() && !node.contact.destination.empty() && pod.contact.destination != node.contact.destination)
      return false;
    if (pod.nat_port && node.source_port)
      return pod.nat_port == node.source_port && std::abs(pod.contact.time - node.contact.time) <= kDouble;
    return std::abs(pod.contact.time - node.contact.time) <= 3 * kTicksPerSecond + pod.precision + node.precision;
  });
  // An aggregate (no source port) repeats what a finer log shows.
  return pair_up(std::move(contacts), [](const SeenContact& fine, const SeenContact& coarse) {
    if (coarse.source_port != 0 || fine.source_port == 0 || fine.contact.cluster != coarse.contact.cluster || !coarse.workload.empty())
      return false;
    if (fine.contact.node != coarse.contact.node || fine.contact.port != coarse.contact.port) return false;
    return fine.contact.time >= coarse.contact.time - coarse.precision - kTicksPerSecond &&
           fine.contact.time <= coarse.end + coarse.precision;
  });
}

Result<Ticks> measured_precision(store::Engine& engine, const std::string& source, const std::string& cluster, Ticks about, Ticks now) {
  // Per sender: in how many seconds its connections begin, over all minutes and counted from the minute's beginning.
  TRY(const model::Batch batch, engine.query(fmt::format(R"(EgretFlows
| where Source == {0} and (Cluster == {1} or isempty(Cluster)) and State != "Continue" and State != "End" and Time between (datetime({2}) .. datetime({3}))
| summarize Begun = count(), Seconds = dcount(bin(Time, 1s)), Minutes = dcount(bin(Time, 1m)), Offsets = dcount(bin(Time, 1s) - bin(Time, 1m)) by SrcIp
| where Begun >= 20
| extend Expected = 60.0 * (1.0 - exp(-1.0 * Begun / 60))
| summarize Senders = count(), Coarse = countif(Offsets < 0.3 * Expected or (Begun >= 2.5 * Minutes and Seconds < 1.15 * Minutes)))",
                                                         json_quote(source), json_quote(cluster), format_datetime(about - kTicksPerHour),
                                                         format_datetime(about + 3 * kTicksPerHour)),
                                             now));
  const Rows rows(batch);
  if (rows.size() == 0 || rows.number("Senders", 0) == 0) return Ticks{0};
  return 2 * rows.number("Coarse", 0) > rows.number("Senders", 0) ? kTicksPerMinute : Ticks{0};
}

Result<std::vector<SeenContact>> find_contacts(store::Engine& engine, const Places& places, const Alert& alert,
                                               const std::vector<std::string>& addresses, const std::vector<std::string>& names,
                                               Ticks now) {
  const auto list = [](const std::vector<std::string>& values) {
    std::string out;
    for (const std::string& v : values) out += (out.empty() ? "" : ", ") + json_quote(v);
    return out.empty() ? std::string("\"\"") : out;
  };
  const std::string by_name = names.empty() ? "" : fmt::format(" or (isempty(DstIp) and DstName in ({}))", list(names));
  const std::string web_name = names.empty() ? "" : fmt::format(" or DstHostname in ({})", list(names));
  // The address alone first: it is what the big table is filtered by.
  const std::string query = fmt::format(R"(union
  (EgretFlows
    | where DstIp in ({0}){1}
    | where Direction != "Inbound"
    | project Time, EndTime, Cluster, SrcIp, SrcPort, DstIp, DstPort, Action, BytesOut, BytesIn, Source, Precision, Node, Namespace, Pod, Workload, DstName, State, NatPort, RowId),
  (ASimWebSessionLogs
    | where (DstIpAddr in ({0}){2}) and isnotempty(SrcPodName) and Direction != "inbound"
    | project Time = TimeGenerated, EndTime = TimeGenerated, Cluster, SrcIp = SrcIpAddr, SrcPort = SrcPortNumber, DstIp = DstIpAddr, DstPort = DstPortNumber, Action = "Allow",
        BytesOut = SrcBytes, BytesIn = DstBytes, Source = EventProduct, Precision = 1s, Node = "", Namespace = SrcNamespace, Pod = SrcPodName, Workload = SrcWorkload, DstName = DstHostname,
        State = "", NatPort = int(null), RowId = _RowId)
| order by Time asc)",
                                        list(addresses), by_name, web_name);
  TRY(model::Batch batch, engine.query(query, now));
  // A name that carries data needs no connection: the questions for it are the contacts then. Those of a resolver are another's.
  if (batch.empty() && !alert.name.empty()) {
    TRY(batch, engine.query(fmt::format(R"(EgretDns
| where (Name == {0} or Name endswith {1}) and isnotempty(SrcIp)
| join kind=leftanti (EgretPods | where not(HostNetwork) and Name in ("coredns", "kube-dns", "node-local-dns") | distinct Cluster, SrcIp = Ip) on Cluster, SrcIp
| top 4000 by Time asc
| project Time, EndTime = Time, Cluster, SrcIp, SrcPort = int(0), DstIp = "", DstPort = int(53), Action = "Allow", BytesOut = long(0), BytesIn = long(0), Source = "DNS question",
    Precision = 1s, Node = "", Namespace, Pod, Workload, DstName = Name, State = "", NatPort = int(null), RowId
| order by Time asc)",
                                        json_quote(to_lower(alert.name)), json_quote("." + to_lower(alert.name))),
                            now));
  }
  const Rows rows(batch);
  std::vector<SeenContact> seen;
  for (size_t i = 0; i < rows.size(); ++i) {
    SeenContact s;
    Contact& c = s.contact;
    c.time = rows.number("Time", i);
    s.end = std::max(c.time, Ticks{rows.number("EndTime", i)});
    c.cluster = rows.text("Cluster", i);
    c.source = rows.text("SrcIp", i);
    s.source_port = static_cast<int>(rows.number("SrcPort", i));
    c.destination = rows.text("DstIp", i);
    c.port = static_cast<int>(rows.number("DstPort", i));
    c.name = rows.text("DstName", i);
    c.blocked = rows.text("Action", i) == "Deny";
    c.bytes_out = rows.number("BytesOut", i);
    c.bytes_in = rows.number("BytesIn", i);
    s.seen_by = rows.text("Source", i);
    s.precision = rows.number("Precision", i);
    c.node = rows.text("Node", i);
    s.ns = rows.text("Namespace", i);
    s.pod = rows.text("Pod", i);
    s.workload = rows.text("Workload", i);
    s.nat_port = static_cast<int>(rows.number("NatPort", i));
    const std::string state = rows.text("State", i);
    s.start = state.empty() || state == "Start" || state == "Deny";
    c.rows = {rows.number("RowId", i)};

    const PodPlace* pod = !s.pod.empty() ? places.pod_named(c.cluster, s.ns, s.pod, c.time) : nullptr;
    if (!pod && s.pod.empty()) pod = places.pod_at(c.cluster, c.source, c.time);
    if (pod) {
      if (c.cluster.empty()) c.cluster = pod->cluster;
      s.ns = pod->ns, s.pod = pod->pod, s.workload = pod->workload;
      if (c.node.empty()) c.node = pod->node;
    }
    if (c.node.empty() || c.cluster.empty()) {
      if (const NodePlace* n = places.node_at(c.cluster, c.source, c.time)) {
        c.node = n->node;
        if (c.cluster.empty()) c.cluster = n->cluster;
      }
    }
    if (!c.node.empty())
      if (const NodePlace* n = places.node_named(c.node)) {
        c.node = n->node;
        if (c.cluster.empty()) c.cluster = n->cluster;
      }
    // A network that several clusters share: the accused one, where nothing says otherwise.
    if (c.cluster.empty()) c.cluster = alert.cluster;
    seen.push_back(std::move(s));
  }
  // A log that writes the rows of a minute with one time is no better than that minute.
  std::map<std::pair<std::string, std::string>, Ticks> measured;
  for (SeenContact& c : seen) {
    if (c.precision == 0 || c.precision >= kTicksPerMinute) continue;
    const auto [it, fresh] = measured.try_emplace({c.seen_by, c.contact.cluster}, 0);
    if (fresh) {
      TRY(it->second, measured_precision(engine, c.seen_by, c.contact.cluster, c.contact.time, now));
    }
    c.precision = std::max(c.precision, it->second);
  }
  std::vector<SeenContact> contacts = merge_contacts(std::move(seen));
  int number = 0;
  std::map<std::pair<std::string, std::string>, Ticks> last;
  for (SeenContact& c : contacts) {
    c.number = ++number;
    const auto [it, first] = last.try_emplace({c.contact.cluster, c.contact.node}, c.contact.time);
    c.quiet = first ? kTicksPerDay : c.contact.time - it->second;
    it->second = c.contact.time;
    std::sort(c.contact.rows.begin(), c.contact.rows.end());
  }
  return contacts;
}

}  // namespace egret::investigate
