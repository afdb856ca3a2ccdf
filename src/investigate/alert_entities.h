#pragma once
// What a SecurityAlert row says about who talked to whom. Every product words its entities otherwise; this reads Defender's and
// Sentinel's Entities arrays, the ExtendedProperties of Defender and of own rules, and, last, addresses in the sentence itself.
#include <string>
#include <string_view>
#include <vector>

#include "investigate/answer.h"

namespace egret::investigate {

struct AlertText {
  std::string_view entities, properties;  // JSON; anything else is ignored
  std::string_view description, compromised, resource_id;
};

// Fills cluster, node, source_address, address, port, name, workload, pod, criticality of the alert, as far as the text says.
void read_entities(const AlertText& text, Alert& alert);

}  // namespace egret::investigate
