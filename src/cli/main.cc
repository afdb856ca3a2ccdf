// egret: dispatches to a subcommand, nothing else.
#include <fmt/format.h>

#include <span>

#include "base/embedded.h"
#include "base/text.h"
#include "cli/command.h"

#ifndef EGRET_VERSION
#define EGRET_VERSION "dev"
#endif

namespace egret::cli {

extern const Command kCheck;
extern const Command kIngest;
extern const Command kCollect;
extern const Command kDetect;
extern const Command kDrill;
extern const Command kIncident;
extern const Command kInvestigate;
extern const Command kLab;
extern const Command kPcap;
extern const Command kQuery;
extern const Command kReference;
extern const Command kSensor;
extern const Command kVersion;

// In the order of the help text.
constexpr const Command* kCommands[] = {
    &kInvestigate, &kCollect, &kQuery, &kIngest, &kDetect, &kIncident, &kCheck, &kDrill, &kSensor, &kLab, &kPcap, &kReference, &kVersion,
};

namespace {

int print_version(const std::vector<std::string>&) {
  fmt::print("egret {}\n", EGRET_VERSION);
  return kDone;
}

void print_help() {
  fmt::print("egret: egress incident response for Kubernetes\n\nUsage: egret COMMAND [OPTIONS]\n\nCommands:\n");
  for (const Command* c : kCommands) fmt::print("  {:<12} {}\n", c->name, c->summary);
  fmt::print(
      "\nEvery command has --help. Exit codes: 0 done, 1 the answer is no, 2 wrong usage or query, 3 something outside\nwas not reachable, "
      "4 a bug.\n");
}

}  // namespace

const Command kVersion{"version", "print the version", print_version};

int run(std::vector<std::string> args) {
  if (args.size() >= 2 && args[0] == "--content") {
    set_content_override(args[1]);
    args.erase(args.begin(), args.begin() + 2);
  }
  if (args.empty() || args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
    print_help();
    return args.empty() ? kWrongUsage : kDone;
  }
  if (args[0] == "--version") args[0] = "version";
  std::vector<std::string> names;
  for (const Command* c : kCommands) {
    if (c->name == args[0]) return c->run({args.begin() + 1, args.end()});
    names.emplace_back(c->name);
  }
  fmt::print(stderr, "egret: there is no command '{}'\n", terminal_safe(args[0]));
  if (const std::string near = near_name(args[0], names); !near.empty()) fmt::print(stderr, "  did you mean 'egret {}'?\n", near);
  fmt::print(stderr, "  see egret --help\n");
  return kWrongUsage;
}

}  // namespace egret::cli

int main(int argc, char** argv) { return egret::cli::run({argv + 1, argv + argc}); }
