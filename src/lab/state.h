#pragma once
// lab.json: what `status` shows and what another egret needs to go on with a lab.
#include <string>

#include "base/result.h"
#include "lab/lab.h"

namespace egret::lab {

std::string state_text(const LabOptions& options, const Fleet& fleet, const Lapse& lapse, drill::Micros began);
// Fills all; the fleet is made anew from the scenario and the seed that the text names.
Result<void> read_state(const std::string& text, LabOptions& options, Fleet& fleet, Lapse& lapse, drill::Micros& began);

}  // namespace egret::lab
