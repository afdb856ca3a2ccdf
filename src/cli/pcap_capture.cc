// egret pcap capture: the packets of one pod, taken in its network namespace.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstring>

#include "base/clock.h"
#include "base/duration.h"
#include "base/text.h"
#include "capture/live.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/packet_filter.h"
#include "cli/pod_process.h"

#ifndef EGRET_VERSION
#define EGRET_VERSION "dev"
#endif

namespace egret::cli {
namespace {

constexpr std::string_view kMore =
    "Runs on the pod's node as root, sees that pod's packets only, changes nothing, and ends by itself. The file is pcapng; who it is of\n"
    "stands in its comment, where Wireshark shows it and egret reads it.\n\n"
    "  egret pcap capture --pod payment/pay-7c9d-x2k4f --for 60s --max 50MB\n"
    "  egret pcap capture --pod payment/pay-7c9d-x2k4f --filter 'tcp port 443' --out pay.pcapng\n"
    "  egret pcap capture --netns 4711 --out - | egret pcap read -\n"
    "  egret investigate FOLDER                     # with the file in it";

std::atomic<bool> stop_now{false};

// "50MB", "2 GiB", "1000000".
Result<uint64_t> parse_size(std::string_view text) {
  const std::string_view s = trim(text);
  uint64_t n = 0;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), n);
  const std::string unit = to_lower(trim(s.substr(static_cast<size_t>(end - s.data()))));
  struct Unit {
    std::string_view name;
    uint64_t factor;
  };
  static constexpr Unit kUnits[] = {{"", 1},          {"b", 1},          {"k", 1000},       {"kb", 1000},         {"kib", 1 << 10},
                                    {"m", 1'000'000}, {"mb", 1'000'000}, {"mib", 1u << 20}, {"g", 1'000'000'000}, {"gb", 1'000'000'000},
                                    {"gib", 1u << 30}};
  for (const Unit& u : kUnits)
    if (ec == std::errc{} && u.name == unit && n > 0 && n < (1u << 30)) return n * u.factor;
  return usage_error(fmt::format("'{}' is no size", text), "write for example 50MB, 1GiB");
}

std::string default_name(const capture::Identity& id, Ticks now) {
  const Civil c = civil_from_ticks(now);
  const std::string who = id.pod.empty() ? "netns" : id.name_space + "_" + id.pod;
  return fmt::format("{}_{:04}{:02}{:02}T{:02}{:02}{:02}Z.pcapng", who, c.year, c.month, c.day, c.hour, c.minute, c.second);
}

}  // namespace

