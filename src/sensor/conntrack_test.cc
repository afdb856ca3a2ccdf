#include "sensor/conntrack.h"

#include <gtest/gtest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>

#include <map>

#include "sensor/netns_testing.h"
#include "sensor/translations.h"

namespace egret::sensor {
namespace {

using testing::RoutedNetwork;
using testing::Where;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

// A message as the kernel writes it, put together by hand.
std::vector<uint8_t> message(bool with_reply, uint16_t flags = NLM_F_CREATE | NLM_F_EXCL) {
  NetlinkRequest r(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, flags, 0);
  const uint8_t family[] = {AF_INET, 0, 0, 0};
  r.raw(family);
  const auto tuple = [&](uint16_t type, uint32_t source, uint32_t destination, uint16_t source_port, uint16_t destination_port) {
    const auto t = r.begin_nested(type);
    const auto i = r.begin_nested(CTA_TUPLE_IP);
    r.attribute_be32(CTA_IP_V4_SRC, source);
    r.attribute_be32(CTA_IP_V4_DST, destination);
    r.end_nested(i);
    const auto p = r.begin_nested(CTA_TUPLE_PROTO);
    const uint8_t number = IPPROTO_TCP;
    r.attribute(CTA_PROTO_NUM, Bytes(&number, 1));
    r.attribute_be16(CTA_PROTO_SRC_PORT, source_port);
    r.attribute_be16(CTA_PROTO_DST_PORT, destination_port);
    r.end_nested(p);
    r.end_nested(t);
  };
  tuple(CTA_TUPLE_ORIG, 0x0a5b0002, 0xc0000202, 40000, 443);
  if (with_reply) tuple(CTA_TUPLE_REPLY, 0xc0000202, 0xc0000201, 443, 1024);
  r.attribute_be32(CTA_ID, 77);
  r.attribute_be16(CTA_ZONE, 5);
  const auto info = r.begin_nested(CTA_PROTOINFO);
  const auto tcp = r.begin_nested(CTA_PROTOINFO_TCP);
  const uint8_t established = 3;
  r.attribute(CTA_PROTOINFO_TCP_STATE, Bytes(&established, 1));
  r.end_nested(tcp);
  r.end_nested(info);
  const auto counters = r.begin_nested(CTA_COUNTERS_ORIG);
  const uint8_t packets[] = {0, 0, 0, 0, 0, 0, 1, 2}, bytes[] = {0, 0, 0, 1, 0, 0, 0, 0};
  r.attribute(CTA_COUNTERS_PACKETS, packets);
  r.attribute(CTA_COUNTERS_BYTES, bytes);
  r.end_nested(counters);
  const auto b = r.bytes();
  return {b.begin(), b.end()};
}

TEST(Conntrack, ReadsAMasqueradedConnection) {
  ConntrackCounts counts;
  std::vector<std::pair<ConntrackChange, Conntrack>> seen;
  const auto bytes = message(true);
  parse_conntrack_datagram(bytes, [&](ConntrackChange change, const Conntrack& c) { seen.emplace_back(change, c); }, counts);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(counts.malformed, 0u);
  EXPECT_EQ(seen[0].first, ConntrackChange::kNew);
  const auto& c = seen[0].second;
  EXPECT_EQ(c.original, (Tuple{IPPROTO_TCP, ip("10.91.0.2"), ip("192.0.2.2"), 40000, 443}));
  EXPECT_EQ(c.translated(), (Tuple{IPPROTO_TCP, ip("192.0.2.1"), ip("192.0.2.2"), 1024, 443}));
  EXPECT_TRUE(c.source_translated());
  EXPECT_FALSE(c.destination_translated());
  EXPECT_EQ(c.id, 77u);
  EXPECT_EQ(c.zone, 5);
  EXPECT_EQ(tcp_conntrack_name(c.tcp_state.value()), "ESTABLISHED");
  EXPECT_EQ(c.sent->packets, 258u);
  EXPECT_EQ(c.sent->bytes, uint64_t{1} << 32);
  EXPECT_FALSE(c.received);
}

TEST(Conntrack, WhatIsCutIsCountedNeverRead) {
  const auto whole = message(true);
  for (size_t n = 1; n < whole.size(); ++n) {
    ConntrackCounts counts;
    parse_conntrack_datagram(Bytes(whole).first(n), [&](ConntrackChange, const Conntrack&) { ADD_FAILURE() << n; }, counts);
    EXPECT_EQ(counts.malformed, 1u) << n;
  }
  ConntrackCounts counts;
  const auto without = message(false);
  parse_conntrack_datagram(without, [&](ConntrackChange, const Conntrack&) { ADD_FAILURE(); }, counts);
  EXPECT_EQ(counts.malformed, 1u);
  EXPECT_EQ(counts.messages, 1u);
}

TEST(Conntrack, ChangesAreToldApartByFlags) {
  const auto of = [](uint16_t flags) {
    ConntrackCounts counts;
    ConntrackChange change{};
    parse_conntrack_datagram(message(true, flags), [&](ConntrackChange c, const Conntrack&) { change = c; }, counts);
    return change;
  };
  EXPECT_EQ(of(0), ConntrackChange::kUpdate);
  EXPECT_EQ(of(NLM_F_MULTI), ConntrackChange::kExisting);
}

class ConntrackOfANetwork : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = ConntrackEvents::open({.netns = network_.router()});
    ASSERT_TRUE(opened) << opened.error().message;
    events_.emplace(std::move(*opened));
  }
  // Consumes until `enough` or two seconds have passed.
  void consume(const std::function<bool()>& enough) {
    for (int i = 0; i < 200 && !enough(); ++i) {
      pollfd p{events_->fd(), POLLIN, 0};
      ::poll(&p, 1, 10);
      auto n = events_->consume([&](ConntrackChange change, const Conntrack& c) { seen_.emplace_back(change, c); });
      ASSERT_TRUE(n) << n.error().message;
    }
  }
  std::optional<Conntrack> seen(ConntrackChange change, uint8_t protocol, const char* source) const {
    for (const auto& [what, c] : seen_)
      if (what == change && c.original.protocol == protocol && c.original.source == ip(source)) return c;
    return std::nullopt;
  }

