#include "lab/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "drill/writers.h"
#include "lab/border_rows.h"
#include "lab/kube_events.h"
#include "lab/programs.h"

namespace egret::lab {

using namespace drill;
namespace fs = std::filesystem;

namespace {

// The lines whose first time is not before `from`; one without a time goes with the line before.
std::string lines_from(std::string_view text, const std::string& from) {
  std::string out;
  bool wanted = true;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    for (size_t at = line.find('T'); at != std::string_view::npos; at = line.find('T', at + 1))
      if (at >= 10 && at + 9 <= line.size() && line[at - 3] == '-' && line[at - 6] == '-' && line[at + 3] == ':' && line[at + 6] == ':') {
        wanted = line.substr(at - 10, 19) >= from;
        break;
      }
    if (wanted) out += line;
    text.remove_prefix(line.size());
  }
  return out;
}

// A log, or a folder of logs, with its times on the lab's clock.
Result<void> take(const Lab& lab, const fs::path& from, const fs::path& to) {
  std::error_code ec;
  if (fs::is_directory(from, ec)) {
    for (const auto& entry : fs::directory_iterator(from, ec))
      if (entry.path().extension() != ".part" && entry.path().extension() != ".lock")  // of the sensor, not for readers
        TRY_VOID(take(lab, entry.path(), to / entry.path().filename()));
    return {};
  }
  if (!fs::exists(from, ec)) return {};
  fs::create_directories(to.parent_path(), ec);
  std::ifstream file(from, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  // People export the hours that they ask about.
  const std::string lines = lines_from(lab.lapse().date_anew(text.str(), lab.began()), iso(lab.lapse().of(lab.world().from)).substr(0, 19));
  return lines.empty() ? Result<void>() : write_file(to, lines);
}

// As `kubectl logs -n NAMESPACE -c istio-proxy --prefix` prints them, a file for each namespace.
Result<void> take_access_logs(const Lab& lab, const World& w, uint32_t cluster, const fs::path& folder) {
  const Cluster& c = w.clusters[cluster];
  std::map<std::string, std::string> by_namespace;
  for (const Pod& p : c.pods) {
    std::ifstream file(lab.log_folder(cluster) / "envoy" / (p.name + ".log"));
    for (std::string line; std::getline(file, line);)
      by_namespace[w.workload_of(c, p).ns] += fmt::format("[pod/{}/istio-proxy] {}\n", p.name, line);
  }
  std::error_code ec;
  for (const auto& [ns, text] : by_namespace) {
    fs::create_directories(folder / "istio-proxy", ec);
    TRY_VOID(write_file(folder / "istio-proxy" / (ns + ".log"),
                        lines_from(lab.lapse().date_anew(text, lab.began()), iso(w.from).substr(0, 19))));
  }
  return {};
}

void date_anew(World& w, const Lapse& lapse) {
  const auto anew = [&](Micros& t) { t = lapse.of(t); };
  for (Micros* t : {&w.from, &w.to, &w.bad_release, &w.config_change})
    if (*t != 0) anew(*t);
  for (Cluster& c : w.clusters) {
    for (Node& n : c.nodes) anew(n.created), anew(n.ready);
    for (Pod& p : c.pods) {
      for (Micros* t : {&p.created, &p.started, &p.ended, &p.removed}) anew(*t);
      for (Micros& r : p.restarts) anew(r);
    }
    for (Placement& p : c.placements)
      for (Revision& r : p.revisions) anew(r.at);
    for (Change& change : c.changes) anew(change.at);
  }
}

// The minutes at which its runs were due, as its object says them. The controller took two seconds or more to act on each.
void tell_schedules(World& w) {
  for (const Cluster& c : w.clusters)
    for (uint32_t p = 0; p < c.placements.size(); ++p) {
      Workload& x = w.workloads[c.placements[p].workload];
      const auto first = std::ranges::find_if(c.pods, [&](const Pod& pod) { return pod.placement == p; });
      if (x.kind != "CronJob" || first == c.pods.end()) continue;
      const Micros due = (first->created - 2 * kSecond) / kMinute;
      std::string minutes;
      const int every = std::min(x.every_minutes, 60);
      for (Micros m = due % every; m < 60; m += every) minutes += (minutes.empty() ? "" : ",") + std::to_string(m);
      x.schedule = fmt::format("{} {} * * *", minutes, x.every_minutes <= 60 ? "*" : fmt::format("*/{}", x.every_minutes / 60));
    }
}

// One file an hour in which there is something.
void write_flows(Pen& pen, const Cluster& c, const Node& node, const NodeFlows& flows) {
  std::map<Micros, NodeFlows> hours;
  for (const auto list : {&NodeFlows::out, &NodeFlows::in})
    for (const FlowTuple& t : flows.*list) (hours[t.ms * 1000 / kHour * kHour].*list).push_back(t);
  for (auto& [hour, f] : hours) write_node_flows(pen, c, node, std::move(f), hour, hour + 1, hour + kHour);
}

// The pod of the scenario's actor that ran on the node then. The alert of a workload's own metrics names it.
uint32_t actor_on(const World& w, const Cluster& c, uint32_t node, Micros at) {
  for (uint32_t p = 0; p < c.pods.size(); ++p)
    if (c.pods[p].node == node && !w.workload_of(c, c.pods[p]).actor.empty() && c.pods[p].started <= at && c.pods[p].ended >= at) return p;
  return kHostProcess;
}

}  // namespace

Result<Evidence> write_evidence(const Lab& lab, const fs::path& folder) {
  std::error_code ec;
  if (fs::exists(folder, ec) && !fs::is_empty(folder, ec))
    return usage_error(fmt::format("{} is not empty", folder.string()), "choose another --out");
  fs::create_directories(folder, ec);
  if (ec) return unavailable(fmt::format("{} cannot be made: {}", folder.string(), ec.message()));
  World w = lab.world();
  w.to = now_micros();
  date_anew(w, lab.lapse());
  tell_schedules(w);
  Evidence e;
  std::vector<std::map<uint32_t, NodeFlows>> flows;
  Ledger ledger;
  for (uint32_t i = 0; i < w.clusters.size(); ++i) {
    Cluster& c = w.clusters[i];
    flows.push_back(read_border(lab.log_folder(i) / "border.tsv", c, i));
    for (auto& [node, f] : flows.back()) {
      for (auto* list : {&f.out, &f.in}) {
        for (FlowTuple& t : *list) t.ms = lab.lapse().of(t.ms * 1000) / 1000;
        std::erase_if(*list, [&](const FlowTuple& t) { return t.ms * 1000 < w.from; });
      }
      e.flows += f.out.size() + f.in.size();
    }
    c.contacts = contacts_with(flows.back(), w.accused);
    for (Contact& k : c.contacts) {
      k.pod = actor_on(w, c, k.node, k.at);
      k.endpoint = w.target;
      e.contacts_from.push_back(c.nodes[k.node].name);
    }
    ledger.contacts.emplace_back(c.contacts.size(), uint8_t{0});
    ledger.pods.emplace_back(c.pods.size(), uint8_t{0});
  }
  Output out(folder, false);
  const Profile profile{"live", 2};
  Pen pen{w, out, ledger, profile, Random(w.seed).fork("lab"), {"audit-housekeeping"}};
  if (!w.clusters[w.affected].contacts.empty()) write_alerts(pen);
  write_intel(pen);
  if (w.bad_release != 0) write_releases(pen);
  for (uint32_t i = 0; i < w.clusters.size(); ++i) {
    const Cluster& c = w.clusters[i];
    write_objects(pen, i);
    if (w.config_change != 0) write_audit(pen, i);  // nothing else tells when an object was edited
    for (const auto& [node, f] : flows[i]) write_flows(pen, c, c.nodes[node], f);
    TRY_VOID(write_file(folder / c.name / "kubectl" / "events.json", kube_events(w, i)));
    TRY_VOID(take_access_logs(lab, w, i, folder / c.name));
    if (const fs::path captures = lab.log_folder(i) / "capture"; fs::exists(captures, ec)) {
      fs::copy(captures, folder / c.name / "capture", fs::copy_options::recursive, ec);
      if (ec) return unavailable(fmt::format("{} cannot be copied: {}", captures.string(), ec.message()));
    }
    for (const char* log : {"coredns.log", "sensor"}) TRY_VOID(take(lab, lab.log_folder(i) / log, folder / c.name / log));
  }
  TRY_VOID(out.finish());
  return e;
}

Result<void> copy_truth(const Lab& lab, const fs::path& folder) { return take(lab, lab.home() / "truth", folder); }

}  // namespace egret::lab
