#include "drill/truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace egret::drill {
namespace {

constexpr uint32_t kHostWorkload = UINT32_MAX;
using Set = std::set<uint32_t>;

Set meet(const Set& a, const Set& b) {
  Set out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(out, out.end()));
  return out;
}

// Reasons from the rows alone: what a careful person with all of them, and no knowledge of the scenario, could conclude.
class Judge {
 public:
  Judge(const World& world, const Ledger& ledger) : w_(world), l_(ledger), c_(world.clusters[world.affected]) {
    for (uint32_t i = 0; i < c_.contacts.size(); ++i)
      if (accuses(c_.contacts[i])) accused_.push_back(i);
  }

  // An alert about a name is about who used that name; one about an address about all that went there, whatever the scenario meant
  // them to be. A question alone is a contact only where it carries the data.
  bool accuses(const Contact& k) const {
    if (k.dns_only && k.label == 0) return false;
    return k.endpoint == w_.target || (!l_.alert_names_target && k.address == w_.accused);
  }

  const std::vector<uint32_t>& accused() const { return accused_; }

  uint32_t workload(const Contact& k) const {
    return k.pod == kHostProcess ? host_actor() : c_.placements[c_.pods[k.pod].placement].workload;
  }

  // Of the contacts of one owner.
  std::pair<bool, std::string> knowable(uint32_t owner, Set& consistent) const {
    std::vector<uint32_t> own;
    for (const uint32_t i : accused_)
      if (workload(c_.contacts[i]) == owner) own.push_back(i);
    const Workload& x = w_.workloads[owner];
    const bool host = x.kind == "HostProcess";
    const uint32_t self = host ? kHostWorkload : owner;
    const auto& shown = l_.contacts[w_.affected];
    const auto visible = [&](uint32_t i) { return shown[i] != 0; };
    if (std::none_of(own.begin(), own.end(), visible)) return {false, "no row shows the contact"};

    std::optional<Set> present, started, asked, on_host;
    uint64_t pod_rows = 0, questions = 0, visible_contacts = 0;
    bool at_once = true;  // each contact within ten seconds of its container's start
    bool before_pods = true;
    for (const uint32_t i : own) {
      const Contact& k = c_.contacts[i];
      if (!visible(i)) continue;
      ++visible_contacts;
      at_once = at_once && k.pod != kHostProcess && k.at - c_.pods[k.pod].start_of(k.at) < 10 * kSecond;
      Set here = {kHostWorkload}, fresh, networked = {kHostWorkload};
      for (uint32_t p = 0; p < c_.pods.size(); ++p) {
        const Pod& pod = c_.pods[p];
        if (pod.node != k.node || !l_.pods[w_.affected][p] || pod.started > k.at || pod.ended < k.at) continue;
        const uint32_t v = c_.placements[pod.placement].workload;
        here.insert(v);
        if (w_.workloads[v].host_network) networked.insert(v);
        if (k.at - pod.start_of(k.at) < 120 * kSecond) fresh.insert(v);
        before_pods = false;
      }
      present = present ? meet(*present, here) : here;
      started = started ? meet(*started, fresh) : fresh;
      if (shown[i] & kHostRow) on_host = on_host ? meet(*on_host, networked) : networked;
      if ((shown[i] & kPodRow) && k.pod != kHostProcess && l_.pods[w_.affected][k.pod]) ++pod_rows;
      if (shown[i] & kQuestionRow) {
        const Set who = askers(k);
        asked = asked ? meet(*asked, who) : who;
        ++questions;
      }
    }
    consistent = *present;
    if (asked && !asked->empty()) consistent = meet(consistent, *asked);
    if (on_host && !host) consistent = meet(consistent, *on_host);

    if (pod_rows > 0)
      return only(self, consistent, fmt::format("{} of {} contacts have a row with the pod's own address or name", pod_rows, own.size()));
    if (l_.alert_names_pod) return only(self, consistent, "the alert names the pod");
    if (asked && asked->size() == 1 && asked->contains(self))
      return only(self, consistent, fmt::format("its pods alone asked for a name just before each of {} contacts", questions));
    if (host && before_pods) return only(self, consistent, "no pod ran on the node yet when the contact was made");
    if (name_known() && questions > 0 && askers_of_target() == Set{owner})
      return only(self, consistent, "the name behind the address is known and its pods alone asked for it");
    if (name_known() && x.names_target && l_.names_in_objects && configured_with_target() == Set{owner})
      return only(self, consistent, "the name behind the address is known and stands in its configuration alone");
    if (host && *present == Set{kHostWorkload})
      return only(self, consistent, "no workload ran on the node at every contact: what made them all is the node's own");
    // One contact proves little: in two minutes something or other has mostly just started.
    if (started && started->size() == 1 && started->contains(self) && (visible_contacts > 1 || at_once))
      return only(self, consistent, "of all that ran on the node, its container alone had just started at every contact");
    if (own.size() >= 3 && present->contains(self) && began_with(own, visible) == Set{self})
      return only(
          self, consistent,
          "the contacts began within ten seconds of its first container, which alone had just started, and all left nodes where it ran");
    if (const auto [nodes, fresh] = began_on_nodes(own, visible); nodes >= 2 && fresh == Set{self} && present->contains(self))
      return only(
          self, consistent,
          fmt::format("on each of {} nodes the contacts began within two minutes of its container's start, and of no other's", nodes));
    if (on_host && on_host->size() == 1 && on_host->contains(self))
      return only(self, consistent, "the connection is the node's own and nothing else there uses the node's network");
    const Set released = changed_before(c_.contacts[own.front()].at);
    const Set both = meet(*present, released);
    if (both == Set{owner} && own.size() >= 3)
      return only(self, consistent, "it alone was changed within the hour before the first contact and ran on the node of every contact");
    return {false, fmt::format("{} workloads ran on the node of every contact and no row tells them apart", present->size() - 1)};
  }

