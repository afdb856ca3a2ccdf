#include "ingest/resource_id.h"

#include "base/text.h"

namespace egret::ingest {
namespace {

size_t find_ci(std::string_view text, std::string_view low, size_t from = 0) {
  if (low.size() > text.size()) return std::string_view::npos;
  for (size_t i = from; i + low.size() <= text.size(); ++i)
    if (iequals(text.substr(i, low.size()), low)) return i;
  return std::string_view::npos;
}

struct NodeGroup {
  std::string_view whole, name, region;
};

// MC_GROUP_NAME_REGION. Groups and names may have underscores themselves; the name is taken as the last piece but one, which is
// right unless the cluster's own name has one.
NodeGroup node_group(std::string_view id) {
  size_t at = 0;
  while ((at = find_ci(id, "mc_", at)) != std::string_view::npos) {
    if (at == 0 || id[at - 1] == '/' || id[at - 1] == '=') break;
    at += 3;
  }
  if (at == std::string_view::npos) return {};
  std::string_view group = id.substr(at);
  group = group.substr(0, group.find_first_of("/\"' "));
  const size_t last = group.rfind('_');
  if (last <= 3 || last == std::string_view::npos) return {};
  const size_t before = group.rfind('_', last - 1);
  if (before < 3 || before == std::string_view::npos) return {};
  return {group, group.substr(before + 1, last - before - 1), group.substr(last + 1)};
}

}  // namespace

std::string_view segment_after(std::string_view id, std::string_view name) {
  size_t at = 0;
  while ((at = find_ci(id, name, at)) != std::string_view::npos) {
    const size_t end = at + name.size();
    if (at > 0 && (id[at - 1] == '/' || id[at - 1] == '=') && end < id.size() && id[end] == '/') {
      const std::string_view rest = id.substr(end + 1);
      return rest.substr(0, rest.find_first_of("/\"' ?"));
    }
    at = end;
  }
  return {};
}

std::string spelled(std::string_view cluster, const Source& source) {
  if (iequals(cluster, source.cluster)) return source.cluster;
  if (source.clusters)
    for (const std::string& known : *source.clusters)
      if (iequals(cluster, known)) return known;
  return to_lower(cluster);
}

std::string cluster_of_id(std::string_view id, const Source& source) {
  if (const auto name = segment_after(id, "managedclusters"); !name.empty()) return spelled(name, source);
  if (const auto name = segment_after(id, "connectedclusters"); !name.empty()) return spelled(name, source);
  // The names that evidence.yaml or the folders gave settle a node group whose pieces are ambiguous.
  const NodeGroup g = node_group(id);
  if (g.whole.empty()) return {};
  if (source.clusters) {
    const std::string_view middle = g.whole.substr(3, g.whole.size() - 3 - g.region.size() - 1);
    for (const std::string& known : *source.clusters)
      if (middle.size() > known.size() && iequals(middle.substr(middle.size() - known.size()), known) &&
          middle[middle.size() - known.size() - 1] == '_')
        return known;
  }
  return spelled(g.name, source);
}

std::string cluster_of_id_or_source(std::string_view id, const Source& source, Sink& sink) {
  std::string cluster = cluster_of_id(id, source);
  if (cluster.empty()) return source.cluster;
  ClusterFacts f{.cluster = cluster, .subscription = to_lower(segment_after(id, "subscriptions")), .source = "resource id"};
  const size_t end = find_ci(id, "managedclusters/");
  if (end != std::string_view::npos) {
    const size_t stop = id.find('/', end + 16);
    f.resource_id = to_lower(id.substr(0, stop));
  }
  if (const NodeGroup g = node_group(id); !g.whole.empty()) {
    f.node_resource_group = std::string(g.whole);
    f.region = to_lower(g.region);
  }
  sink.cluster(f);
  return cluster;
}

}  // namespace egret::ingest
