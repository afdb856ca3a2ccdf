#include "capture/pcapng_writer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/identity.h"
#include "capture/packet_file.h"

namespace egret::capture {
namespace {

TEST(PcapngWriter, ReadsBackAsWritten) {
  const int fd = memfd_create("capture", MFD_CLOEXEC);
  Identity id;
  id.cluster = "c";
  id.name_space = "payment";
  id.pod = "pay-1";
  id.image = "registry.example/pay:1@sha256:ab\nforged: line";
  id.addresses = {*IpAddress::parse("10.1.1.5"), *IpAddress::parse("fd00::5")};
  uint64_t size = 0;
  {
    PcapngWriter w(::dup(fd), "egret test", identity_comment(id));
    EXPECT_EQ(w.interface(1, 100, "eth0", "tcp"), 0u);
    EXPECT_EQ(w.interface(101, 100, "tun0", ""), 1u);
    const uint64_t before = w.bytes();
    w.packet(1, 1'700'000'000'123'456'789, as_bytes("hello"), 900);
    EXPECT_EQ(w.bytes() - before, PcapngWriter::packet_size(5));
    w.packet(0, 1'700'000'001'000'000'000, as_bytes("x"), 1);
    w.statistics(0, 1, 2, 9, 7);
    EXPECT_TRUE(w.flush());
    size = w.bytes();
  }
  std::string bytes(static_cast<size_t>(lseek(fd, 0, SEEK_END)), '\0');
  EXPECT_EQ(bytes.size(), size);
  ASSERT_EQ(pread(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  ::close(fd);

  PacketFile f(ByteSource::of(as_bytes(bytes)));
  Packet p;
  ASSERT_TRUE(f.next(p));
  EXPECT_EQ(p.time, 1'700'000'000'123'456'789);
  EXPECT_EQ(p.link_type, 101);
  EXPECT_EQ(p.wire_bytes, 900u);
  EXPECT_EQ(as_text(p.data), "hello");
  ASSERT_TRUE(f.next(p));
  EXPECT_EQ(as_text(p.data), "x");
  EXPECT_FALSE(f.next(p));
  EXPECT_TRUE(f.take_damage().empty());
  EXPECT_EQ(f.application(), "egret test");
  ASSERT_EQ(f.interfaces().size(), 2u);
  EXPECT_EQ(f.interfaces()[0].name, "eth0");
  EXPECT_EQ(f.interfaces()[0].filter, "tcp");
  EXPECT_EQ(f.interfaces()[0].dropped, 7u);
  ASSERT_EQ(f.comments().size(), 1u);
  const auto read = identity_from_comment(f.comments()[0]);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->pod, "pay-1");
  EXPECT_EQ(read->name_space, "payment");
  EXPECT_EQ(read->image, "registry.example/pay:1@sha256:ab forged: line") << "a value is one line";
  EXPECT_EQ(read->addresses, id.addresses);
}

TEST(Identity, OtherCommentsAreNone) {
  EXPECT_FALSE(identity_from_comment("taken by hand"));
  EXPECT_TRUE(identity_from_comment("Egret capture of one pod\nnonsense\naddresses: 10.0.0.1, x, "));
}

}  // namespace
}  // namespace egret::capture
