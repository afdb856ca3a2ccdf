#include "ingest/cluster_survey.h"

#include <algorithm>

#include "base/text.h"
#include "capture/byte_source.h"
#include "ingest/resource_id.h"

namespace egret::ingest {
namespace {

constexpr size_t kPiece = 1u << 20;
constexpr size_t kOverlap = 512;  // a name at the end of a piece is seen whole in the next
constexpr uint64_t kOfAFile = 8u << 20;

bool name_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

std::string_view name_at(std::string_view text) {
  size_t n = 0;
  while (n < text.size() && name_char(text[n])) ++n;
  return text.substr(0, n);
}

}  // namespace

void clusters_named(std::string_view text, std::set<std::string>& names) {
  const std::string low = to_lower(text);
  const std::string_view all = low;
  const auto add = [&](std::string_view name) {
    if (name.size() > 1 && name.size() <= 63) names.emplace(name);
  };
  // With the provider: names of operations have its kinds, too ("Microsoft.ContainerService/managedClusters/diagnosticLogs/Read").
  for (const std::string_view word :
       {"/providers/microsoft.containerservice/managedclusters/", "/providers/microsoft.kubernetes/connectedclusters/"})
    for (size_t at = all.find(word); at != std::string_view::npos; at = all.find(word, at + word.size()))
      add(name_at(all.substr(at + word.size())));
  const Source nobody;
  for (size_t at = all.find("mc_"); at != std::string_view::npos; at = all.find("mc_", at + 3)) {
    // A group of its own ("…/resourceGroups/MC_…", a label's value), not the end of some word.
    if (at > 0 && (name_char(all[at - 1]) || all[at - 1] == '.')) continue;
    const std::string_view group = name_at(all.substr(at));
    if (std::count(group.begin(), group.end(), '_') >= 3) add(cluster_of_id("/" + std::string(group), nobody));
  }
  constexpr std::string_view kMember = "\"clustername\"";
  for (size_t at = all.find(kMember); at != std::string_view::npos; at = all.find(kMember, at + 1)) {
    std::string_view rest = all.substr(at + kMember.size());
    const size_t from = rest.find_first_not_of(" \t:\"");
    if (from != std::string_view::npos && from > 1 && rest.substr(0, from).contains(':')) add(name_at(rest.substr(from)));
  }
}

void ClusterSurvey::add(const std::filesystem::path& file, const std::string& folder, const std::string& path_cluster) {
  std::set<std::string> names;
  if (!path_cluster.empty()) {
    names.insert(to_lower(path_cluster));
  } else if (auto bytes = capture::ByteSource::open(file); bytes) {
    for (uint64_t looked = 0; budget_ > 0;) {
      const bool more = bytes->fill(kPiece);
      const size_t n = std::min(bytes->available(), kPiece);
      if (looked == 0 && n > 3 && std::string_view(reinterpret_cast<const char*>(bytes->data()), 4) == "PK\x03\x04") {
        whole_ = false;  // its members are looked at when it is opened
        break;
      }
      clusters_named(std::string_view(reinterpret_cast<const char*>(bytes->data()), n), names);
      budget_ -= std::min<uint64_t>(budget_, n);
      looked += n;
      if (!more) break;
      if (looked >= kOfAFile || budget_ == 0) {
        whole_ = false;
        break;
      }
      bytes->consume(kPiece - kOverlap);
    }
    if (budget_ == 0) whole_ = false;
  }
  named_.insert(names.begin(), names.end());
  if (!folder.empty()) by_folder_[to_lower(folder)].insert(names.begin(), names.end());
}

void ClusterSurvey::name(const std::string& cluster) { named_.insert(to_lower(cluster)); }

std::string ClusterSurvey::behind(const std::string& folder) const {
  const std::string key = to_lower(folder);
  const auto it = by_folder_.find(key);
  return it != by_folder_.end() && it->second.size() == 1 && !named_.contains(key) ? *it->second.begin() : std::string();
}

std::string ClusterSurvey::only() const {
  if (!whole_) return {};
  std::set<std::string> all = named_;
  for (const auto& [folder, names] : by_folder_)
    if (names.empty()) all.insert(folder);
  return all.size() == 1 ? *all.begin() : std::string();
}

}  // namespace egret::ingest
