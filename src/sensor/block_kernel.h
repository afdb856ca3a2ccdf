#pragma once
// The blocking programs in the kernel: loaded, attached to a part of the cgroup tree, and pinned, so that they outlive a controller that is
// killed. Each entry ends at its own time in any case; what is left then (programs that let everything pass) goes with the next start or
// clear(). A later controller takes the pinned maps over and exchanges the programs without a gap.
#include <memory>
#include <string>

#include "base/result.h"
#include "sensor/block_table.h"

namespace egret::sensor {

struct BlockKernelOptions {
  std::string cgroup_folder = "/sys/fs/cgroup";  // below the unified hierarchy's mount
  std::string pin_folder = "/sys/fs/bpf/egret-block";
};

class BlockKernel {
 public:
  // Needs CAP_BPF, CAP_PERFMON (the program reads the calling task's v1 cgroup) and CAP_NET_ADMIN; CAP_SYS_ADMIN to mount the BPF file
  // system where it is not mounted.
  static Result<std::unique_ptr<BlockKernel>> open(const BlockKernelOptions& options);
  ~BlockKernel();
  BlockKernel(const BlockKernel&) = delete;
  BlockKernel& operator=(const BlockKernel&) = delete;

  // Makes the maps hold exactly this; new entries first. The first time everything that the maps hold is compared, later what
  // hold() itself wrote.
  Result<void> hold(const BlockMaps& wanted);
  Result<BlockCounters> counters(uint32_t slot) const;  // of all processors
  Result<void> clear_counters(uint32_t slot);
  bool netns_in_flight() const;  // packets can be told by network namespace (Linux 6.15)
  bool taken_over() const;       // an earlier controller's maps were there

  // Unpins everything; with the end of this object nothing is left.
  void release();

 private:
  struct Impl;
  explicit BlockKernel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace egret::sensor
