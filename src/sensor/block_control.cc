#include "sensor/block_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <cstdio>
#include <thread>

#include "sensor/block_journal.h"
#include "sensor/boot_time.h"

namespace egret::sensor {

namespace {

bool overlap(const Cidr& a, const Cidr& b) { return a.contains(b.base) || b.contains(a.base); }

const Cidr& loopback(bool v4) {
  static const Cidr four = *Cidr::parse("127.0.0.0/8"), six = *Cidr::parse("::1/128");
  return v4 ? four : six;
}

// What a slip of the hand must not do.
Result<void> check_address(const Cidr& address, bool wide, const std::vector<Cidr>& never) {
  if (overlap(address, loopback(true)) || overlap(address, loopback(false)))
    return usage_error(fmt::format("{} has the loopback address in it", address.to_string()), "a node that cannot talk to itself is lost");
  for (const Cidr& n : never)
    if (overlap(address, n))
      return usage_error(fmt::format("{} touches {}, which this service was told never to block", address.to_string(), n.to_string()),
                         "see --never of egret-block serve");
  const bool v4 = address.prefix >= 96 && address.base.is_v4();
  if (!wide && (v4 ? address.prefix < 96 + 8 : address.prefix < 16))
    return usage_error(fmt::format("{} is a large part of all addresses", address.to_string()), "say --wide if that is meant");
  return {};
}

}  // namespace

Result<std::unique_ptr<BlockControl>> BlockControl::open(const BlockControlOptions& options, const Clock& clock) {
  TRY(auto journal, read_block_journal(options.journal));
  TRY(auto kernel, BlockKernel::open(options.kernel));
  auto control = std::unique_ptr<BlockControl>(new BlockControl(options, clock, std::move(kernel)));
  const bool same_boot = journal.boot == boot_id();
  const uint64_t now_ns = boot_nanoseconds();
  const Ticks now = clock.now();
  for (BlockEntry& e : journal.entries) {
    if (!same_boot) {
      const auto target = BlockTarget::parse(e.target);
      if (!target || e.expires <= now) continue;
      const auto resolved = resolve_block_target(*target, options.places, control->kernel_->netns_in_flight());
      if (!resolved) {
        fmt::print(stderr, "egret-block: {} is not in force again: {}\n", e.id, resolved.error().message);
        continue;
      }
      e.scopes = resolved->scopes;
      e.in_flight = resolved->in_flight;
      e.until_ns = now_ns + static_cast<uint64_t>(e.expires - now) * 100;
    }
    if (e.until_ns <= now_ns) continue;
    control->entries_.push_back(std::move(e));
  }
  TRY_VOID(control->commit());
  return control;
}

Result<BlockAnswer> BlockControl::answer(const BlockRequest& request) {
  switch (request.what) {
    case BlockRequest::Do::kAdd: return add(request);
    case BlockRequest::Do::kRemove: return remove(request, false);
    case BlockRequest::Do::kClear: return remove(request, true);
    case BlockRequest::Do::kList:
    case BlockRequest::Do::kStatus: {
      BlockAnswer a;
      for (const auto& e : entries_)
        if (e.until_ns > boot_nanoseconds()) a.entries.push_back(listed(e));
      if (request.what == BlockRequest::Do::kStatus) {
        a.cgroup_root = options_.places.cgroup_root;
        a.netns_in_flight = kernel_->netns_in_flight();
      }
      return a;
    }
  }
  return internal_error("a request without a verb");
}

Result<BlockAnswer> BlockControl::add(const BlockRequest& request) {
  const Cidr address = *request.address;
  TRY_VOID(check_address(address, request.wide, options_.never));
  TRY(const auto target, BlockTarget::parse(request.target));
  TRY(const auto resolved, resolve_block_target(target, options_.places, kernel_->netns_in_flight()));
  const std::string id = request.id.empty() ? block_id(address, request.target) : request.id;
  const auto found = std::ranges::find(entries_, id, &BlockEntry::id);
  BlockAnswer answer;
  if (found != entries_.end() && (found->address != address || found->target != request.target))
    return usage_error(fmt::format("\"{}\" is {} for {} already", id, found->address.to_string(), found->target),
                       "take another --id, or remove that one");
  const auto before = entries_;
  BlockEntry entry;
  if (found != entries_.end()) {
    entry = *found;
    answer.existed = true;
  } else {
    TRY(entry.slot, free_slot());
    TRY_VOID(kernel_->clear_counters(entry.slot));
    entry.added = clock_.now();
  }
  entry.id = id;
  entry.address = address;
  entry.target = request.target;
  entry.reason = request.reason;
  entry.scopes = resolved.scopes;
  entry.in_flight = resolved.in_flight;
  entry.expires = clock_.now() + request.seconds * kTicksPerSecond;
  entry.until_ns = boot_nanoseconds() + static_cast<uint64_t>(request.seconds) * 1'000'000'000;
  if (found != entries_.end())
    *found = entry;
  else
    entries_.push_back(entry);
  // All or nothing: what could not be put in force and written down is not kept either.
  const auto refuse = [&](const Error& error) {
    entries_ = before;
    (void)commit();
    return std::unexpected(error);
  };
  if (const auto done = kernel_->hold(block_maps(entries_, boot_nanoseconds())); !done) return refuse(done.error());
  // Nothing leaves any more. The rest walks the kernel's tables, at an ordinary priority (a new thread's, SCHED_RESET_ON_FORK): before all
  // others it would hold up the kernel's own work on packets that are under way.
  Result<void> written;
  std::thread([&] {
    answer.ended = end_flows(address, target, resolved, options_.places);
    written = write_journal();
  }).join();
  if (!written) return refuse(written.error());
  answer.entries.push_back(listed(entry));
  return answer;
}

Result<BlockAnswer> BlockControl::remove(const BlockRequest& request, bool all) {
  const std::string id = !request.id.empty() || !request.address ? request.id : block_id(*request.address, request.target);
  BlockAnswer answer;
  const auto goes = [&](const BlockEntry& e) { return all || e.id == id; };
  for (const auto& e : entries_)
    if (goes(e)) answer.entries.push_back(listed(e));
  if (answer.entries.empty()) return answer;
  const auto before = entries_;
  std::erase_if(entries_, goes);
  if (const auto done = commit(); !done) {
    entries_ = before;
    (void)commit();
    return std::unexpected(done.error());
  }
  return answer;
}

BlockListed BlockControl::listed(const BlockEntry& entry) const {
  BlockListed l;
  l.entry = entry;
  if (const auto counters = kernel_->counters(entry.slot)) l.counters = *counters;
  const uint64_t now = boot_nanoseconds();
  l.remaining_ns = entry.until_ns > now ? entry.until_ns - now : 0;
  return l;
}

Result<void> BlockControl::commit() {
  TRY_VOID(kernel_->hold(block_maps(entries_, boot_nanoseconds())));
  return write_journal();
}

Result<void> BlockControl::write_journal() {
  TRY_VOID(replace_block_journal(options_.journal, {boot_id(), entries_}));
  return sync_block_journal(options_.journal);
}

Result<uint32_t> BlockControl::free_slot() const {
  std::bitset<kBlockSlots> taken;
  for (const auto& e : entries_) taken.set(e.slot);
  for (uint32_t i = 0; i < kBlockSlots; ++i)
    if (!taken[i]) return i;
  return unavailable(fmt::format("{} entries are the most that the kernel's maps hold", static_cast<int>(kBlockSlots)),
                     "remove some, or block a range");
}

void BlockControl::expire() {
  const uint64_t now = boot_nanoseconds();
  if (std::erase_if(entries_, [&](const BlockEntry& e) { return e.until_ns <= now; }) == 0) return;
  if (const auto done = commit(); !done) fmt::print(stderr, "egret-block: {}\n", done.error().message);
}

uint64_t BlockControl::next_end_ns() const {
  uint64_t next = 0;
  for (const auto& e : entries_)
    if (next == 0 || e.until_ns < next) next = e.until_ns;
  return next;
}

void BlockControl::stop() {
  if (entries_.empty()) kernel_->release();
}

}  // namespace egret::sensor
