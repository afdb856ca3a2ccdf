#pragma once
// Rows of EgretReleases, and what the objects of Argo CD, Flux and Helm in a cluster tell of releases.
#include <string>
#include <string_view>

#include "base/time.h"
#include "ingest/decoder.h"

namespace simdjson::dom {
class element;
}

namespace egret::ingest {

struct Release {
  Ticks time = 0, start = 0;  // 0 is unknown
  std::string_view source;    // azure-devops, github, gitlab, argocd, flux, helm, egret
  std::string cluster = {}, name_space = {}, workload_kind = {}, workload_name = {}, version = {}, commit = {}, image = {}, digest = {},
              actor = {}, pipeline = {}, status = {};
  std::string changes = {};  // JSON, may be empty
};

void add_release(Sink& sink, const Release& r);

// Argo CD's Application, Flux's Kustomization and HelmRelease, and Helm's own Secrets keep a history. Returns the rows added.
int releases_of_object(Sink& sink, std::string_view cluster, std::string_view kind, const simdjson::dom::element& object);

}  // namespace egret::ingest
