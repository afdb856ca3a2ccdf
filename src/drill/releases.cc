// Deployments as Azure DevOps lists them (Release API, deployments), for the teams that use it.
#include <fmt/format.h>

#include <algorithm>

#include "drill/writers.h"

namespace egret::drill {

void write_releases(Pen& pen) {
  const World& world = pen.world;
  struct Entry {
    const Cluster* cluster;
    const Placement* placement;
    const Revision* revision;
  };
  std::vector<Entry> all;
  for (const Cluster& c : world.clusters)
    for (const Placement& p : c.placements) {
      const Workload& x = world.workloads[p.workload];
      if (x.system || x.kind == "Job" || x.kind == "Pod" || x.kind == "StaticPod") continue;
      // Some teams release by other means and leave no record here.
      if (!x.ssrf && !Random(world.seed).fork("devops " + x.ns).chance(0.65)) continue;
      for (const Revision& r : p.revisions)
        if (!r.silent) all.push_back({&c, &p, &r});
    }
  std::stable_sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.revision->at > b.revision->at; });
  Output::File file(pen.out, "releases", "releases/azure-devops-deployments.json");
  JsonWriter w(2);
  const auto text = [&](std::string_view k, std::string_view v) { w.key(k).string(v); };
  const std::string base = fmt::format("https://vsrm.dev.azure.com/{}/{}/_apis/Release", world.organisation, "platform");
  w.begin_object().key("count").number(static_cast<int64_t>(all.size())).key("value").begin_array();
  int64_t id = 4000 + static_cast<int64_t>(all.size());
  for (const Entry& e : all) {
    const Workload& x = world.workloads[e.placement->workload];
    const Revision& r = *e.revision;
    const int64_t definition = static_cast<int64_t>(e.placement->workload) + 10;
    const int64_t release = 1000 + definition * 17 + r.build * 3 + r.number;
    w.begin_object().key("id").number(id--);
    w.key("release").begin_object().key("id").number(release);
    text("name", fmt::format("Release-{}-{}", r.tag, r.number));
    text("url", fmt::format("{}/releases/{}", base, release));
    w.key("artifacts").begin_array().begin_object();
    text("sourceId", fmt::format("{}.azurecr.io:{}", world.registry, x.image.substr(x.image.find('/') + 1)));
    text("type", "AzureContainerRepository");
    text("alias", "_" + x.name);
    w.key("definitionReference").begin_object();
    w.key("registryurl")
        .begin_object()
        .key("id")
        .string(world.registry + ".azurecr.io")
        .key("name")
        .string(world.registry + ".azurecr.io")
        .end_object();
    w.key("definition")
        .begin_object()
        .key("id")
        .string(x.image.substr(x.image.find('/') + 1))
        .key("name")
        .string(x.image.substr(x.image.find('/') + 1))
        .end_object();
    w.key("version").begin_object().key("id").string(r.tag).key("name").string(r.tag).end_object();
    w.key("digest").begin_object().key("id").string(r.digest).key("name").string(r.digest).end_object();
    w.key("sourceVersion").begin_object().key("id").string(r.commit).key("name").string(r.commit).end_object();
    w.end_object().key("isPrimary").boolean(true).end_object().end_array();
    text("description", r.config_changed ? "Settings only" : "");
    w.end_object();
    w.key("releaseDefinition").begin_object().key("id").number(definition);
    text("name", r.pipeline);
    text("path", "\\" + x.ns);
    text("url", fmt::format("{}/definitions/{}", base, definition));
    w.end_object();
    w.key("releaseEnvironment").begin_object().key("id").number(release * 10 + e.cluster->region_index);
    text("name", e.cluster->name);
    w.end_object();
    w.key("definitionEnvironmentId").number(definition * 10 + e.cluster->region_index).key("attempt").number(int64_t{1});
    text("reason", "automated");
    text("deploymentStatus", "succeeded");
    text("operationStatus", "Approved");
    const auto person = [&](std::string_view key) {
      w.key(key).begin_object();
      text("id", Random(world.seed).fork("person " + r.by).uuid());
      text("displayName", r.by);
      text("uniqueName", fmt::format("{}@{}", r.by, world.domain));
      w.end_object();
    };
    person("requestedBy");
    person("requestedFor");
    text("queuedOn", iso(r.at - 70 * kSecond, 3));
    text("startedOn", iso(r.at - 25 * kSecond, 3));
    text("completedOn", iso(r.at + 95 * kSecond, 3));
    text("lastModifiedOn", iso(r.at + 96 * kSecond, 3));
    w.end_object();
    file.row();
  }
  w.end_array().end_object();
  file.text() = std::move(w).take() + '\n';
  pen.ledger.sources.insert("releases");
}

}  // namespace egret::drill
