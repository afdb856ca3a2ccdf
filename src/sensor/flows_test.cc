// Flow events to rows, without a kernel: what is written, what is added up, and that every column exists.
#include "sensor/flows.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include "base/json_dom.h"
#include "model/catalogue.h"
#include "sensor/lookups.h"
#include "sensor/node_events.h"
#include "sensor/process_rows.h"
#include "sensor/requests.h"

namespace egret::sensor {
namespace {

constexpr std::string_view kUid = "0a1b2c3d-1111-2222-3333-444455556666";
constexpr std::string_view kContainer = "4f1d2a6b8c9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192";

// Keeps rows, and checks each against the declaration of its table.
class Memory final : public RowSink {
 public:
  void add(const Row& row) override {
    simdjson::dom::parser parser;
    js::Element e;
    const std::string text = row.body() + "}";
    ASSERT_EQ(parser.parse(text).get(e), simdjson::SUCCESS) << text;
    const model::Table* table = model::find_table(row.table());
    ASSERT_NE(table, nullptr) << row.table();
    js::each_member(e, [&](std::string_view key, const js::Element&) {
      EXPECT_TRUE(key == "Type" || table->find(key) >= 0) << row.table() << " has no column " << key;
    });
    rows.push_back(text);
  }
  bool has(size_t i, std::string_view part) const { return rows.at(i).find(part) != std::string::npos; }
  std::vector<std::string> rows;
};

class FlowsTest : public testing::Test {
 protected:
  FlowsTest()
      : cgroups_(*Cgroups::open()),
        pods_({"", "/nonexistent", "/nonexistent"}),
        owners_(cgroups_, pods_, "", 0),
        processes_("/nonexistent") {
    context_.cluster = "c", context_.node = "n1";
    context_.owners = &owners_, context_.processes = &processes_, context_.out = &out_;
    cgroups_.made({0, 7}, "/system.slice/updater.service");
    cgroups_.made({0, 8}, "/kubepods/burstable/pod" + std::string(kUid) + "/" + std::string(kContainer));
  }
  static Flow flow(uint64_t cgroup, uint64_t cookie, uint8_t stage) {
    Flow f{};
    f.owner.cgroup = cgroup, f.owner.pid = 42, f.owner.netns = 1;
    std::strcpy(f.owner.comm, "curl");
    f.cookie = cookie, f.stage = stage, f.protocol = IPPROTO_TCP;
    const auto v4 = [](Endpoint& e, uint8_t last, uint16_t port) {
      const uint8_t bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, last};
      std::memcpy(e.address, bytes, 16);
      e.port = port;
    };
    v4(f.local, 1, static_cast<uint16_t>(1000 + cookie));
    v4(f.remote, 2, 443);
    f.asked = f.remote;
    f.start = 1'000'000'000, f.established = 1'000'100'000, f.last = 2'000'000'000;
    f.bytes_out = 10, f.bytes_in = 20, f.packets_out = 1, f.packets_in = 2;
    return f;
  }

