// An HTTP/1 connection: requests, pipelined or not, with the responses to them; bodies are counted and not kept.
#include <algorithm>
#include <deque>

#include "capture/http_request.h"
#include "capture/http_response.h"
#include "capture/stream_parser.h"

namespace egret::capture {
namespace {

constexpr size_t kMostOpen = 256;
constexpr size_t kMostText = 16 * 1024;  // of one field

std::string kept(std::string_view s) { return std::string(s.substr(0, kMostText)); }

class HttpSession final : public StreamParser {
 public:
  explicit HttpSession(FlowContext& flow) : flow_(flow) {}

  bool data(bool from_client, Bytes bytes, int64_t time) override {
    std::string_view s = as_text(bytes);
    Way& w = way_[from_client];
    while (!s.empty()) {
      if (tunnel_) return tunnel_->data(from_client, as_bytes(s), time);
      switch (w.state) {
        case State::kHead:
          if (!head(w, from_client, s, time)) return false;
          break;
        case State::kLength: {
          const size_t n = static_cast<size_t>(std::min<uint64_t>(w.left, s.size()));
          body(from_client, n, time);
          w.left -= n;
          s.remove_prefix(n);
          if (w.left == 0) done(w, from_client, time);
          break;
        }
        case State::kChunkSize:
          if (!chunk_size(w, s)) return false;
          break;
        case State::kChunk: {
          const size_t n = static_cast<size_t>(std::min<uint64_t>(w.left, s.size()));
          body(from_client, n, time);
          w.left -= n;
          s.remove_prefix(n);
          if (w.left == 0) w.state = State::kChunkEnd;
          break;
        }
        case State::kChunkEnd:
          if (s[0] == '\n') w.state = State::kChunkSize;
          s.remove_prefix(1);
          break;
        case State::kTrailer: {
          const size_t end = s.find('\n');
          w.trailer += std::min(end, s.size());
          if (end == std::string_view::npos) return true;
          const bool empty = w.trailer == 0 || (w.trailer == 1 && (end == 0 || s[end - 1] == '\r'));
          s.remove_prefix(end + 1);
          w.trailer = 0;
          if (empty) done(w, from_client, time);
          break;
        }
        case State::kUntilEnd: body(from_client, s.size(), time); return true;
        case State::kLost:
          // After a hole the next segment that begins with a head is where it goes on.
          if (!(from_client ? looks_like_http_request(s) : looks_like_http_response(s))) return true;
          w.state = State::kHead;
          break;
      }
    }
    return true;
  }

  bool gap(bool from_client, uint64_t n, int64_t time) override {
    if (tunnel_) return tunnel_->gap(from_client, n, time);
    Way& w = way_[from_client];
    if ((w.state == State::kLength || w.state == State::kChunk) && w.left >= n) {
      w.left -= n;
      if (w.left == 0) {
        if (w.state == State::kLength)
          done(w, from_client, time);
        else
          w.state = State::kChunkEnd;
      }
    } else if (w.state != State::kUntilEnd) {
      w.state = State::kLost;
      w.buffer.clear();
    }
    return true;
  }

  void end(int64_t time) override {
    if (tunnel_) tunnel_->end(time);
    if (Way& w = way_[1]; w.state == State::kHead && !w.buffer.empty()) {  // a request that was cut
      HttpRequest r;
      if (parse_http_request(w.buffer, r) != HttpParse::kNotHttp && !r.target.empty()) request(r, time);
    }
    while (!open_.empty()) tell_first();
  }

  size_t memory() const override {
    return sizeof *this + way_[0].buffer.capacity() + way_[1].buffer.capacity() + open_.size() * sizeof(Exchange) + texts_ +
           (tunnel_ ? tunnel_->memory() : 0);
  }

