#pragma once
// What is said over the blocking part's control socket: one JSON object a line each way (docs/formats/block-control.md).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sensor/block_flows.h"
#include "sensor/block_table.h"

namespace egret::sensor {

inline constexpr size_t kBlockLineBytes = 64 << 10;
inline constexpr int64_t kBlockLongestSeconds = 30 * 86'400;

struct BlockRequest {
  enum class Do { kAdd, kRemove, kClear, kList, kStatus } what = Do::kStatus;
  std::string id;               // remove: this entry; add: empty lets the service name it
  std::optional<Cidr> address;  // add; remove without an id
  std::string target = "node";
  int64_t seconds = 0;  // add
  std::string reason;
  bool wide = false;  // add: also what covers more than a /8 (IPv6: /16)
};

// An error's message can be sent back as it is.
Result<BlockRequest> parse_block_request(std::string_view line);
std::string write_block_request(const BlockRequest& request);  // with the line's end

struct BlockListed {
  BlockEntry entry;
  BlockCounters counters{};
  uint64_t remaining_ns = 0;
};

struct BlockAnswer {
  std::vector<BlockListed> entries;  // add: the one; list: all; remove, clear: what is gone
  std::optional<BlockEnded> ended;   // add
  bool existed = false;              // add: it was there, and now ends at the new time
  // status
  std::optional<std::string> cgroup_root;
  bool netns_in_flight = false;
};

std::string write_block_answer(const Result<BlockAnswer>& answer);  // with the line's end

// The id that the service gives: the same for the same address and target, so that a repeated add is one entry.
std::string block_id(const Cidr& address, std::string_view target);

}  // namespace egret::sensor
