#include "ingest/decoder_fuzz.h"

namespace egret::ingest {
extern const Decoder kAccessLog;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return egret::ingest::fuzz_decoder(egret::ingest::kAccessLog, data, size, "ns_pod-abcde_container.log");
}
