#pragma once
// Writes a pcapng file (draft-ietf-opsawg-pcapng) with times in nanoseconds: one section, its interfaces, packets, statistics at the end.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "capture/bytes.h"

namespace egret::capture {

class PcapngWriter {
 public:
  // Takes the descriptor over. comment: shown by Wireshark as the file's.
  PcapngWriter(int fd, std::string_view application, std::string_view comment);
  ~PcapngWriter();
  PcapngWriter(const PcapngWriter&) = delete;
  PcapngWriter& operator=(const PcapngWriter&) = delete;

  uint32_t interface(int link_type, uint32_t snap_length, std::string_view name, std::string_view filter);  // returns its number
  void packet(uint32_t interface, int64_t nanoseconds, Bytes data, uint32_t wire_bytes);
  void statistics(uint32_t interface, int64_t from, int64_t to, uint64_t received, uint64_t dropped);
  // What packet() will add for so many bytes.
  static uint64_t packet_size(size_t bytes) { return 32 + (bytes + 3) / 4 * 4; }
  uint64_t bytes() const { return bytes_; }  // written, or about to be
  Result<void> flush();                      // an error stays: later calls return it again

 private:
  void block(uint32_t type, std::string_view body);

  int fd_;
  std::string buffer_;
  uint64_t bytes_ = 0;
  int error_ = 0;
  uint32_t interfaces_ = 0;
};

}  // namespace egret::capture