  Memory out_;
  Cgroups cgroups_;
  Pods pods_;
  Owners owners_;
  Processes processes_;
  Context context_;
};

TEST_F(FlowsTest, NewDestinationStartsAndEnds) {
  Flows flows(context_, {});
  Flow f = flow(7, 1, kFlowOpen);
  flows.on_event(f);
  f.stage = kFlowClosed;
  flows.on_event(f);
  f = flow(7, 2, kFlowOpen);  // known now: one row for the whole
  flows.on_event(f);
  f.stage = kFlowClosed;
  flows.on_event(f);
  ASSERT_EQ(out_.rows.size(), 3u);
  EXPECT_TRUE(out_.has(0, R"("EventSubType":"Start")"));
  EXPECT_TRUE(out_.has(0, R"("SrcBytes":0)"));
  EXPECT_TRUE(out_.has(0, R"("SrcWorkload":"node/HostProcess/updater")"));
  EXPECT_TRUE(out_.has(1, R"("EventSubType":"End")"));
  EXPECT_TRUE(out_.has(1, R"("SrcBytes":10,"DstBytes":20)"));
  EXPECT_FALSE(out_.has(2, "EventSubType"));
  EXPECT_TRUE(out_.has(2, R"("TcpConnectMicroseconds":100)"));
}

TEST_F(FlowsTest, WhatIsBeyondTheFirstIsAddedUp) {
  Flows flows(context_, {3, false});
  for (uint64_t i = 0; i < 10; ++i) {
    Flow f = flow(7, i + 1, kFlowFailed);
    f.error = ECONNREFUSED;
    flows.on_event(f);
  }
  ASSERT_EQ(out_.rows.size(), 3u);
  flows.end_window(3'000'000'000);
  ASSERT_EQ(out_.rows.size(), 4u);
  EXPECT_TRUE(out_.has(3, R"("EventCount":7)"));
  EXPECT_TRUE(out_.has(3, R"("SrcBytes":70,"DstBytes":140)"));
  EXPECT_TRUE(out_.has(3, R"("EventResultDetails":"refused")"));
  EXPECT_FALSE(out_.has(3, "SrcPortNumber"));
  flows.end_window(4'000'000'000);
  EXPECT_EQ(out_.rows.size(), 4u);
}

TEST_F(FlowsTest, LongOnesAreDeltas) {
  Flows flows(context_, {});
  Flow f = flow(7, 1, kFlowOngoing);
  f.start = 0;  // older than the sensor
  flows.on_sweep(f);
  flows.on_sweep(f);  // another process holds it too
  f.bytes_out = 110, f.packets_out = 3, f.last = 3'000'000'000;
  flows.on_sweep(f);
  f.stage = kFlowClosed, f.bytes_out = 115, f.packets_out = 4, f.last = 4'000'000'000;
  flows.on_event(f);
  ASSERT_EQ(out_.rows.size(), 3u);
  EXPECT_TRUE(out_.has(0, R"("EventSubType":"Continue")"));
  EXPECT_TRUE(out_.has(0, "open when the sensor started"));
  EXPECT_TRUE(out_.has(1, R"("SrcBytes":100,"DstBytes":0)"));
  EXPECT_TRUE(out_.has(2, R"("EventSubType":"End")"));
  EXPECT_TRUE(out_.has(2, R"("SrcBytes":5,"DstBytes":0)"));
}

TEST_F(FlowsTest, ARowWaitsForItsPodsNameButNotForEver) {
  Flows flows(context_, {});
  flows.on_event(flow(8, 1, kFlowClosed));
  EXPECT_TRUE(out_.rows.empty());
  flows.tick(0);
  EXPECT_TRUE(out_.rows.empty());
  flows.tick(~0ULL);
  ASSERT_EQ(out_.rows.size(), 1u);
  EXPECT_TRUE(out_.has(0, R"("SrcOwnerKind":"Pod")"));
  EXPECT_TRUE(out_.has(0, "no source names the pod with UID 0a1b2c3d"));
  EXPECT_TRUE(out_.has(0, std::string("\"SrcPodUid\":\"") + std::string(kUid)));
}

TEST_F(FlowsTest, AnUnknownCgroupHasAReason) {
  Flows flows(context_, {});
  flows.on_event(flow(0xfffffffff, 1, kFlowClosed));
  ASSERT_EQ(out_.rows.size(), 1u);
  EXPECT_TRUE(out_.has(0, R"("SrcOwnerKind":"unknown","SrcOwnerReason":"its cgroup was gone)"));
}

TEST_F(FlowsTest, EveryOtherRowFitsItsTable) {
  NodeEvents events(context_, "n1.1");
  events.started(1, 0, {{"TCP states", "connections", false, "no"}}, "eBPF");
  events.kernel_losses({1, 2, 3, 4, 5, 6}, 0, 1);
  events.spool_losses({1, 2, 3}, 0, 1);
  events.covered(0, 1, 5);
  events.stopped(2);
  ProcessWriter processes(context_, ProcessRows::kAll);
  ProcessEvent e{};
  e.owner = flow(7, 1, 1).owner;
  std::strcpy(e.path, "/usr/bin/curl");
  processes.executed(e);
  e.exit_code = 256;
  processes.exited(e);
  EXPECT_TRUE(out_.has(out_.rows.size() - 1, R"("TargetProcessStatusCode":"1")"));

  const auto payload = [&](uint8_t shape, std::string_view data, bool ingress) {
    PayloadEvent p{};
    const Flow f = flow(7, 1, 1);
    p.owner = f.owner, p.local = f.local, p.remote = f.remote, p.cookie = 9, p.shape = shape, p.ingress = ingress;
    p.protocol = shape == kPayloadDns ? IPPROTO_UDP : IPPROTO_TCP;
    p.length = static_cast<uint32_t>(data.size());
    std::memcpy(p.data, data.data(), data.size());
    p.header.time = ingress ? 9'000'000 : 1'000'000;
    return p;
  };
  using namespace std::string_view_literals;
  Lookups lookups(context_);
  lookups.on_payload(payload(kPayloadDns, "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01\x41\x00\x00\x01\x00\x01"sv, false));
  EXPECT_EQ(lookups.waiting(), 1u);
  lookups.on_payload(payload(
      kPayloadDns,
      "\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01\x61\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x02"sv,
      true));
  EXPECT_EQ(lookups.waiting(), 0u);
  EXPECT_TRUE(out_.has(out_.rows.size() - 1, R"("Answers":["10.0.0.2"],"DnsAnswerTtl":60,"DnsNetworkDuration":8)"));
  EXPECT_EQ(context_.names.of(1, *IpAddress::parse("10.0.0.2")), "a");
  lookups.on_payload(payload(kPayloadDns, "\x12\x35\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01\x41\x00\x00\x01\x00\x01"sv, false));
  lookups.tick(~0ULL);
  EXPECT_TRUE(out_.has(out_.rows.size() - 1, R"("EventResultDetails":"no answer")"));
  lookups.on_payload(payload(kPayloadDns, "nonsense", false));
  EXPECT_EQ(lookups.malformed(), 1u);
  Requests requests(context_);
  requests.on_payload(payload(kPayloadHttp, "GET /x?a=1 HTTP/1.1\r\nHost: Shop.Example:80\r\n\r\n", false));
  EXPECT_TRUE(
      out_.has(out_.rows.size() - 1, R"("DstHostname":"shop.example","HttpRequestMethod":"GET","HttpVersion":"1.1","Url":"/x?a=1")"));
  requests.on_payload(payload(kPayloadTls, "\x16\x03\x01\x00\x05nonsense", false));
}

}  // namespace
}  // namespace egret::sensor
