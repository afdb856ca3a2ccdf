#pragma once
// A lab's folder of evidence, as people export it: one folder per cluster, every file in the form of its product. Traffic is what the
// border, the resolvers and the sidecars saw and nothing else; objects and events are what the lab did.
#include <filesystem>

#include "base/result.h"
#include "lab/lab.h"

namespace egret::lab {

struct Evidence {
  std::vector<std::string> contacts_from;  // nodes that the border saw contact the listed address, in order of time
  uint64_t flows = 0;
};

// The folder must be empty or absent.
Result<Evidence> write_evidence(const Lab& lab, const std::filesystem::path& folder);

// What the clients wrote down that they did, one file a pod; not evidence.
Result<void> copy_truth(const Lab& lab, const std::filesystem::path& folder);

}  // namespace egret::lab
