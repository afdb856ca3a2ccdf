#pragma once
// The body of a decoder's fuzz target: recognise and decode any bytes; only crashes, sanitizers and timeouts fail it.
#include <cstdint>
#include <string_view>

#include "ingest/decoder.h"
#include "ingest/memory_sink.h"

namespace egret::ingest {

inline int fuzz_decoder(const Decoder& decoder, const uint8_t* data, size_t size, const char* path) {
  MemorySink sink;
  Source source;
  source.path = path;
  source.bytes = {reinterpret_cast<const char*>(data), size};
  source.cluster = "c";
  source.read_at = ticks_from_unix_seconds(1'700'000'000);
  decoder.recognise(source.bytes.substr(0, 64 * 1024), source.path);
  decoder.decode(source, sink);
  return 0;
}

}  // namespace egret::ingest
