#include <algorithm>
#include <string>

#include "capture/analysis.h"
#include "capture/capture_test_bytes.h"
#include "capture/tcp_state.h"

// A TCP connection whose segments the input chooses: each is a byte of flags and direction, two of offset, one of length, and data.
// Reassembly and the parsers behind it see every order, overlap and hole.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret::capture;
  Events events;
  Analysis analysis(events);
  int64_t now = 1'000'000'000;
  uint32_t end[2] = {0, 0};
  for (size_t at = 0; at + 4 <= size;) {
    const bool up = data[at] & 0x80;
    uint8_t flags = data[at] & 0x1f;
    const uint32_t offset =
        data[at] & 0x40 ? end[up] : static_cast<uint32_t>(data[at + 1] << 8 | data[at + 2]);  // mostly where the last one ended
    const size_t n = std::min<size_t>(data[at + 3], size - at - 4);
    const std::string bytes(reinterpret_cast<const char*>(data + at + 4), n);
    at += 4 + n;
    if (n) flags &= ~(kSyn | kRst);
    end[up] = offset + static_cast<uint32_t>(n);
    const std::string segment = tcp(up ? 40000 : 80, up ? 80 : 40000, 1000 + offset, 1000 + end[!up], flags, bytes);
    const std::string packet = up ? ipv4(1, 2, 6, segment) : ipv4(2, 1, 6, segment);
    Packet p;
    p.time = now += 1000;
    p.link_type = 101;
    p.data = as_bytes(packet);
    p.wire_bytes = static_cast<uint32_t>(packet.size());
    analysis.packet(p);
  }
  analysis.finish();
  return 0;
}
