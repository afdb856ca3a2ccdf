#pragma once
// What an ARM id says: the cluster, its region and groups. ARM compares ids without case and writes them in any.
#include <string>
#include <string_view>

#include "ingest/decoder.h"

namespace egret::ingest {

// The part after "/NAME/" in an ARM id, any case ("managedclusters" → "prod-cc"); empty when it is not there.
std::string_view segment_after(std::string_view id, std::string_view name);
// Name of the cluster in …/managedClusters/NAME or in a node group MC_GROUP_NAME_REGION; empty when there is none. Spelled as `spelled`
// says.
std::string cluster_of_id(std::string_view id, const Source& source);
// As cluster_of_id, else the source's own cluster; tells the sink what the id says of the cluster.
std::string cluster_of_id_or_source(std::string_view id, const Source& source, Sink& sink);
// A cluster's name as the folders or evidence.yaml spell it; else in lower case.
std::string spelled(std::string_view cluster, const Source& source);

}  // namespace egret::ingest
