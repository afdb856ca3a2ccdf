#include "capture/packet_file.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "capture/capture_test_bytes.h"

namespace egret::capture {
namespace {

struct Read {
  std::vector<int64_t> times;
  std::vector<std::string> data;
  std::vector<Damage> damage;
  std::vector<std::string> comments;
  std::vector<Interface> interfaces;
};
Read read(ByteSource source) {
  PacketFile f(std::move(source));
  Read out;
  for (Packet p; f.next(p);) {
    out.times.push_back(p.time);
    out.data.emplace_back(as_text(p.data));
  }
  out.damage = f.take_damage();
  out.comments = f.comments();
  out.interfaces = f.interfaces();
  return out;
}
Read read(const std::string& bytes) { return read(ByteSource::of(as_bytes(bytes))); }

TEST(PacketFile, BothByteOrdersAndBothClocks) {
  for (const bool big : {false, true})
    for (const bool nano : {false, true}) {
      const auto n = [&](uint64_t v, int bytes) { return big ? be(v, bytes) : le(v, bytes); };
      const std::string bytes = n(nano ? 0xa1b23c4d : 0xa1b2c3d4, 4) + n(2, 2) + n(4, 2) + n(0, 8) + n(100, 4) + n(1, 4) + n(7, 4) +
                                n(5, 4) + n(3, 4) + n(90, 4) + "abc";
      const Read r = read(bytes);
      ASSERT_EQ(r.times.size(), 1u);
      EXPECT_EQ(r.times[0], 7'000'000'000 + (nano ? 5 : 5000));
      EXPECT_EQ(r.data[0], "abc");
      EXPECT_TRUE(r.damage.empty());
      EXPECT_EQ(r.interfaces[0].link_type, 1);
    }
}

TEST(PacketFile, EveryCutKeepsWhatWasGood) {
  const std::string whole = pcap_header() + pcap_record(1, 0, "aaaa") + pcap_record(2, 0, "bbbbbb");
  for (size_t n = 0; n <= whole.size(); ++n) {
    const Read r = read(whole.substr(0, n));
    const size_t first = 24 + 20, second = whole.size();
    const size_t want = (n > 24 + 16) + (n > first + 16 ? 1u : 0u);  // a packet of which some bytes are there counts
    EXPECT_EQ(r.times.size(), want) << n;
    EXPECT_EQ(r.damage.empty(), n == 24 || n == first || n == second) << n;
  }
}

TEST(PacketFile, DamageWithinIsSkipped) {
  std::string bytes = pcap_header();
  for (uint32_t i = 0; i < 10; ++i) bytes += pcap_record(1000 + i, 0, std::string(60, static_cast<char>('a' + i)));
  const size_t at = 24 + 3 * 76 + 8;
  bytes.replace(at, 4, "\xff\xff\xff\x7f");
  const Read r = read(bytes);
  EXPECT_EQ(r.times.size(), 9u);
  EXPECT_EQ(r.data.back(), std::string(60, 'j'));
  ASSERT_EQ(r.damage.size(), 1u);
  EXPECT_EQ(r.damage[0].offset, 24u + 3 * 76);
}

std::string block(uint32_t type, const std::string& body) {
  const std::string padded = body + std::string((4 - body.size() % 4) % 4, '\0');
  return le(type, 4) + le(padded.size() + 12, 4) + padded + le(padded.size() + 12, 4);
}
std::string option(uint16_t code, const std::string& value) {
  return le(code, 2) + le(value.size(), 2) + value + std::string((4 - value.size() % 4) % 4, '\0');
}
std::string section(const std::string& options = {}) {
  return block(0x0a0d0d0a, le(0x1a2b3c4d, 4) + le(1, 2) + le(0, 2) + le(~uint64_t{0}, 8) + options);
}
std::string interface(uint16_t link, const std::string& options = {}) { return block(1, le(link, 2) + le(0, 2) + le(0, 4) + options); }
std::string enhanced(uint32_t number, uint64_t ticks, const std::string& data) {
  return block(6, le(number, 4) + le(ticks >> 32, 4) + le(ticks, 4) + le(data.size(), 4) + le(data.size(), 4) + data);
}

TEST(PacketFile, PcapngWithTwoInterfacesAndClocks) {
  const Read r =
      read(section(option(1, "who and where")) + interface(1) + interface(101, option(2, "eth7") + option(9, std::string(1, '\x09'))) +
           enhanced(0, 1'000'001, "abcde") + enhanced(1, 2'000'000'003, "x") + section() +
           interface(113, option(9, std::string(1, '\x8a'))) + enhanced(0, 1024 * 5 + 512, "y"));
  EXPECT_EQ(r.times, (std::vector<int64_t>{1'000'001'000, 2'000'000'003, 5'500'000'000}));
  EXPECT_EQ(r.data, (std::vector<std::string>{"abcde", "x", "y"}));
  EXPECT_EQ(r.comments, std::vector<std::string>{"who and where"});
  ASSERT_EQ(r.interfaces.size(), 3u);
  EXPECT_EQ(r.interfaces[1].name, "eth7");
  EXPECT_TRUE(r.damage.empty());
}

TEST(PacketFile, PcapngDamage) {
  std::string bytes = section() + interface(1);
  for (int i = 0; i < 5; ++i) bytes += enhanced(0, 1'000'000 * static_cast<uint64_t>(i), std::string(40, static_cast<char>('a' + i)));
  const size_t third = 28 + 20 + 2 * 72;
  std::string broken = bytes;
  broken.replace(third + 4, 4, "\x03\x01\x01\x01");
  const Read r = read(broken);
  EXPECT_EQ(r.data, (std::vector<std::string>{std::string(40, 'a'), std::string(40, 'b'), std::string(40, 'd'), std::string(40, 'e')}));
  EXPECT_EQ(r.damage.size(), 1u);
  const Read cut = read(bytes.substr(0, bytes.size() - 9));
  EXPECT_EQ(cut.times.size(), 4u);
  EXPECT_EQ(cut.damage.size(), 1u);
  const Read unknown = read(section() + interface(1) + enhanced(7, 1, "a"));
  EXPECT_EQ(unknown.damage.size(), 1u);
}

TEST(PacketFile, PackedFilesAreUnpackedOnTheWay) {
  const auto path = std::filesystem::temp_directory_path() / ("egret_packet_file_test_" + std::to_string(::getpid()) + ".pcap.gz");
  std::string bytes = pcap_header();
  for (uint32_t i = 0; i < 3000; ++i) bytes += pcap_record(i, 0, std::string(1000, static_cast<char>(i * 7)));
  const gzFile z = gzopen(path.c_str(), "wb1");
  gzwrite(z, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(z);
  auto source = ByteSource::open(path);
  ASSERT_TRUE(source);
  EXPECT_EQ(read(std::move(*source)).times.size(), 3000u);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  source = ByteSource::open(path);
  ASSERT_TRUE(source);
  const Read cut = read(std::move(*source));
  EXPECT_GT(cut.times.size(), 1000u);
  ASSERT_EQ(cut.damage.size(), 1u);
  EXPECT_NE(cut.damage[0].reason.find("gzip"), std::string::npos);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace egret::capture
