// egret-lab-pod: dispatches to a role, nothing else.
#include <fmt/format.h>

#include <csignal>

#include "labpod/roles.h"

int main(int argc, char** argv) {
  using namespace egret::labpod;
  std::signal(SIGPIPE, SIG_IGN);
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  for (const Role& r : roles()) {
    if (r.name != wanted) continue;
    const auto arguments = Arguments::parse({argv + 2, static_cast<size_t>(argc - 2)});
    if (!arguments) return give_up(arguments.error());
    return r.run(*arguments);
  }
  fmt::print(stderr, "egret-lab-pod ROLE --key value …\n\n");
  for (const Role& r : roles()) fmt::print(stderr, "  {:<10} {}\n", r.name, r.summary);
  return 2;
}
