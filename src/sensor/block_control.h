#pragma once
// What holds the entries: answers requests, ends entries on time, and keeps a journal, so that a controller that was killed, or a node that
// was started again, has the blocks that it had. Kernel, established connections, journal, answer: in this order, since each packet counts
// and a disk may take its time. Killed on the way, the request was not answered: the next controller makes the kernel hold what the journal
// has, and without one the entry ends at its own time.
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "sensor/block_kernel.h"
#include "sensor/block_protocol.h"
#include "sensor/block_scope.h"

namespace egret::sensor {

struct BlockControlOptions {
  BlockKernelOptions kernel;
  BlockPlaces places;
  std::string journal;      // file
  std::vector<Cidr> never;  // what an entry must not touch: the API server, the resolver
};

class BlockControl {
 public:
  // Takes over what the journal has: with the kernel's times in the same boot, by the wall clock after another. What cannot be put in force
  // again (a pod that is gone) is dropped with a line on standard error.
  static Result<std::unique_ptr<BlockControl>> open(const BlockControlOptions& options, const Clock& clock);

  Result<BlockAnswer> answer(const BlockRequest& request);
  // Removes what has ended. The kernel has let it through since; this is tidying.
  void expire();
  uint64_t next_end_ns() const;  // CLOCK_BOOTTIME; 0: none
  size_t size() const { return entries_.size(); }
  // No entry: takes the programs out of the kernel. Otherwise they stay for the entries' time.
  void stop();

 private:
  BlockControl(const BlockControlOptions& options, const Clock& clock, std::unique_ptr<BlockKernel> kernel)
      : options_(options), clock_(clock), kernel_(std::move(kernel)) {}
  Result<BlockAnswer> add(const BlockRequest& request);
  Result<BlockAnswer> remove(const BlockRequest& request, bool all);
  BlockListed listed(const BlockEntry& entry) const;
  Result<void> commit();  // to the kernel and the journal
  Result<void> write_journal();
  Result<uint32_t> free_slot() const;

  BlockControlOptions options_;
  const Clock& clock_;
  std::unique_ptr<BlockKernel> kernel_;
  std::vector<BlockEntry> entries_;
};

}  // namespace egret::sensor
