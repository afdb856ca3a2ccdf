#include "detect/group.h"

#include <gtest/gtest.h>

#include "detect/criticality.h"

namespace egret::detect {
namespace {

Alert alert(std::string id, Ticks start, std::string address, std::string workload = {}, std::string cluster = "cc") {
  Alert a;
  a.id = id;
  a.rule_id = "r";
  a.name = "alert " + id;
  a.start = a.end = start;
  a.cluster = cluster;
  a.workload = workload;
  if (!address.empty()) a.entities = {{"IP", {{"Address", address}}}};
  return a;
}

constexpr Ticks h(int hours) { return kUnixEpochTicks + hours * kTicksPerHour; }

TEST(Group, JoinsWhatSharesAnEntityNearInTime) {
  std::vector<Alert> alerts = {alert("a", h(0), "192.0.2.1", "p/Deployment/x"), alert("b", h(2), "", "p/Deployment/x"),
                               alert("c", h(3), "192.0.2.1", "", "eu"), alert("d", h(3), "198.51.100.9"), alert("e", h(40), "192.0.2.1")};
  alerts[1].severity = Severity::kHigh;
  const auto groups = group(alerts);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].alerts, (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(groups[0].title, "alert b");
  EXPECT_EQ(groups[0].severity, Severity::kHigh);
  EXPECT_EQ(groups[0].workload, "p/Deployment/x");
  EXPECT_EQ(groups[0].cluster, "");
  EXPECT_EQ(groups[0].start, h(0));
  EXPECT_EQ(groups[0].end, h(3));
}

TEST(Group, PrivateAddressesRepeatInOtherClusters) {
  EXPECT_EQ(group({alert("a", h(0), "10.0.0.4"), alert("b", h(1), "10.0.0.4", "", "eu")}).size(), 2u);
  EXPECT_EQ(group({alert("a", h(0), "10.0.0.4"), alert("b", h(1), "10.0.0.4")}).size(), 1u);
}

TEST(Group, HonoursTheRulesOwnConfiguration) {
  std::vector<Alert> alerts = {alert("a", h(0), "192.0.2.1"), alert("b", h(9), "192.0.2.2")};
  for (Alert& a : alerts) {
    a.incident.group = true;
    a.incident.lookback = kTicksPerDay;
    a.incident.matching = IncidentConfiguration::Matching::kAnyAlert;
  }
  EXPECT_EQ(group(alerts).size(), 1u);
  alerts[0].incident.create = alerts[1].incident.create = false;
  EXPECT_TRUE(group(alerts).empty());
}

TEST(Criticality, ReadsTheListAndItsMistakes) {
  const auto list = read_criticality("workloads:\n  - {namespace: 'pay*', level: Critical}\n", "c.yaml");
  ASSERT_TRUE(list);
  EXPECT_TRUE(matches_pattern((*list)[0].ns, "payments"));
  EXPECT_FALSE(matches_pattern((*list)[0].ns, "repay"));
  EXPECT_TRUE(matches_pattern("*pay*x?", "xpayxxy"));
  EXPECT_EQ(read_criticality("workloads:\n  - {namespace: x, level: Huge}\n", "c.yaml").error().message,
            "c.yaml:2:5: error: level cannot be 'Huge'");
  EXPECT_FALSE(read_criticality("workloads:\n  - {level: Low}\n", "c.yaml"));
  EXPECT_FALSE(read_criticality("x: [", "c.yaml"));
  EXPECT_EQ(criticality_level("Tier-0"), "Critical");
  EXPECT_EQ(criticality_level("whatever"), "");
}

}  // namespace
}  // namespace egret::detect
