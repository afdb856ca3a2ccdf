#include "investigate/missing.h"

#include <gtest/gtest.h>

namespace egret::investigate {
namespace {

std::vector<Candidate> tie(int n) {
  std::vector<Candidate> c(static_cast<size_t>(n));
  for (auto& x : c) x.kind = "DaemonSet", x.probability = 1.0 / n;
  return c;
}

TEST(Missing, AStrongLogTakesOffNearlyAllOfATie) {
  EXPECT_NEAR(expected_gain(tie(8), 35, 1), 3, 0.05);
  EXPECT_NEAR(expected_gain(tie(8), 35, 0.5), 1.5, 0.03);
  EXPECT_LT(expected_gain(tie(8), 3, 1), 0.3);
}

TEST(Missing, NothingToGainWhereTheOwnerIsSure) {
  std::vector<Candidate> c = tie(2);
  c[0].probability = 0.999, c[1].probability = 0.001;
  EXPECT_LT(expected_gain(c, 35, 1), 0.02);
}

TEST(Missing, OnlyLogsThatDoNotCoverTheContacts) {
  EvidenceTest dns;
  dns.id = "dns", dns.reliability = 30;
  dns.missing = {.advice = "CoreDNS log in {Cluster}", .how = "", .cost = "", .sources = {"coredns"}, .discriminates = 0.8};
  EvidenceTest envoy = dns;
  envoy.id = "envoy";
  envoy.missing.advice = "access logs", envoy.missing.sources = {"envoy"}, envoy.missing.discriminates = 0.3;
  const auto m = find_missing(tie(4), {dns, envoy}, {{"we", "coredns", 0, 100}, {"cc", "coredns", 200, 300}}, "cc", 50, 60);
  ASSERT_EQ(m.size(), 2u);
  EXPECT_EQ(m[0].log, "CoreDNS log in cc");
  EXPECT_EQ(find_missing(tie(4), {dns}, {{"cc", "coredns", 0, 100}}, "cc", 50, 60).size(), 0u);
}

}  // namespace
}  // namespace egret::investigate
