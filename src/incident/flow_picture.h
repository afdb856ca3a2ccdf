#pragma once
// Flows to public addresses over time, one band a cluster, as SVG: bars for connections, a mark for contacts with the address of the
// alert, lines for node starts and releases. Colours differ in lightness too, and each kind of mark has its own shape.
#include <functional>
#include <string>

#include "investigate/answer.h"

namespace egret::incident {

// `shown` masks and escapes a value for XML. Empty when there is nothing to draw.
std::string flow_picture(const investigate::Answer& answer, const std::function<std::string(std::string_view)>& shown);

}  // namespace egret::incident
