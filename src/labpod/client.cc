// Connects by its script and writes down what it did. Stays when the script has ended, as a container does, unless --once 1.
#include "labpod/roles.h"
#include "labpod/steps.h"

namespace egret::labpod {

int client(const Arguments& arguments) {
  Log truth;
  const auto place = place_from(arguments, truth);
  if (!place) return give_up(place.error());
  const auto steps = script_from(arguments);
  if (!steps) return give_up(steps.error());
  do_all(*steps, *place);
  if (arguments.number("once", 0) != 0) return 0;
  return pause(arguments);
}

}  // namespace egret::labpod