int pcap_capture(const std::vector<std::string>& args) {
  std::string pod, netns, duration = "60s", most = "50MB", filter, out, node, cluster;
  std::vector<std::string> interfaces;
  sensor::PodSources sources;
  int64_t snap = 262'144;
  Options o("pcap capture", "Captures the packets of one pod into a file, bounded in time and size.", kMore);
  o.value("--pod", pod, "NS/NAME", "the pod; it must run on this node")
      .value("--netns", netns, "PATH|PID", "a network namespace instead: its file, or a process in it")
      .value("--for", duration, "SPAN", "how long (default 60s)")
      .value("--max", most, "SIZE", "how large the file may become (default 50MB)")
      .value("--filter", filter, "EXPRESSION", "only these packets, as tcpdump writes it (tcp port 443 and host 192.0.2.1)")
      .values("--interface", interfaces, "NAME", "only this one (default: all but loopback); repeatable")
      .value("--snap", snap, "BYTES", "of each packet at most (default all)")
      .value("--out", out, "FILE", "where to write (default NS_NAME_TIME.pcapng; - is standard output)")
      .value("--pods", sources.pods, "PATH", "pods as kubectl get pods -o json prints them, for names and owners")
      .value("--pod-logs", sources.logs, "DIR", "kubelet's folder of pod logs (default /var/log/pods)")
      .value("--node", node, "NAME", "the node's name (default the pod's or this host's)")
      .value("--cluster", cluster, "NAME", "the cluster's name, for the file's comment");
  if (const auto code = o.parse(args)) return *code;

  capture::LiveOptions options;
  if (pod.empty() == netns.empty())
    return report(Error{ErrorKind::kUsage, pod.empty() ? "neither --pod nor --netns was given" : "both --pod and --netns were given",
                        "give one of them"});
  const auto span = parse_duration(duration);
  if (!span) return report(Error{ErrorKind::kUsage, fmt::format("'{}' is no length of time", duration), "write for example 60s, 5m"});
  const auto size = parse_size(most);
  if (!size) return report(size.error());
  if (*span <= 0 || snap < 64) return report(Error{ErrorKind::kUsage, "--for and --snap (64 or more) must be above nothing"});
  if (!filter.empty()) {
    options.compile = [&](int link_type, uint32_t snap_length) { return compile_packet_filter(filter, link_type, snap_length); };
    if (const auto checked = options.compile(1, 262'144); !checked) return report(checked.error());
  }
  if (!pod.empty()) {
    auto found = find_pod_process(pod, sources);
    if (!found) return report(found.error());
    if (found->host_network)
      return report(Error{ErrorKind::kUsage,
                          fmt::format("pod {} uses the node's own network: its packets cannot be told from the node's there", pod),
                          fmt::format("the node's are had with: egret pcap capture --netns {} --filter EXPRESSION", found->pid)});
    options.identity = std::move(found->identity);
    options.netns = fmt::format("/proc/{}/ns/net", found->pid);
  } else {
    const bool is_pid = netns.find_first_not_of("0123456789") == std::string::npos;
    options.netns = is_pid ? "/proc/" + netns + "/ns/net" : netns;
  }
  if (!node.empty()) options.identity.node = node;
  options.identity.cluster = cluster;
  options.interfaces = interfaces;
  options.duration = *span * 100;
  options.most_bytes = *size;
  options.snap_length = static_cast<uint32_t>(std::min<int64_t>(snap, 262'144));
  options.filter = filter;
  options.application = "egret " EGRET_VERSION;
  options.stop = &stop_now;

  if (out.empty()) out = default_name(options.identity, SystemClock().now());
  const int fd = out == "-" ? ::dup(STDOUT_FILENO) : ::open(out.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return report(Error{ErrorKind::kUnavailable, fmt::format("{} cannot be written: {}", out, std::strerror(errno)),
                        errno == EEXIST ? "name another file with --out; a capture never overwrites one" : ""});
  struct sigaction action{};
  action.sa_handler = [](int) { stop_now = true; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);

  options.started = [&](const std::vector<capture::LiveInterface>& on) {
    std::vector<std::string> names;
    for (const auto& i : on) names.push_back(i.name);
    fmt::print(stderr, "capturing on {} of {}, at most {} and {}; Ctrl-C ends it\n", join(names, ", "), pod.empty() ? options.netns : pod,
               format_duration(*span), format_bytes(*size));
  };
  const auto result = capture::capture_live(options, fd);
  if (!result) {
    if (struct stat st{}; out != "-" && ::stat(out.c_str(), &st) == 0 && st.st_size == 0) ::unlink(out.c_str());
    return report(result.error());
  }
  using End = capture::LiveResult::End;
  fmt::print(stderr, "{}, {}{} in {}: {}\n", count_of(result->packets, "packet"), format_bytes(result->bytes),
             result->dropped ? fmt::format(", {} lost", with_thousands(result->dropped)) : "", out == "-" ? "standard output" : out,
             result->end == End::kTime      ? "the time is over"
             : result->end == End::kSize    ? "the size is reached"
             : result->end == End::kStopped ? "stopped"
                                            : "the pod is gone");
  return kDone;
}

}  // namespace egret::cli
