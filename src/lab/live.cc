#include "lab/live.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/json.h"
#include "drill/vocabulary.h"
#include "lab/attack.h"
#include "lab/programs.h"

namespace egret::lab {

using namespace drill;

namespace {

constexpr double kQuietSeconds = 2;

struct Moment {
  double at;              // share of the timeline
  const Happening* what;  // null: nothing, the fleet just lives
  uint32_t cluster;
  uint32_t run = UINT32_MAX;  // placement of the CronJob whose time it is
};

constexpr double kRunSeconds = 4;  // really lived after a run of a CronJob has begun

std::vector<Moment> moments_of(const Lab& lab, int quiet, double hours) {
  std::vector<Moment> all;
  for (int i = 0; i < quiet; ++i) all.push_back({(i + 0.5) / quiet, nullptr, 0});
  const World& w = lab.world();
  for (size_t i = 0; i < w.scenario->timeline.size(); ++i) {
    const Happening& h = w.scenario->timeline[i];
    for (uint32_t c = 0; c < w.clusters.size(); ++c) {
      if (h.where != "all" && (h.where == "affected") != w.clusters[c].affected) continue;
      Random r = Random(w.seed).fork("live " + w.clusters[c].name, i);
      for (int64_t k = h.what == "release" ? 1 : r.whole(h.count); k > 0; --k) all.push_back({r.real(h.at), &h, c});
    }
  }
  for (uint32_t c = 0; c < w.clusters.size(); ++c)
    for (uint32_t p = 0; p < w.clusters[c].placements.size(); ++p) {
      const Workload& x = w.workloads[w.clusters[c].placements[p].workload];
      if (x.kind != "CronJob" || x.actor.empty()) continue;
      const double period = x.every_minutes / 60.0 / hours;
      for (double at = period / 3; at < 1; at += period) all.push_back({at, nullptr, c, p});
    }
  std::stable_sort(all.begin(), all.end(), [](const Moment& a, const Moment& b) { return a.at < b.at; });
  return all;
}

// Clients of the internet that follow a script.
Result<void> come(Lab& lab, const std::string& who, uint32_t cluster, const std::string& script) {
  if (script.empty()) return {};
  const std::string name = fmt::format("{}-{}", who, cluster);
  const std::filesystem::path file = lab.home() / "scripts" / (name + ".script"), truth = lab.home() / "truth" / (name + ".jsonl");
  TRY_VOID(write_file(file, script));
  TRY_VOID(lab.start_on_internet(name, {lab.pod_program(), "client", "--script", file, "--truth", truth, "--who", who}));
  return {};
}

Result<std::string> happen(Lab& lab, const Moment& m) {
  const Cluster& c = lab.world().clusters[m.cluster];
  if (m.what->what == "scale-up") {
    TRY(const uint32_t node, lab.add_node(m.cluster, true));
    return fmt::format("{}: node {} joined", c.name, c.nodes[node].name);
  }
  for (uint32_t p = 0; p < c.placements.size(); ++p) {
    const Workload& x = lab.world().workloads[c.placements[p].workload];
    if (!lab.world().scenario->concerns(*m.what, x.actor)) continue;
    if (x.kind == "Job" && m.what->what == "restart") {  // it is somebody's doing that it runs
      TRY_VOID(lab.run_job(m.cluster, p, 0));
      return fmt::format("{}: Job {} created", c.name, x.name);
    }
    if (m.what->what == "deploy") {
      TRY_VOID(lab.deploy(m.cluster, p));
      return fmt::format("{}: {} {} created", c.name, x.kind, x.name);
    }
    if (m.what->what == "config-change") {
      Random person = Random(lab.world().seed).fork("settings");
      TRY_VOID(lab.change_settings(m.cluster, p, std::string(person.pick(kPeople))));
      return fmt::format("{}: settings of {} changed", c.name, x.name);
    }
    if (m.what->what == "release") {
      TRY_VOID(lab.release(m.cluster, p));
      if (c.affected && x.ssrf) TRY_VOID(come(lab, "attacker", m.cluster, attack(lab.world(), m.cluster)));
      return fmt::format("{}: {} {} released", c.name, x.name, c.placements[p].revisions.back().tag);
    }
    for (uint32_t pod = 0; pod < c.pods.size(); ++pod) {
      if (c.pods[pod].placement != p || c.pods[pod].ended != kNever) continue;
      TRY_VOID(lab.restart_pod(m.cluster, pod));
      return fmt::format("{}: {} restarted", c.name, c.pods[pod].name);
    }
  }
  return fmt::format("{}: nothing to {}", c.name, m.what->what);
}

// What runs to its end comes to it before the clock is put forward; a run is a matter of seconds.
constexpr double kLongestRun = 30;

// Real seconds go by; meanwhile what is due becomes reachable.
Result<void> live_on(Lab& lab, double seconds) {
  const Micros end = now_micros() + static_cast<Micros>(seconds * kSecond);
  while (now_micros() < end) {
    TRY_VOID(lab.tend());
    ::usleep(100'000);
  }
  while (lab.has_runs() && now_micros() < end + static_cast<Micros>(kLongestRun * kSecond)) {
    TRY_VOID(lab.tend());
    ::usleep(100'000);
  }
  return {};
}

Result<void> play_timeline(Lab& lab, const LiveOptions& o) {
  const Micros begin = now_micros(), whole = static_cast<Micros>(o.hours * kHour);
  const auto skip_to = [&](double share) {
    return lab.skip(static_cast<Micros>(share * static_cast<double>(whole)) - lab.lapse().between(begin, now_micros()));
  };
  TRY_VOID(live_on(lab, o.seconds));
  for (const Moment& m : moments_of(lab, o.quiet, o.hours)) {
    TRY_VOID(skip_to(m.at));
    TRY_VOID(lab.end_jobs());  // they have run for some part of an hour
    if (m.run != UINT32_MAX) {
      // What is left of the hours is the past of the moment at which they end, which is soon.
      TRY_VOID(lab.run_job(m.cluster, m.run, (now_micros() - static_cast<Micros>((1 - m.at) * static_cast<double>(whole))) / kMinute));
      TRY_VOID(live_on(lab, kRunSeconds));
      continue;
    }
    if (m.what == nullptr) {
      TRY_VOID(live_on(lab, kQuietSeconds));
      continue;
    }
    TRY(const std::string said, happen(lab, m));
    o.tell(said);
    TRY_VOID(live_on(lab, o.seconds));
  }
  TRY_VOID(skip_to(1));
  // Somebody has been told by now, and looks at the pods that are suspected. It is the present: a capture keeps its times.
  constexpr int kCaptureSeconds = 8;
  const World& w = lab.world();
  for (uint32_t p = 0; p < w.clusters[w.affected].pods.size(); ++p) {
    const Pod& pod = w.clusters[w.affected].pods[p];
    if (pod.ended == kNever && w.workload_of(w.clusters[w.affected], pod).ssrf) TRY_VOID(lab.capture(w.affected, p, kCaptureSeconds));
  }
  return live_on(lab, std::max(o.seconds / 2, kCaptureSeconds + 1.5));
}

const Workload* culprit_of(const World& w) {
  for (const Workload& x : w.workloads)
    if (x.actor == "culprit") return &x;
  return nullptr;
}

// Whom the answer may name: every actor that contacts the address; a process of the node has a name only where a sensor saw it.
std::vector<std::string> owners_of(const World& w, bool sensors) {
  std::vector<std::string> all;
  for (const Workload& x : w.workloads) {
    if (x.actor.empty()) continue;
    const bool contacts = std::ranges::any_of(x.habits, [&](const Habit& h) {
      const auto& pool = w.endpoints[h.endpoint].pools[w.clusters[w.affected].region_index];
      return h.culprit && std::ranges::find(pool, w.accused) != pool.end();
    });
    if (x.actor != "culprit" && !contacts) continue;
    all.push_back(fmt::format("{}/{}/{}", x.ns, x.kind, x.name));
    if (x.kind == "HostProcess" && !sensors) all.push_back(fmt::format("{}/{}/unnamed", x.ns, x.kind));
  }
  return all;
}

Result<Live> play_in(std::unique_ptr<Lab> lab, const LiveOptions& o) {
  if (holed(lab->world()) != nullptr)
    for (uint32_t c = 0; c < lab->world().clusters.size(); ++c) TRY_VOID(come(*lab, "visitors", c, visits(lab->world(), c)));
  TRY_VOID(play_timeline(*lab, o));
  Live live;
  live.folder = o.out / "evidence";
  TRY_VOID(lab->end_sensors());
  TRY(live.evidence, write_evidence(*lab, live.folder));
  TRY_VOID(copy_truth(*lab, o.out / "truth"));
  const World& w = lab->world();
  const Workload* culprit = culprit_of(w);
  live.owner = fmt::format("{}/{}/{}", culprit->ns, culprit->kind, culprit->name);
  live.owners = owners_of(w, lab->options().sensors);
  live.classifications = w.scenario->classifications;
  live.triggers = w.scenario->triggers;
  JsonWriter j(2);
  j.begin_object()
      .key("scenario")
      .string(w.scenario->id)
      .key("live")
      .boolean(true)
      .key("seed")
      .number(static_cast<int64_t>(lab->options().fleet.seed));
  j.key("cluster")
      .string(w.clusters[w.affected].name)
      .key("address")
      .string(ip_text(w.accused))
      .key("name")
      .string(w.endpoints[w.target].name);
  j.key("owner").string(live.owner).key("classification").string(w.scenario->classifications.front()).key("contacts_from").begin_array();
  for (const std::string& node : live.evidence.contacts_from) j.string(node);
  j.end_array().end_object();
  TRY_VOID(write_file(o.out / "truth.json", std::move(j).take() + '\n'));
  if (live.evidence.contacts_from.empty())
    return unavailable(fmt::format("{} did not happen: the border saw no contact with {}", w.scenario->id, ip_text(w.accused)),
                       "a longer --seconds gives it more time; what was logged is in " + o.out.string());
  live.lab = std::move(lab);
  return live;
}

}  // namespace

Result<Live> play(const LiveOptions& options) {
  std::error_code ec;
  std::filesystem::create_directories(options.out, ec);
  TRY(const Scenario scenario, find_scenario(options.lab.fleet.scenario));
  // As many contacts as the fleet would make in those hours, in the seconds that it really lives.
  LabOptions up = options.lab;
  double lived = options.seconds * (1.5 + static_cast<double>(scenario.timeline.size())) + options.quiet * kQuietSeconds;
  for (const Actor& a : scenario.actors)
    if (a.kind == "CronJob") lived += kRunSeconds * options.hours * 60 / std::max(1, std::atoi(a.schedule.c_str()));
  up.compress = options.hours * 3600 / lived;
  // A node takes long enough to boot for what happens before its kubelet registers.
  for (const Actor& a : scenario.actors)
    for (const Act& act : a.acts)
      if (a.kind == "HostProcess" && act.on == Act::On::kNodeStart) up.boot_seconds = std::max(up.boot_seconds, act.wait.high + 1.5);
  TRY(std::unique_ptr<Lab> lab, Lab::up(up));
  options.tell(fmt::format("the fleet of {} is up as lab '{}'", options.lab.fleet.scenario, options.lab.id));
  auto live = play_in(std::move(lab), options);
  if (!live)
    if (const auto gone = Lab::down(options.lab.id); !gone) options.tell(gone.error().message);
  return live;
}

}  // namespace egret::lab
