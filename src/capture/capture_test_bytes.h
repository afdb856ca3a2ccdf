#pragma once
// Packets for tests, made byte by byte.
#include <cstdint>
#include <string>
#include <string_view>

namespace egret::capture {

inline std::string be(uint64_t v, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(v >> (8 * i));
  return out;
}
inline std::string le(uint64_t v, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(v >> (8 * i));
  return out;
}

inline std::string ethernet(std::string_view ip, uint16_t type = 0x0800) {
  return std::string("\2\0\0\0\0\1\2\0\0\0\0\2", 12) + be(type, 2) + std::string(ip);
}
inline std::string ipv4(uint32_t from, uint32_t to, uint8_t protocol, std::string_view payload, uint16_t id = 1, uint16_t fragment = 0) {
  return std::string("\x45\0", 2) + be(20 + payload.size(), 2) + be(id, 2) + be(fragment, 2) + "\x40" + be(protocol, 1) + be(0, 2) +
         be(from, 4) + be(to, 4) + std::string(payload);
}
inline std::string tcp(uint16_t from, uint16_t to, uint32_t seq, uint32_t ack, uint8_t flags, std::string_view payload = {}) {
  return be(from, 2) + be(to, 2) + be(seq, 4) + be(ack, 4) + "\x50" + be(flags, 1) + be(1000, 2) + be(0, 4) + std::string(payload);
}
inline std::string udp(uint16_t from, uint16_t to, std::string_view payload) {
  return be(from, 2) + be(to, 2) + be(8 + payload.size(), 2) + be(0, 2) + std::string(payload);
}

inline std::string pcap_header(uint32_t link = 1) {
  return le(0xa1b2c3d4, 4) + le(2, 2) + le(4, 2) + le(0, 8) + le(262144, 4) + le(link, 4);
}
inline std::string pcap_record(uint32_t seconds, uint32_t micros, std::string_view data) {
  return le(seconds, 4) + le(micros, 4) + le(data.size(), 4) + le(data.size(), 4) + std::string(data);
}

}  // namespace egret::capture
