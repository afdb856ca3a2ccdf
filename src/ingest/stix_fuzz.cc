#include <iterator>

#include "ingest/decoder_fuzz.h"

namespace egret::ingest {
extern const Decoder kStix, kMisp, kEcs;
}

// The first byte chooses the decoder.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::ingest;
  static const Decoder* const kAll[] = {&kStix, &kMisp, &kEcs};
  if (size == 0) return 0;
  return fuzz_decoder(*kAll[data[0] % std::size(kAll)], data + 1, size - 1, "stix.json");
}