  RoutedNetwork network_;
  std::optional<ConntrackEvents> events_;
  std::vector<std::pair<ConntrackChange, Conntrack>> seen_;
};

TEST_F(ConntrackOfANetwork, MasqueradeIsSeenAsItHappensAndInTheDump) {
  struct Case {
    const char *address, *from, *as;
    int type;
    uint8_t protocol;
  };
  for (const Case& k : {Case{"192.0.2.2", "10.91.0.2", "192.0.2.1", SOCK_STREAM, IPPROTO_TCP},
                        Case{"2001:db8:91::2", "fd91::2", "2001:db8:91::1", SOCK_STREAM, IPPROTO_TCP},
                        Case{"192.0.2.2", "10.91.0.2", "192.0.2.1", SOCK_DGRAM, IPPROTO_UDP},
                        Case{"2001:db8:91::2", "fd91::2", "2001:db8:91::1", SOCK_DGRAM, IPPROTO_UDP}}) {
    SCOPED_TRACE(std::string(k.address) + (k.protocol == IPPROTO_TCP ? " TCP" : " UDP"));
    const auto server = testing::listening(network_.server(), k.address, 8443, k.type);
    const Where to(k.address, 8443);
    auto client = testing::make_socket(network_.client(), to.storage.ss_family, k.type);
    ASSERT_EQ(::connect(client.fd(), to.get(), to.length), 0) << strerror(errno);
    ASSERT_EQ(::send(client.fd(), "x", 1, 0), 1);
    // What the server sees of its peer is the truth.
    Where peer;
    peer.length = sizeof peer.storage;
    if (k.type == SOCK_STREAM) {
      const testing::Socket accepted(::accept(server.fd(), peer.get(), &peer.length));
      ASSERT_GE(accepted.fd(), 0);
    } else {
      char byte;
      ASSERT_EQ(::recvfrom(server.fd(), &byte, 1, 0, peer.get(), &peer.length), 1);
    }
    const uint16_t peer_port = ntohs(reinterpret_cast<const sockaddr_in*>(&peer.storage)->sin_port);  // at the same place in both families
    Where own;
    own.length = sizeof own.storage;
    ASSERT_EQ(::getsockname(client.fd(), own.get(), &own.length), 0);
    const uint16_t own_port = ntohs(reinterpret_cast<const sockaddr_in*>(&own.storage)->sin_port);

    consume([&] { return seen(ConntrackChange::kNew, k.protocol, k.from).has_value(); });
    const auto event = seen(ConntrackChange::kNew, k.protocol, k.from);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->original, (Tuple{k.protocol, ip(k.from), ip(k.address), own_port, 8443}));
    EXPECT_EQ(event->translated(), (Tuple{k.protocol, ip(k.as), ip(k.address), peer_port, 8443}));

    std::optional<Conntrack> dumped;
    const auto interrupted = events_->dump([&](ConntrackChange change, const Conntrack& c) {
      EXPECT_EQ(change, ConntrackChange::kExisting);
      if (c.original == event->original) dumped = c;
    });
    ASSERT_TRUE(interrupted) << interrupted.error().message;
    ASSERT_TRUE(dumped);
    EXPECT_EQ(dumped->translated(), event->translated());
    EXPECT_EQ(dumped->id, event->id);
    EXPECT_EQ(dumped->tcp_state.has_value(), k.protocol == IPPROTO_TCP);

    // Removed: told as destroyed, gone from the table; a second time it is not there.
    auto requests = NetlinkSocket::open(NETLINK_NETFILTER, network_.router());
    ASSERT_TRUE(requests);
    auto removed = remove_conntrack(*requests, *dumped);
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_TRUE(*removed);
    removed = remove_conntrack(*requests, *dumped);
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_FALSE(*removed);
    consume([&] { return seen(ConntrackChange::kDestroy, k.protocol, k.from).has_value(); });
    EXPECT_TRUE(seen(ConntrackChange::kDestroy, k.protocol, k.from));
  }
  EXPECT_EQ(events_->counts().malformed, 0u);
}

