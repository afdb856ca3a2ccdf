#include "capture/analysis.h"

// Any bytes as a capture file, with all that follows from its packets.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::capture;
  PacketFile file(ByteSource::of({data, size}));
  Events events;
  Limits limits;
  limits.flows = 64;
  Analysis analysis(events, limits);
  Packet p;
  while (file.next(p)) analysis.packet(p);
  file.take_damage();
  analysis.finish();
  return 0;
}
