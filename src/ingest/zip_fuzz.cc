// Any bytes as a zip archive: the bounds hold, whatever its directory says.
#include <cstdlib>

#include "ingest/zip.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::ingest;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ZipLimits limits{.bytes = 1u << 20, .ratio = 1000, .members = 100};
  uint64_t total = 0, members = 0;
  (void)zip_of_what(bytes);
  (void)each_zip_member(
      bytes, limits,
      [&](Member m) {
        total += m.bytes.size();
        ++members;
        if (m.path.empty() || m.path.starts_with("/") || ("/" + m.path + "/").find("/../") != std::string::npos) std::abort();
      },
      [](std::string) {});
  if (total > limits.bytes || members > limits.members) std::abort();
  return 0;
}
