#pragma once
// Bytes off the wire, and a cursor over them that cannot leave them: reading beyond the end gives zeros and sets failed().
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace egret::capture {

using Bytes = std::span<const uint8_t>;

inline uint16_t be16(const uint8_t* p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }
inline uint32_t be32(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 | static_cast<uint32_t>(p[2]) << 8 | p[3];
}
inline std::string_view as_text(Bytes b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }
inline Bytes as_bytes(std::string_view s) { return {reinterpret_cast<const uint8_t*>(s.data()), s.size()}; }

class Cursor {
 public:
  explicit Cursor(Bytes bytes) : bytes_(bytes) {}
  bool failed() const { return failed_; }
  bool empty() const { return bytes_.empty(); }
  size_t left() const { return bytes_.size(); }
  Bytes rest() const { return bytes_; }
  uint8_t u8() { return need(1) ? take(1)[0] : uint8_t{0}; }
  uint16_t u16() { return need(2) ? be16(take(2).data()) : uint16_t{0}; }
  uint32_t u24() {
    if (!need(3)) return 0;
    const Bytes b = take(3);
    return static_cast<uint32_t>(b[0]) << 16 | static_cast<uint32_t>(b[1]) << 8 | b[2];
  }
  uint32_t u32() { return need(4) ? be32(take(4).data()) : 0; }
  Bytes bytes(size_t n) { return need(n) ? take(n) : Bytes(); }
  // As bytes(), but at the end of the input gives what is left of them.
  Bytes bytes_or_rest(size_t n) {
    if (n > bytes_.size()) {
      failed_ = true;
      n = bytes_.size();
    }
    return take(n);
  }
  void skip(size_t n) { bytes(n); }

 private:
  bool need(size_t n) {
    if (n <= bytes_.size()) return true;
    failed_ = true;
    bytes_ = {};
    return false;
  }
  Bytes take(size_t n) {
    const Bytes b = bytes_.first(n);
    bytes_ = bytes_.subspan(n);
    return b;
  }
  Bytes bytes_;
  bool failed_ = false;
};

}  // namespace egret::capture
