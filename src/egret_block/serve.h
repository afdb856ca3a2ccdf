#pragma once
#include <string>
#include <vector>

namespace egret::block {

// egret-block serve: the controller.
int serve(const std::vector<std::string>& args);

// Where the service with that name listens, keeps its journal and pins its maps, unless told otherwise.
std::string socket_of(const std::string& name);

}  // namespace egret::block
