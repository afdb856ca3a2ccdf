// Framed answers, and the text for people in them: so the client needs no JSON reader and starts quickly.
#include <fmt/format.h>

#include "base/duration.h"
#include "base/text.h"
#include "sensor/block_protocol.h"

namespace egret::sensor {

namespace {

using Do = BlockRequest::Do;

std::string entry_text(const BlockListed& l) {
  const BlockEntry& e = l.entry;
  const auto left = format_duration(static_cast<Ticks>(l.remaining_ns / 1'000'000'000) * kTicksPerSecond);
  std::string text = fmt::format("{} for {}, ends in {}", e.address.to_string(), terminal_safe(e.target), left);
  if (e.id != block_id(e.address, e.target)) text += fmt::format("  (id {})", terminal_safe(e.id));
  text += fmt::format("\n    {} calls refused; dropped {} packets ({}) out, {} ({}) in", with_thousands(l.counters.refused),
                      with_thousands(l.counters.packets_out), format_bytes(l.counters.bytes_out), with_thousands(l.counters.packets_in),
                      format_bytes(l.counters.bytes_in));
  if (!e.in_flight)
    text += "\n    refused at connect and established connections ended; packets cannot be told to be this target's on this kernel";
  if (!e.reason.empty()) text += "\n    " + terminal_safe(e.reason);
  return text + "\n";
}

std::string ended_text(const BlockEnded& ended) {
  std::string text =
      fmt::format("    {} ended, {} forgotten\n", count_of(ended.sockets, "open connection"), count_of(ended.conntrack, "translation"));
  if (ended.destroy_unsupported)
    text += "    this kernel ends no open connections (CONFIG_INET_DIAG_DESTROY): they stay, mute, until their own time-out\n";
  if (!ended.trouble.empty()) text += fmt::format("    not everything was reached: {}\n", terminal_safe(ended.trouble));
  return text;
}

std::string answer_text(Do what, const BlockAnswer& answer) {
  std::string text;
  if (what == Do::kStatus)
    text = fmt::format("on for everything below {}; packets by network namespace: {}\n", answer.cgroup_root.value_or(""),
                       answer.netns_in_flight ? "yes" : "no, this kernel cannot");
  const bool taken_back = what == Do::kRemove || what == Do::kClear;
  if (answer.entries.empty()) text += taken_back ? "nothing to remove\n" : "nothing is blocked\n";
  for (const BlockListed& l : answer.entries) text += taken_back ? fmt::format("removed {}\n", terminal_safe(l.entry.id)) : entry_text(l);
  if (answer.ended) text += ended_text(*answer.ended);
  return text;
}

std::string error_text(const Error& error) { return error.hint.empty() ? error.message : error.message + "\n" + error.hint; }

}  // namespace

BlockReply take_block_reply(std::string_view& line) {
  for (const auto& [word, reply] : {std::pair{std::string_view("json "), BlockReply::kJson}, {"text ", BlockReply::kText}})
    if (line.starts_with(word)) {
      line.remove_prefix(word.size());
      return reply;
    }
  return BlockReply::kLine;
}

std::string write_block_reply(BlockReply reply, Do what, const Result<BlockAnswer>& answer) {
  if (reply == BlockReply::kLine) return write_block_answer(answer);
  const std::string body = !answer                      ? error_text(answer.error())
                           : reply == BlockReply::kJson ? write_block_answer(answer)
                                                        : answer_text(what, *answer);
  return fmt::format("{} {}\n{}", answer ? "ok" : block_error_kind(answer.error()), body.size(), body);
}

}  // namespace egret::sensor
