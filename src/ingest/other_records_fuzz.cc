#include "ingest/decoder_fuzz.h"

namespace egret::ingest {
extern const Decoder kCalico, kDnsCollector, kWindowsDns, kGadget;
}

// The first byte chooses the decoder.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::ingest;
  static const Decoder* const kAll[] = {&kCalico, &kDnsCollector, &kWindowsDns, &kGadget};
  if (size == 0) return 0;
  return fuzz_decoder(*kAll[data[0] & 3], data + 1, size - 1, "records.json");
}
