#include "ingest/release_rows.h"

#include "base/json.h"
#include "ingest/json_dom.h"
#include "ingest/times.h"

namespace egret::ingest {
namespace {

using js::Element;

// A destination that is another cluster than the one that Argo CD runs in is named; its own is "in-cluster".
std::string destination(const Element& app, std::string_view cluster) {
  const std::string_view name = js::text(app, {"spec", "destination", "name"});
  return std::string(name.empty() || name == "in-cluster" ? cluster : name);
}

int argocd(Sink& sink, std::string_view cluster, const Element& app) {
  Release base{.source = "argocd"};
  base.cluster = destination(app, cluster);
  base.name_space = js::text(app, {"spec", "destination", "namespace"});
  base.workload_name = js::text(app, {"metadata", "name"});
  const std::string_view images_key = "images";
  int added = 0;
  js::each(js::get(app, {"status", "history"}), [&](const Element& h) {
    const auto time = js::time(h, "deployedAt");
    if (!time) return;
    Release r = base;
    r.time = *time;
    r.start = js::time(h, "deployStartedAt").value_or(0);
    r.commit = js::text(h, "revision");
    const std::string_view target = js::text(h, {"source", "targetRevision"});
    r.version = target;
    r.actor = js::text(h, {"initiatedBy", "username"});
    if (r.actor.empty() && js::boolean(js::get(h, {"initiatedBy", "automated"}))) r.actor = "argocd (automated)";
    r.pipeline = "argocd " + base.workload_name;
    if (const auto id = js::integer(h, "id")) r.pipeline += " #" + std::to_string(*id);
    r.status = "succeeded";
    JsonWriter w;
    w.begin_object()
        .key("repository")
        .string(js::text(h, {"source", "repoURL"}))
        .key("path")
        .string(js::text(h, {"source", "path"}))
        .end_object();
    r.changes = std::move(w).take();
    add_release(sink, r);
    ++added;
  });
  // A sync that is not in the history: failed, or running.
  if (const auto op = js::get(app, {"status", "operationState"})) {
    const std::string_view phase = js::text(*op, "phase");
    const auto time = js::time(*op, "finishedAt") ? js::time(*op, "finishedAt") : js::time(*op, "startedAt");
    if (time && (phase != "Succeeded" || added == 0)) {
      Release r = base;
      r.time = *time;
      r.start = js::time(*op, "startedAt").value_or(0);
      r.commit = js::text(*op, {"syncResult", "revision"});
      r.actor = js::text(*op, {"operation", "initiatedBy", "username"});
      r.pipeline = "argocd " + base.workload_name;
      r.status = phase == "Succeeded" ? "succeeded" : phase == "Running" ? "inProgress" : "failed";
      if (const auto images = js::get(app, {"status", "summary", images_key})) r.changes = "{\"images\":" + js::minified(*images) + "}";
      add_release(sink, r);
      ++added;
    }
  }
  return added;
}

int flux(Sink& sink, std::string_view cluster, std::string_view kind, const Element& o) {
  Release base{.source = "flux"};
  base.cluster = cluster;
  base.name_space = js::text(o, {"spec", "targetNamespace"});
  if (base.name_space.empty()) base.name_space = js::text(o, {"metadata", "namespace"});
  base.workload_name = js::text(o, {"metadata", "name"});
  base.pipeline = "flux " + std::string(kind) + "/" + base.workload_name;
  int added = 0;
  js::each(js::get(o, {"status", "history"}), [&](const Element& h) {
    const auto time = js::time(h, "lastDeployed");
    if (!time) return;
    Release r = base;
    r.time = *time;
    r.start = js::time(h, "firstDeployed").value_or(0);
    r.version = js::text(h, "appVersion");
    if (r.version.empty()) r.version = js::text(h, "chartVersion");
    r.digest = js::text(h, "digest");
    r.status = js::text(h, "status") == "failed" ? "failed" : "succeeded";
    r.changes = js::minified(h);
    add_release(sink, r);
    ++added;
  });
  if (added) return added;
  std::optional<Ticks> ready;
  js::each(js::get(o, {"status", "conditions"}), [&](const Element& c) {
    if (js::text(c, "type") == "Ready" && js::text(c, "status") == "True") ready = js::time(c, "lastTransitionTime");
  });
  const std::string_view revision = js::text(o, {"status", "lastAppliedRevision"});
  if (!ready || revision.empty()) return 0;
  Release r = base;
  r.time = *ready;
  r.version = revision;
  r.commit = revision.substr(revision.find_last_of("/:@") + 1);
  r.status = "succeeded";
  add_release(sink, r);
  return 1;
}

int helm(Sink& sink, std::string_view cluster, const Element& o) {
  const auto labels = js::get(o, {"metadata", "labels"});
  const auto time = js::time(js::get(o, {"metadata", "creationTimestamp"}));
  if (!labels || !time || js::text(*labels, "owner") != "helm" || js::text(*labels, "name").empty()) return 0;
  Release r{.source = "helm"};
  r.time = *time;
  r.cluster = cluster;
  r.name_space = js::text(o, {"metadata", "namespace"});
  r.workload_name = js::text(*labels, "name");
  r.version = "revision " + std::string(js::text(*labels, "version"));
  r.pipeline = "helm " + r.workload_name + " v" + std::string(js::text(*labels, "version"));
  const std::string_view status = js::text(*labels, "status");
  r.status = status == "deployed" || status == "superseded" ? "succeeded"
             : status == "failed"                           ? "failed"
             : status.starts_with("pending")                ? "inProgress"
                                                            : std::string(status);
  add_release(sink, r);
  return 1;
}

}  // namespace

void add_release(Sink& sink, const Release& r) {
  model::Batch& b = sink.rows("EgretReleases");
  b.add_row();
  b.set_datetime(b.column("TimeGenerated"), r.time);
  if (r.start) b.set_datetime(b.column("StartTime"), r.start);
  const auto text = [&](const char* column, std::string_view v) { b.set_string(b.column(column), v); };
  text("Cluster", r.cluster);
  text("Namespace", r.name_space);
  text("WorkloadKind", r.workload_kind);
  text("WorkloadName", r.workload_name);
  text("Version", r.version);
  text("Commit", r.commit);
  text("Image", r.image);
  text("Digest", r.digest);
  text("Actor", r.actor);
  text("Pipeline", r.pipeline);
  text("Status", r.status);
  text("Source", r.source);
  if (!r.changes.empty()) b.set_dynamic(b.column("Changes"), r.changes);
}

int releases_of_object(Sink& sink, std::string_view cluster, std::string_view kind, const Element& o) {
  const std::string_view api = js::text(o, "apiVersion");
  if (kind == "Application" && (api.empty() || api.starts_with("argoproj.io/"))) return argocd(sink, cluster, o);
  if ((kind == "Kustomization" || kind == "HelmRelease") && api.find("fluxcd.io/") != std::string_view::npos)
    return flux(sink, cluster, kind, o);
  if (kind == "Secret") return helm(sink, cluster, o);
  return 0;
}

}  // namespace egret::ingest
