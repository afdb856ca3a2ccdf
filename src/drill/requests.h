#pragma once
// What an inbound request looked like: ordinary paths, or the payloads that a server-side request forgery sends.
#include <string>

#include "drill/world.h"

namespace egret::drill {

struct Request {
  std::string method, target, host, agent, action;  // target: path and query as sent; action: the route's name
  std::string made;                                 // the address that the server was made to ask, where it is an attack
};

Request request_of(const World& world, const Cluster& cluster, const Workload& workload, const Inbound& request);

}  // namespace egret::drill
