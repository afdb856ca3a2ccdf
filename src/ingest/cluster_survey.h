#pragma once
// Which clusters a folder of logs names, before any row is read. Most exports of one cluster's incident name it in some files (ARM ids,
// node groups) and not in others (`kubectl`, CoreDNS, a firewall in front of it): without this the two would never meet.
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace egret::ingest {

// Names in ARM ids (…/managedClusters/NAME/…), node groups (MC_GROUP_NAME_REGION) and ClusterName members of a text, in lower case.
void clusters_named(std::string_view text, std::set<std::string>& names);

class ClusterSurvey {
 public:
  // `folder`: the first folder below the root when it may name a cluster, else ''. `path_cluster`: a cluster that an ARM id in the
  // path names; then the file is not opened.
  void add(const std::filesystem::path& file, const std::string& folder, const std::string& path_cluster);
  void name(const std::string& cluster);  // one that is known otherwise
  // The cluster of files that name none: the only one there is. Empty when there is none, or several, or not everything was looked at.
  std::string only() const;
  // The cluster whose files lie in a folder of another name; empty when its files name none or several, or the folder is one's name.
  std::string behind(const std::string& folder) const;

 private:
  std::set<std::string> named_;
  std::map<std::string, std::set<std::string>> by_folder_;  // keys in lower case
  uint64_t budget_ = 256u << 20;                            // bytes that are looked at in all
  bool whole_ = true;
};

}  // namespace egret::ingest
