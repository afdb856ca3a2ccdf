#include <cstddef>
#include <cstdint>

#include "labpod/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  egret::labpod::parse_dns_answer(bytes);
  if (const auto q = egret::labpod::parse_dns_question(bytes)) egret::labpod::dns_answer(*q, 0, {}, 30);
  return 0;
}
