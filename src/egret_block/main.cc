// egret-block: refuses and drops traffic to named addresses on this node, for a limited time. Off unless somebody starts `egret-block
// serve`; the other subcommands ask that service over its control socket.
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include <cmath>

#include "base/duration.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "sensor/block_protocol.h"
#include "sensor/block_service.h"
#include "serve.h"

namespace egret::block {
namespace {

using Element = simdjson::dom::element;
using Do = sensor::BlockRequest::Do;

std::string text_of(const Element& e, const char* key) {
  std::string_view v;
  return e[key].get(v) == simdjson::SUCCESS ? std::string(v) : std::string();
}
int64_t number_of(const Element& e, const char* key) {
  int64_t n = 0;
  return e[key].get(n) == simdjson::SUCCESS ? n : 0;
}

double real_of(const Element& e, const char* key) {
  double n = 0;
  return e[key].get(n) == simdjson::SUCCESS ? n : 0;
}
bool flag_of(const Element& e, const char* key) {
  bool b = false;
  return e[key].get(b) == simdjson::SUCCESS && b;
}

std::string entry_line(const Element& e) {
  const auto left = format_duration(static_cast<Ticks>(real_of(e, "seconds_left")) * kTicksPerSecond);
  const std::string id = text_of(e, "id"), address = text_of(e, "address"), target = text_of(e, "target");
  std::string line = fmt::format("{} for {}, ends in {}", address, terminal_safe(target), left);
  if (id != fmt::format("{} {}", address, target)) line += fmt::format("  (id {})", terminal_safe(id));
  line += fmt::format(
      "\n    {} calls refused; dropped {} packets ({}) out, {} ({}) in", with_thousands(static_cast<uint64_t>(number_of(e, "refused"))),
      with_thousands(static_cast<uint64_t>(number_of(e, "packets_out"))), format_bytes(static_cast<uint64_t>(number_of(e, "bytes_out"))),
      with_thousands(static_cast<uint64_t>(number_of(e, "packets_in"))), format_bytes(static_cast<uint64_t>(number_of(e, "bytes_in"))));
  if (!flag_of(e, "in_flight"))
    line += "\n    refused at connect and established connections ended; packets cannot be told to be this target's on this kernel";
  if (const auto reason = text_of(e, "reason"); !reason.empty()) line += "\n    " + terminal_safe(reason);
  return line + "\n";
}

void print_for_people(Do what, const Element& answer) {
  simdjson::dom::array entries;
  if (answer["entries"].get(entries) != simdjson::SUCCESS) return;
  if (what == Do::kStatus)
    fmt::print("on for everything below {}; packets by network namespace: {}\n", text_of(answer, "cgroup_root"),
               flag_of(answer, "netns_in_flight") ? "yes" : "no, this kernel cannot");
  if (entries.size() == 0) fmt::print("{}\n", what == Do::kRemove || what == Do::kClear ? "nothing to remove" : "nothing is blocked");
  if (what == Do::kRemove || what == Do::kClear) {
    for (const Element& e : entries) fmt::print("removed {}\n", terminal_safe(text_of(e, "id")));
    return;
  }
  for (const Element& e : entries) fmt::print("{}", entry_line(e));
  Element ended;
  if (answer["ended"].get(ended) != simdjson::SUCCESS) return;
  fmt::print("    {} ended, {} forgotten\n", count_of(static_cast<uint64_t>(number_of(ended, "sockets")), "open connection"),
             count_of(static_cast<uint64_t>(number_of(ended, "conntrack")), "translation"));
  if (flag_of(ended, "destroy_unsupported"))
    fmt::print("    this kernel ends no open connections (CONFIG_INET_DIAG_DESTROY): they stay, mute, until their own time-out\n");
  if (const auto trouble = text_of(ended, "trouble"); !trouble.empty())
    fmt::print("    not everything was reached: {}\n", terminal_safe(trouble));
}

int ask(const std::string& socket, const std::string& format, const sensor::BlockRequest& request) {
  const auto line = sensor::ask_block_service(socket, sensor::write_block_request(request));
  if (!line) return cli::report(line.error());
  simdjson::dom::parser parser;
  Element answer;
  bool ok = false;
  if (parser.parse(*line).get(answer) != simdjson::SUCCESS || answer["ok"].get(ok) != simdjson::SUCCESS)
    return cli::report(Error{ErrorKind::kUnavailable, fmt::format("{} answers in no form that this version knows", socket), {}});
  if (!ok) {
    const auto kind = text_of(answer, "kind");
    const auto as = kind == "usage" ? ErrorKind::kUsage : kind == "not found" ? ErrorKind::kNotFound : ErrorKind::kUnavailable;
    return cli::report(Error{as, text_of(answer, "error"), text_of(answer, "hint")});
  }
  if (format == "json")
    fmt::print("{}", *line);
  else
    print_for_people(request.what, answer);
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
      "block add", "Blocks an address or range on this node, for a time.",
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
  cli::Options options("block remove", "Takes exactly one block back.",
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
  return simple(args, Do::kList, "block list", "What is blocked, until when, and what it has stopped.");
}
int status(const std::vector<std::string>& args) {
  return simple(args, Do::kStatus, "block status", "Whether blocking is on here, and what this kernel can.");
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
