#pragma once
// Which program plays which container, and with which options.
#include <filesystem>
#include <string>
#include <vector>

#include "lab/fleet.h"
#include "lab/process.h"

namespace egret::lab {

struct Program {
  std::string container, id;  // id: of the container, 64 hexadecimal digits
  Words command;
  unsigned gid = 0;
};

struct Folders {
  std::filesystem::path logs;     // of the cluster: what belongs to the evidence
  std::filesystem::path truth;    // of the cluster: what the clients wrote down
  std::filesystem::path scripts;  // of the cluster
  std::string program;            // egret-lab-pod
  double compress = 1;
};

// In the order in which they start. Scripts and configurations are written on the way.
Result<std::vector<Program>> programs_of(const drill::World& world, uint32_t cluster, uint32_t pod, const Folders& folders);

// A process of the node that belongs to no pod, by its name; what it does at a node's start only where `boots`.
Result<Words> host_program(const drill::World& world, const drill::Workload& process, const std::string& node, bool boots,
                           const Folders& folders);
// The file with what the workload's ConfigMap says, as its pods have it mounted. Empty until somebody changes it.
std::filesystem::path settings_file(const Folders& folders, const drill::Workload& workload);

Result<void> write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace egret::lab
