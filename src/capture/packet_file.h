#pragma once
// Packets of a capture file, one after the other: pcap (both byte orders, micro- and nanoseconds, and the variants that are seen:
// Kuznetzov's) and pcapng (sections of either byte order, many interfaces, if_tsresol and if_tsoffset, comments).
// Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
//
// A damaged file costs what is damaged: the reader says so once and goes on at the next place that reads like a record.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/byte_source.h"
#include "capture/bytes.h"

namespace egret::capture {

struct Packet {
  int64_t time = 0;  // nanoseconds since 1970
  int link_type = 0;
  uint32_t interface = 0;
  uint32_t wire_bytes = 0;  // on the wire; data may be less
  Bytes data;               // until the next call of next()
};

struct Interface {
  int link_type = 0;
  uint32_t snap_length = 0;
  std::string name, description, filter;
  uint64_t dropped = 0;  // as the capturing side counted
};

struct Damage {
  uint64_t offset = 0;  // in the unpacked file
  std::string reason;
};

class PacketFile {
 public:
  explicit PacketFile(ByteSource source);
  // False at the end.
  bool next(Packet& packet);

  // pcap or pcapng by the first four bytes of a file.
  static bool recognise(Bytes head);
  std::string_view format() const { return format_; }                       // "pcap", "pcapng", or '' when it is neither
  const std::vector<Interface>& interfaces() const { return interfaces_; }  // of all sections so far
  // Comments of sections, interfaces and packets, in order; the first 1000 of them.
  const std::vector<std::string>& comments() const { return comments_; }
  std::string_view application() const { return application_; }  // "Dumpcap 4.0", shb_userappl
  uint64_t bytes() const { return source_.position(); }
  uint64_t packets() const { return packets_; }
  // What was wrong since the last call.
  std::vector<Damage> take_damage() { return std::exchange(damage_, {}); }

 private:
  enum class Kind { kNone, kPcap, kPcapng };
  struct Clock {
    int64_t per_second = 1'000'000;  // 0: 2^-power
    int power = 0;
    int64_t offset = 0;  // seconds
    int64_t nanoseconds(uint64_t ticks) const;
  };

  void begin();
  bool next_record(Packet& p);
  bool find_record();
  bool plausible_record(const uint8_t* p, size_t n) const;
  bool next_block(Packet& p, bool& got);
  bool find_block();
  bool section(const uint8_t* p, size_t n);
  void interface(Bytes body);
  void options(Bytes list, const std::function<void(uint16_t, Bytes)>& each) const;
  bool enhanced(Bytes body, Packet& p);
  bool simple(Bytes body, Packet& p);
  bool old_packet(Bytes body, Packet& p);
  void statistics(Bytes body);
  void comment(Bytes text);
  void damaged(std::string reason);
  uint16_t u16(const uint8_t* p) const;
  uint32_t u32(const uint8_t* p) const;

  ByteSource source_;
  Kind kind_ = Kind::kNone;
  std::string_view format_;
  bool swapped_ = false;  // the file's byte order is not this machine's
  bool nanoseconds_ = false;
  uint32_t record_header_ = 16;
  uint32_t snap_length_ = 0;
  int64_t last_time_ = 0;
  std::vector<Interface> interfaces_;
  std::vector<Clock> clocks_;
  size_t first_interface_ = 0;  // of the current section
  std::vector<std::string> comments_;
  std::string application_;
  std::vector<Damage> damage_;
  uint64_t packets_ = 0;
  bool tail_said_ = false;
};

}  // namespace egret::capture
