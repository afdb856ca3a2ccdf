#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/hash.h"
#include "drill/render.h"
#include "drill/requests.h"
#include "drill/truth.h"
#include "drill/writers.h"

namespace egret::drill {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& p) {
  std::ifstream in(p, std::ios::binary);
  std::ostringstream s;
  s << in.rdbuf();
  return std::move(s).str();
}

std::map<std::string, std::string> hashes(const fs::path& root) {
  std::map<std::string, std::string> all;
  for (const auto& e : fs::recursive_directory_iterator(root))
    if (e.is_regular_file()) all[fs::relative(e.path(), root).string()] = sha256_hex(slurp(e.path()));
  return all;
}

class Folder {
 public:
  explicit Folder(const std::string& name) : path_(fs::temp_directory_path() / ("egret-drill-" + name + "-" + std::to_string(::getpid()))) {
    fs::remove_all(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Scenario scenario(std::string_view id) {
  auto s = find_scenario(id);
  EXPECT_TRUE(s) << s.error().message;
  return *std::move(s);
}

TEST(DrillRandom, ForksAreIndependentOfOrder) {
  Random a(7), b(7);
  EXPECT_EQ(a.fork("x").next(), b.fork("x").next());
  EXPECT_NE(a.fork("x").next(), a.fork("y").next());
  EXPECT_NE(a.fork("x", 1).next(), a.fork("x", 2).next());
  for (int i = 0; i < 1000; ++i) {
    const int64_t v = a.between(-3, 3);
    EXPECT_GE(v, -3);
    EXPECT_LE(v, 3);
  }
}

TEST(DrillScenario, AllAreReadAndExpectWhatTheySay) {
  const auto all = all_scenarios();
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_GE(all->size(), 12U);
  std::set<std::string> ids;
  for (const Scenario& s : *all) {
    EXPECT_TRUE(ids.insert(s.id).second) << s.id;
    EXPECT_FALSE(s.actors.empty()) << s.id;
    EXPECT_FALSE(s.story.empty()) << s.id;
  }
}

TEST(DrillScenario, MistakesSayWhereAndWhatNext) {
  const auto wrong = parse_scenario(
      "id: x\nactors: {a: {kind: Deploymnt}}\ndestinations: {t: {names: [a.b]}}\nexpect: {classification: TruePositive, trigger: "
      "release}\n",
      "x.yaml");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("x.yaml:2:"), std::string::npos) << wrong.error().message;
  const auto key = parse_scenario("id: x\nactor: {}\n", "x.yaml");
  ASSERT_FALSE(key);
  EXPECT_NE(key.error().hint.find("actors"), std::string::npos) << key.error().hint;
}

TEST(DrillScenario, WhatActorsAndDestinationsReferToMustBeThere) {
  const auto parse = [](const std::string& actors, const std::string& destinations, const std::string& more = "") {
    return parse_scenario("id: x\nactors: {" + actors + "}\ndestinations: {" + destinations + "}\n" + more +
                              "expect: {classification: TruePositive, trigger: release}\n",
                          "x.yaml");
  };
  const std::string actor = "a: {kind: Job}", target = "t: {names: [a.b.c]}";
  EXPECT_TRUE(parse(actor, target + ", n: {sibling-of: t}"));
  for (const auto& [actors, destinations, more] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {actor, "n: {sibling-of: t}, " + target, ""},                                   // before what it refers to
           {actor, "t: {names: [a.b], sibling-of: t}", ""},                                // both
           {actor, "t: {port: 443}", ""},                                                  // neither
           {actor, "t: {names: [mcr.microsoft.com]}", ""},                                 // every node asks for it
           {"a: {kind: Deployment, config-of: b}", target, ""},                            // nobody
           {"a: {kind: Deployment, does: [{on: image-pull, of: a, to: t}]}", target, ""},  // not a process of the node
           {"a: {kind: HostProcess, does: [{on: image-pull, to: t}]}", target, ""},
           {"a: {kind: HostProcess, does: [{on: image-pull, of: b, to: t}]}, b: {kind: Deployment}", target, ""},  // whose pods?
           {"a: {kind: Deployment, images: [x]}", target, ""},                                                     // no tag
           {actor, target, "timeline: [{at: 0.5, do: deploy}]\n"},
           {actor, target, "timeline: [{at: 0.5, do: repush, actor: b}]\n"}}) {
    const auto wrong = parse(actors, destinations, more);
    ASSERT_FALSE(wrong) << actors << ' ' << destinations << ' ' << more;
    EXPECT_NE(wrong.error().message.find("x.yaml:"), std::string::npos) << wrong.error().message;
  }
}

// The workloads of an actor in the affected cluster.
std::vector<uint32_t> placements_of(const World& w, std::string_view actor) {
  std::vector<uint32_t> out;
  const Cluster& c = w.clusters[w.affected];
  for (uint32_t p = 0; p < c.placements.size(); ++p)
    if (w.workloads[c.placements[p].workload].actor == actor) out.push_back(p);
  return out;
}

TEST(DrillWorld, AnotherImageUnderTheSameTagIsNoRelease) {
  const Scenario s = scenario("repushed-tag");
  const World w = simulate(s, 3, {});
  const Cluster& c = w.clusters[w.affected];
  const uint32_t p = placements_of(w, "culprit").at(0);
  const auto& revisions = c.placements[p].revisions;
  ASSERT_EQ(revisions.size(), 2U);
  EXPECT_EQ(revisions[0].tag, revisions[1].tag);
  EXPECT_NE(revisions[0].digest, revisions[1].digest);
  EXPECT_EQ(revisions[0].hash, revisions[1].hash);
  EXPECT_TRUE(revisions[1].bad);
  for (const Change& ch : c.changes) EXPECT_FALSE(ch.what == Change::What::kRollout && ch.placement == p);
  for (const Contact& k : c.contacts)
    if (k.culprit) {
      EXPECT_EQ(c.pods[k.pod].revision, 1U);
    }
}

TEST(DrillWorld, ABreakInIsOnePods) {
  const Scenario s = scenario("webshell");
  const World w = simulate(s, 4, {});
  const Cluster& c = w.clusters[w.affected];
  const Placement& p = c.placements[placements_of(w, "culprit").at(0)];
  size_t contacts = 0, steered = 0;
  for (const Contact& k : c.contacts) {
    if (!k.culprit) continue;
    ++contacts;
    EXPECT_EQ(k.pod, p.broken_pod);
    EXPECT_GE(k.at, p.broken_in);
  }
  for (const Inbound& q : c.inbound) steered += q.shell ? 1 : 0;
  EXPECT_GT(contacts, 0U);
  EXPECT_EQ(steered, contacts);
}

TEST(DrillWorld, WhatANodeJoiningSetsOffComesFromAnotherNode) {
  const Scenario s = scenario("licence-count");
  const World w = simulate(s, 2, {});
  const Cluster& c = w.clusters[w.affected];
  for (const Contact& k : c.contacts) {
    if (!k.culprit) continue;
    EXPECT_TRUE(std::any_of(c.nodes.begin(), c.nodes.end(), [&](const Node& n) { return n.ready <= k.at && n.ready > k.at - kMinute; }));
    EXPECT_GT(k.at, c.nodes[k.node].ready + 5 * kMinute);
  }
}

TEST(DrillWorld, TheNodeFetchesAnImageBeforeThePodStarts) {
  const Scenario s = scenario("node-pull");
  const World w = simulate(s, 2, {});
  const Cluster& c = w.clusters[w.affected];
  const uint32_t service = placements_of(w, "service").at(0);
  size_t contacts = 0;
  for (const Contact& k : c.contacts) {
    if (!k.culprit) continue;
    ++contacts;
    EXPECT_EQ(k.pod, kHostProcess);
    EXPECT_TRUE(std::any_of(c.pods.begin(), c.pods.end(), [&](const Pod& p) {
      return p.placement == service && p.node == k.node && p.created <= k.at && p.started > k.at;
    }));
  }
  EXPECT_GT(contacts, 0U);
}

TEST(DrillWorld, IsConsistent) {
  for (const char* id : {"monitoring-agent", "payment-pod", "two-callers", "miner", "host-updates", "repushed-tag", "burst-models",
                         "toolbox-pod", "planted-manifest", "pipeline-leak"}) {
    const Scenario s = scenario(id);
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      const World w = simulate(s, seed, {});
      SCOPED_TRACE(std::string(id) + " " + std::to_string(seed));
      ASSERT_FALSE(w.clusters.empty());
      uint64_t accused = 0;
      for (const Cluster& c : w.clusters) {
        for (const Contact& k : c.contacts) {
          ASSERT_GE(k.at, w.from);
          ASSERT_LT(k.at, w.to);
          // A machine talks while it boots, before its kubelet registers.
          ASSERT_GE(k.at, c.nodes[k.node].created - (k.pod == kHostProcess ? kMinute : 0));
          ASSERT_LT(k.at, c.nodes[k.node].deleted);
          if (k.pod != kHostProcess) {
            ASSERT_GE(k.at, c.pods[k.pod].started);
            ASSERT_LT(k.at, c.pods[k.pod].ended);
            ASSERT_EQ(k.node, c.pods[k.pod].node);
          }
          const auto answers = w.resolve(k.endpoint, c.region_index, k.at);
          ASSERT_NE(std::find(answers.begin(), answers.end(), k.address), answers.end());
          if (c.affected && k.culprit && k.address == w.accused) ++accused;
        }
        // No two pods of the overlay have one address at the same time.
        std::map<Ip, std::vector<const Pod*>> by_ip;
        for (const Pod& p : c.pods)
          if (!w.workload_of(c, p).host_network) by_ip[p.ip].push_back(&p);
        for (auto& [ip, pods] : by_ip) {
          std::sort(pods.begin(), pods.end(), [](const Pod* a, const Pod* b) { return a->started < b->started; });
          for (size_t i = 1; i < pods.size(); ++i) ASSERT_LE(pods[i - 1]->ended, pods[i]->started) << ip_text(ip) << ' ' << pods[i]->name;
        }
      }
      EXPECT_GT(accused, 0U);
    }
  }
}

