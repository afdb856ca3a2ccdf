#include "investigate/verdict.h"

#include <gtest/gtest.h>

#include "investigate/answer_testing.h"
#include "investigate/plan.h"

namespace egret::investigate {
namespace {

Evidence evidence(const char* group, double weight) {
  return {.test = group,
          .group = group,
          .weight = weight,
          .reason = std::string(group) + " says so.",
          .query = {},
          .rows = {},
          .counted = true};
}

Verdict judged(std::vector<Evidence> list, double owner = 0.98, bool contacts = true) {
  Answer a = benign_answer();
  a.verdict = {};
  a.verdict.evidence = std::move(list);
  a.candidates[0].probability = owner;
  if (!contacts) a.contacts.clear();
  const auto decision = load_decision();
  EXPECT_TRUE(decision) << decision.error().message;
  decide(*decision, {}, CaseTables(a, 0, 1), at("2022-04-02T00:00:00Z"), a);
  return a.verdict;
}

TEST(Decide, TheThresholdsAreLopsided) {
  using enum Classification;
  const struct {
    const char* what;
    std::vector<Evidence> list;
    double owner;
    Classification wanted;
  } kCases[] = {
      {"nothing", {}, 0.98, kUndetermined},
      {"explained", {evidence("behaviour", -13), evidence("address", -6)}, 0.98, kBenignPositive},
      {"explained, but by whom", {evidence("behaviour", -13), evidence("address", -6)}, 0.6, kUndetermined},
      {"harmless looks, no purpose",
       {evidence("address", -6), evidence("volume", -4), evidence("fleet", -5), evidence("rhythm", -2)},
       0.98,
       kUndetermined},
      {"explained, and yet a new image", {evidence("behaviour", -13), evidence("purpose", -10), evidence("image", 6)}, 0.98, kUndetermined},
      {"forged requests", {evidence("request", 18)}, 0.98, kTruePositive},
      {"many small signs", {evidence("name", 4), evidence("rhythm", 4), evidence("novelty", 2), evidence("port", 2)}, 0.98, kUndetermined},
  };
  for (const auto& c : kCases) EXPECT_EQ(judged(c.list, c.owner).classification, c.wanted) << c.what;
  EXPECT_EQ(judged({evidence("behaviour", -13), evidence("address", -6)}, 0.98, false).classification, kUndetermined)
      << "no contact in the data";
}

TEST(Decide, BenignExpiresAndSaysWhatSpeaksAgainst) {
  const auto v = judged({evidence("behaviour", -13), evidence("address", -6), evidence("novelty", 2)});
  EXPECT_EQ(v.expires, at("2022-05-02T00:00:00Z"));
  ASSERT_EQ(v.reasons.size(), 3u);
  EXPECT_EQ(v.reasons.back(), "Against this: novelty says so.");
}

TEST(Fill, WhatIsNoPlainWordIsQuotedForTheShell) {
  const Values values{{"name", "web"}, {"text", "it's $(rm -rf /)"}, {"dash", "--all"}};
  EXPECT_EQ(fill("get {{name}}", values, true), "get web");
  EXPECT_EQ(fill("say {{text}}", values, true), "say 'it'\\''s $(rm -rf /)'");
  EXPECT_EQ(fill("get {{dash}}", values, true), "get '--all'");
  EXPECT_EQ(fill("say {{text}} {{gone}}", values, false), "say it's $(rm -rf /) ");
}

TEST(CaseValues, NamesThatAreNoPlainWordsAreLeftOut) {
  Answer a = payment_answer();
  EXPECT_EQ(case_values(a).at("kind_name"), "deployment/payment-api");
  a.candidates[0].name = "x; reboot";
  a.alert.address = "1.1.1.1 $(id)";
  const auto values = case_values(a);
  EXPECT_FALSE(values.contains("kind_name"));
  EXPECT_FALSE(values.contains("address"));
}

TEST(Content, PlaybooksAndJudgementsCanBeRead) {
  const auto playbooks = load_playbooks();
  ASSERT_TRUE(playbooks) << playbooks.error().message;
  EXPECT_EQ(playbooks->size(), 3u);
  const auto judgements = load_judgements();
  ASSERT_TRUE(judgements) << judgements.error().message;
  EXPECT_GT(judgements->size(), 20u);
}

TEST(Content, MistakesAreNamedWithTheirLine) {
  const auto bad = parse_playbook({.path = "p.yaml", .text = "id: x\nsteps:\n  - action: a\n    effekt: b\n", .origin = ""});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "p.yaml:4: a step has no 'effekt', did you mean effect?");
  const auto kind = parse_judgement({.path = "j.yaml", .text = "id: x\nkind: verdikt\nquery: T\n", .origin = ""});
  ASSERT_FALSE(kind);
  EXPECT_NE(kind.error().message.find("j.yaml:2:"), std::string::npos) << kind.error().message;
}

}  // namespace
}  // namespace egret::investigate
