#include "capture/analysis.h"

#include <gtest/gtest.h>

#include <random>

#include "capture/capture_test_bytes.h"
#include "capture/tcp_state.h"
#include "capture/tcp_stream.h"

namespace egret::capture {
namespace {

constexpr uint32_t kPod = 0x0a010105, kServer = 0xc0000201;
constexpr int64_t kSecond = 1'000'000'000;

struct Seen : Events {
  struct Flow {
    std::string client, state, history, application, name;
    uint16_t client_port;
    uint64_t sent, received, missed;
  };
  std::vector<Flow> flows;
  std::vector<std::string> requests, questions, names;
  void flow(const FlowEvent& e) override {
    flows.push_back({e.who.client.to_string(), std::string(e.state), std::string(e.history), std::string(e.application),
                     std::string(e.server_name), e.who.client_port, e.client_bytes, e.server_bytes, e.missed_bytes});
  }
  void http(const HttpEvent& e) override {
    requests.push_back(std::string(e.method) + " " + std::string(e.host) + std::string(e.target) + " " + std::to_string(e.status) + " " +
                       std::to_string(e.request_bytes) + "/" + std::to_string(e.response_bytes));
  }
  void dns(const DnsEvent& e) override {
    std::string text = e.question ? e.question->name : "?";
    for (const DnsRecord& r : e.message->answers) text += " " + r.text;
    questions.push_back(text);
  }
  void tls(const TlsEvent& e) override { names.emplace_back(e.server_name); }
};

struct Wire {
  Seen seen;
  Analysis analysis{seen};
  int64_t now = 1'700'000'000 * kSecond;
  void frame(const std::string& bytes, int link = 1) {
    Packet p;
    p.time = now += 1'000'000;
    p.link_type = link;
    p.data = as_bytes(bytes);
    p.wire_bytes = static_cast<uint32_t>(bytes.size());
    analysis.packet(p);
  }
  void up(uint32_t seq, uint32_t ack, uint8_t flags, std::string_view data = {}) {
    frame(ethernet(ipv4(kPod, kServer, 6, tcp(40000, 8081, seq, ack, flags, data))));
  }
  void down(uint32_t seq, uint32_t ack, uint8_t flags, std::string_view data = {}) {
    frame(ethernet(ipv4(kServer, kPod, 6, tcp(8081, 40000, seq, ack, flags, data))));
  }
  void open(uint32_t client = 100, uint32_t server = 500) {
    up(client, 0, kSyn);
    down(server, client + 1, kSyn | kAck);
    up(client + 1, server + 1, kAck);
  }
};

TEST(Analysis, AnHttpConnection) {
  Wire w;
  w.open();
  const std::string a = "GET /a HTTP/1.1\r\nHost: x.example\r\n\r\nPOST /b HTTP/1.1\r\nHost: x.example\r\nContent-Length: 3\r\n\r\nabc";
  w.up(101, 501, kAck, a);
  const std::string r = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
  w.down(501, 101 + static_cast<uint32_t>(a.size()), kAck, r);
  w.up(101 + static_cast<uint32_t>(a.size()), 501 + static_cast<uint32_t>(r.size()), kAck | kFin);
  w.down(501 + static_cast<uint32_t>(r.size()), 102 + static_cast<uint32_t>(a.size()), kAck | kFin);
  w.analysis.finish();
  EXPECT_EQ(w.seen.requests, (std::vector<std::string>{"GET x.example/a 200 0/5", "POST x.example/b 204 3/0"}));
  ASSERT_EQ(w.seen.flows.size(), 1u);
  EXPECT_EQ(w.seen.flows[0].state, "SF");
  EXPECT_EQ(w.seen.flows[0].history, "ShADdFf");
  EXPECT_EQ(w.seen.flows[0].sent, a.size());
  EXPECT_EQ(w.seen.flows[0].received, r.size());
  EXPECT_EQ(w.seen.flows[0].application, "HTTP");
  EXPECT_EQ(w.seen.flows[0].name, "x.example");
}

TEST(Analysis, AnyOrderOfSegmentsGivesTheSame) {
  std::string request = "POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'z');
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    Wire w;
    w.open(0xfffffff0u, 500);  // numbers wrap within the request
    std::vector<std::pair<size_t, size_t>> pieces;
    for (size_t at = 0; at < request.size();) {
      const size_t n = std::min<size_t>(request.size() - at, 1 + random() % 300);
      pieces.emplace_back(at, n);
      if (random() % 4 == 0) pieces.emplace_back(at, n);                                              // again
      if (random() % 4 == 0) pieces.emplace_back(at, std::min<size_t>(request.size() - at, n + 50));  // and more
      at += n;
    }
    std::shuffle(pieces.begin(), pieces.end(), random);
    for (const auto& [at, n] : pieces) w.up(0xfffffff1u + static_cast<uint32_t>(at), 501, kAck, std::string_view(request).substr(at, n));
    w.analysis.finish();
    EXPECT_EQ(w.seen.requests, std::vector<std::string>{"POST h/up 0 2000/0"}) << round;
    EXPECT_EQ(w.seen.flows[0].sent, request.size());
    EXPECT_EQ(w.seen.flows[0].missed, 0u);
  }
}

TEST(Analysis, AHoleInABodyCostsOnlyTheHole) {
  Wire w;
  w.open();
  const std::string head = "POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 300\r\n\r\n";
  const auto end = static_cast<uint32_t>(101 + head.size());
  w.up(101, 501, kAck, head + std::string(100, 'a'));
  w.up(end + 200, 501, kAck, std::string(100, 'c') + "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  w.down(501, end + 300, kAck);  // the middle arrived there
  w.analysis.finish();
  EXPECT_EQ(w.seen.requests, (std::vector<std::string>{"POST h/up 0 200/0", "GET h/next 0 0/0"}));
  EXPECT_EQ(w.seen.flows[0].missed, 100u);
}

TEST(Analysis, StatesOfAttempts) {
  Wire w;
  w.up(1, 0, kSyn);
  w.down(0, 2, kRst | kAck);
  w.now += 60 * kSecond;
  w.up(900, 0, kSyn);
  w.now += 60 * kSecond;
  w.down(5000, 901, kSyn | kAck);  // only the answer is in the capture
  w.analysis.finish();
  ASSERT_EQ(w.seen.flows.size(), 3u);
  EXPECT_EQ(w.seen.flows[0].state, "REJ");
  EXPECT_EQ(w.seen.flows[0].history, "Sr");
  EXPECT_EQ(w.seen.flows[1].state, "S0");
  EXPECT_EQ(w.seen.flows[2].history, "^h");
  EXPECT_EQ(w.seen.flows[2].client, "10.1.1.5");
}

TEST(Analysis, FragmentsVlansAndTunnels) {
  const std::string question = std::string("\x12\x34\x01\0\0\1\0\0\0\0\0\0", 12) + std::string("\7example\3com\0\0\1\0\1", 17);
  const std::string datagram = udp(5000, 53, question);
  Wire w;
  w.frame(ethernet(ipv4(kPod, kServer, 17, datagram.substr(16), 9, 2)));
  w.frame(ethernet(ipv4(kPod, kServer, 17, datagram.substr(0, 16), 9, 0x2000)));
  EXPECT_EQ(w.analysis.counters().fragments, 2u);
  const std::string inner = ethernet(ipv4(kPod + 1, kServer, 17, datagram));
  w.frame(ethernet(ipv4(1, 2, 17, udp(7, 4789, std::string("\x08\0\0\0\0\0\1\0", 8) + inner))));
  w.frame(ethernet(be(5, 2) + be(0x8100, 2) + be(6, 2) + be(0x0800, 2) + ipv4(kPod + 2, kServer, 17, datagram), 0x88a8));
  w.frame(ipv4(1, 2, 4, ipv4(kPod + 3, kServer, 17, datagram)), 101);
  w.frame(std::string("\0\4\0\1\0\6\0\0\0\0\0\0\0\0\x08\0", 16) + ipv4(kPod + 4, kServer, 17, datagram), 113);
  w.analysis.finish();
  EXPECT_EQ(w.seen.questions, std::vector<std::string>(5, "example.com"));
  EXPECT_EQ(w.seen.flows.size(), 6u) << "five, and the tunnel's own";
  EXPECT_EQ(w.analysis.counters().tunnelled, 2u);
}

TEST(Analysis, ManyFlowsStayBounded) {
  Seen seen;
  Limits limits;
  limits.flows = 1000;
  Analysis analysis(seen, limits);
  for (uint32_t i = 0; i < 20'000; ++i) {
    const std::string bytes = ethernet(ipv4(kPod + i, kServer, 6, tcp(static_cast<uint16_t>(1024 + i % 60'000), 9, i, 0, kSyn)));
    Packet p;
    p.time = kSecond + i;
    p.link_type = 1;
    p.data = as_bytes(bytes);
    p.wire_bytes = static_cast<uint32_t>(bytes.size());
    analysis.packet(p);
  }
  analysis.finish();
  EXPECT_EQ(seen.flows.size(), 20'000u) << "every one is told, early or not";
  EXPECT_EQ(analysis.counters().evicted, 19'000u);
}

TEST(Analysis, HeadsThatNeverEndAreBounded) {
  Seen seen;
  Limits limits;
  limits.parser_bytes = 1 << 20;
  Analysis analysis(seen, limits);
  const std::string head = "GET /" + std::string(1300, 'a') + " HTTP/1.1\r\nHost: h\r\n";
  for (uint32_t i = 0; i < 2000; ++i) {
    const std::string bytes = ipv4(kPod + i, kServer, 6, tcp(40000, 80, 1, 1, kAck, head));
    Packet p;
    p.time = kSecond + i;
    p.link_type = 101;
    p.data = as_bytes(bytes);
    p.wire_bytes = static_cast<uint32_t>(bytes.size());
    analysis.packet(p);
  }
  EXPECT_GT(seen.requests.size(), 1000u) << "beyond the bound a head is told as far as it was there";
  analysis.finish();
  EXPECT_EQ(seen.requests.size(), 2000u);
}

TEST(TcpStream, HoldsNoMoreThanItMay) {
  struct Sink {
    uint64_t bytes = 0, gaps = 0;
    bool data(Bytes b) { return bytes += b.size(), true; }
    bool gap(uint64_t n) { return gaps += n, true; }
  } sink;
  TcpStream s;
  s.start(0);
  const std::string piece(1000, 'x');
  for (uint32_t i = 1; i < 5000; ++i) {
    s.segment(i * 2000, as_bytes(piece), 1000, sink);
    ASSERT_LE(s.held(), TcpStream::kMostHeld + 1000);
  }
  s.finish(sink);
  EXPECT_EQ(sink.bytes, 4999u * 1000);
  EXPECT_EQ(sink.gaps, 2000u + 4998u * 1000);
  EXPECT_EQ(s.held(), 0u);
}

}  // namespace
}  // namespace egret::capture
