#pragma once
// Who comes from the internet: visitors of a service that takes requests, and the one who uses its hole. Scripts for the client program.
#include <string>
#include <vector>

#include "lab/fleet.h"

namespace egret::lab {

drill::Ip attacker_of(const drill::World& world);
std::vector<drill::Ip> visitors_of(const drill::World& world);
// The workload with the hole, where the scenario has one.
const drill::Workload* holed(const drill::World& world);
// Requests to each node of the cluster on which that workload runs, for ever. Empty where it runs nowhere.
std::string visits(const drill::World& world, uint32_t cluster);
// Through the hole: the machine's token from the metadata service, then what the vault says, handed on to the scenario's destination.
std::string attack(const drill::World& world, uint32_t cluster);

}  // namespace egret::lab
