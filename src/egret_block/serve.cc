// egret-block-serve: what `egret-block serve` starts.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "sensor/block_service.h"
#include "sensor/privileges.h"
#include "sensor/stop_signals.h"
#include "socket.h"

namespace egret::block {

namespace {

constexpr std::string_view kMore =
    "Loads the blocking programs, attaches them to the node's part of the cgroup tree and answers at the control socket, until SIGTERM or "
    "SIGINT. "
    "Without entries nothing is left in the kernel then; entries stay in force until their own end, whatever happens to this process.\n"
    "Needs root, or CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, the host's pid namespace, "
    "a cgroup2 "
    "mount and /sys/fs/bpf. docs/sensor-privileges.md says what each is for.\n\n"
    "  egret-block serve --never 10.0.0.1 --never 10.96.0.10\n"
    "  egret-block serve --name n1 --cgroup-root /sys/fs/cgroup/unified/lab/n1 --netns /run/netns/n1";

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 &&
         std::ranges::all_of(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; });
}

Result<void> need_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return unavailable(fmt::format("{}: {}", folder, error.message()));
  return {};
}

// One controller for a name: held until the process ends.
Result<void> hold_lock(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return unavailable(fmt::format("{}: {}", file, std::strerror(errno)));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0)
    return unavailable(fmt::format("another egret-block holds {}", file), "stop it, or give this one a --name of its own");
  return {};
}

// A node that is overloaded is the very one that has to be cut off: the lowest real-time priority, or where that is not to be had (no
// CAP_SYS_NICE, a control group without real-time share) a nice value. Threads do not inherit it: what comes after the kernel's maps has
// time.
void before_all_others() {
  sched_param p{};
  p.sched_priority = ::sched_get_priority_min(SCHED_RR);
  if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &p) == 0) return;
  p.sched_priority = 0;
  (void)::sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &p);
  (void)::setpriority(PRIO_PROCESS, 0, -15);
}

Result<void> run(sensor::BlockControlOptions control_options, const sensor::BlockServiceOptions& service,
                 const std::vector<std::string>& never, bool quiet) {
  for (const auto& text : never) {
    const auto range = Cidr::parse(text);
    if (!range) return usage_error(fmt::format("--never {} is no address or range", text));
    control_options.never.push_back(*range);
  }
  const auto mounts = sensor::cgroup_mounts();
  if (mounts.unified.empty())
    return unavailable("no unified cgroup hierarchy is mounted",
                       "mount -t cgroup2 none /sys/fs/cgroup/unified; the blocking programs hang there");
  auto& root = control_options.places.cgroup_root;
  if (root.empty()) root = mounts.unified;
  while (root.size() > 1 && root.ends_with('/')) root.pop_back();
  if (root != mounts.unified && !root.starts_with(mounts.unified + "/"))
    return usage_error(fmt::format("--cgroup-root {} is not below {}, where the unified hierarchy is mounted", root, mounts.unified));
  control_options.kernel.cgroup_folder = root;
  TRY_VOID(need_folder(service.socket.substr(0, service.socket.rfind('/'))));
  TRY_VOID(need_folder(control_options.journal.substr(0, control_options.journal.rfind('/'))));
  TRY_VOID(hold_lock(control_options.journal + ".lock"));

  const int stop = sensor::stop_signals();
  const SystemClock clock;
  TRY(const auto control, sensor::BlockControl::open(control_options, clock));
  before_all_others();
  TRY_VOID(sensor::drop_privileges(sensor::Role::kBlock));
  TRY_VOID(sensor::serve_block(*control, service, stop, [&] {
    if (quiet) return;
    fmt::print("egret-block: ready at {}, {} in force, for everything below {}\n", service.socket,
               count_of(control->size(), "entry", "entries"), root);
    std::fflush(stdout);
  }));
  control->stop();
  return {};
}

int serve(const std::vector<std::string>& args) {
  sensor::BlockControlOptions control;
  sensor::BlockServiceOptions service;
  control.places.cgroup_root.clear();
  service.socket.clear();
  std::string name = "block", state = "/var/lib/egret-block";
  std::vector<std::string> never;
  bool quiet = false;
  cli::Options options("egret-block serve", "Switches blocking on for this node.", kMore);
  options.value("--name", name, "NAME", "tells several services on one machine apart: socket, journal and pins carry it (default block)")
      .value("--cgroup-root", control.places.cgroup_root, "DIR", "the node's part of the unified cgroup tree (default: all of it)")
      .value("--netns", control.places.netns, "PATH", "the node's network namespace, for its conntrack (default: this process's)")
      .value("--socket", service.socket, "PATH", "the control socket (default /run/egret/NAME.sock)")
      .value("--group", service.group, "GROUP", "who besides root may use it")
      .value("--state", state, "DIR", "folder of the journal (default /var/lib/egret-block)")
      .value("--pod-logs", control.places.pod_logs, "DIR", "kubelet's log folders, which name pods (default /var/log/pods)")
      .values("--never", never, "CIDR", "addresses that no entry may touch: the API server, the resolver")
      .flag("--quiet", quiet, "say nothing when ready");
  if (const auto code = options.parse(args)) return *code;
  if (!is_name(name))
    return cli::report(Error{ErrorKind::kUsage, fmt::format("--name {} has more than letters, digits, - and _", terminal_safe(name)), {}});
  if (service.socket.empty()) service.socket = socket_of(name);
  control.journal = fmt::format("{}/{}.json", state, name);
  control.kernel.pin_folder = fmt::format("/sys/fs/bpf/egret-{}", name);
  const auto done = run(control, service, never, quiet);
  return done ? cli::kDone : cli::report(done.error());
}

}  // namespace
}  // namespace egret::block

int main(int argc, char** argv) { return egret::block::serve({argv + 1, argv + argc}); }
