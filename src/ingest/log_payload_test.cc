#include "ingest/log_payload.h"

#include <gtest/gtest.h>

#include "ingest/klog_line.h"
#include "ingest/memory_sink.h"

namespace egret::ingest {
namespace {

constexpr Ticks kClock = ticks_from_unix_seconds(1'650'000'000);

struct One {
  MemorySink sink;
  LogPayloads payloads{sink};
  Payload decode(std::string_view line, std::optional<Ticks> clock = kClock,
                 const LogContext& c = {.cluster = "c1", .pod_namespace = "kube-system", .pod = "coredns-1"}) {
    return payloads.decode(line, clock, c);
  }
  std::string dns(std::string_view column) { return sink.text("ASimDnsActivityLogs", 0, column); }
  std::string web(std::string_view column) { return sink.text("ASimWebSessionLogs", 0, column); }
};

TEST(CoreDns, Query) {
  One o;
  ASSERT_EQ(o.decode(R"([INFO] 10.244.0.7:45981 - 64767 "A IN IfConfig.CO. udp 77 false 1232" NOERROR qr,rd,ra 147 0.012400s)"),
            Payload::kRow);
  EXPECT_EQ(o.dns("DnsQuery"), "ifconfig.co");
  EXPECT_EQ(o.dns("SrcIpAddr"), "10.244.0.7");
  EXPECT_EQ(o.dns("DnsQueryType"), "1");
  EXPECT_EQ(o.dns("DnsResponseCode"), "0");
  EXPECT_EQ(o.dns("DnsNetworkDuration"), "12");
  EXPECT_EQ(o.dns("TransactionIdHex"), "fcff");
  EXPECT_EQ(o.dns("DnsServerPod"), "kube-system/coredns-1");
  EXPECT_EQ(o.dns("TimeGenerated"), format_datetime(kClock));
  o.payloads.finish();
  ASSERT_EQ(o.sink.coverage.size(), 2u);  // the cluster's, and that of this one server
}

TEST(CoreDns, OwnTimeWinsAndUnansweredIsFailure) {
  One o;
  ASSERT_EQ(o.decode(R"(2020-06-04T20:46:35.643+08:00 [INFO] [fd00::7]:54153 - 1 "AAAA IN a.example. tcp 62 false 65535" - - 0 6.0s)"),
            Payload::kRow);
  EXPECT_EQ(o.dns("TimeGenerated"), "2020-06-04T12:46:35.643Z");
  EXPECT_EQ(o.dns("SrcIpAddr"), "fd00::7");
  EXPECT_EQ(o.dns("NetworkProtocol"), "TCP");
  EXPECT_EQ(o.dns("EventResult"), "Failure");
  EXPECT_EQ(o.dns("DnsResponseCode"), "");
}

TEST(CoreDns, WithoutAnyClockSaysHowToExportAgain) {
  One o;
  EXPECT_EQ(o.decode(R"([INFO] 10.0.0.1:1 - 1 "A IN a. udp 28 false 512" NOERROR qr 44 0.0001s)", std::nullopt), Payload::kNoClock);
  EXPECT_NE(o.payloads.hint().find("--timestamps"), std::string::npos);
  EXPECT_EQ(o.sink.total(), 0u);
}

TEST(CoreDns, OtherLinesAndBrokenOnes) {
  One o;
  EXPECT_EQ(o.decode("[ERROR] plugin/errors: 2 example.com. A: read udp 10.0.0.3:1->1.1.1.1:53: i/o timeout"), Payload::kKnown);
  EXPECT_EQ(o.decode("CoreDNS-1.11.1"), Payload::kKnown);
  EXPECT_EQ(o.decode(R"([INFO] x.x.x.x:1 - 1 "A IN a. udp 28 false 512" NOERROR qr 44 0.0001s)"), Payload::kMalformed);
  EXPECT_EQ(o.decode(R"([INFO] 10.0.0.1:1 - 1 "A IN a. udp 28" NOERROR qr 44 0.0001s)"), Payload::kMalformed);
  EXPECT_EQ(o.decode(R"([INFO] 10.0.0.1:1 - 1 "A IN a. udp 28 false 512" NOERR)"), Payload::kMalformed);
  EXPECT_EQ(o.decode("listening on :8080"), Payload::kNotOurs);
  EXPECT_EQ(o.sink.total(), 0u);
}

TEST(Envoy, IstioTextOfPassthrough) {
  One o;
  const LogContext c{.cluster = "c1", .pod_namespace = "shop", .pod = "web-1", .container = "istio-proxy"};
  ASSERT_EQ(
      o.decode(
          R"([2024-06-26T03:30:14.684Z] "GET /?u=http%3A%2F%2F169.254.169.254%2F HTTP/1.1" 200 - via_upstream - "-" 10 2381 12 12 "-" "curl/8.8.0" "599df0d8" "WWW.example.com:80" "183.2.172.185:80" PassthroughCluster 10.244.96.245:47908 183.2.172.185:80 10.244.96.245:47906 - allow_any)",
          kClock, c),
      Payload::kRow);
  EXPECT_EQ(o.web("TimeGenerated"), "2024-06-26T03:30:14.684Z");
  EXPECT_EQ(o.web("DstHostname"), "www.example.com");
  EXPECT_EQ(o.web("DstIpAddr"), "183.2.172.185");
  EXPECT_EQ(o.web("SrcIpAddr"), "10.244.96.245");
  EXPECT_EQ(o.web("Direction"), "outbound");
  EXPECT_EQ(o.web("SrcBytes"), "10");
  EXPECT_EQ(o.web("DstBytes"), "2381");
  EXPECT_EQ(o.web("HttpVersion"), "1.1");
  EXPECT_EQ(o.web("SrcPodName"), "web-1");
  EXPECT_EQ(o.web("Url"), "/?u=http%3A%2F%2F169.254.169.254%2F");
}

TEST(Envoy, BlackHoleKeepsWhatWasWanted) {
  One o;
  ASSERT_EQ(
      o.decode(
          R"([2023-11-01T10:06:41.930Z] "- - -" 0 UH - - "-" 0 0 0 - "-" "-" "-" "-" "-" BlackHoleCluster - 142.251.36.4:443 10.244.0.67:49062 - -)"),
      Payload::kRow);
  EXPECT_EQ(o.web("DstIpAddr"), "142.251.36.4");
  EXPECT_EQ(o.web("DstPortNumber"), "443");
  EXPECT_EQ(o.web("EventResult"), "Failure");
  EXPECT_EQ(o.web("EventType"), "NetworkSession");
}

TEST(Envoy, JsonWithNumbersAsTextAndNulls) {
  One o;
  ASSERT_EQ(
      o.decode(
          R"({"start_time":"2020-06-09T18:54:53.211Z","method":"-","upstream_host":"10.15.240.1:443","bytes_sent":"1439","upstream_cluster":"outbound|443||api.example.com","downstream_remote_address":"10.12.5.23:38270","authority":null,"response_code":"0","response_flags":"-","bytes_received":"239","duration":"77"})"),
      Payload::kRow);
  EXPECT_EQ(o.web("DstBytes"), "1439");
  EXPECT_EQ(o.web("NetworkDuration"), "77");
  EXPECT_EQ(o.web("DstHostname"), "api.example.com");
  EXPECT_EQ(o.web("Direction"), "outbound");
}

TEST(Envoy, DamagedLineIsRefused) {
  One o;
  EXPECT_EQ(o.decode(R"([2021-02-01T21:34:35.533Z] "GET / HTTP/1.1" 200 - via_upstream - "-" 0 99)"), Payload::kMalformed);
  EXPECT_EQ(o.decode("2023-11-01T10:02:06.861650Z\tinfo\txdsproxy\tconnected to upstream XDS server"), Payload::kKnown);
  EXPECT_EQ(o.decode(R"({"level":"info","msg":"ready"})"), Payload::kNotOurs);
}

TEST(Envoy, ZtunnelNamesThePod) {
  One o;
  ASSERT_EQ(
      o.decode(
          "2024-04-12T10:17:44.080629Z\tinfo\taccess\tconnection complete\tsrc.addr=10.244.0.16:52008 src.workload=web-1 "
          "src.namespace=shop dst.addr=10.244.0.14:15008 "
          "dst.hbone_addr=10.244.0.14:9080 dst.service=reviews.shop direction=\"outbound\" bytes_sent=200 bytes_recv=603 duration=\"2ms\""),
      Payload::kRow);
  EXPECT_EQ(o.web("SrcPodName"), "web-1");
  EXPECT_EQ(o.web("DstPortNumber"), "9080");
  EXPECT_EQ(o.web("SrcBytes"), "200");
  EXPECT_EQ(o.web("TimeGenerated"), "2024-04-12T10:17:44.078629Z");
}

TEST(Klog, TakesTheYearFromWhenItWasRead) {
  const auto k = parse_klog("I1231 23:59:58.123456       1 orchestrator.go:310] Final scale-up plan: [{aks-np-vmss 3->4 (max: 5)}]",
                            *parse_iso_datetime("2024-01-02T00:00:00Z"));
  ASSERT_TRUE(k);
  EXPECT_EQ(format_datetime(k->time), "2023-12-31T23:59:58.123456Z");
  EXPECT_EQ(k->level, "info");
  EXPECT_EQ(k->source, "orchestrator.go:310");
  EXPECT_TRUE(k->message.starts_with("Final scale-up plan"));
  EXPECT_FALSE(parse_klog("I am no klog line at all, whatever", kClock));
}

TEST(AccessLine, IngressNamesThePodBehindItByItsAddress) {
  One o;
  ASSERT_EQ(
      o.decode(
          R"x(203.0.113.9 - - [15/Apr/2022:05:20:01 +0000] "POST /f?u=\x22a HTTP/2.0" 201 1024 "https://shop.example.com/" "Mozilla/5.0 (X11)" 921 0.205 [pay-api-80] [] 10.244.1.17:8080, 10.244.2.9:8080 0, 1024 0.100, 0.104 502, 201 8f2d)x",
          ticks_from_unix_seconds(1'650'000'001) + 5'000'000),
      Payload::kRow);
  EXPECT_EQ(o.web("TimeGenerated"), "2022-04-15T05:20:01.295Z");  // the wrapper's clock less the duration
  EXPECT_EQ(o.web("SrcIpAddr"), "203.0.113.9");
  EXPECT_EQ(o.web("DstIpAddr"), "10.244.2.9");  // the last that was tried
  EXPECT_EQ(o.web("DstPortNumber"), "8080");
  EXPECT_EQ(o.web("SrcPodName"), "");
  EXPECT_EQ(o.web("Url"), "/f?u=\"a");
  EXPECT_EQ(o.web("HttpStatusCode"), "201");
  EXPECT_EQ(o.web("EventOriginalUid"), "8f2d");
  EXPECT_EQ(o.web("UpstreamCluster"), "pay-api-80");
  EXPECT_EQ(o.web("Direction"), "inbound");
}

TEST(AccessLine, WhatTheIngressAnsweredItselfIsItsOwn) {
  One o;
  ASSERT_EQ(o.decode(R"(203.0.113.9 - - [15/Apr/2022:05:20:00 +0000] "\x16\x03\x01" 400 150 "-" "-" 0 0.205 [] [] - - - - 8f2d)"),
            Payload::kRow);
  EXPECT_EQ(o.web("SrcPodName"), "coredns-1");
  EXPECT_EQ(o.web("HttpRequestMethod"), "");
  EXPECT_EQ(o.web("EventResult"), "Failure");
}

TEST(AccessLine, CommonAndCombinedAndWhatStandsBehindThem) {
  for (
      const std::string_view line : {
          R"(127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326)",
          R"(127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "-" "curl \"x\"" "10.0.0.1" 0.003)",
          R"(www.example.com:80 127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 - "-" "-")",
          R"(127.0.0.1 - [127.0.0.1] - - [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 5 "-" "-" 10 0.1 [n-s-80] 10.0.0.1:80 5 0.1 200 id)",
      }) {
    One o;
    const Payload p = o.decode(line);
    ASSERT_TRUE(p == Payload::kAlso || p == Payload::kRow) << line;
    EXPECT_EQ(o.web("SrcIpAddr"), "127.0.0.1") << line;
    EXPECT_EQ(o.web("Url"), "/a.gif") << line;
    EXPECT_EQ(o.web("TimeGenerated").substr(0, 17), "2000-10-10T20:55:") << line;
  }
}

TEST(AccessLine, CutOffAndNotAccessLines) {
  One o;
  EXPECT_EQ(o.decode(R"(127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a.gif HT)"), Payload::kMalformed);
  EXPECT_EQ(o.decode(R"(127.0.0.1 - - [99/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1)"), Payload::kMalformed);
  EXPECT_EQ(o.decode("worker - started [10 threads] \"pool\""), Payload::kNotOurs);
  EXPECT_EQ(o.decode("2025/11/10 08:03:11 [error] 33#33: *1 upstream timed out"), Payload::kNotOurs);
  EXPECT_EQ(o.decode("2025/11/10 08:03:11 [error] 33#33: *1 upstream timed out", std::nullopt), Payload::kKnown);
  EXPECT_EQ(o.sink.total(), 0u);
}

}  // namespace
}  // namespace egret::ingest