TEST(DrillWorld, SeedsChangeWhatMattersAndNothingIsMemorable) {
  const Scenario s = scenario("monitoring-agent");
  std::set<std::string> owners, names, clusters, addresses;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const World w = simulate(s, seed, {});
    for (const Workload& x : w.workloads)
      if (!x.actor.empty()) owners.insert(x.name);
    names.insert(w.endpoints[w.target].name);
    clusters.insert(w.clusters[w.affected].name);
    addresses.insert(ip_text(w.accused));
  }
  EXPECT_GE(owners.size(), 4U);
  EXPECT_GE(names.size(), 4U);
  EXPECT_GE(clusters.size(), 10U);
  EXPECT_EQ(addresses.size(), 12U);
}

TEST(DrillRender, SameSeedSameBytes) {
  const Scenario s = scenario("payment-pod");
  Folder a("a"), b("b"), c("c");
  RenderOptions o;
  o.profile = "everything";
  o.scale.hours = 2;
  o.scale.clusters = 2;
  o.out = a.path();
  ASSERT_TRUE(render(s, o));
  o.out = b.path();
  ASSERT_TRUE(render(s, o));
  EXPECT_EQ(hashes(a.path()), hashes(b.path()));
  o.seed = 2;
  o.out = c.path();
  ASSERT_TRUE(render(s, o));
  EXPECT_NE(hashes(a.path()), hashes(c.path()));
}

