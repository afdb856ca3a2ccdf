#include "capture/packet_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace egret::capture {
namespace {

constexpr uint32_t kPcapMagic = 0xa1b2c3d4, kPcapNano = 0xa1b23c4d, kPcapModified = 0xa1b2cd34;
constexpr uint32_t kSection = 0x0a0d0d0a, kByteOrder = 0x1a2b3c4d;
constexpr uint32_t kInterface = 1, kOldPacket = 2, kSimple = 3, kStatistics = 5, kEnhanced = 6;
constexpr uint32_t kMostPacket = 1u << 18;  // what libpcap allows as well; larger only where the file's snap length says so
constexpr uint32_t kMostSnap = 8u << 20;    // and not beyond this
constexpr uint32_t kMostBlock = 16u << 20;  // of pcapng
constexpr size_t kMostInterfaces = 4096, kMostComments = 1000, kMostComment = 64u << 10, kMostDamage = 1000;
constexpr uint64_t kLongestSearch = 64u << 20;  // for the next record behind damage

uint32_t native32(const uint8_t* p) {
  uint32_t v = 0;
  std::memcpy(&v, p, 4);
  return v;
}

}  // namespace

uint16_t PacketFile::u16(const uint8_t* p) const {
  uint16_t v = 0;
  std::memcpy(&v, p, 2);
  return swapped_ ? static_cast<uint16_t>(v << 8 | v >> 8) : v;
}
uint32_t PacketFile::u32(const uint8_t* p) const {
  const uint32_t v = native32(p);
  return swapped_ ? __builtin_bswap32(v) : v;
}

PacketFile::PacketFile(ByteSource source) : source_(std::move(source)) { begin(); }

bool PacketFile::recognise(Bytes head) {
  if (head.size() < 12) return false;
  const uint32_t magic = native32(head.data());
  for (const uint32_t m : {kPcapMagic, kPcapNano, kPcapModified})
    if (magic == m || magic == __builtin_bswap32(m)) return true;
  const uint32_t order = native32(head.data() + 8);
  return magic == kSection && (order == kByteOrder || order == __builtin_bswap32(kByteOrder));
}

void PacketFile::damaged(std::string reason) {
  if (damage_.size() < kMostDamage) damage_.push_back({source_.position(), std::move(reason)});
}

void PacketFile::begin() {
  source_.fill(24);
  if (!recognise({source_.data(), source_.available()})) {
    damaged(source_.available() == 0 ? "the file is empty" : "the file does not begin as pcap or pcapng does");
    return;
  }
  const uint32_t magic = native32(source_.data());
  if (magic == kSection) {
    kind_ = Kind::kPcapng;
    format_ = "pcapng";
    return;
  }
  format_ = "pcap";
  if (source_.available() < 24) {
    damaged("the file ends within its header");
    return;
  }
  kind_ = Kind::kPcap;
  swapped_ = magic != kPcapMagic && magic != kPcapNano && magic != kPcapModified;
  const uint32_t straight = swapped_ ? __builtin_bswap32(magic) : magic;
  nanoseconds_ = straight == kPcapNano;
  if (straight == kPcapModified) record_header_ = 24;
  const uint8_t* const p = source_.data();
  snap_length_ = u32(p + 16);
  Interface i;
  i.link_type = static_cast<int>(u32(p + 20) & 0xffff);  // above are the length of the frame check sequence and flags
  i.snap_length = snap_length_;
  interfaces_.push_back(i);
  source_.consume(24);
}

bool PacketFile::next(Packet& p) {
  if (kind_ == Kind::kPcap) return next_record(p);
  if (kind_ == Kind::kNone) return false;
  for (bool got = false; next_block(p, got);)
    if (got) return true;
  return false;
}

// ---- pcap

