#include "incident/cases.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "incident/incident_row.h"
#include "investigate/answer_json.h"
#include "investigate/answer_testing.h"

namespace egret::incident {
namespace {

using investigate::at;

class CasesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "egret-cases-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<Cases> open() {
    auto c = Cases::open(folder_ / "data");
    EXPECT_TRUE(c) << c.error().message;
    return *std::move(c);
  }
  std::filesystem::path folder_;
};

TEST_F(CasesTest, KeepsAnAnswerAndGivesItBackAfterReopening) {
  const auto answer = investigate::benign_answer();
  {
    const auto n = open()->keep(answer, "me", at("2022-04-01T10:00:00Z"));
    ASSERT_TRUE(n) << n.error().message;
    EXPECT_EQ(*n, 1);
  }
  const auto c = open()->get(1);
  ASSERT_TRUE(c) << c.error().message;
  EXPECT_EQ(investigate::answer_json(c->answer, true), investigate::answer_json(answer, true));
  EXPECT_EQ(c->status, Status::kNew);
  EXPECT_EQ(c->classification, investigate::Classification::kBenignPositive);
  ASSERT_EQ(c->log.size(), 1u);
  EXPECT_EQ(c->log[0].kind, "opened");
}

TEST_F(CasesTest, TheSameQuestionAgainIsTheSameIncident) {
  auto cases = open();
  ASSERT_TRUE(cases->keep(investigate::benign_answer(), "me", 1000));
  auto again = investigate::benign_answer();
  again.verdict.classification = investigate::Classification::kUndetermined;
  const auto n = cases->keep(again, "me", 2000);
  ASSERT_TRUE(n);
  EXPECT_EQ(*n, 1);
  EXPECT_EQ(*cases->keep(investigate::payment_answer(), "me", 3000), 2);
  const auto c = cases->get(1);
  ASSERT_TRUE(c);
  EXPECT_EQ(c->answers, 2);
  EXPECT_EQ(c->classification, investigate::Classification::kUndetermined);
  EXPECT_EQ(cases->list()->size(), 2u);
  EXPECT_EQ(*cases->last(), 2);
}

TEST_F(CasesTest, CommentCloseReopen) {
  auto cases = open();
  ASSERT_TRUE(cases->keep(investigate::benign_answer(), "me", 1000));
  ASSERT_TRUE(cases->comment(1, "asked support", "jane", 2000));
  EXPECT_EQ(cases->get(1)->status, Status::kActive);
  ASSERT_TRUE(cases->close(1, investigate::Classification::kFalsePositive, "list entry was wrong", "jane", 3000));
  auto c = cases->get(1);
  EXPECT_EQ(c->status, Status::kClosed);
  EXPECT_EQ(c->closed, 3000);
  EXPECT_EQ(c->reason, "list entry was wrong");
  EXPECT_EQ(c->classification, investigate::Classification::kFalsePositive);
  // A later look does not change what a person closed it as.
  ASSERT_TRUE(cases->keep(investigate::benign_answer(), "me", 3500));
  EXPECT_EQ(cases->get(1)->classification, investigate::Classification::kFalsePositive);
  ASSERT_TRUE(cases->reopen(1, "came again", "jane", 4000));
  c = cases->get(1);
  EXPECT_EQ(c->status, Status::kActive);
  EXPECT_EQ(c->closed, 0);
  ASSERT_EQ(c->log.size(), 5u);
  EXPECT_EQ(c->log[1].text, "asked support");
  const auto row = incident_row(*c, 5000);
  EXPECT_EQ(row.text(row.column("Status"), 0), "Active");
  EXPECT_EQ(row.number(row.column("IncidentNumber"), 0), 1);
}

TEST_F(CasesTest, UnknownNumbersAreSaid) {
  auto cases = open();
  EXPECT_EQ(cases->get(7).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(cases->comment(7, "x", "me", 1).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(cases->last().error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace egret::incident
