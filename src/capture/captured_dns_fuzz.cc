#include <cstddef>

#include "capture/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static egret::capture::DnsMessage message;  // kept, as callers do
  const egret::capture::Bytes bytes(data, size);
  egret::capture::looks_like_dns(bytes);
  egret::capture::parse_dns_message(bytes, message);
  return 0;
}
