// Unpacking, archives, the manifest, and what recognises formats: all that touches a file before its decoder does.
#include <cstdint>

#include "ingest/content.h"
#include "ingest/decoders.h"
#include "ingest/log_line.h"
#include "ingest/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::ingest;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] & 3) {
    case 0: {
      Content c;
      c.bytes = std::string(bytes);
      unpack(c, 1 << 20);
      if (is_tar(c.bytes)) each_tar_member(c.bytes, [](Member) {});
      break;
    }
    case 1: (void)parse_manifest(bytes, "evidence.yaml"); break;
    case 2: recognise(bytes, "x"); break;
    default: {
      LogLines lines(bytes, "x.log");
      for (LogLine l; lines.next(l);) {
      }
    }
  }
  return 0;
}
