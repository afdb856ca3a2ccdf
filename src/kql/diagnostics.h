#pragma once
// Places of diagnostics in the text.
#include <string_view>
#include <vector>

#include "kql/compile.h"

namespace egret::kql {

// Fills line and column from the offset, sorts by place.
void place_diagnostics(std::string_view text, std::vector<Diagnostic>& diagnostics);

}  // namespace egret::kql
