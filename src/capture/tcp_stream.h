#pragma once
// One direction of a TCP connection as the bytes that were sent, in order, each once. Bounded: at most kMostHeld bytes wait behind a
// hole; then, or when the other side acknowledges what never came, the hole is skipped and said (gap).
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "capture/bytes.h"

namespace egret::capture {

class TcpStream {
 public:
  static constexpr size_t kMostHeld = 256 * 1024;
  static constexpr size_t kMostPieces = 256;

  bool started() const { return started_; }
  // The sequence number of the first byte.
  void start(uint32_t sequence) {
    started_ = true;
    next_ = sequence;
  }
  uint32_t next() const { return next_; }
  size_t held() const { return held_; }
  uint64_t missed() const { return missed_; }

  // A segment: `data` are its bytes that the capture has, `stated` how many it had. Calls sink.data(Bytes) and sink.gap(uint64_t) in
  // the order of the stream; either returns false to hear no more (then so does this).
  template <typename Sink>
  bool segment(uint32_t sequence, Bytes data, uint32_t stated, Sink&& sink) {
    int32_t ahead = static_cast<int32_t>(sequence - next_);
    if (ahead < 0) {
      const uint32_t old = 0u - static_cast<uint32_t>(ahead);
      if (old >= stated) return true;
      data = data.size() > old ? data.subspan(old) : Bytes();
      stated -= old;
      ahead = 0;
    }
    if (ahead == 0) {
      if (!deliver(data, stated, sink)) return false;
      return pieces_.empty() || drain(sink);
    }
    if (static_cast<size_t>(ahead) > kFurthest) return true;  // of no use, or forged
    hold(sequence, data);
    if (held_ > kMostHeld || pieces_.size() > kMostPieces) return skip_hole(sink);
    return true;
  }

  // The other side has everything before that sequence number. What is not here will not come.
  template <typename Sink>
  bool acknowledged(uint32_t sequence, Sink&& sink) {
    while (!pieces_.empty() && static_cast<int32_t>(sequence - next_) > 0)
      if (!skip_hole(sink)) return false;
    return true;
  }

  // Nothing more will come: gives what waits, with its holes.
  template <typename Sink>
  bool finish(Sink&& sink) {
    while (!pieces_.empty())
      if (!skip_hole(sink)) return false;
    return true;
  }

  void drop() {
    pieces_.clear();
    pieces_.shrink_to_fit();
    held_ = 0;
  }

 private:
  static constexpr size_t kFurthest = 16u << 20;
  struct Piece {
    uint32_t sequence;
    std::string bytes;
  };

  template <typename Sink>
  bool deliver(Bytes data, uint32_t stated, Sink& sink) {
    next_ += stated;
    if (!data.empty() && !sink.data(data)) return false;
    if (stated > data.size()) {
      missed_ += stated - data.size();
      return sink.gap(stated - data.size());
    }
    return true;
  }

  void hold(uint32_t sequence, Bytes data) {
    if (data.empty()) return;
    const auto later = [this](const Piece& a, uint32_t b) {
      return static_cast<int32_t>(a.sequence - next_) < static_cast<int32_t>(b - next_);
    };
    const auto at = std::lower_bound(pieces_.begin(), pieces_.end(), sequence, later);
    if (at != pieces_.end() && at->sequence == sequence && at->bytes.size() >= data.size()) return;
    held_ += data.size();
    pieces_.insert(at, {sequence, std::string(as_text(data))});
  }

  template <typename Sink>
  bool drain(Sink& sink) {
    size_t used = 0;
    bool go_on = true;
    for (; go_on && used < pieces_.size(); ++used) {
      const Piece& p = pieces_[used];
      const int32_t ahead = static_cast<int32_t>(p.sequence - next_);
      if (ahead > 0) break;
      held_ -= p.bytes.size();
      const uint32_t old = 0u - static_cast<uint32_t>(ahead);
      if (old >= p.bytes.size()) continue;
      const Bytes rest = as_bytes(p.bytes).subspan(old);
      go_on = deliver(rest, static_cast<uint32_t>(rest.size()), sink);
    }
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(used));
    return go_on;
  }

  template <typename Sink>
  bool skip_hole(Sink& sink) {
    const int32_t ahead = static_cast<int32_t>(pieces_.front().sequence - next_);
    if (ahead <= 0) return drain(sink);
    const uint32_t hole = static_cast<uint32_t>(ahead);
    next_ += hole;
    missed_ += hole;
    return sink.gap(hole) && drain(sink);
  }

  bool started_ = false;
  uint32_t next_ = 0;
  size_t held_ = 0;
  uint64_t missed_ = 0;
  std::vector<Piece> pieces_;  // by sequence number
};

}  // namespace egret::capture
