#pragma once
// The stages of simulate(), in order. Each fills its part of the world and reads only what the earlier ones filled.
#include "drill/world.h"

namespace egret::drill {

void build_fleet(World& world, const Scale& scale, const Random& random);  // fleet.cc: clusters, names, workloads, where they run
void live(World& world, const Random& random);                             // life.cc: nodes, releases, pods, over time
void talk(World& world, const Scale& scale, const Random& random);         // traffic.cc: contacts and requests

Ip parse_ip(std::string_view text);
// An address drawn from one of the provider's ranges.
Ip address_of(std::string_view provider, Random& random);

}  // namespace egret::drill
