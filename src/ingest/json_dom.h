#pragma once
// base/json_dom.h under the name that this room uses. Heavy: include it in .cc files only.
#include "base/json_dom.h"

namespace egret::ingest {
namespace js = egret::js;
}