 private:
  enum class State { kHead, kLength, kChunkSize, kChunk, kChunkEnd, kTrailer, kUntilEnd, kLost };
  struct Way {
    State state = State::kHead;
    uint64_t left = 0;
    size_t trailer = 0;
    int digits = 0;
    bool in_size = true;
    std::string buffer;  // a head that is not whole yet
  };
  struct Exchange {
    HttpEvent event;
    std::string method, target, version, host, user_agent, referer, content_type, forwarded_for, metadata;
    std::string reason, response_type, server, location;
    bool asked = false, answered = false;  // wholly
    size_t texts() const {
      return method.size() + target.size() + host.size() + user_agent.size() + referer.size() + content_type.size() + forwarded_for.size() +
             reason.size() + response_type.size() + server.size() + location.size();
    }
  };

  bool head(Way& w, bool from_client, std::string_view& s, int64_t time) {
    const size_t before = w.buffer.size();
    if (before == 0) {
      s.remove_prefix(std::min(s.find_first_not_of("\r\n"), s.size()));  // some send a line end too much
      if (s.empty()) return true;
    }
    std::string_view all = s;
    if (before) {
      // Only where a head ends is there something to read: else a head sent byte by byte would be read as often as it has bytes.
      w.buffer.append(s);
      all = w.buffer;
      const std::string_view fresh = all.substr(before > 3 ? before - 3 : 0);
      if (fresh.find("\n\r\n") == std::string_view::npos && fresh.find("\n\n") == std::string_view::npos && all.size() <= kMostHttpHead) {
        s = {};
        return true;
      }
    }
    Head h;
    const HttpParse p = from_client ? request_head(all, h, time) : response_head(all, h, time);
    if (p == HttpParse::kNotHttp) return false;
    if (p == HttpParse::kNeedMore) {
      if (before == 0) w.buffer.assign(s);
      s = {};
      return true;
    }
    // Behind the head, within the bytes that are new.
    s.remove_prefix(h.bytes > before ? std::min(s.size(), h.bytes - before) : 0);
    w.buffer.clear();
    if (h.provisional || tunnel_) return true;
    if (h.upgraded) return false;
    if (!h.body) {
      done(w, from_client, time);
    } else if (h.framing.chunked) {
      w.state = State::kChunkSize;
      w.left = 0;
      w.digits = 0;
      w.in_size = true;
    } else if (h.framing.content_length) {
      w.left = *h.framing.content_length;
      w.state = State::kLength;
      if (w.left == 0) done(w, from_client, time);
    } else {
      w.state = State::kUntilEnd;  // of a response without a length
    }
    return true;
  }

  struct Head {
    size_t bytes = 0;
    HttpFraming framing;
    bool body = false, provisional = false, upgraded = false;
  };

  HttpParse request_head(std::string_view all, Head& h, int64_t time) {
    HttpRequest r;
    if (const HttpParse p = parse_http_request(all, r); p != HttpParse::kDone) return p;
    h = {r.head_bytes, r.framing, r.framing.chunked || r.framing.content_length};
    request(r, time);
    flow_.server_name = http_host_name(r);
    return HttpParse::kDone;
  }

  HttpParse response_head(std::string_view all, Head& h, int64_t time) {
    HttpResponse r;
    if (const HttpParse p = parse_http_response(all, r); p != HttpParse::kDone) return p;
    h = {r.head_bytes, r.framing};
    h.provisional = r.status >= 100 && r.status < 200 && r.status != 101;
    if (h.provisional) return HttpParse::kDone;
    const std::string method = response(r, time).method;
    h.body = http_response_has_body(r.status, method);
    h.upgraded = r.status == 101;
    const bool connected = method == "CONNECT" && r.status / 100 == 2;
    if (h.upgraded || connected) {
      finish_response(time);
      while (!open_.empty()) tell_first();
      if (connected) tunnel_ = make_any_session(flow_);
    }
    return HttpParse::kDone;
  }