TEST_F(ConntrackOfANetwork, EchoRequestsAreTuplesToo) {
  testing::shell("ip netns exec " + network_.client().substr(strlen("/run/netns/")) +
                 " sysctl -qw net.ipv4.ping_group_range='0 2147483647'");
  const Where to("192.0.2.2", 0);
  int fd = -1;
  testing::inside(network_.client(), [&] { fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP); });
  const testing::Socket ping(fd);
  const uint8_t echo[8] = {8, 0, 0, 0, 0, 0, 0, 1};
  ASSERT_EQ(::sendto(fd, echo, sizeof echo, 0, to.get(), to.length), 8) << strerror(errno);
  consume([&] { return seen(ConntrackChange::kNew, IPPROTO_ICMP, "10.91.0.2").has_value(); });
  const auto c = seen(ConntrackChange::kNew, IPPROTO_ICMP, "10.91.0.2");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->original.destination_port, 8 << 8);
  EXPECT_NE(c->original.source_port, 0);
  EXPECT_EQ(c->translated().source, ip("192.0.2.1"));
  EXPECT_EQ(c->translated().destination_port, 8 << 8);
  auto requests = NetlinkSocket::open(NETLINK_NETFILTER, network_.router());
  ASSERT_TRUE(requests);
  const auto removed = remove_conntrack(*requests, *c);
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_TRUE(*removed);
}

TEST_F(ConntrackOfANetwork, ATranslatorAnswersFromEventsAndAsksTheKernelOtherwise) {
  const auto server = testing::listening(network_.server(), "192.0.2.2", 8443);
  const Where to("192.0.2.2", 8443);
  const auto connected = [&](Tuple& before) {
    auto client = testing::make_socket(network_.client(), AF_INET, SOCK_STREAM);
    EXPECT_EQ(::connect(client.fd(), to.get(), to.length), 0);
    Where own;
    own.length = sizeof own.storage;
    ::getsockname(client.fd(), own.get(), &own.length);
    before = {IPPROTO_TCP, ip("10.91.0.2"), ip("192.0.2.2"), ntohs(reinterpret_cast<sockaddr_in*>(&own.storage)->sin_port), 8443};
    return client;
  };
  auto kernel = NetlinkSocket::open(NETLINK_NETFILTER, network_.router());
  ASSERT_TRUE(kernel);
  Translations translations(std::move(*kernel), 2);
  Tuple first, second;
  const auto a = connected(first), b = connected(second);
  consume([&] { return seen_.size() >= 2; });
  // Of the events only the first is heard.
  translations.see(seen_[0].first, seen_[0].second, 1);
  EXPECT_EQ(translations.translated(first)->source, ip("192.0.2.1"));
  EXPECT_EQ(translations.asked(), 0u);
  EXPECT_EQ(translations.translated(second)->source, ip("192.0.2.1"));
  EXPECT_EQ(translations.asked(), 1u);
  Tuple unknown = first;
  unknown.source_port = 1;
  EXPECT_FALSE(translations.translated(unknown));
  // A destroyed entry is remembered until it is forgotten.
  auto requests = NetlinkSocket::open(NETLINK_NETFILTER, network_.router());
  ASSERT_TRUE(requests);
  ASSERT_TRUE(remove_conntrack(*requests, seen_[0].second));
  translations.see(ConntrackChange::kDestroy, seen_[0].second, 5);
  EXPECT_TRUE(translations.translated(first));
  translations.forget_before(6);
  EXPECT_FALSE(translations.translated(first));
}

TEST_F(ConntrackOfANetwork, LostEventsAreCounted) {
  auto small = ConntrackEvents::open({.netns = network_.router(), .receive_bytes = 2048});
  ASSERT_TRUE(small) << small.error().message;
  const auto server = testing::listening(network_.server(), "192.0.2.2", 9000, SOCK_DGRAM);
  const Where to("192.0.2.2", 9000);
  std::vector<testing::Socket> clients;  // kept open, so that each has a port of its own
  for (int i = 0; i < 200; ++i) {
    clients.push_back(testing::make_socket(network_.client(), AF_INET, SOCK_DGRAM));
    ASSERT_EQ(::sendto(clients.back().fd(), "x", 1, 0, to.get(), to.length), 1);
  }
  size_t handed = 0;
  for (int i = 0; i < 5; ++i) {
    const auto n = small->consume([](ConntrackChange, const Conntrack&) {});
    ASSERT_TRUE(n) << n.error().message;
    handed += *n;
  }
  EXPECT_GE(small->counts().lost, 1u);
  EXPECT_LT(handed, 200u);
  // The dump fills the gap.
  size_t in_table = 0;
  const auto interrupted = small->dump([&](ConntrackChange, const Conntrack& c) { in_table += c.original.destination_port == 9000; });
  ASSERT_TRUE(interrupted);
  EXPECT_EQ(in_table, 200u);
}

}  // namespace
}  // namespace egret::sensor