TEST(DrillRender, RefusesAFolderWithSomethingInIt) {
  Folder a("full");
  fs::create_directories(a.path() / "evidence" / "mine");
  RenderOptions o;
  o.out = a.path();
  const auto r = render(scenario("monitoring-agent"), o);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, ErrorKind::kUsage);
}

std::string all_text(const fs::path& root) {
  std::string all;
  for (const auto& e : fs::recursive_directory_iterator(root))
    if (e.is_regular_file()) all += slurp(e.path());
  return all;
}

RenderOptions into(const fs::path& out, uint64_t seed, const char* profile = "default") {
  RenderOptions o;
  o.seed = seed;
  o.profile = profile;
  o.out = out;
  o.scale.clusters = 2;
  return o;
}

TEST(DrillRender, AnInjectedContainerIsInPodsAndNotInTemplates) {
  Folder folder("injected");
  ASSERT_TRUE(render(scenario("injected-proxy"), into(folder.path(), 3)));
  std::string pods, templates, audit;
  for (const auto& e : fs::recursive_directory_iterator(folder.path())) {
    if (e.path().filename() == "pods.json") pods += slurp(e.path());
    if (e.path().filename() == "deployments.json") templates += slurp(e.path());
    if (e.path().string().find("kube-audit-admin") != std::string::npos && e.is_regular_file()) audit += slurp(e.path());
  }
  const Scenario s = scenario("injected-proxy");
  const std::vector<std::string>& names = s.actor("culprit")->injected;
  const auto in = [&](const std::string& text) {
    return std::count_if(names.begin(), names.end(), [&](const std::string& n) { return text.find('"' + n + '"') != std::string::npos; });
  };
  EXPECT_EQ(in(pods), 1);
  EXPECT_EQ(in(templates), 0);
  EXPECT_NE(audit.find("mutatingwebhookconfigurations"), std::string::npos);
}