  bool chunk_size(Way& w, std::string_view& s) {
    while (!s.empty()) {
      const char c = s[0];
      s.remove_prefix(1);
      if (c == '\n') {
        if (w.digits == 0) return false;
        w.state = w.left ? State::kChunk : State::kTrailer;
        w.trailer = 0;
        w.digits = 0;
        w.in_size = true;
        return true;
      }
      if (!w.in_size) continue;
      const int lower = c | 32;
      const int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
      if (digit < 0) {
        w.in_size = false;  // an extension, or the line's end
      } else {
        if (w.digits == 0) w.left = 0;
        if (++w.digits > 15) return false;
        w.left = w.left * 16 + static_cast<uint64_t>(digit);
      }
    }
    return true;
  }

  void request(const HttpRequest& r, int64_t time) {
    if (open_.size() >= kMostOpen) tell_first();
    Exchange x;
    x.event.time = x.event.end = time;
    x.event.depth = ++depth_;
    x.method = kept(r.method);
    x.target = kept(r.target);
    x.version = kept(r.version);
    x.host = kept(r.host.empty() || !r.target.starts_with('/') ? http_host_name(r) : r.host);
    x.user_agent = kept(r.user_agent);
    x.referer = kept(r.referer);
    x.content_type = kept(r.content_type);
    x.forwarded_for = kept(r.forwarded_for);
    x.metadata = kept(r.metadata);
    texts_ += x.texts();
    open_.push_back(std::move(x));
  }

  Exchange& response(const HttpResponse& r, int64_t time) {
    if (next_response_ >= open_.size()) {  // its request is not in the capture
      Exchange x;
      x.event.time = time;
      x.event.depth = ++depth_;
      x.asked = true;
      x.version = kept(r.version);
      open_.push_back(std::move(x));
      next_response_ = open_.size() - 1;
    }
    Exchange& x = open_[next_response_];
    texts_ -= x.texts();
    x.event.status = r.status;
    x.event.end = time;
    x.reason = kept(r.reason);
    x.response_type = kept(r.content_type);
    x.server = kept(r.server);
    x.location = kept(r.location);
    texts_ += x.texts();
    return x;
  }

  void body(bool from_client, size_t n, int64_t time) {
    if (open_.empty()) return;
    if (from_client) {
      open_.back().event.request_bytes += n;
      open_.back().event.end = time;
    } else if (next_response_ < open_.size()) {
      open_[next_response_].event.response_bytes += n;
      open_[next_response_].event.end = time;
    }
  }

  void done(Way& w, bool from_client, int64_t time) {
    w.state = State::kHead;
    if (from_client) {
      if (!open_.empty()) open_.back().asked = true;
      tell_ready();
    } else {
      finish_response(time);
    }
  }

  void finish_response(int64_t time) {
    if (next_response_ >= open_.size()) return;
    open_[next_response_].answered = true;
    open_[next_response_].event.end = time;
    ++next_response_;
    tell_ready();
  }

  void tell_ready() {
    while (!open_.empty() && open_.front().asked && open_.front().answered) tell_first();
  }

  void tell_first() {
    Exchange& x = open_.front();
    HttpEvent& e = x.event;
    e.who = flow_.who;
    e.method = x.method;
    e.target = x.target;
    e.version = x.version;
    e.host = x.host;
    e.user_agent = x.user_agent;
    e.referer = x.referer;
    e.content_type = x.content_type;
    e.forwarded_for = x.forwarded_for;
    e.metadata = x.metadata;
    e.reason = x.reason;
    e.response_type = x.response_type;
    e.server = x.server;
    e.location = x.location;
    flow_.events.http(e);
    texts_ -= x.texts();
    open_.pop_front();
    if (next_response_) --next_response_;
  }

  FlowContext& flow_;
  Way way_[2];
  std::deque<Exchange> open_;  // in the order of the requests
  size_t next_response_ = 0;   // whose response is being read or comes next
  size_t texts_ = 0;           // bytes of all texts in open_
  int depth_ = 0;
  std::unique_ptr<StreamParser> tunnel_;
};

}  // namespace

std::unique_ptr<StreamParser> make_http_session(FlowContext& flow) { return std::make_unique<HttpSession>(flow); }

}  // namespace egret::capture