 private:
  std::pair<bool, std::string> only(uint32_t self, Set& consistent, std::string why) const {
    consistent = {self};
    return {true, std::move(why)};
  }

  // Whose containers had just started when the contacts began: empty where they were there from the beginning, or where one of them had
  // run before.
  template <typename Visible>
  Set began_with(const std::vector<uint32_t>& own, Visible visible) const {
    const auto first = std::find_if(own.begin(), own.end(), visible);
    if (first == own.end()) return {};
    const Contact& k = c_.contacts[*first];
    if (k.at < w_.from + kHour) return {};
    Set fresh;
    for (uint32_t p = 0; p < c_.pods.size(); ++p) {
      const Pod& pod = c_.pods[p];
      if (!l_.pods[w_.affected][p] || pod.node != k.node || pod.started > k.at || pod.ended < k.at) continue;
      if (k.at - pod.start_of(k.at) < 10 * kSecond) fresh.insert(c_.placements[pod.placement].workload);
    }
    for (const Pod& pod : c_.pods)
      if (pod.started < k.at - 10 * kSecond && fresh.contains(c_.placements[pod.placement].workload)) return {};
    return fresh;
  }

  // Of the nodes that ran for a while without a contact: how many, and whose containers had just started when it came to each of them.
  template <typename Visible>
  std::pair<size_t, Set> began_on_nodes(const std::vector<uint32_t>& own, Visible visible) const {
    std::set<uint32_t> seen;
    std::optional<Set> all;
    for (const uint32_t i : own) {
      const Contact& k = c_.contacts[i];
      if (!visible(i) || !seen.insert(k.node).second) continue;
      if (k.at < w_.from + kHour || k.at < c_.nodes[k.node].created + 10 * kMinute) return {};
      Set fresh;
      for (uint32_t p = 0; p < c_.pods.size(); ++p) {
        const Pod& pod = c_.pods[p];
        if (!l_.pods[w_.affected][p] || pod.node != k.node || pod.started > k.at || pod.ended < k.at) continue;
        if (k.at - pod.start_of(k.at) < 120 * kSecond) fresh.insert(c_.placements[pod.placement].workload);
      }
      all = all ? meet(*all, fresh) : fresh;
    }
    return {seen.size(), all.value_or(Set{})};
  }

  uint32_t host_actor() const {
    for (uint32_t i = 0; i < w_.workloads.size(); ++i)
      if (w_.workloads[i].kind == "HostProcess") return i;
    return kHostWorkload;
  }

