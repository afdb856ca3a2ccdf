// A monitoring agent. At its start it tries its own endpoint (--own HOST --own-port N), and only when that cannot be reached it
// asks a public service (--check HOST) for its own address, to learn whether it is connected at all; then it goes on with its script.
#include <thread>

#include "labpod/roles.h"
#include "labpod/steps.h"

namespace egret::labpod {

int agent(const Arguments& arguments) {
  Log truth;
  const auto place = place_from(arguments, truth);
  if (!place) return give_up(place.error());
  const auto steps = script_from(arguments);
  if (!steps) return give_up(steps.error());
  Step own, check;
  own.name = arguments.text("own");
  own.port = static_cast<uint16_t>(arguments.number("own-port", 443));
  own.tls = own.port == 443;
  own.in = own.out = {300, 300};
  check.name = arguments.text("check");
  check.port = static_cast<uint16_t>(arguments.number("check-port", 443));
  check.tls = check.port == 443;
  check.method = "GET";
  if (own.name.empty() || check.name.empty()) return give_up(Error{ErrorKind::kUsage, "--own and --check are needed", {}});
  std::thread habits([&] { do_all(*steps, *place); });
  const auto tries = arguments.number("tries", 3);
  bool reached = false;
  for (int64_t n = 0; n < tries && !reached; ++n) {
    if (n > 0) sleep_for(1);
    reached = do_once(own, *place) == "ok";
  }
  if (!reached) do_once(check, *place);
  habits.join();
  return pause(arguments);
}

}  // namespace egret::labpod
