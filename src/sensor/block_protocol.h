#pragma once
// What is said over the blocking part's control socket: one JSON object a line each way, or framed for a client that reads no JSON
// (docs/formats/block-control.md).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

inline constexpr std::pair<std::string_view, BlockRequest::Do> kBlockVerbs[] = {{"add", BlockRequest::Do::kAdd},
                                                                                {"remove", BlockRequest::Do::kRemove},
                                                                                {"clear", BlockRequest::Do::kClear},
                                                                                {"list", BlockRequest::Do::kList},
                                                                                {"status", BlockRequest::Do::kStatus}};

// How the answer is to come: kLine: JSON on one line; the others framed, with the JSON or with text for people in the frame.
enum class BlockReply { kLine, kJson, kText };
// Takes the word before the request's object off the line: `json {…}`, `text {…}`.
BlockReply take_block_reply(std::string_view& line);

// An error's message can be sent back as it is.
Result<BlockRequest> parse_block_request(std::string_view line);

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
// As `reply` wants it; `what`: what was asked, which the text is about.
std::string write_block_reply(BlockReply reply, BlockRequest::Do what, const Result<BlockAnswer>& answer);

std::string_view block_error_kind(const Error& error);  // usage, not found, unavailable

// The id that the service gives: the same for the same address and target, so that a repeated add is one entry.
std::string block_id(const Cidr& address, std::string_view target);

}  // namespace egret::sensor
