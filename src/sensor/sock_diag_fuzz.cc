// inet_diag messages of any content.
#include <cstddef>
#include <cstdint>

#include "sensor/sock_diag.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto s = egret::sensor::parse_diag_socket({data, size}, 6);
  if (s && s->id.size() != 48) __builtin_trap();
  return 0;
}
