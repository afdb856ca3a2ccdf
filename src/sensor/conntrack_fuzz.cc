// Netlink datagrams of any content: read without a crash, and what is read as a connection can be turned round.
#include <cstddef>
#include <cstdint>

#include "sensor/conntrack.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  egret::sensor::ConntrackCounts counts;
  uint64_t read = 0;
  egret::sensor::parse_conntrack_datagram(
      {data, size},
      [&](egret::sensor::ConntrackChange, const egret::sensor::Conntrack& c) {
        ++read;
        (void)c.translated();
        (void)c.source_translated();
      },
      counts);
  if (read > counts.messages) __builtin_trap();
  return 0;
}
