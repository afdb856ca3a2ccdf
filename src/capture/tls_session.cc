// A TLS connection: the two hellos, whether the handshake came to its end, alerts in the clear. Nothing after that is looked at.
#include <algorithm>

#include "capture/stream_parser.h"
#include "capture/tls_hello.h"

namespace egret::capture {
namespace {

constexpr uint8_t kChangeCipher = 20, kAlert = 21, kHandshake = 22, kApplicationData = 23;
constexpr size_t kMostHead = 20 * 1024;
// A record of TLS 1.3 that is longer than an encrypted alert (2 + 1 + 16 bytes and padding): Finished, or data.
constexpr size_t kMoreThanAlert = 32;

class TlsSession final : public StreamParser {
 public:
  explicit TlsSession(FlowContext& flow) : flow_(flow) {}

  bool data(bool from_client, Bytes bytes, int64_t time) override {
    if (told_) return false;
    if (time_ == 0) time_ = time;
    Way& w = way_[from_client];
    if (!w.hello_done) {
      w.head.append(as_text(bytes.first(std::min(bytes.size(), kMostHead - w.head.size()))));
      if (w.head.size() >= w.next_try) hello(w, from_client);
    }
    records(w, from_client, bytes);
    if (!established()) return true;
    tell();
    return false;
  }

  bool gap(bool from_client, uint64_t n, int64_t) override {
    Way& w = way_[from_client];
    w.hello_done = true;
    if (w.left < n || w.header_have) {
      w.lost = true;  // where a record begins is not known any more
    } else {
      w.left -= n;
    }
    return !told_;
  }

  void end(int64_t) override {
    for (const bool client : {true, false})
      if (!way_[client].hello_done && !way_[client].head.empty()) hello(way_[client], client);
    tell();
  }

  size_t memory() const override {
    return sizeof *this + way_[0].head.capacity() + way_[1].head.capacity() + client_.ja3.capacity() + 32 * client_.alpn.size();
  }

 private:
  struct Way {
    std::string head;     // from the beginning, until the hello is read
    size_t next_try = 6;  // bytes of head that are worth another look
    bool hello_done = false;
    uint8_t header[6] = {};  // of the current record, and the first byte of its content
    uint8_t header_have = 0;
    uint64_t left = 0;  // bytes of the current record
    bool ciphered = false, finished = false, lost = false;
    uint8_t alert[2] = {};
    uint8_t alert_have = 2;
  };

  void hello(Way& w, bool from_client) {
    const Bytes head = as_bytes(w.head);
    TlsParse p{};
    if (from_client) {
      p = parse_client_hello(head, client_);
      have_client_ = have_client_ || p != TlsParse::kNotTls;
      if (!client_.server_name.empty()) flow_.server_name = client_.server_name;
    } else {
      p = parse_server_hello(head, server_);
      have_server_ = p == TlsParse::kDone;
      // After a HelloRetryRequest the next one counts; its version and cipher are the same.
    }
    if (p == TlsParse::kNeedMore && w.head.size() < kMostHead) {
      const size_t whole = head.size() >= 9 ? 9 + (static_cast<size_t>(head[6]) << 16 | static_cast<size_t>(head[7]) << 8 | head[8]) : 0;
      w.next_try = std::max(whole, w.head.size() + 64);
      return;
    }
    w.hello_done = true;
    w.head.clear();
    w.head.shrink_to_fit();
  }

  void records(Way& w, bool from_client, Bytes b) {
    while (!b.empty() && !w.lost) {
      if (w.left) {
        const size_t n = static_cast<size_t>(std::min<uint64_t>(w.left, b.size()));
        for (size_t i = 0; i < n && w.alert_have < 2; ++i) {
          w.alert[w.alert_have++] = b[i];
          if (w.alert_have == 2) alert_ = w.alert[1];
        }
        w.left -= n;
        b = b.subspan(n);
        continue;
      }
      w.header[w.header_have++] = b[0];
      b = b.subspan(1);
      if (w.header_have < 5) continue;
      w.header_have = 0;
      const uint8_t type = w.header[0];
      const size_t size = be16(w.header + 3);
      if (type < kChangeCipher || type > 24 || w.header[1] != 3) {
        w.lost = true;
        return;
      }
      w.left = size;
      w.alert_have = 2;
      if (type == kChangeCipher) {
        w.ciphered = true;
      } else if (type == kAlert && size == 2 && !w.ciphered) {
        w.alert_have = 0;
      } else if (type == kHandshake && w.ciphered) {
        w.finished = true;  // what follows ChangeCipherSpec is Finished
      } else if (type == kApplicationData && (!from_client || size > kMoreThanAlert)) {
        w.finished = true;
      }
    }
  }

  bool established() const { return way_[0].finished && way_[1].finished; }

  void tell() {
    if (told_) return;
    told_ = true;
    if (!have_client_ && !have_server_) return;
    TlsEvent e;
    e.who = flow_.who;
    e.time = time_;
    e.server_name = client_.server_name;
    e.offered_alpn = &client_.alpn;
    e.alpn = server_.alpn;
    e.version = have_server_ ? server_.version : client_.highest_version;
    e.cipher = server_.cipher;
    const std::string ja3 = client_.ja3_hash(), ja3s = server_.ja3s_hash();
    e.ja3 = ja3;
    e.ja3s = ja3s;
    e.client_hello = have_client_;
    e.server_hello = have_server_;
    e.established = established();
    e.resumed = client_.session;
    e.alert = alert_;
    flow_.events.tls(e);
  }

  FlowContext& flow_;
  Way way_[2];
  TlsClientHello client_;
  TlsServerHello server_;
  bool have_client_ = false, have_server_ = false, told_ = false;
  int alert_ = -1;
  int64_t time_ = 0;
};

}  // namespace

std::unique_ptr<StreamParser> make_tls_session(FlowContext& flow) { return std::make_unique<TlsSession>(flow); }

}  // namespace egret::capture
