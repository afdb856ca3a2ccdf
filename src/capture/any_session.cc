// A stream whose protocol is not known yet.
#include "capture/recognise.h"
#include "capture/stream_parser.h"
#include "capture/tls_hello.h"

namespace egret::capture {
namespace {

constexpr size_t kMostHead = 2048;     // kept of each direction until the protocol is known
constexpr int kMostLateSegments = 64;  // looked at for the beginning of TLS behind another protocol

class AnySession final : public StreamParser {
 public:
  explicit AnySession(FlowContext& flow) : flow_(flow) {}

  bool data(bool from_client, Bytes bytes, int64_t time) override {
    if (inner_) return inner_->data(from_client, bytes, time);
    if (known_) return late(from_client, bytes, time);
    std::string& head = head_[from_client];
    Bytes all = bytes;
    if (!head.empty()) {
      head.append(as_text(bytes));
      all = as_bytes(head);
    }
    const Guess g = recognise_stream(all, from_client, flow_.who.server_port);
    if (!g.protocol.empty()) return decide(g.protocol, from_client, all, time);
    if (g.sure || all.size() > kMostHead) {
      none_[from_client] = true;
      if (none_[0] && none_[1]) {
        known_ = true;
        head_[0].clear();
        head_[1].clear();
      } else if (head.empty()) {
        head.assign(as_text(all.first(std::min(all.size(), kMostHead))));
      }
      return true;
    }
    if (head.empty()) head.assign(as_text(bytes));
    return true;
  }

  bool gap(bool from_client, uint64_t n, int64_t time) override {
    if (inner_) return inner_->gap(from_client, n, time);
    none_[from_client] = true;
    head_[from_client].clear();
    return true;
  }

  void end(int64_t time) override {
    if (inner_) inner_->end(time);
  }

  size_t memory() const override { return sizeof *this + head_[0].capacity() + head_[1].capacity() + (inner_ ? inner_->memory() : 0); }

 private:
  bool decide(std::string_view protocol, bool from_client, Bytes all, int64_t time) {
    flow_.speaks(protocol);
    known_ = true;
    if (protocol == "HTTP")
      inner_ = make_http_session(flow_);
    else if (protocol == "TLS")
      inner_ = make_tls_session(flow_);
    else if (protocol == "DNS")
      inner_ = make_dns_session(flow_);
    if (!inner_) return true;
    // What the other side said before (a gap is not in it).
    const std::string before = std::move(head_[!from_client]);
    const std::string own = std::move(head_[from_client]);  // `all` may lie in it
    head_[0].clear();
    head_[1].clear();
    if (!before.empty() && !inner_->data(!from_client, as_bytes(before), time)) return false;
    return inner_->data(from_client, own.empty() ? all : as_bytes(own), time);
  }

  // The protocol is another one; a ClientHello at the beginning of a segment is TLS within it.
  bool late(bool from_client, Bytes bytes, int64_t time) {
    if (++late_segments_ > kMostLateSegments) return false;
    if (!from_client || !looks_like_tls(bytes) || bytes[0] != 22) return true;
    TlsClientHello hello;
    if (parse_client_hello(bytes, hello) == TlsParse::kNotTls) return true;
    flow_.speaks("TLS");
    inner_ = make_tls_session(flow_);
    return inner_->data(from_client, bytes, time);
  }

  FlowContext& flow_;
  std::unique_ptr<StreamParser> inner_;
  std::string head_[2];
  bool none_[2] = {false, false};
  bool known_ = false;
  int late_segments_ = 0;
};

}  // namespace

std::unique_ptr<StreamParser> make_any_session(FlowContext& flow) { return std::make_unique<AnySession>(flow); }

}  // namespace egret::capture
