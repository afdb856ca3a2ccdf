#pragma once
// The tables of functions/, one a file, joined in all.cc.
#include "kql/function.h"

namespace egret::kql::functions {

extern const FunctionTable kConversions;

}  // namespace egret::kql::functions
