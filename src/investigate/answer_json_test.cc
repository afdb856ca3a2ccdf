#include "investigate/answer_json.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "investigate/answer_testing.h"

namespace egret::investigate {
namespace {

TEST(AnswerJson, HasTheMembersThatOtherProgramsRelyOn) {
  const std::string json = answer_json(benign_answer(), false, 0);
  EXPECT_TRUE(json.starts_with(R"({"alert":{"id":"2517538088","time":"2022-04-01T06:15:21Z")")) << json;
  EXPECT_NE(
      json.find(
          R"("entities":{"cluster":"canadacentral","node":"aks-system-3","source_address":"10.1.0.9","address":"172.64.80.1","port":80)"),
      json.npos)
      << json;
  EXPECT_NE(json.find(R"("classification":"BenignPositive")"), json.npos);
  EXPECT_NE(json.find(R"("release":{"first_bad":null,"last_good":null,"changes":[])"), json.npos);
  EXPECT_NE(json.find(R"("namespace":"kube-system","kind":"DaemonSet","name":"omsagent")"), json.npos);
  EXPECT_EQ(json.find("\"facts\""), json.npos);
}

TEST(AnswerJson, ComesBackAsItWent) {
  for (const Answer& a : {benign_answer(), payment_answer(), Answer{}}) {
    const std::string json = answer_json(a, true);
    const auto back = answer_from_json(json);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(answer_json(*back, true), json);
  }
}

TEST(AnswerJson, SaysWhatIsWrongWithAStoredAnswer) {
  const auto bad = answer_from_json(R"({"verdict":{"classification":"Fine"}})");
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("classification"), std::string::npos);
  EXPECT_FALSE(answer_from_json("{"));
}

TEST(AnswerSchema, TheDocumentIsUpToDate) {
  const std::string path = std::string(EGRET_SOURCE_DIR) + "/docs/answer.schema.json";
  if (std::getenv("EGRET_UPDATE")) std::ofstream(path) << answer_schema();
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), answer_schema()) << "run investigate_test with EGRET_UPDATE=1 to write it again";
}

}  // namespace
}  // namespace egret::investigate
