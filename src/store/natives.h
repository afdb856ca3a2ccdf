#pragma once
#include "store/duck.h"

namespace egret::store {

// Registers every kernel of src/kql/functions with the engine; they live in its system catalogue, for all connections.
Result<void> register_natives(Connection& connection);

}  // namespace egret::store
