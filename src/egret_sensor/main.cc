// egret-sensor: options, signals, and the sensor. Nothing else.
#include <fmt/format.h>

#include "base/duration.h"
#include "cli/command.h"
#include "cli/options.h"
#include "sensor/sensor.h"
#include "sensor/stop_signals.h"

namespace egret {
namespace {

constexpr std::string_view kMore =
    "Rows are written as segments (docs/formats/sensor-segments.md); `egret ingest --follow DIR` takes them in. Runs until SIGTERM or "
    "SIGINT.\n"
    "Needs root, or CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_DAC_READ_SEARCH with a cgroup2 mount, BTF and the host's pid namespace.\n\n"
    "  egret-sensor --out /var/lib/egret/spool --cluster prod-weu\n"
    "  egret-sensor --out /tmp/rows --node n1 --cgroup-root /sys/fs/cgroup/unified/lab/n1 --pods /tmp/lab/pods";

Result<Ticks> span_option(const std::string& name, const std::string& text) {
  if (const auto d = parse_duration(text); d && *d > 0) return *d;
  return usage_error(fmt::format("{} {} is no length of time", name, text), "write it as 10s or 1m");
}

int run(const std::vector<std::string>& args) {
  sensor::SensorOptions o;
  std::string window = "10s", segment = "5s", processes = "network";
  int64_t spool_mb = 256, rows = 50;
  bool version = false;
  cli::Options options("sensor", "Sees every outbound connection of this node, with the pod and the process that made it.", kMore);
  options.value("--out", o.out, "DIR", "folder for the segments of rows")
      .value("--cluster", o.cluster, "NAME", "the cluster's short name, put into every row")
      .value("--node", o.node, "NAME", "this node's name (default: the host's)")
      .value("--cgroup-root", o.cgroup_root, "DIR", "only sockets of tasks below this cgroup (default: the whole machine)")
      .value("--netns", o.netns, "PATH", "the node's network namespace, where addresses are translated (default: the sensor's own)")
      .value("--pods", o.pods.pods, "PATH", "pods as JSON, a file or a folder, read again when it changes: owner, labels, images")
      .value("--pod-logs", o.pods.logs, "DIR", "kubelet's log folders, which name pods (default /var/log/pods)")
      .value("--containerd", o.pods.containerd, "DIR",
             "containerd's running bundles, which name containers (default below /run/containerd)")
      .value("--window", window, "TIME", "how often long connections and sums are written (default 10s)")
      .value("--rows-per-destination", rows, "N",
             "connections of one owner to one destination with a row each in a window; the rest is summed (default 50)")
      .choice("--processes", processes, {"none", "network", "all"},
              "which processes have rows: those seen on the network, or all that start")
      .flag("--inbound", o.inbound, "connections that others open to this node as well")
      .flag("--loopback", o.loopback, "connections over loopback as well")
      .value("--segment-time", segment, "TIME", "how old a segment may grow before it is handed over (default 5s)")
      .value("--spool-mb", spool_mb, "N", "most megabytes of finished segments; the oldest go first, and are counted (default 256)")
      .flag("--no-ebpf", o.no_ebpf, "as on a kernel without eBPF: only what the socket tables in /proc show, once a second")
      .flag("--idle", o.idle, "attach every hook and do nothing in it: what attaching alone costs")
      .flag("--quiet", o.quiet, "say nothing when ready")
      .flag("--verbose", o.verbose, "print what the kernel says of a program that it refuses")
      .flag("--version", version, "print the version");
  if (const auto code = options.parse(args)) return *code;
  if (version) {
    fmt::print("egret-sensor {}\n", EGRET_VERSION);
    return cli::kDone;
  }
  if (o.out.empty())
    return cli::report(Error{ErrorKind::kUsage, "--out is missing", "name the folder that rows go to: egret-sensor --out DIR"});
  const auto window_span = span_option("--window", window), segment_span = span_option("--segment-time", segment);
  if (!window_span) return cli::report(window_span.error());
  if (!segment_span) return cli::report(segment_span.error());
  if (rows < 1 || spool_mb < 1) return cli::report(Error{ErrorKind::kUsage, "--rows-per-destination and --spool-mb want at least 1", ""});
  o.window = *window_span;
  o.segment_time = *segment_span;
  o.rows_per_destination = static_cast<uint64_t>(rows);
  o.spool_bytes = static_cast<uint64_t>(spool_mb) << 20;
  o.processes = processes == "none"  ? sensor::ProcessRows::kNone
                : processes == "all" ? sensor::ProcessRows::kAll
                                     : sensor::ProcessRows::kNetwork;
  const int stop = sensor::stop_signals();
  const auto result = sensor::run_sensor(o, stop);
  return result ? cli::kDone : cli::report(result.error());
}

}  // namespace
}  // namespace egret

int main(int argc, char** argv) { return egret::run({argv + 1, argv + argc}); }