TEST(DrillRender, WhoMadeAJobOrAPodIsInTheAuditLog) {
  Folder job("job"), pod("pod");
  ASSERT_TRUE(render(scenario("pipeline-leak"), into(job.path(), 3)));
  const std::string made = all_text(job.path() / "evidence");
  EXPECT_NE(made.find("system:serviceaccount:ci:gitlab-runner"), std::string::npos);
  // Finished, kept for ten minutes, gone: the API server's lists of the end have none of them.
  EXPECT_NE(made.find("ttl-after-finished-controller"), std::string::npos);
  ASSERT_TRUE(render(scenario("toolbox-pod"), into(pod.path(), 3)));
  const std::string text = all_text(pod.path() / "evidence"), truth = slurp(pod.path() / "truth.json");
  EXPECT_NE(truth.find("\"kind\": \"Pod\""), std::string::npos);
  EXPECT_EQ(text.find("\"controller\":true,\"kind\":\"Pod\""), std::string::npos);  // nobody's owner
}

// Over a few seeds every form is met, and what it says is that some file of the folder is there.
TEST(DrillForms, FollowFromTheSeedAndAreThoseOfVariedFleetsOnly) {
  const Scenario varied = scenario("feed-cron"), usual = scenario("nightly-export");
  std::map<std::string, int> met;
  for (uint64_t seed = 1; seed <= 24; ++seed) {
    const World w = simulate(varied, seed, {.hours = 1, .clusters = 1});
    const Forms f = forms_of(w);
    met["hubble"] += f.hubble ? 1 : 0;
    met["hubble without names"] += f.hubble && !f.hubble_dns ? 1 : 0;
    met["dns proxy"] += f.dns_proxy ? 1 : 0;
    met["dns policy"] += f.dns_policy ? 1 : 0;
    met["repeats"] += f.repeats ? 1 : 0;
    met["portal"] += f.alert == Forms::Alert::kPortalCsv ? 1 : 0;
    met["graph"] += f.alert == Forms::Alert::kGraph ? 1 : 0;
    met["logic app"] += f.alert == Forms::Alert::kLogicApp ? 1 : 0;
    const World other = simulate(usual, seed, {.hours = 1, .clusters = 1});
    const Forms none = forms_of(other);
    EXPECT_FALSE(none.hubble || none.hubble_dns || none.dns_proxy || none.dns_policy || none.repeats || none.alert_twice);
    EXPECT_EQ(none.alert, Forms::Alert::kUsual);
  }
  for (const auto& [form, n] : met) {
    EXPECT_GT(n, 0) << form;
    EXPECT_LT(n, 24) << form;
  }
}

TEST(DrillForms, EachIsWrittenWhereItSaysAndRowsComeAgainOrLate) {
  std::set<std::string> written;
  bool again = false, late = false;
  for (uint64_t seed = 1; seed <= 40 && !(written.size() == 6 && again && late); ++seed) {
    Folder folder("forms" + std::to_string(seed));
    RenderOptions o = into(folder.path(), seed, "everything");
    o.scale.hours = 1;
    const Scenario s = scenario("feed-cron");
    const auto r = render(s, o);
    ASSERT_TRUE(r) << r.error().message;
    const World w = simulate(s, seed, o.scale);
    const Forms f = forms_of(w);
    EXPECT_EQ(f.hubble, r->totals.contains("hubble")) << seed;
    EXPECT_EQ(f.hubble, !r->totals.contains("zeek-conn")) << seed;
    EXPECT_EQ(f.dns_policy, r->totals.contains("DNSQueryLogs")) << seed;
    EXPECT_EQ(f.dns_proxy && w.clusters[0].firewall, r->totals.contains("firewall-dns")) << seed;
    for (const char* kind : {"hubble", "DNSQueryLogs", "firewall-dns"})
      if (r->totals.contains(kind)) written.insert(kind);
    for (const char* name : {"query_data.csv", "alerts_v2.json", "workflow-run.json"}) {
      const fs::path alert = r->evidence / "alerts" / name;
      if (!fs::exists(alert)) continue;
      written.insert(name);
      EXPECT_NE(slurp(alert).find(r->address), std::string::npos) << alert;
    }
    std::map<std::string, int> rows;
    for (const auto& e : fs::recursive_directory_iterator(r->evidence)) {
      if (!e.is_regular_file()) continue;
      const std::string path = e.path().string();
      if (path.find("/am-kubepodinventory/") == std::string::npos) continue;
      late = late || path.find("/m=05/") != std::string::npos;
      std::istringstream lines(slurp(e.path()));
      for (std::string line; std::getline(lines, line);) again = ++rows[line] > 1 || again;
    }
    if (!f.repeats) {
      EXPECT_FALSE(std::any_of(rows.begin(), rows.end(), [](const auto& x) { return x.second > 1; })) << seed;
    }
  }
  EXPECT_EQ(written.size(), 6U);
  EXPECT_TRUE(again);
  EXPECT_TRUE(late);
}