  // Workloads on that node whose pods asked for some outside name in the seconds before.
  Set askers(const Contact& k) const {
    Set out;
    const auto& shown = l_.contacts[w_.affected];
    // A connection follows its question within tens of milliseconds, unless the clocks disagree.
    const Micros near = std::abs(c_.skew) < 100'000 ? 600'000 : 4 * kSecond;
    const auto from =
        std::lower_bound(c_.contacts.begin(), c_.contacts.end(), k.at - 10 * kSecond, [](const Contact& a, Micros t) { return a.at < t; });
    for (auto i = static_cast<uint32_t>(from - c_.contacts.begin()); i < c_.contacts.size(); ++i) {
      const Contact& q = c_.contacts[i];
      if (q.at > k.at + 5 * kSecond) break;
      if (q.node != k.node || q.pod == kHostProcess || !(shown[i] & kQuestionRow) || q.asked_at > k.at || q.asked_at < k.at - near)
        continue;
      out.insert(c_.placements[c_.pods[q.pod].placement].workload);
    }
    return out;
  }

  Set askers_of_target() const {
    Set out;
    const auto& shown = l_.contacts[w_.affected];
    for (uint32_t i = 0; i < c_.contacts.size(); ++i) {
      const Contact& q = c_.contacts[i];
      if (q.endpoint == w_.target && (shown[i] & kQuestionRow) && q.pod != kHostProcess)
        out.insert(c_.placements[c_.pods[q.pod].placement].workload);
    }
    return out;
  }

  bool name_known() const {
    if (l_.alert_names_target) return true;
    for (const uint32_t i : accused_)
      if (l_.contacts[w_.affected][i] & kAnswerRow) return true;
    return false;
  }

  // Whose objects name the destination in arguments or environment.
  Set configured_with_target() const {
    Set out;
    const std::string& name = w_.endpoints[w_.target].name;
    for (const Placement& p : c_.placements) {
      const Workload& x = w_.workloads[p.workload];
      for (const auto* env : {&x.env, &x.bad_env})
        for (const auto& [key, value] : *env)
          if (value.find(name) != std::string::npos) out.insert(p.workload);
    }
    return out;
  }

  Set changed_before(Micros at) const {
    Set out;
    for (const Change& ch : c_.changes)
      if ((ch.what == Change::What::kRollout || ch.what == Change::What::kConfigMap || ch.what == Change::What::kCreate) && ch.at <= at &&
          ch.at > at - kHour) {
        out.insert(c_.placements[ch.placement].workload);
        if (ch.what != Change::What::kConfigMap) continue;
        for (const Placement& p : c_.placements) {  // who else reads it
          const Workload& x = w_.workloads[p.workload];
          if (x.ns == w_.workloads[c_.placements[ch.placement].workload].ns && !x.config_maps.empty() && x.config_maps[0] == ch.name)
            out.insert(p.workload);
        }
      }
    return out;
  }

  const World& w_;
  const Ledger& l_;
  const Cluster& c_;
  std::vector<uint32_t> accused_;
};

std::string full_name(const World& w, uint32_t v) {
  if (v == kHostWorkload) return "node/HostProcess/";
  const Workload& x = w.workloads[v];
  return fmt::format("{}/{}/{}", x.ns, x.kind, x.name);
}

}  // namespace

