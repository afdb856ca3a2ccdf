#pragma once
// evidence.yaml: what neither the rows nor the folders say. Every part may be left out.
//
//   clusters:
//     prod-ca:                        # the name used everywhere
//       region: canadacentral
//       paths: [ca/**, "*canada*"]    # files that belong to it; without this, the folder of that name
//       resource_id: /subscriptions/…/managedClusters/prod-ca
//       egress_ips: [20.48.1.2]       # public addresses of its outbound traffic
//       pod_cidr: 10.244.0.0/16
//   files:                            # later entries win where several match
//     - path: portal/*.csv
//       cluster: prod-ca
//       kind: KubeEvents              # a table, or a format of `egret ingest --formats`
//       time_zone: Europe/Berlin      # of local times in it; or utc_offset: "+02:00"
//       dates: D/M/YYYY               # or M/D/YYYY (the default)
//     - path: notes/**
//       skip: true
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ingest/decoder.h"

namespace egret::ingest {

// How local times of a file become UTC: an offset, or a zone with its summer time.
struct LocalTime {
  Ticks utc_offset = 0;
  const TimeZone* zone = nullptr;
};
// "+02:00", "UTC-5", "Europe/Berlin".
Result<LocalTime> parse_local_time(std::string_view text);

struct FileRule {
  std::string path, cluster = {}, region = {}, kind = {};
  std::optional<LocalTime> local = {};
  std::optional<bool> month_first = {};
  bool skip = false;
};

struct Manifest {
  std::vector<ClusterFacts> clusters;
  std::vector<FileRule> files;
};

// file: how errors name it ("evidence.yaml:7: …").
Result<Manifest> parse_manifest(std::string_view yaml, std::string_view file);
// `*` and `?` stay within a folder, `**` does not; a pattern without a slash matches the file's name anywhere.
bool path_matches(std::string_view pattern, std::string_view path);
// Folds all that match into the source; false when the file is to be skipped.
bool apply(const Manifest& manifest, Source& source);

}  // namespace egret::ingest