// Whoever went to the accused address is an owner, whatever the scenario meant it to be; whoever only asked for the name is not.
TEST(DrillTruth, OwnersAreAllThatWentThere) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const Scenario s = scenario("package-mirror");
    const World w = simulate(s, seed, {});
    const Cluster& c = w.clusters[w.affected];
    Ledger ledger;
    for (const Cluster& k : w.clusters)
      ledger.contacts.emplace_back(k.contacts.size(), uint8_t{0}), ledger.pods.emplace_back(k.pods.size(), uint8_t{0});
    std::set<std::string> went;
    for (const Contact& k : c.contacts)
      if (k.address == w.accused) went.insert(w.workload_of(c, c.pods[k.pod]).name);
    std::set<std::string> owners;
    for (const TrueOwner& o : tell_truth(w, ledger, {"default", 0}, seed).owners) owners.insert(o.name);
    EXPECT_EQ(owners, went) << seed;
  }
  const Scenario s = scenario("feed-cron");
  const World w = simulate(s, 3, {});
  Ledger ledger;
  for (const Cluster& k : w.clusters)
    ledger.contacts.emplace_back(k.contacts.size(), uint8_t{0}), ledger.pods.emplace_back(k.pods.size(), uint8_t{0});
  const Truth t = tell_truth(w, ledger, {"default", 0}, 3);
  ASSERT_EQ(t.owners.size(), 1U);
  EXPECT_EQ(t.owners[0].kind, "CronJob");
}

// It renders in every profile, more is logged with each, and the truth is one that the rows bear.
class EveryScenario : public testing::TestWithParam<std::string> {};

TEST_P(EveryScenario, RendersInEveryProfile) {
  const Scenario s = scenario(GetParam());
  uint64_t rows_before = 0;
  bool known_before = false;
  for (const char* profile : {"default", "recommended", "everything"}) {
    SCOPED_TRACE(profile);
    Folder folder(s.id + profile);
    RenderOptions o;
    o.seed = 3;
    o.profile = profile;
    o.out = folder.path();
    o.scale.hours = 2;
    o.scale.clusters = 2;
    const auto r = render(s, o);
    ASSERT_TRUE(r) << r.error().message;
    EXPECT_FALSE(r->owner.empty());
    EXPECT_GT(r->contacts, 0U);
    EXPECT_FALSE(fs::exists(r->evidence / "truth.json"));
    uint64_t rows = 0;
    for (const auto& [kind, t] : r->totals) rows += t.rows;
    EXPECT_GT(rows, rows_before);
    rows_before = rows;
    // What more logs say can only add to what is known.
    EXPECT_TRUE(r->knowable || !known_before) << r->why;
    known_before = r->knowable;
    EXPECT_NE(slurp(r->truth).find("\"knowable\""), std::string::npos);
  }
}

std::vector<std::string> scenario_ids() {
  std::vector<std::string> ids;
  if (const auto all = all_scenarios())
    for (const Scenario& s : *all) ids.push_back(s.id);
  return ids;
}

INSTANTIATE_TEST_SUITE_P(Scenarios, EveryScenario, testing::ValuesIn(scenario_ids()), [](const auto& of) {
  std::string name = of.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(DrillRender, MoreConnectionsWhenAsked) {
  const Scenario s = scenario("monitoring-agent");
  Scale scale;
  scale.hours = 2;
  scale.flows = 60'000;
  const World w = simulate(s, 1, scale);
  uint64_t n = 0;
  for (const Cluster& c : w.clusters) n += c.contacts.size();
  EXPECT_GT(n, 55'000U);
  EXPECT_LT(n, 90'000U);
}

TEST(DrillRequests, PayloadsAreEncoded) {
  const World w = simulate(scenario("payment-pod"), 1, {});
  const Cluster& c = w.clusters[w.affected];
  std::set<std::string> targets;
  for (const Inbound& q : c.inbound) {
    if (!q.ssrf) continue;
    const Request r = request_of(w, c, w.workload_of(c, c.pods[q.pod]), q);
    EXPECT_EQ(r.target.find("http://"), std::string::npos) << r.target;
    EXPECT_FALSE(r.made.empty());
    targets.insert(r.target);
  }
  EXPECT_GE(targets.size(), 4U);
}

}  // namespace
}  // namespace egret::drill
