#pragma once
// What became of a tuple on its way out of the node. Conntrack answers; a sensor without it has none.
#include <cstdint>
#include <optional>

#include "base/ip.h"

namespace egret::sensor {

struct Tuple {
  uint8_t protocol = 0;  // IPPROTO_TCP, IPPROTO_UDP …
  IpAddress source, destination;
  uint16_t source_port = 0, destination_port = 0;
  auto operator<=>(const Tuple&) const = default;
};

class Translator {
 public:
  virtual ~Translator() = default;
  // The tuple as it leaves the node, for the one as the socket has it. Nothing when it is not known; the same tuple when nothing changed.
  virtual std::optional<Tuple> translated(const Tuple& before) = 0;
};

}  // namespace egret::sensor
