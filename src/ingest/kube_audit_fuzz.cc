#include "ingest/decoder_fuzz.h"

namespace egret::ingest {
extern const Decoder kKubeAudit;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return egret::ingest::fuzz_decoder(egret::ingest::kKubeAudit, data, size, "kube-audit-admin.json");
}
