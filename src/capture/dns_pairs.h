#pragma once
// DNS questions of one flow and the answers to them.
#include <cstdint>
#include <vector>

#include "capture/stream_parser.h"

namespace egret::capture {

class DnsPairs {
 public:
  explicit DnsPairs(FlowContext& flow) : flow_(flow) {}
  // False when it is no DNS message.
  bool message(Bytes bytes, int64_t time);
  // Questions that no one answered are told.
  void end();
  size_t memory() const { return sizeof *this + open_.capacity() * (sizeof(Open) + 128); }

 private:
  static constexpr size_t kMostOpen = 64;
  struct Open {
    DnsMessage message;
    int64_t time = 0;
  };
  void tell(const DnsMessage& m, int64_t asked, int64_t answered);

  FlowContext& flow_;
  std::vector<Open> open_;
};

}  // namespace egret::capture
