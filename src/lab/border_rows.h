#pragma once
// The rows that the border program wrote (src/labpod/border.cc), as the writers of logs take them.
#include <filesystem>
#include <map>
#include <vector>

#include "drill/writers.h"

namespace egret::lab {

// Rows by the node (index) whose interface they are of. Traffic with the platform itself (metadata, resolver) is left out, as the
// network's flow log leaves it out.
std::map<uint32_t, drill::NodeFlows> read_border(const std::filesystem::path& file, const drill::Cluster& cluster, uint32_t index);
// Connections to one address, each once, with the bytes of all its rows; oldest first. Node and port are those after translation.
std::vector<drill::Contact> contacts_with(const std::map<uint32_t, drill::NodeFlows>& flows, drill::Ip address);

}  // namespace egret::lab
