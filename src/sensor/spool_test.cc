#include "sensor/spool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace egret::sensor {
namespace {

namespace fs = std::filesystem;

class SpoolTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("egret_spool_test_" + std::to_string(::getpid()));  // tests run side by side
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  SpoolOptions options() const { return {folder_.string(), "node/1"}; }
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const auto& e : fs::directory_iterator(folder_))
      if (e.path().extension() == ".ndjson") out.push_back(e.path().filename().string());
    std::ranges::sort(out);
    return out;
  }
  std::string text(const std::string& name) const {
    std::ifstream in(folder_ / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  fs::path folder_;
};

TEST_F(SpoolTest, NumbersRowsAcrossSegments) {
  auto spool = Spool::open(options(), 0xabc);
  ASSERT_TRUE(spool);
  const Row row("T", ticks_from_unix_seconds(0));
  (*spool)->add(row);
  ASSERT_TRUE((*spool)->finish());
  ASSERT_TRUE((*spool)->finish());  // nothing new: no segment
  (*spool)->add(row);
  (*spool)->tick(1);
  EXPECT_EQ(files().size(), 1u);  // not old enough
  (*spool)->tick(1 + 5 * kTicksPerSecond);
  ASSERT_EQ(files(), (std::vector<std::string>{"node-1.0000000000000abc.00000001.ndjson", "node-1.0000000000000abc.00000002.ndjson"}));
  EXPECT_EQ(text(files()[1]), R"({"Type":"T","TimeGenerated":"1970-01-01T00:00:00Z","_Sensor":"node-1.0000000000000abc","_Sequence":2})"
                              "\n");
}

TEST_F(SpoolTest, OneSensorForANodeAndAFolder) {
  auto spool = Spool::open(options(), 1);
  ASSERT_TRUE(spool);
  const auto second = Spool::open(options(), 2);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("another sensor"), std::string::npos);
  auto other = options();
  other.node = "node-2";
  EXPECT_TRUE(Spool::open(other, 2));
}

TEST_F(SpoolTest, TheOldestGoFirstAndAreCounted) {
  auto o = options();
  o.most_bytes = 300;
  auto spool = Spool::open(o, 1);
  ASSERT_TRUE(spool);
  for (int i = 0; i < 6; ++i) {
    (*spool)->add(Row("T", 0));
    ASSERT_TRUE((*spool)->finish());
  }
  EXPECT_EQ(files().back(), "node-1.0000000000000001.00000006.ndjson");
  const SpoolLoss loss = (*spool)->take_loss();
  EXPECT_EQ(loss.rows, loss.segments);
  EXPECT_EQ(loss.segments + files().size(), 6u);
  EXPECT_GT(loss.segments, 0u);
  EXPECT_EQ((*spool)->take_loss().rows, 0u);
}

TEST_F(SpoolTest, WhatACrashLeftIsCutAndHandedOver) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / ".node-1.0000000000000001.00000001.ndjson.part") << "{\"a\":1}\n{\"b\":";
  std::ofstream(folder_ / ".node-1.0000000000000001.00000002.ndjson.part") << "{\"b\":";
  std::ofstream(folder_ / ".node-2.0000000000000001.00000001.ndjson.part") << "{\"c\":1}\n";
  auto spool = Spool::open(options(), 2);
  ASSERT_TRUE(spool);
  ASSERT_EQ(files(), (std::vector<std::string>{"node-1.0000000000000001.00000001.ndjson"}));
  EXPECT_EQ(text(files()[0]), "{\"a\":1}\n");
  EXPECT_TRUE(fs::exists(folder_ / ".node-2.0000000000000001.00000001.ndjson.part"));
}

}  // namespace
}  // namespace egret::sensor
