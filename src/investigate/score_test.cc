#include "investigate/score.h"

#include <gtest/gtest.h>

#include <numeric>

namespace egret::investigate {
namespace {

Weighed at(int contact, double weight) { return {"a/Pod/b", contact, weight, "seen", {contact}}; }

TEST(Score, RepeatedContactsAddLessAndTheCapHolds) {
  EXPECT_DOUBLE_EQ(combine({at(1, 12)}, 30).weight, 12);
  EXPECT_DOUBLE_EQ(combine({at(1, 12), at(2, 12)}, 30).weight, 18);
  EXPECT_DOUBLE_EQ(combine({at(1, 12), at(2, 12), at(3, 12)}, 20).weight, 20);
  EXPECT_DOUBLE_EQ(combine({at(1, -40)}, 15).weight, -15);
  EXPECT_EQ(combine({at(2, 3), at(1, 9)}, 30).rows, (std::vector<int64_t>{1, 2}));
}

TEST(Score, OneObservationCountsOnce) {
  std::vector<Evidence> e(3);
  e[0].group = "dns", e[0].weight = 8;
  e[1].group = "dns", e[1].weight = 20;
  e[2].group = "place", e[2].weight = -5;
  EXPECT_DOUBLE_EQ(count_strongest(e), 15);
  EXPECT_TRUE(e[0].counted);
  EXPECT_DOUBLE_EQ(e[0].weight, 20);
  EXPECT_FALSE(e[2].counted);
}

TEST(Score, ProbabilitiesSumToOneAndUnknownWinsWhereNobodyHasAnything) {
  std::vector<Candidate> c(5);
  for (int i = 0; i < 4; ++i) c[static_cast<size_t>(i)].name = std::to_string(i), c[static_cast<size_t>(i)].score = -7;
  c[4].kind = "unknown";
  normalise(c, {});
  EXPECT_EQ(c[0].kind, "unknown");
  double sum = 0;
  for (const Candidate& x : c) sum += x.probability;
  EXPECT_NEAR(sum, 1, 1e-9);
}

TEST(Score, EqualOnesStandByNameWhateverOrderTheyCameIn) {
  std::vector<Candidate> c(3);
  c[0].name = "c", c[1].name = "a", c[2].name = "b";
  normalise(c, {});
  EXPECT_EQ(c[0].name + c[1].name + c[2].name, "abc");
}

TEST(Score, MixtureWeighsLedgersByTheirContacts) {
  Candidate a, b;
  a.name = "a", a.probability = 1;
  b.name = "b", b.probability = 1;
  std::vector<std::pair<double, std::vector<Candidate>>> ledgers;
  ledgers.emplace_back(0.75, std::vector<Candidate>{a});
  ledgers.emplace_back(0.25, std::vector<Candidate>{b});
  const auto m = mix(std::move(ledgers));
  ASSERT_EQ(m.size(), 2u);
  EXPECT_EQ(m[0].name, "a");
  EXPECT_DOUBLE_EQ(m[0].probability, 0.75);
}

TEST(Score, EntropyInBits) {
  const double even[] = {0.25, 0.25, 0.25, 0.25}, sure[] = {1.0};
  EXPECT_DOUBLE_EQ(entropy_bits(even), 2);
  EXPECT_DOUBLE_EQ(entropy_bits(sure), 0);
}

}  // namespace
}  // namespace egret::investigate