bool PacketFile::plausible_record(const uint8_t* p, size_t n) const {
  if (n < record_header_) return false;
  const uint32_t fraction = u32(p + 4), captured = u32(p + 8), wire = u32(p + 12);
  if (fraction >= (nanoseconds_ ? 1'000'000'000u : 1'000'000u) || captured == 0 || captured > kMostPacket || wire < captured ||
      wire > kMostPacket)
    return false;
  if (last_time_ == 0) return true;
  const int64_t seconds = int64_t{u32(p)} - last_time_ / 1'000'000'000;
  return seconds > -86'400 && seconds < 86'400;
}

// The next place behind damage where two records follow each other (or one ends the file).
bool PacketFile::find_record() {
  source_.consume(std::min<size_t>(1, source_.available()));
  for (uint64_t searched = 0; searched < kLongestSearch;) {
    source_.fill(kMostPacket + 64);
    const uint8_t* const p = source_.data();
    const size_t n = source_.available();
    if (n < record_header_) return false;
    size_t at = 0;
    const size_t stop = n > kMostPacket + 64 ? n - kMostPacket - 64 : n >= record_header_ ? n - record_header_ + 1 : 0;
    for (; at < stop; ++at) {
      if (!plausible_record(p + at, n - at)) continue;
      const size_t after = at + record_header_ + u32(p + at + 8);
      if (after == n || (after < n && plausible_record(p + after, n - after))) {
        source_.consume(at);
        return true;
      }
    }
    if (at == 0) return false;
    source_.consume(at);
    searched += at;
    if (stop == n - record_header_ + 1) return false;
  }
  return false;
}

bool PacketFile::next_record(Packet& p) {
  for (;;) {
    if (!source_.fill(record_header_)) {
      if (!std::exchange(tail_said_, true)) {
        if (!source_.trouble().empty())
          damaged(source_.trouble());
        else if (source_.available())
          damaged("the file ends within a packet's header: it was cut off");
      }
      return false;
    }
    const uint8_t* h = source_.data();
    const uint32_t captured = u32(h + 8), wire = u32(h + 12);
    if (captured > kMostPacket && (captured > kMostSnap || captured > snap_length_)) {
      damaged(fmt::format("packet {} claims {} bytes: the file is damaged here", packets_ + 1, captured));
      if (find_record()) continue;
      tail_said_ = true;
      source_.consume(source_.available());
      kind_ = Kind::kNone;
      return false;
    }
    const bool whole = source_.fill(record_header_ + captured);
    h = source_.data();
    const uint32_t there = whole ? captured : static_cast<uint32_t>(source_.available()) - record_header_;
    p.time = int64_t{u32(h)} * 1'000'000'000 + int64_t{u32(h + 4)} * (nanoseconds_ ? 1 : 1000);
    p.link_type = interfaces_[0].link_type;
    p.interface = 0;
    p.wire_bytes = std::max(wire, captured);
    p.data = {h + record_header_, there};
    if (!whole) {
      if (!std::exchange(tail_said_, true))
        damaged(source_.trouble().empty() ? "the file ends within a packet: it was cut off" : source_.trouble());
      source_.consume(source_.available());
      if (there == 0) return false;
    } else {
      source_.consume(record_header_ + captured);
    }
    last_time_ = p.time;
    ++packets_;
    return true;
  }
}

// ---- pcapng

// Times that no clock has are cut to [1970, 2116], so that differences of two can be taken.
int64_t PacketFile::Clock::nanoseconds(uint64_t ticks) const {
  __extension__ using Wide = __int128;
  constexpr int64_t kMost = int64_t{1} << 62;
  if (per_second == 1'000'000 && offset == 0 && ticks < kMost / 1000) return static_cast<int64_t>(ticks * 1000);
  if (per_second == 1'000'000'000 && offset == 0 && ticks < kMost) return static_cast<int64_t>(ticks);
  const Wide scaled = Wide{ticks} * 1'000'000'000;
  const Wide t = (per_second ? scaled / per_second : scaled >> power) + Wide{offset} * 1'000'000'000;
  return static_cast<int64_t>(std::clamp<Wide>(t, 0, kMost));
}

void PacketFile::comment(Bytes text) {
  if (comments_.size() < kMostComments) comments_.emplace_back(as_text(text.first(std::min(text.size(), kMostComment))));
}

void PacketFile::options(Bytes list, const std::function<void(uint16_t, Bytes)>& each) const {
  while (list.size() >= 4) {
    const uint16_t code = u16(list.data()), size = u16(list.data() + 2);
    if (code == 0 || size > list.size() - 4) return;
    each(code, list.subspan(4, size));
    list = list.subspan(std::min<size_t>(list.size(), 4u + (size + 3u) / 4 * 4));
  }
}

bool PacketFile::section(const uint8_t* p, size_t n) {
  const uint32_t order = native32(p + 8);
  if (order != kByteOrder && order != __builtin_bswap32(kByteOrder)) return false;
  swapped_ = order != kByteOrder;
  const uint32_t size = u32(p + 4);
  if (size < 28 || size % 4 || size > n) return false;
  first_interface_ = interfaces_.size();
  options({p + 24, size - 28}, [&](uint16_t code, Bytes value) {
    if (code == 1) comment(value);
    if (code == 4) application_ = as_text(value);
  });
  return true;
}

void PacketFile::interface(Bytes body) {
  if (body.size() < 8) return damaged("an interface's description is too short");
  if (interfaces_.size() >= kMostInterfaces) return damaged("the file describes more interfaces than anyone has");
  Interface i;
  Clock clock;
  i.link_type = u16(body.data());
  i.snap_length = u32(body.data() + 4);
  options(body.subspan(8), [&](uint16_t code, Bytes value) {
    switch (code) {
      case 1: comment(value); break;
      case 2: i.name = as_text(value); break;
      case 3: i.description = as_text(value); break;
      case 9:
        if (value.empty()) break;
        if (value[0] & 0x80) {
          clock.per_second = 0;
          clock.power = std::min(value[0] & 0x7f, 63);
        } else {
          clock.per_second = 1;
          for (int e = std::min<int>(value[0], 18); e > 0; --e) clock.per_second *= 10;
        }
        break;
      case 11:
        if (value.size() > 1 && value[0] == 0) i.filter = as_text(value.subspan(1));
        break;
      case 14:
        if (value.size() == 8) {
          const uint64_t a = u32(value.data()), b = u32(value.data() + 4);
          const uint64_t v = (swapped_ != (std::endian::native == std::endian::big)) ? a << 32 | b : b << 32 | a;
          clock.offset = std::clamp<int64_t>(static_cast<int64_t>(v), -9'000'000'000, 9'000'000'000);
        }
        break;
      default: break;
    }
  });
  interfaces_.push_back(std::move(i));
  clocks_.resize(interfaces_.size());
  clocks_.back() = clock;
}

bool PacketFile::enhanced(Bytes body, Packet& p) {
  if (body.size() < 20) return damaged("a packet's block is too short"), false;
  const uint32_t number = u32(body.data());
  const size_t index = first_interface_ + number;
  if (index >= interfaces_.size())
    return damaged(fmt::format("a packet is of interface {}, which the file does not describe", number)), false;
  const uint64_t ticks = static_cast<uint64_t>(u32(body.data() + 4)) << 32 | u32(body.data() + 8);
  const uint32_t captured = u32(body.data() + 12), wire = u32(body.data() + 16);
  if (captured > body.size() - 20) return damaged("a packet's block is shorter than its packet"), false;
  p.time = clocks_[index].nanoseconds(ticks);
  p.link_type = interfaces_[index].link_type;
  p.interface = static_cast<uint32_t>(index);
  p.wire_bytes = std::max(wire, captured);
  p.data = body.subspan(20, captured);
  const size_t padded = 20 + (size_t{captured} + 3) / 4 * 4;
  if (body.size() > padded)
    options(body.subspan(padded), [&](uint16_t code, Bytes value) {
      if (code == 1) comment(value);
    });
  return true;
}

bool PacketFile::old_packet(Bytes body, Packet& p) {
  if (body.size() < 20) return damaged("a packet's block is too short"), false;
  const uint32_t number = u16(body.data());
  const size_t index = first_interface_ + number;
  if (index >= interfaces_.size())
    return damaged(fmt::format("a packet is of interface {}, which the file does not describe", number)), false;
  const uint64_t ticks = static_cast<uint64_t>(u32(body.data() + 4)) << 32 | u32(body.data() + 8);
  const uint32_t captured = u32(body.data() + 12);
  if (captured > body.size() - 20) return damaged("a packet's block is shorter than its packet"), false;
  p.time = clocks_[index].nanoseconds(ticks);
  p.link_type = interfaces_[index].link_type;
  p.interface = static_cast<uint32_t>(index);
  p.wire_bytes = std::max(u32(body.data() + 16), captured);
  p.data = body.subspan(20, captured);
  return true;
}

bool PacketFile::simple(Bytes body, Packet& p) {
  if (body.size() < 4 || first_interface_ >= interfaces_.size()) return damaged("a simple packet's block without an interface"), false;
  const Interface& i = interfaces_[first_interface_];
  const uint32_t wire = u32(body.data());
  size_t captured = std::min<size_t>(wire, body.size() - 4);
  if (i.snap_length) captured = std::min<size_t>(captured, i.snap_length);
  p.time = last_time_;  // it has none of its own
  p.link_type = i.link_type;
  p.interface = static_cast<uint32_t>(first_interface_);
  p.wire_bytes = wire;
  p.data = body.subspan(4, captured);
  return true;
}

void PacketFile::statistics(Bytes body) {
  if (body.size() < 12) return;
  const size_t index = first_interface_ + u32(body.data());
  if (index >= interfaces_.size()) return;
  options(body.subspan(12), [&](uint16_t code, Bytes value) {
    if (code == 1) comment(value);
    if (code == 5 && value.size() == 8) {  // isb_ifdrop
      const uint64_t a = u32(value.data()), b = u32(value.data() + 4);
      interfaces_[index].dropped = (swapped_ != (std::endian::native == std::endian::big)) ? a << 32 | b : b << 32 | a;
    }
  });
}

// The next place behind damage where a block reads as one: its length stands at both ends.
bool PacketFile::find_block() {
  source_.consume(std::min<size_t>(4, source_.available()));
  for (uint64_t searched = 0; searched < kLongestSearch;) {
    source_.fill(kMostPacket + 64);
    const uint8_t* const p = source_.data();
    const size_t n = source_.available();
    size_t at = 0;
    const size_t stop = n > kMostPacket + 64 ? n - kMostPacket - 64 : n >= 12 ? n - 11 : 0;
    // Blocks begin at multiples of four from the file's beginning, unless the damage is that bytes are missing.
    for (; at < stop; ++at) {
      const uint32_t type = u32(p + at);
      if (type != kEnhanced && type != kInterface && type != kSection && type != kSimple && type != kStatistics) continue;
      const bool other_order = type == kSection && (native32(p + at + 8) == kByteOrder) == swapped_;
      const uint32_t size = other_order ? __builtin_bswap32(u32(p + at + 4)) : u32(p + at + 4);
      if (size < 12 || size % 4 || size > n - at) continue;
      if (native32(p + at + size - 4) == native32(p + at + 4)) {
        source_.consume(at);
        return true;
      }
    }
    if (at == 0) return false;
    source_.consume(at);
    searched += at;
    if (n < kMostPacket + 64) return false;
  }
  return false;
}

// Reads one block; got says whether it was a packet. False at the end.
bool PacketFile::next_block(Packet& p, bool& got) {
  got = false;
  const auto end = [&](const char* reason) {
    if (!std::exchange(tail_said_, true)) {
      if (!source_.trouble().empty())
        damaged(source_.trouble());
      else if (reason)
        damaged(reason);
    }
    source_.consume(source_.available());
    kind_ = Kind::kNone;
    return false;
  };
  if (!source_.fill(12)) return end(source_.available() ? "the file ends within a block: it was cut off" : nullptr);
  const uint8_t* h = source_.data();
  const uint32_t type = native32(h);
  const bool is_section = type == kSection;
  if (is_section) swapped_ = native32(h + 8) != kByteOrder;
  const uint32_t size = u32(h + 4);
  const auto go_on = [&](const char* reason) {
    damaged(reason);
    tail_said_ = find_block() ? tail_said_ : true;
    return tail_said_ ? end(nullptr) : true;
  };
  if (size < 12 || size % 4) return go_on("a block's length cannot be: the file is damaged here");
  if (size > kMostBlock) {
    // Nothing that is looked at is so large; another's block may be, if it ends as it says.
    if (u32(h) == kEnhanced || is_section) return go_on("a block's length cannot be: the file is damaged here");
    if (!source_.skip(size)) return end("the file ends within a block: it was cut off");
    return true;
  }
  if (!source_.fill(size)) {
    // A length that leads beyond the file: the end, or damage with more behind it.
    if (source_.available() > kMostPacket) return go_on("a block's length leads beyond the file: it is damaged here");
    return end("the file ends within a block: it was cut off");
  }
  h = source_.data();
  if (native32(h + size - 4) != native32(h + 4)) return go_on("a block's two lengths differ: the file is damaged here");
  if (is_section) {
    if (!section(h, size)) return go_on("a section's header cannot be read");
    source_.consume(size);
    return true;
  }
  const Bytes body(h + 8, size - 12);
  switch (u32(h)) {
    case kInterface: interface(body); break;
    case kEnhanced: got = enhanced(body, p); break;
    case kOldPacket: got = old_packet(body, p); break;
    case kSimple: got = simple(body, p); break;
    case kStatistics: statistics(body); break;
    default: break;
  }
  source_.consume(size);
  if (got) {
    last_time_ = p.time;
    ++packets_;
  }
  return true;
}

}  // namespace egret::capture
