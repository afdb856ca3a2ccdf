#include "ingest/decoder_fuzz.h"
#include "ingest/followed_folder.h"

namespace egret::ingest {
extern const Decoder kSensorSegment;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::ingest;
  std::string_view sensor;
  int64_t sequence = 0;
  (void)numbers_of_line({reinterpret_cast<const char*>(data), size}, sensor, sequence);
  return fuzz_decoder(kSensorSegment, data, size, "node-1.0005ef1c2b3a4d5e.00000001.ndjson");
}
