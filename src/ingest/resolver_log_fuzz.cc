#include "ingest/decoder_fuzz.h"

namespace egret::ingest {
extern const Decoder kBind, kUnbound;
}

// The first byte chooses the decoder.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::ingest;
  if (size == 0) return 0;
  return fuzz_decoder(data[0] & 1 ? kBind : kUnbound, data + 1, size - 1, "dns.log");
}
