#pragma once
// `kubectl get events -A -o json`: what the lab did, told as Kubernetes tells it.
#include <string>

#include "drill/world.h"

namespace egret::lab {

std::string kube_events(const drill::World& world, uint32_t cluster);

}  // namespace egret::lab
