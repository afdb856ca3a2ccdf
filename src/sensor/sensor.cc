#include "sensor/sensor.h"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstring>
#include <optional>

#include "base/clock.h"
#include "sensor/context.h"
#include "sensor/flows.h"
#include "sensor/lookups.h"
#include "sensor/node_events.h"
#include "sensor/privileges.h"
#include "sensor/probes.h"
#include "sensor/proc_sockets.h"
#include "sensor/requests.h"
#include "sensor/spool.h"
#include "sensor/translations.h"

namespace egret::sensor {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kTick = 20'000'000;  // how late an event of the ring may be read
constexpr uint64_t kSlowTick = kSecond / 4;
constexpr uint64_t kLook = kSecond;  // between two looks at the socket tables
constexpr uint64_t kCoverage = 60 * kSecond;
constexpr uint64_t kKeepDead = 120 * kSecond;  // names of cgroups and processes that are gone
constexpr uint64_t kIdleDatagrams = 60 * kSecond;

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

class Sensor {
 public:
  Sensor(const SensorOptions& options, Cgroups cgroups, std::unique_ptr<Spool> spool, std::string root)
      : options_(options),
        cgroups_(std::move(cgroups)),
        pods_(options.pods),
        owners_(cgroups_, pods_, std::move(root), node_netns(options.netns)),
        spool_(std::move(spool)),
        flows_(context_, {options.rows_per_destination, !options.pods.pods.empty()}),
        lookups_(context_),
        requests_(context_),
        processes_rows_(context_, options.processes),
        events_(context_, spool_->sensor_id()) {
    context_.cluster = options.cluster;
    context_.node = options.node.empty() ? host_name() : options.node;
    context_.owners = &owners_;
    context_.processes = &processes_;
    context_.out = spool_.get();
    flows_.on_owner = [this](const Flow& f, const Identity& identity) { processes_rows_.on_network(f.owner, identity); };
  }

  Result<void> run(const ProbeOptions& probe_options, int stop_fd) {
    pods_.refresh();
    std::string mode = "eBPF";
    if (auto probes = options_.no_ebpf ? Result<std::unique_ptr<Probes>>(unavailable("--no-ebpf was given"))
                                       : Probes::open(probe_options, [this](const EventHeader& e) { handle(e); });
        probes) {
      probes_ = std::move(*probes);
      states_ = probes_->states();
    } else {
      mode = "without eBPF: socket tables read once a second";
      proc_sockets_.emplace(cgroups_);
      states_.push_back(
          {"eBPF",
           "connections that begin and end between two looks at the socket tables, bytes, failures, DNS, TLS, HTTP, and processes "
           "that are gone",
           false, probes.error().message});
    }
    open_translations();
    TRY_VOID(drop_privileges(Role::kObserve));
    const uint64_t start = boot_nanoseconds();
    events_.started(start, 0, states_, mode);
    window_began_ = covered_ = start_ = start;
    probes_ ? sweep() : look();
    // Said after the first look: what begins from here on is seen to begin.
    if (!options_.quiet) say_ready();
    return loop(stop_fd);
  }

 private:
  static uint32_t node_netns(const std::string& path) {
    struct stat s{};
    return stat(path.empty() ? "/proc/1/ns/net" : path.c_str(), &s) == 0 ? static_cast<uint32_t>(s.st_ino) : 0;
  }

  // The kernel is asked for the one entry that a row is about. Listening to its events would cost the node two messages a connection.
  void open_translations() {
    auto socket = NetlinkSocket::open(NETLINK_NETFILTER, options_.netns);
    states_.push_back({"conntrack", "addresses after translation", socket.has_value(), socket ? "" : socket.error().message});
    if (!socket) return;
    translations_.emplace(std::move(*socket), 0);
    context_.translator = &*translations_;
  }

  void say_ready() {
    size_t missing = 0;
    for (const ProbeState& p : states_) {
      if (p.attached) continue;
      ++missing;
      fmt::print(stderr, "egret-sensor: {} is missing ({}); not seen: {}\n", p.name, p.error, p.unseen);
    }
    fmt::print(stderr, "egret-sensor: ready on {}: {} of {} hooks, {} cgroups, {} pods named, rows to {}\n", context_.node,
               states_.size() - missing, states_.size(), cgroups_.size(), pods_.size(), options_.out);
  }

