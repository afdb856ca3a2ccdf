// Lines of any content to the control socket: what is accepted is written again and means the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sensor/block_client.h"
#include "sensor/block_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::sensor;
  std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto reply = take_block_reply(line);
  const auto first = parse_block_request(line);
  if (!first) {
    (void)write_block_reply(reply, BlockRequest::Do::kStatus, std::unexpected(first.error()));
    return 0;
  }
  const auto second = parse_block_request(write_block_request(*first));
  if (!second || second->what != first->what || second->id != first->id || second->address != first->address ||
      second->reason != first->reason)
    __builtin_trap();
  return 0;
}
