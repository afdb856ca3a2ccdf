// egret-block: refuses and drops traffic to named addresses on this node, for a limited time. Off unless somebody starts `egret-block
// serve`; the other subcommands ask that service over its control socket. This program is static and small, since the time until it asks is
// time in which packets leave; `serve` is the program egret-block-serve beside it.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/duration.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "sensor/block_client.h"
#include "socket.h"

namespace egret::block {
namespace {

using Do = sensor::BlockRequest::Do;

int ask(const std::string& socket, const std::string& format, const sensor::BlockRequest& request) {
  const auto answer = sensor::ask_block_service(socket, format == "json" ? sensor::BlockReply::kJson : sensor::BlockReply::kText, request);
  if (!answer) return cli::report(answer.error());
  std::fwrite(answer->data(), 1, answer->size(), stdout);
  return cli::kDone;
}

struct Common {
  std::string name = "block", socket, format = "text";
  void add_to(cli::Options& options) {
    options.value("--name", name, "NAME", "the service's name (default block)")
        .value("--socket", socket, "PATH", "its control socket (default /run/egret/NAME.sock)")
        .choice("--format", format, {"text", "json"}, "json: the service's answer as it came (docs/formats/block-control.md)");
  }
  std::string where() const { return socket.empty() ? socket_of(name) : socket; }
};

struct Target {
  std::string pod, cgroup, netns;
  void add_to(cli::Options& options) {
    options
        .value("--pod", pod, "NS/NAME",
               "for this pod alone, by name or UID (default: the whole node, hostNetwork and host processes included)")
        .value("--cgroup", cgroup, "DIR", "for the processes below this cgroup alone")
        .value("--netns", netns, "PATH", "for this network namespace alone");
  }
  Result<std::string> text() const {
    const int given = !pod.empty() + !cgroup.empty() + !netns.empty();
    if (given > 1) return usage_error("--pod, --cgroup and --netns exclude each other");
    if (!pod.empty()) return "pod " + pod;
    if (!cgroup.empty()) return "cgroup " + cgroup;
    if (!netns.empty()) return "netns " + netns;
    return "node";
  }
};

Result<Cidr> range_of(const std::string& text) {
  if (const auto range = Cidr::parse(text)) return *range;
  return usage_error(fmt::format("\"{}\" is no address or range", terminal_safe(text)),
                     "such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32");
}

int add(const std::vector<std::string>& args) {
  Common common;
  Target target;
  std::string address, span;
  sensor::BlockRequest request;
  request.what = Do::kAdd;
  cli::Options options(
      "egret-block add", "Blocks an address or range on this node, for a time.",
      "From then on connect() and sendto() to it end with EPERM, packets to and from it are dropped, connections that are open to it are "
      "ended. A second add of the same address and target sets the end anew.\n\n"
      "  egret-block add 203.0.113.0/24 --for 4h --reason INC-17\n  egret-block add 203.0.113.7 --pod shop/pay-1 --for 30m");
  options.argument("ADDRESS", address, "an address or range", true).value("--for", span, "TIME", "how long, at most 30d (needed): 30m, 4h");
  target.add_to(options);
  options.value("--id", request.id, "ID", "a name for it (default: address and target)")
      .value("--reason", request.reason, "TEXT", "kept with it")
      .flag("--wide", request.wide, "also if the range is a large part of all addresses");
  common.add_to(options);
  if (const auto code = options.parse(args)) return *code;
  const auto range = range_of(address);
  if (!range) return cli::report(range.error());
  request.address = *range;
  if (span.empty())
    return cli::report(Error{ErrorKind::kUsage, "--for is missing", "a block always ends by itself: say after how long, such as --for 4h"});
  const auto length = parse_duration(span);
  if (!length || *length < kTicksPerSecond)
    return cli::report(Error{ErrorKind::kUsage, fmt::format("--for {} is no length of time of a second or more", terminal_safe(span)),
                             "write it as 30m or 4h"});
  request.seconds = *length / kTicksPerSecond;
  const auto whom = target.text();
  if (!whom) return cli::report(whom.error());
  request.target = *whom;
  return ask(common.where(), common.format, request);
}

int remove(const std::vector<std::string>& args) {
  Common common;
  Target target;
  std::string address;
  bool all = false;
  sensor::BlockRequest request;
  request.what = Do::kRemove;
  cli::Options options("egret-block remove", "Takes exactly one block back.",
                       "  egret-block remove 203.0.113.0/24 --pod shop/pay-1\n  egret-block remove --id INC-17");
  options.argument("ADDRESS", address, "the address or range as it was added", false);
  target.add_to(options);
  options.value("--id", request.id, "ID", "by its name").flag("--all", all, "every entry");
  common.add_to(options);
  if (const auto code = options.parse(args)) return *code;
  if (all + !request.id.empty() + !address.empty() != 1)
    return cli::report(
        Error{ErrorKind::kUsage, "one of ADDRESS, --id and --all says what to remove", "egret-block list shows what there is"});
  if (all) request.what = Do::kClear;
  if (!address.empty()) {
    const auto range = range_of(address);
    if (!range) return cli::report(range.error());
    request.address = *range;
  }
  const auto whom = target.text();
  if (!whom) return cli::report(whom.error());
  request.target = *whom;
  return ask(common.where(), common.format, request);
}

int simple(const std::vector<std::string>& args, Do what, std::string_view name, std::string_view summary) {
  Common common;
  sensor::BlockRequest request;
  request.what = what;
  cli::Options options(name, summary);
  common.add_to(options);
  if (const auto code = options.parse(args)) return *code;
  return ask(common.where(), common.format, request);
}

int list(const std::vector<std::string>& args) {
  return simple(args, Do::kList, "egret-block list", "What is blocked, until when, and what it has stopped.");
}
int status(const std::vector<std::string>& args) {
  return simple(args, Do::kStatus, "egret-block status", "Whether blocking is on here, and what this kernel can.");
}

int serve(const std::vector<std::string>& args) {
  char self[4096];
  const ssize_t n = ::readlink("/proc/self/exe", self, sizeof self);
  if (n <= 0 || n == sizeof self) return cli::report(Error{ErrorKind::kUnavailable, "/proc/self/exe cannot be read", "mount /proc"});
  std::string program = std::string(self, static_cast<size_t>(n)) + "-serve";
  std::vector<char*> words = {program.data()};
  auto given = args;
  for (auto& a : given) words.push_back(a.data());
  words.push_back(nullptr);
  ::execv(program.c_str(), words.data());
  return cli::report(Error{ErrorKind::kUnavailable, fmt::format("{}: {}", program, std::strerror(errno)),
                           "it is installed beside egret-block, and is what switches blocking on"});
}

constexpr cli::Command kCommands[] = {
    {"serve", "switches blocking on for this node", serve}, {"add", "blocks an address or range, for a time", add},
    {"remove", "takes exactly one block back", remove},     {"list", "what is blocked, until when, and what it has stopped", list},
    {"status", "whether blocking is on here", status},
};

int help(FILE* to) {
  fmt::print(to, "egret-block: refuses and drops traffic to named addresses on this node, for a limited time.\n\n");
  for (const auto& c : kCommands) fmt::print(to, "  egret-block {:8}{}\n", c.name, c.summary);
  fmt::print(to, "\negret-block COMMAND --help says more. Exit codes: 0 done, 2 wrong usage, 3 something outside was not reachable.\n");
  return to == stdout ? cli::kDone : cli::kWrongUsage;
}

int run(const std::vector<std::string>& args) {
  if (args.empty()) return help(stderr);
  if (args[0] == "--help" || args[0] == "-h") return help(stdout);
  if (args[0] == "--version") {
    fmt::print("egret-block {}\n", EGRET_VERSION);
    return cli::kDone;
  }
  std::vector<std::string_view> names;
  for (const auto& c : kCommands) {
    if (c.name == args[0]) return c.run({args.begin() + 1, args.end()});
    names.push_back(c.name);
  }
  const auto near = near_name(args[0], names);
  return cli::report(Error{ErrorKind::kUsage, fmt::format("there is no command \"{}\"", terminal_safe(args[0])),
                           near.empty() ? "egret-block --help lists them" : fmt::format("did you mean {}?", near)});
}

}  // namespace
}  // namespace egret::block

int main(int argc, char** argv) { return egret::block::run({argv + 1, argv + argc}); }