  Result<void> loop(int stop_fd) {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    itimerspec every{};
    every.it_interval.tv_nsec = every.it_value.tv_nsec = kTick;
    timerfd_settime(timer, 0, &every, nullptr);
    for (const int fd : {stop_fd, timer, probes_ ? probes_->fd() : -1}) {
      if (fd < 0) continue;
      epoll_event e{};
      e.events = EPOLLIN;
      e.data.fd = fd;
      epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
    for (bool stop = false; !stop;) {
      epoll_event ready[4];
      const int n = epoll_wait(epoll, ready, 4, -1);
      for (int i = 0; i < n; ++i) {
        if (ready[i].data.fd == stop_fd) stop = true;
        if (ready[i].data.fd == timer) {
          uint64_t ticks = 0;
          (void)!::read(timer, &ticks, sizeof ticks);
        }
      }
      if (probes_) probes_->consume();
      tick(boot_nanoseconds());
    }
    ::close(timer);
    ::close(epoll);
    end(boot_nanoseconds());
    return spool_->finish();
  }

  void handle(const EventHeader& e) {
    switch (e.kind) {
      case kEventFlow: flows_.on_event(reinterpret_cast<const FlowEvent&>(e).flow); break;
      case kEventPayload: {
        const auto& payload = reinterpret_cast<const PayloadEvent&>(e);
        payload.shape == kPayloadDns ? lookups_.on_payload(payload) : requests_.on_payload(payload);
        break;
      }
      case kEventExec: processes_rows_.executed(reinterpret_cast<const ProcessEvent&>(e)); break;
      case kEventExit: processes_rows_.exited(reinterpret_cast<const ProcessEvent&>(e)); break;
      case kEventCgroup: cgroup(reinterpret_cast<const CgroupEvent&>(e)); break;
    }
  }

  // A new pod is named now: its files may be gone when its first packet is looked at.
  void cgroup(const CgroupEvent& e) {
    const CgroupKey key{e.hierarchy, e.id};
    if (e.removed) {
      cgroups_.removed(key, e.header.time);
      return;
    }
    cgroups_.made(key, std::string(e.path, strnlen(e.path, kPathBytes)));
    if (pods_.refresh()) owners_.names_changed();
    owners_.of_cgroup(key);
  }

  void tick(uint64_t now) {
    if (now - slow_tick_ < kSlowTick) return;
    slow_tick_ = now;
    if (pods_.refresh()) owners_.names_changed();
    flows_.tick(now);
    lookups_.tick(now);
    if (proc_sockets_ && now - looked_ >= kLook) look();
    if (now - window_began_ >= static_cast<uint64_t>(options_.window) * 100) end_window(now);
    if (now - covered_ >= kCoverage) end_coverage(now);
    spool_->tick(context_.clock.wall(now));
  }

  void look() {
    looked_ = boot_nanoseconds();
    proc_sockets_->look([this](const Flow& f) { f.stage == kFlowOngoing ? flows_.on_sweep(f) : flows_.on_event(f); });
  }

  void sweep() {
    if (!probes_) return;
    probes_->sweep([this](const Flow& f) { flows_.on_sweep(f); });
    probes_->datagrams(boot_nanoseconds() - kIdleDatagrams, [this](const Flow& f, bool last) { flows_.on_sweep(f, last); });
  }

  void end_window(uint64_t now) {
    context_.clock.refresh();
    sweep();
    flows_.end_window(now);
    if (probes_) events_.kernel_losses(probes_->losses(), window_began_, now);
    events_.spool_losses(spool_->take_loss(), window_began_, now);
    cgroups_.forget_before(now - std::min(now, kKeepDead));
    processes_.forget_before(now - std::min(now, kKeepDead));
    window_began_ = now;
  }

  void end_coverage(uint64_t now) {
    events_.covered(start_, now, flows_.rows());
    covered_ = now;
  }

  void end(uint64_t now) {
    end_window(now);
    flows_.tick(~0ULL);
    lookups_.tick(~0ULL);
    end_coverage(now);
    events_.stopped(now);
  }

  const SensorOptions& options_;
  Context context_;
  Cgroups cgroups_;
  Pods pods_;
  Owners owners_;
  Processes processes_;
  std::unique_ptr<Spool> spool_;
  Flows flows_;
  Lookups lookups_;
  Requests requests_;
  ProcessWriter processes_rows_;
  NodeEvents events_;
  std::unique_ptr<Probes> probes_;
  std::optional<ProcSockets> proc_sockets_;
  std::optional<Translations> translations_;
  std::vector<ProbeState> states_;
  uint64_t slow_tick_ = 0, looked_ = 0, start_ = 0, window_began_ = 0, covered_ = 0;
};

}  // namespace

Result<void> run_sensor(const SensorOptions& options, int stop_fd) {
  SpoolOptions spool_options{options.out, options.node.empty() ? host_name() : options.node, options.spool_bytes};
  spool_options.segment_time = options.segment_time;
  const int64_t start_us = (SystemClock().now() - kUnixEpochTicks) / 10;
  TRY(auto spool, Spool::open(std::move(spool_options), start_us));
  TRY(auto cgroups, Cgroups::open());

  ProbeOptions probe_options;
  probe_options.cgroup_folder = options.cgroup_root.empty() ? cgroups.unified_mount() : options.cgroup_root;
  while (probe_options.cgroup_folder.size() > 1 && probe_options.cgroup_folder.ends_with('/')) probe_options.cgroup_folder.pop_back();
  std::string root;
  if (probe_options.cgroup_folder != cgroups.unified_mount()) {
    if (!probe_options.cgroup_folder.starts_with(cgroups.unified_mount() + "/"))
      return usage_error(fmt::format("--cgroup-root {} is not below {}", options.cgroup_root, cgroups.unified_mount()),
                         "the node's part of the tree is a folder of the unified hierarchy");
    TRY(const CgroupKey key, Cgroups::key_of(probe_options.cgroup_folder));
    probe_options.root_cgroup = key.id;
    root = probe_options.cgroup_folder.substr(cgroups.unified_mount().size());
  }
  probe_options.inbound = options.inbound;
  probe_options.loopback = options.loopback;
  probe_options.idle = options.idle;
  probe_options.verbose = options.verbose;
  probe_options.processes = options.processes != ProcessRows::kNone;
  Sensor sensor(options, std::move(cgroups), std::move(spool), std::move(root));
  return sensor.run(probe_options, stop_fd);
}

}  // namespace egret::sensor
