#include "investigate/contacts.h"

#include <gtest/gtest.h>

namespace egret::investigate {
namespace {

SeenContact row(Ticks seconds, std::string source, int port, std::string node, std::string by, bool start = true) {
  SeenContact s;
  s.contact.time = s.end = ticks_from_unix_seconds(1'648'793'600) + seconds * kTicksPerSecond;
  s.contact.cluster = "cc";
  s.contact.source = std::move(source);
  s.contact.destination = "172.64.80.1";
  s.contact.port = 443;
  s.contact.node = std::move(node);
  s.contact.bytes_out = 100;
  s.source_port = port;
  s.seen_by = std::move(by);
  s.start = start;
  static int64_t id = 0;
  s.contact.rows = {++id};
  return s;
}

TEST(Contacts, DeltasOfOneConnectionAreOneContact) {
  const auto c = merge_contacts({row(0, "10.0.0.4", 5000, "n1", "VNet flow log"), row(60, "10.0.0.4", 5000, "n1", "VNet flow log", false),
                                 row(500, "10.0.0.4", 5000, "n1", "VNet flow log", false)});
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(c[0].contact.bytes_out, 300);
  EXPECT_EQ(c[0].contact.rows.size(), 3u);
}

TEST(Contacts, TheSamePortLaterIsAnotherContact) {
  EXPECT_EQ(merge_contacts({row(0, "10.0.0.4", 5000, "n1", "NSG flow log"), row(400, "10.0.0.4", 5000, "n1", "NSG flow log")}).size(), 2u);
}

TEST(Contacts, TwoFlowLogsOfOneConnectionDoNotAddTheirBytes) {
  const auto c = merge_contacts({row(0, "10.0.0.4", 5000, "n1", "VNet flow log"), row(1, "10.0.0.4", 5000, "n1", "NSG flow log")});
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(c[0].contact.bytes_out, 100);
}

TEST(Contacts, ObserverBeforeTranslationLendsThePod) {
  SeenContact zeek = row(0, "10.244.3.9", 41000, "n1", "Zeek conn");
  zeek.workload = "kube-system/DaemonSet/agent", zeek.pod = "agent-x";
  const auto c = merge_contacts({row(1, "10.0.0.4", 5000, "n1", "VNet flow log"), zeek, row(1, "10.0.0.5", 6000, "n2", "VNet flow log")});
  ASSERT_EQ(c.size(), 2u);
  EXPECT_EQ(c[0].workload, "kube-system/DaemonSet/agent");
  EXPECT_EQ(c[1].workload, "");
}

TEST(Contacts, AnAggregateIsNoContactOfItsOwn) {
  SeenContact coarse = row(-20, "10.0.0.4", 0, "n1", "Traffic Analytics");
  coarse.precision = 60 * kTicksPerSecond;
  coarse.end = coarse.contact.time + 300 * kTicksPerSecond;
  EXPECT_EQ(merge_contacts({coarse, row(0, "10.0.0.4", 5000, "n1", "VNet flow log")}).size(), 1u);
}

}  // namespace
}  // namespace egret::investigate
