#pragma once
#include <string>

namespace egret::block {

// Where the service of this name answers, if nothing else is said.
inline std::string socket_of(const std::string& name) { return "/run/egret/" + name + ".sock"; }

}  // namespace egret::block
