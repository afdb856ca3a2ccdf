#include "investigate/bisect.h"

#include <gtest/gtest.h>

#include "investigate/answer_testing.h"

namespace egret::investigate {
namespace {

ChangeRow image(const char* time, const char* from, const char* to, const char* what = "image") {
  ChangeRow c;
  c.time = at(time);
  c.what = what;
  c.from = from;
  c.to = to;
  return c;
}

const Ticks kFrom = at("2022-04-01T00:00:00Z"), kTo = at("2022-04-01T12:00:00Z");

TEST(Bisect, NamesTheVersionThatBroughtTheContact) {
  const auto r = bisect("a/Deployment/b",
                        {image("2022-03-01T00:00:00Z", "", "r.io/b:1", "created"), image("2022-04-01T04:00:00Z", "r.io/b:1", "r.io/b:2"),
                         image("2022-04-01T08:00:00Z", "r.io/b:2", "r.io/b:3@sha256:ff")},
                        {at("2022-04-01T08:20:00Z"), at("2022-04-01T09:00:00Z")}, kFrom, kTo);
  ASSERT_TRUE(r.first_bad) << r.explanation;
  EXPECT_EQ(r.first_bad->version, "3");
  EXPECT_EQ(r.first_bad->digest, "sha256:ff");
  EXPECT_EQ(r.first_bad->contacts, 2);
  EXPECT_EQ(r.last_good->version, "2");
  ASSERT_EQ(r.changes.size(), 1u);
  EXPECT_EQ(r.changes[0].from, "r.io/b:2");
  EXPECT_EQ(r.versions.size(), 3u);
}

TEST(Bisect, BlamesNobodyWhenTheContactCameLongAfterTheChange) {
  const auto r =
      bisect("w", {image("2022-03-01T00:00:00Z", "", "r.io/b:1", "created"), image("2022-04-01T01:00:00Z", "r.io/b:1", "r.io/b:2")},
             {at("2022-04-01T11:00:00Z")}, kFrom, kTo);
  EXPECT_FALSE(r.first_bad);
  EXPECT_NE(r.explanation.find("No release is to blame"), std::string::npos) << r.explanation;
}

TEST(Bisect, ContactsOfTheFirstVersionAreNoReleases) {
  const auto r = bisect("w", {image("2022-03-01T00:00:00Z", "", "r.io/b:1", "created")}, {at("2022-04-01T11:00:00Z")}, kFrom, kTo);
  EXPECT_FALSE(r.first_bad);
  EXPECT_NE(r.explanation.find("no change in the data's time"), std::string::npos) << r.explanation;
}

TEST(Bisect, AVersionThatHardlyRanIsNotCalledGoodInSilence) {
  const auto r = bisect("w",
                        {image("2022-03-01T00:00:00Z", "", "r.io/b:1", "created"), image("2022-04-01T07:45:00Z", "r.io/b:1", "r.io/b:2"),
                         image("2022-04-01T08:00:00Z", "r.io/b:2", "r.io/b:3")},
                        {at("2022-04-01T10:00:00Z")}, kFrom, kTo);
  ASSERT_TRUE(r.last_good) << r.explanation;
  EXPECT_EQ(r.last_good->version, "2");
  EXPECT_NE(r.explanation.find("too little to call it good"), std::string::npos) << r.explanation;
}

TEST(Bisect, ASecondSourcesBeginningIsNoVersion) {
  const auto r = bisect("w",
                        {image("2022-03-01T00:00:00Z", "", "r.io/b:1", "created"), image("2022-04-01T07:59:58Z", "", "r.io/b:2", "created"),
                         image("2022-04-01T08:00:00Z", "r.io/b:1", "r.io/b:2")},
                        {at("2022-04-01T08:20:00Z")}, kFrom, kTo);
  ASSERT_TRUE(r.first_bad) << r.explanation;
  EXPECT_EQ(r.versions.size(), 2u);
  EXPECT_EQ(r.first_bad->version, "2");
  EXPECT_EQ(r.last_good->version, "1");
}

TEST(Bisect, ConfigurationAndReleaseRecordsAreTold) {
  ChangeRow config = image("2022-04-01T08:01:00Z", R"({"url":"a","x":"1"})", R"({"url":"b","y":"2"})", "configmap");
  config.object = "shop/settings";
  ChangeRow record = image("2022-04-01T08:02:00Z", "", "2.0", "release");
  record.release = "2.0";
  record.commit = "9f1c";
  record.by = "pipeline";
  const auto r = bisect(
      "w",
      {image("2022-03-01T00:00:00Z", "", "r.io/b:1", "created"), image("2022-04-01T08:00:00Z", "r.io/b:1", "r.io/b:2"), config, record},
      {at("2022-04-01T08:20:00Z")}, kFrom, kTo);
  ASSERT_TRUE(r.first_bad) << r.explanation;
  EXPECT_EQ(r.first_bad->version, "2.0");
  EXPECT_EQ(r.first_bad->commit, "9f1c");
  ASSERT_EQ(r.changes.size(), 3u);
  EXPECT_EQ(r.changes[1].what, "configmap shop/settings");
  EXPECT_EQ(r.changes[1].to, "~url, +y, -x");
  EXPECT_FALSE(r.settings_alone());
}

TEST(Bisect, SettingsAloneAreNoVersion) {
  ChangeRow written = image("2022-04-01T08:01:00Z", "", "", "configmap");
  written.object = "shop/settings";
  written.by = "someone@example.org";
  const auto r = bisect("w", {image("2022-03-01T00:00:00Z", "", "r.io/b:1", "created"), written}, {at("2022-04-01T08:04:00Z")}, kFrom, kTo);
  ASSERT_TRUE(r.first_bad) << r.explanation;
  EXPECT_TRUE(r.settings_alone());
  EXPECT_EQ(r.changes[0].to, "the log does not keep what");
  EXPECT_NE(r.explanation.find("the settings of 2022-04-01 08:01:00 made the first"), std::string::npos) << r.explanation;
}

}  // namespace
}  // namespace egret::investigate
