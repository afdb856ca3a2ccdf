#include "lab/border_rows.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace egret::lab {
namespace {

TEST(BorderRows, GoToTheNodeTheyAreOf) {
  drill::Cluster c;
  c.nodes.resize(2);
  c.nodes[0].ip = 0x0a150004;  // 10.21.0.4
  c.nodes[1].ip = 0x0a150005;
  const auto path = std::filesystem::temp_directory_path() / ("egret-border-rows-test-" + std::to_string(::getpid()) + ".tsv");
  std::ofstream(path) << "1000\t10.21.0.5\t172.64.80.1\t40000\t443\t6\tB\t0\t0\t0\t0\n"
                         "1900\t10.21.0.5\t172.64.80.1\t40000\t443\t6\tC\t3\t300\t2\t100\n"
                         "2000\t10.21.0.5\t172.64.80.1\t40000\t443\t6\tE\t4\t500\t4\t900\n"
                         "1100\t10.21.0.4\t168.63.129.16\t5000\t53\t17\tB\t0\t0\t0\t0\n"
                         "1200\t45.1.2.3\t10.21.0.4\t5000\t31380\t6\tB\t0\t0\t0\t0\n"
                         "1300\t10.21.0.4\t1.2.3.4\t5000\t44";
  const auto flows = read_border(path, c, 0);
  std::filesystem::remove(path);
  ASSERT_EQ(flows.size(), 2U);
  EXPECT_TRUE(flows.at(0).out.empty());  // the platform's resolver is none, and a half row is none
  ASSERT_EQ(flows.at(0).in.size(), 1U);
  EXPECT_EQ(flows.at(0).in[0].direction, 'I');
  ASSERT_EQ(flows.at(1).out.size(), 3U);
  const auto contacts = contacts_with(flows, 0xac405001);
  ASSERT_EQ(contacts.size(), 1U);
  EXPECT_EQ(contacts[0].node, 1U);
  EXPECT_EQ(contacts[0].nat_port, 40000);
  EXPECT_EQ(contacts[0].out, 800U);
  EXPECT_EQ(contacts[0].in, 1000U);
  EXPECT_EQ(contacts[0].duration_ms, 1000U);
}

}  // namespace
}  // namespace egret::lab
