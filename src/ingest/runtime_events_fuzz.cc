#include "ingest/decoder_fuzz.h"

namespace egret::ingest {
extern const Decoder kFalco, kTetragon;
}

// The first byte chooses the decoder.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  return egret::ingest::fuzz_decoder(data[0] & 1 ? egret::ingest::kFalco : egret::ingest::kTetragon, data + 1, size - 1, "events.json");
}
