#pragma once
// What every piece that writes rows needs to know of its node, and how it names an owner in a row.
#include <string>

#include "sensor/boot_time.h"
#include "sensor/events.h"
#include "sensor/names.h"
#include "sensor/nat.h"
#include "sensor/owners.h"
#include "sensor/processes.h"
#include "sensor/row.h"

namespace egret::sensor {

struct Context {
  std::string cluster, node;
  BootTime clock;
  Owners* owners = nullptr;
  Processes* processes = nullptr;
  Translator* translator = nullptr;  // may be null
  Names names;
  RowSink* out = nullptr;
};

IpAddress address_of(const Endpoint& e);
std::string_view protocol_name(uint8_t protocol);  // "TCP"; the number where it has no name here

// "ns/Kind/name", or "node/HostProcess/NAME" with the unit's or the process's name; empty when unknown.
std::string workload_of(const Context& c, const Identity& identity, std::string_view process);

// The owner as columns of the network, DNS and web tables: SrcNode, SrcOwnerKind, SrcNamespace, SrcPodName, SrcWorkload …
void add_owner(Row& row, const Context& c, const Identity& identity, std::string_view process);

}  // namespace egret::sensor
