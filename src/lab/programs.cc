#include "lab/programs.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "drill/writers.h"
#include "lab/envoy.h"
#include "lab/network.h"

namespace egret::lab {

using namespace drill;

namespace {

std::string span(Range r, double divide = 1) { return fmt::format("{:.3f}..{:.3f}", r.low / divide, r.high / divide); }

// One habit as a line of the client's script. What happens again and again is as much faster as the lab's time; how long one
// contact lasts and how much it carries stays, within what a small machine takes.
std::string step(const World& w, const Habit& h, const Folders& f, const Workload& x) {
  const double compress = f.compress;
  const Endpoint& e = w.endpoints[h.endpoint];
  const auto cap = [](Range r, double most) { return Range{std::min(r.low, most), std::min(r.high, most)}; };
  std::string line = fmt::format("name={} port={} out={} in={} hold={}", e.name, e.port, span(cap(h.out, 4e6)), span(cap(h.in, 2e6)),
                                 span(cap(h.lasts, 1)));
  if (h.literal) line += fmt::format(" address={}", ip_text(e.pools[0][0]));
  if (e.port == 443 || e.port == 8443) line += " tls=1";
  if (h.exfil_dns) line += " tunnel=1";
  if (h.after_config) line += fmt::format(" when={}", settings_file(f, x).string());
  // A run has its work to do: a CronJob's once, a Job's some six times, and then it has nothing more to do until it ends.
  if (h.on == Act::On::kAlways && is_run_to_its_end(x))
    line += fmt::format(" start=1..2 count={} every={}", x.kind == "Job" ? 6 : 1, span(h.every, compress));
  else if (h.on == Act::On::kAlways)
    line += fmt::format(" count=0 start={} every={} scattered={}", span({0, h.every.high}, compress), span(h.every, compress),
                        h.scattered ? 1 : 0);
  else
    line += fmt::format(" start={} count={} every=0.4..1.5", span(cap(h.wait, 4)), std::max(1, static_cast<int>(h.repeat.low)));
  return line + '\n';
}

}  // namespace

Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return unavailable(fmt::format("{} cannot be written", path.string()));
  return {};
}

Result<std::vector<Program>> programs_of(const World& w, uint32_t cluster, uint32_t pod, const Folders& f) {
  const Cluster& c = w.clusters[cluster];
  const Pod& p = c.pods[pod];
  const Workload& x = w.workload_of(c, p);
  Program main{x.container, p.container_id, {f.program}, 0};
  Words& words = main.command;
  const auto add = [&](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  if (x.name == "coredns") {
    add({"resolver", "--pod", p.name, "--zone", f.scripts / "zone", "--log", f.logs / "coredns.log"});
    return std::vector{std::move(main)};
  }
  const Revision& r = c.placements[p.placement].revisions[p.revision];
  std::string script;
  const Habit* check = nullptr;
  const bool again = p.started != kNever;  // its container starts once more
  for (const Habit& h : x.habits) {
    if ((h.bad_only && !r.bad) || (h.only_affected && !c.affected) || (h.on == Act::On::kRestart && !again)) continue;
    if (h.culprit && h.on == Act::On::kNodeStart) {
      check = &h;
      continue;
    }
    // What the hole makes the service do is done by whoever uses the hole.
    if (!(h.culprit && x.ssrf)) script += step(w, h, f, x);
  }
  const std::string who = x.ns + '/' + p.name;
  const std::string resolver(x.dns_default ? std::string(kPlatformResolver) : ip_text(c.dns_service));
  const std::filesystem::path script_file = f.scripts / (p.name + ".script"), truth = f.truth / (p.name + ".jsonl");
  TRY_VOID(write_file(script_file, script));
  if (x.ssrf) {
    add({"shop", "--http", "8080", "--resolver", resolver, "--hole", r.bad ? "1" : "0", "--log", f.truth / (p.name + ".requests"),
         "--script", script_file, "--truth", truth, "--who", who});
  } else if (check != nullptr) {
    const Endpoint& to = w.endpoints[check->endpoint];
    std::string own = "kubernetes.default.svc.cluster.local";
    for (const Habit& h : x.habits)
      if (!h.culprit) own = w.endpoints[h.endpoint].name;
    add({"agent", "--own", own, "--check", to.name, "--check-port", std::to_string(to.port), "--script", script_file, "--resolver",
         resolver, "--truth", truth, "--who", who});
  } else {
    add({"client", "--script", script_file, "--resolver", resolver, "--truth", truth, "--who", who, "--once",
         x.kind == "CronJob" ? "1" : "0"});
  }
  std::vector<Program> all{std::move(main)};
  if (x.sidecar) {
    TRY(std::string envoy, envoy_program());
    const std::filesystem::path configuration = f.scripts / (p.name + ".envoy.json"), log = f.logs / "envoy" / (p.name + ".log");
    std::error_code ec;
    std::filesystem::create_directories(log.parent_path(), ec);
    TRY_VOID(write_file(configuration, envoy_configuration(p.name, x.ns, log)));
    // The sidecar first, as Istio holds the program until its proxy is ready.
    all.insert(all.begin(), {"istio-proxy",
                             container_id(x, p, "istio-proxy"),
                             {std::move(envoy), "-c", configuration, "--concurrency", "1", "--disable-hot-restart", "--log-level",
                              "warning", "--file-flush-interval-msec", "200"},
                             kProxyGroup});
  }
  return all;
}

std::filesystem::path settings_file(const Folders& f, const Workload& x) { return f.scripts / (x.name + ".settings"); }

Result<Words> host_program(const World& w, const Workload& x, const std::string& node, bool boots, const Folders& f) {
  std::string script;
  for (const Habit& h : x.habits)
    if (boots || h.on == Act::On::kAlways) script += step(w, h, f, x);
  const std::filesystem::path script_file = f.scripts / fmt::format("{}-{}.script", node, x.name);
  TRY_VOID(write_file(script_file, script));
  // A program is known by the name that it was started by.
  const std::filesystem::path program = f.scripts / x.name;
  std::error_code ec;
  std::filesystem::create_symlink(f.program, program, ec);
  if (ec && ec != std::errc::file_exists) return unavailable(fmt::format("{} cannot be made: {}", program.string(), ec.message()));
  return Words{program,      "client",
               "--script",   script_file,
               "--resolver", std::string(kPlatformResolver),
               "--truth",    f.truth / fmt::format("{}-{}.jsonl", node, x.name),
               "--who",      fmt::format("{}/{}/{}", x.ns, x.kind, x.name)};
}

}  // namespace egret::lab
