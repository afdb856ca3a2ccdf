#include <gtest/gtest.h>

#include "ingest/decoders.h"
#include "ingest/memory_sink.h"

namespace egret::ingest {
namespace {

constexpr std::string_view kTable = "ASimNetworkSessionLogs";

MemorySink decode(std::string_view bytes, std::string cluster = {}) {
  MemorySink sink;
  const auto guesses = recognise(bytes, "PT1H.json");
  EXPECT_FALSE(guesses.empty());
  if (!guesses.empty()) guesses[0].decoder->decode({.path = "PT1H.json", .bytes = bytes, .cluster = std::move(cluster)}, sink);
  return sink;
}

std::string vnet(std::string_view tuples) {
  // Members in the order of a writer that sorts them: the tuples before their rule, the record's own after its flows.
  return std::string(R"({"records":[{"category":"FlowLogFlowEvent","flowRecords":{"flows":[{"aclID":"a","flowGroups":[{"flowTuples":[)") +
         std::string(tuples) +
         R"(],"rule":"UserRule_out"}]}]},"macAddress":"00224871C205","targetResourceID":"/subscriptions/s/resourceGroups/MC_rg_aks-one_canadacentral/providers/Microsoft.Network/virtualNetworks/net","time":"2022-09-14T09:00:52.5625085Z"}]})";
}

TEST(FlowTuples, ReadsVnetTuples) {
  const auto s = decode(vnet(
      R"("1663146003599,10.0.0.6,52.239.184.180,23956,443,6,O,B,NX,0,0,0,0","1663146003606,10.0.0.6,52.239.184.180,23956,443,6,O,E,X,3,767,2,1580")"));
  ASSERT_EQ(s.count(kTable), 2u);
  EXPECT_TRUE(s.errors.empty());
  EXPECT_EQ(s.text(kTable, 0, "TimeGenerated"), "2022-09-14T09:00:03.599Z");
  EXPECT_EQ(s.text(kTable, 0, "EventSubType"), "Start");
  EXPECT_EQ(s.text(kTable, 1, "EventSubType"), "End");
  EXPECT_EQ(s.text(kTable, 1, "SrcBytes"), "767");
  EXPECT_EQ(s.text(kTable, 1, "DstPackets"), "2");
  EXPECT_EQ(s.text(kTable, 0, "NetworkRuleName"), "UserRule_out");
  EXPECT_EQ(s.text(kTable, 0, "SrcMacAddr"), "00224871C205");
  EXPECT_EQ(s.text(kTable, 0, "Cluster"), "aks-one");
  ASSERT_EQ(s.coverage.size(), 1u);
  EXPECT_EQ(s.coverage[0].source, "vnet-flow");
  EXPECT_EQ(s.clusters.at(0).region, "canadacentral");
}

TEST(FlowTuples, ContinueAndBeginMayHaveEmptyCounters) {
  const auto s = decode(vnet(
      R"("1493763938000,185.170.185.105,10.2.0.4,35370,23,6,I,C,NX,,,,","1493763938000,185.170.185.105,10.2.0.4,35370,23,6,I,D,NX,0,0,0,0")"));
  ASSERT_EQ(s.count(kTable), 2u);
  EXPECT_EQ(s.text(kTable, 0, "SrcBytes"), "");
  EXPECT_EQ(s.text(kTable, 0, "NetworkDirection"), "Inbound");
  EXPECT_EQ(s.text(kTable, 1, "DvcAction"), "Deny");
  EXPECT_EQ(s.text(kTable, 1, "EventResult"), "Failure");
}

TEST(FlowTuples, RefusesEachBrokenTupleAlone) {
  const auto s = decode(vnet(
      R"("1663146003599,10.0.0.6,52.239.184.180,23956,443,6,O,B,NX,0,0,0,0","x,10.0.0.6,52.239.184.180,1,443,6,O,B,NX,0,0,0,0","1663146003599,10.0.0.600,52.239.184.180,1,443,6,O,B,NX,0,0,0,0","1663146003599,10.0.0.6,52.239.184.180,70000,443,6,O,B,NX","1663146003599,10.0.0.6")"));
  EXPECT_EQ(s.count(kTable), 1u);
  ASSERT_EQ(s.errors.size(), 4u);
  EXPECT_EQ(s.errors[1].reason, "the source is not an IP address");
}

TEST(FlowTuples, KeepsWhatCameBeforeTheCut) {
  std::string text = vnet(R"("1663146003599,10.0.0.6,52.239.184.180,23956,443,6,O,B,NX,0,0,0,0","1663146003606,10.0.0.6,52.2)");
  text.resize(text.find("52.2\"]") == std::string::npos ? text.find("52.2],") + 4 : text.find("52.2\"]") + 4);
  const auto s = decode(text, "folder");
  EXPECT_EQ(s.count(kTable), 1u);
  ASSERT_EQ(s.errors.size(), 1u);
  EXPECT_EQ(s.errors[0].reason, "the file ends inside a text");
  EXPECT_EQ(s.text(kTable, 0, "Cluster"), "folder");
}

TEST(FlowTuples, ReadsBothVersionsOfNsgLogs) {
  const auto record = [](std::string_view tuples) {
    return std::string(
               R"({"records":[{"time":"2017-02-16T22:00:32Z","category":"NetworkSecurityGroupFlowEvent","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/N","properties":{"flows":[{"rule":"R1","flows":[{"mac":"000D3AF8801A","flowTuples":[)") +
           std::string(tuples) +
           R"(]}]},{"rule":"R2","flows":[{"mac":"000D3AF8801B","flowTuples":["1487282421,42.119.146.95,10.1.0.4,51529,5358,U,I,D"]}]}]}}]})";
  };
  const auto s = decode(record(
      R"("1487282370,10.1.0.4,163.28.66.17,61771,3389,T,O,A,B,,,,","1487282393,10.1.0.4,163.28.66.17,61771,3389,T,O,A,E,1,66,2,132")"));
  ASSERT_EQ(s.count(kTable), 3u);
  EXPECT_EQ(s.text(kTable, 1, "DstBytes"), "132");
  EXPECT_EQ(s.text(kTable, 1, "NetworkRuleName"), "R1");
  EXPECT_EQ(s.text(kTable, 2, "NetworkRuleName"), "R2");
  EXPECT_EQ(s.text(kTable, 2, "SrcMacAddr"), "000D3AF8801B");
  EXPECT_EQ(s.text(kTable, 2, "NetworkProtocol"), "UDP");
  EXPECT_EQ(s.text(kTable, 0, "EventProduct"), "NSG flow log");
}

}  // namespace
}  // namespace egret::ingest
