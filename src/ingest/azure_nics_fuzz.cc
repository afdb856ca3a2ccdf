#include "ingest/decoder_fuzz.h"

namespace egret::ingest {
extern const Decoder kAzureNics;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return egret::ingest::fuzz_decoder(egret::ingest::kAzureNics, data, size, "nics.json");
}