Truth tell_truth(const World& w, const Ledger& ledger, const Profile& profile, uint64_t seed) {
  Truth t;
  const Judge judge(w, ledger);
  const Cluster& c = w.clusters[w.affected];
  std::map<uint32_t, uint64_t> per_owner;
  for (const uint32_t i : judge.accused()) ++per_owner[judge.workload(c.contacts[i])];
  t.contacts = judge.accused().size();
  std::vector<std::pair<uint32_t, uint64_t>> owners(per_owner.begin(), per_owner.end());
  std::stable_sort(owners.begin(), owners.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  t.knowable = !owners.empty();
  Set consistent;
  for (const auto& [workload, n] : owners) {
    const Workload& x = w.workloads[workload];
    t.owners.push_back({x.ns, x.kind, x.name, static_cast<double>(n) / static_cast<double>(t.contacts), n});
    Set fits;
    const auto [known, why] = judge.knowable(workload, fits);
    t.knowable = t.knowable && known;
    t.why += (t.why.empty() ? "" : "; ") + (owners.size() > 1 ? fmt::format("{}: {}", x.name, why) : why);
    consistent.insert(fits.begin(), fits.end());
  }
  for (const uint32_t v : consistent) t.consistent.push_back(full_name(w, v));

  JsonWriter j(2);
  const auto text = [&](std::string_view k, std::string_view v) { j.key(k).string(v); };
  j.begin_object();
  text("scenario", w.scenario->id);
  j.key("seed").number(static_cast<int64_t>(seed));
  text("profile", profile.name);
  text("from", iso(w.from));
  text("to", iso(w.to));
  text("cluster", c.name);
  text("region", c.region);
  text("address", ip_text(w.accused));
  j.key("port").number(static_cast<int64_t>(w.endpoints[w.target].port));
  text("name", w.endpoints[w.target].name);
  j.key("owners").begin_array();
  for (const TrueOwner& o : t.owners) {
    j.begin_object();
    text("cluster", c.name);
    text("namespace", o.ns);
    text("kind", o.kind);
    text("name", o.name);
    j.key("share").number(o.share).key("contacts").number(static_cast<int64_t>(o.contacts)).end_object();
  }
  j.end_array();
  text("trigger", w.scenario->triggers.front());
  j.key("triggers").begin_array();
  for (const auto& name : w.scenario->triggers) j.string(name);
  j.end_array();
  text("classification", w.scenario->classification);
  j.key("release");
  const Revision *bad = nullptr, *good = nullptr;
  for (const Placement& p : c.placements)
    for (const Revision& r : p.revisions)
      if (r.bad && bad == nullptr && !owners.empty() && p.workload == owners[0].first) {
        bad = &r;
        good = &r - 1;
      }
  if (bad != nullptr) {
    const Workload& x = w.workloads[owners[0].first];
    j.begin_object();
    text("first_bad", bad->tag);
    text("last_good", good->tag);
    text("first_bad_image", image_of(x, *bad));
    text("last_good_image", image_of(x, *good));
    text("first_bad_digest", bad->digest);
    text("last_good_digest", good->digest);
    text("at", iso(bad->at, 6));
    j.key("revision").number(static_cast<int64_t>(bad->number)).key("image_changed").boolean(bad->image_changed).end_object();
  } else {
    j.null();
  }
  if (w.config_change != 0) text("config_change", iso(w.config_change, 6));
  j.key("knowable").boolean(t.knowable);
  text("why", t.why);
  j.key("consistent").begin_array();
  for (const auto& s : t.consistent) j.string(s);
  j.end_array();
  j.key("sources").begin_array();
  for (const auto& s : ledger.sources) j.string(s);
  j.end_array();
  j.key("contacts").begin_array();
  size_t written = 0;
  for (size_t ci = 0; ci < w.clusters.size() && written < 500; ++ci) {
    const Cluster& k = w.clusters[ci];
    for (size_t i = 0; i < k.contacts.size() && written < 500; ++i) {
      const Contact& x = k.contacts[i];
      const bool accused = ci == w.affected && judge.accuses(x);
      if (!x.culprit && !accused) continue;
      ++written;
      j.begin_object();
      text("time", iso(x.at, 6));
      text("cluster", k.name);
      text("node", k.nodes[x.node].name);
      text("node_address", ip_text(k.nodes[x.node].ip));
      if (x.pod != kHostProcess) {
        const Pod& p = k.pods[x.pod];
        text("workload", full_name(w, k.placements[p.placement].workload));
        text("pod", p.name);
        text("pod_address", ip_text(p.ip));
      } else {
        text("workload", "node/HostProcess/" + w.workloads[judge.workload(x)].name);
      }
      text("name", w.endpoints[x.endpoint].name);
      text("address", ip_text(x.address));
      j.key("port")
          .number(static_cast<int64_t>(x.port))
          .key("source_port")
          .number(static_cast<int64_t>(x.src_port))
          .key("translated_port")
          .number(static_cast<int64_t>(x.nat_port));
      j.key("bytes_out").number(static_cast<int64_t>(x.out)).key("bytes_in").number(static_cast<int64_t>(x.in));
      j.key("accused").boolean(accused);
      j.end_object();
    }
  }
  j.end_array().end_object();
  t.json = std::move(j).take() + '\n';
  return t;
}

}  // namespace egret::drill
