// Release records: Azure DevOps, GitHub, GitLab, Helm, Argo CD's and Flux's notifications, and the plain form that docs/formats/releases.md
// describes. One record is one row; a record of the same systems that is no release (an approval, an audit stream) is none.
#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/json_dom.h"
#include "ingest/release_forms.h"
#include "ingest/release_rows.h"
#include "ingest/times.h"

namespace egret::ingest {
namespace {

using js::Element;

// Times of these systems; year 1 is Azure DevOps' way to say "not yet".
Ticks time_at(const Element& e, std::initializer_list<std::string_view> keys) {
  for (const std::string_view k : keys)
    if (const auto t = parse_time(js::text(e, k)); t && *t > kUnixEpochTicks) return *t;
  return 0;
}

std::string first_text(const Element& e, std::initializer_list<js::Path> paths) {
  for (const js::Path& p : paths)
    if (const std::string_view s = js::text(e, p); !s.empty()) return std::string(s);
  return {};
}

std::string plain(const std::optional<Element>& e) {
  if (!e) return {};
  const std::string_view s = js::text(*e);
  return s.empty() && !e->is_string() ? js::minified(*e) : std::string(s);
}

class Releases {
 public:
  Releases(const Source& source, Sink& sink) : source_(source), sink_(sink) {}

  void document(const Element& e, uint64_t line, int depth = 0) {
    if (depth > 5) return;
    if (js::is_array(e)) {
      js::each(e, [&](const Element& x) { document(x, line, depth + 1); });
      return;
    }
    if (!e.is_object()) return sink_.error(line, "a release record must be a JSON object", js::minified(e));
    // Lists of the systems' APIs, and the wrapper of documentation examples.
    if (const auto body = js::get(e, {"responses", "200", "body"})) return document(*body, line, depth + 1);
    for (const std::string_view key : {"value", "workflow_runs", "deployments", "releases"})
      if (const auto list = js::get(e, key); js::is_array(list)) return document(*list, line, depth + 1);
    if (const auto app = js::get(e, "app"); js::is_object(app) && js::get(*app, "spec")) {
      if (!releases_of_object(sink_, source_.cluster, "Application", *app))
        sink_.error(line, "an Argo CD application without a sync", js::minified(e));
      return;
    }
    Release r{.source = "egret"};
    r.cluster = source_.cluster;
    if (!(gitlab_release(e, r) || helm_release(e, r) || devops(e, r) || github(e, r) || flux(e, r) || own(e, r))) {
      if (!known_not_used(e))
        sink_.error(line, "not a release record that is known", js::minified(e), "docs/formats/releases.md says what can be read");
      return;
    }
    if (!r.time) return sink_.error(line, "the release record has no time", js::minified(e));
    add_release(sink_, r);
    from_ = from_ ? std::min(from_, r.time) : r.time;
    to_ = std::max(to_, r.time);
  }

  void finish() {
    if (from_)
      sink_.covered({.cluster = source_.cluster, .name = {}, .source = "releases", .table = "EgretReleases", .from = from_, .to = to_});
  }

 private:
  static bool known_not_used(const Element& e) {
    return js::get(e, "consumerType") || js::get(e, {"value", "decoratedAuditLogEntries"}) || js::get(e, "decoratedAuditLogEntries") ||
           js::get(e, "zen");  // GitHub's ping
  }

  static std::string artifacts(const Element& release, Release& r) {
    JsonWriter w;
    w.begin_object();
    if (const auto d = js::text(release, "description"); !d.empty()) w.key("description").string(d);
    w.key("artifacts").begin_array();
    js::each(js::get(release, "artifacts"), [&](const Element& a) {
      const std::string_view version = js::text(a, {"definitionReference", "version", "name"});
      const std::string_view commit = js::text(a, {"definitionReference", "sourceVersion", "id"});
      w.begin_object().key("alias").string(js::text(a, "alias")).key("type").string(js::text(a, "type")).key("version").string(version);
      w.key("branch").string(js::text(a, {"definitionReference", "branch", "name"})).end_object();
      if (r.commit.empty()) r.commit = commit;
      const std::string_view type = js::text(a, "type");
      if (type == "AzureContainerRepository" || type == "DockerHub") {
        std::string_view repository = js::text(a, {"definitionReference", "repository", "name"});
        if (repository.empty()) repository = js::text(a, {"definitionReference", "definition", "name"});
        r.image = std::string(js::text(a, {"definitionReference", "registryurl", "id"})) + (repository.empty() ? "" : "/") +
                  std::string(repository) + ":" + std::string(version);
        r.version = version;
      }
    });
    w.end_array().end_object();
    return std::move(w).take();
  }

  bool devops(const Element& e, Release& r) {
    r.source = "azure-devops";
    if (const auto release = js::get(e, "release"); release && js::get(e, "deploymentStatus")) {  // a deployment of a release
      r.time = time_at(e, {"completedOn", "lastModifiedOn", "startedOn", "queuedOn"});
      r.start = time_at(e, {"startedOn", "queuedOn"});
      r.workload_name = js::text(e, {"releaseDefinition", "name"});
      r.version = js::text(*release, "name");
      r.changes = artifacts(*release, r);
      r.actor = first_text(e, {{"requestedFor", "displayName"}, {"requestedBy", "displayName"}});
      r.pipeline = r.workload_name + " / " + std::string(js::text(e, {"releaseEnvironment", "name"})) + " #" + plain(js::get(e, "id"));
      r.status = js::text(e, "deploymentStatus");
      return true;
    }
    if (js::get(e, "releaseDefinition") && js::get(e, "createdOn")) {  // a release
      r.time = time_at(e, {"modifiedOn", "createdOn"});
      r.start = time_at(e, {"createdOn"});
      r.workload_name = js::text(e, {"releaseDefinition", "name"});
      r.version = js::text(e, "name");
      r.changes = artifacts(e, r);
      r.actor = first_text(e, {{"createdBy", "displayName"}});
      r.pipeline = r.workload_name + " #" + plain(js::get(e, "id"));
      r.status = js::text(e, "status");
      if (js::get(e, "approver")) {  // its approval
        r.version = js::text(e, {"release", "name"});
        r.actor = first_text(e, {{"approvedBy", "displayName"}, {"approver", "displayName"}});
        r.status = "approval " + r.status;
      }
      // The latest environment that it was brought to says more than the release's own state.
      js::each(js::get(e, "environments"), [&](const Element& env) {
        const std::string_view status = js::text(env, "status");
        if (status.empty() || status == "notStarted" || status == "undefined") return;
        r.status = status;
        r.pipeline = r.workload_name + " / " + std::string(js::text(env, "name")) + " #" + plain(js::get(e, "id"));
        js::each(js::get(env, "deploySteps"), [&](const Element& step) {
          if (const Ticks t = time_at(step, {"lastModifiedOn", "queuedOn"})) r.time = t;
        });
      });
      return true;
    }
    if (js::get(e, "buildNumber") && (js::get(e, "sourceVersion") || js::get(e, "definition"))) {  // a pipeline's run
      r.time = time_at(e, {"finishTime", "startTime", "queueTime"});
      r.start = time_at(e, {"startTime", "queueTime"});
      r.workload_name = first_text(e, {{"definition", "name"}, {"repository", "name"}});
      r.version = js::text(e, "buildNumber");
      r.commit = js::text(e, "sourceVersion");
      r.actor = first_text(e, {{"requestedFor", "displayName"}});
      r.pipeline = r.workload_name + " #" + r.version;
      r.status = first_text(e, {{"result"}, {"status"}});
      return true;
    }
    if (const auto type = js::text(e, "eventType"); !type.empty() && js::is_object(js::get(e, "resource"))) {  // a service hook
      const Element resource = *js::get(e, "resource");
      r.time = time_at(e, {"createdDate"});
      if (type == "git.push") {
        js::each(js::get(resource, "refUpdates"), [&](const Element& u) {
          r.commit = js::text(u, "newObjectId");
          r.version = js::text(u, "name");
        });
        r.workload_name = js::text(resource, {"repository", "name"});
        r.actor = first_text(resource, {{"pushedBy", "displayName"}});
        r.status = "pushed";
        if (const auto c = js::get(resource, "commits")) r.changes = "{\"commits\":" + js::minified(*c) + "}";
      } else {
        r.workload_name = first_text(
            resource, {{"definition", "name"}, {"release", "releaseDefinition", "name"}, {"environment", "releaseDefinition", "name"}});
        r.version = first_text(resource, {{"buildNumber"}, {"release", "name"}, {"environment", "release", "name"}});
        r.status = first_text(resource, {{"status"}, {"environment", "status"}});
      }
      r.pipeline = type;
      return true;
    }
    return false;
  }

  bool github(const Element& e, Release& r) {
    r.source = "github";
    const auto action = js::text(e, "action");
    r.workload_name = js::text(e, {"repository", "name"});
    const auto deployment = js::get(e, "deployment");
    if (const auto run = js::get(e, "workflow_run"); js::is_object(run) && !js::is_object(deployment)) return workflow_run(*run, action, r);
    if (js::is_object(deployment)) {
      const auto status = js::get(e, "deployment_status");
      r.time = time_at(status && status->is_object() ? *status : *deployment, {"created_at", "updated_at"});
      r.start = time_at(*deployment, {"created_at"});
      r.version = js::text(*deployment, "ref");
      r.commit = js::text(*deployment, "sha");
      r.actor = js::text(*deployment, {"creator", "login"});
      r.pipeline = std::string(js::text(*deployment, "task")) + " / " + std::string(js::text(*deployment, "environment")) + " #" +
                   plain(js::get(*deployment, "id"));
      const std::string_view state = js::is_object(status) ? js::text(*status, "state") : std::string_view();
      r.status = state == "success"                       ? "succeeded"
                 : state == "failure" || state == "error" ? "failed"
                 : state.empty()                          ? "inProgress"
                                                          : std::string(state);
      if (const auto p = js::get(*deployment, "payload"); js::is_object(p)) payload(*p, r);
      return true;
    }
    if (const auto release = js::get(e, "release"); js::is_object(release) && js::get(*release, "tag_name")) return published(*release, r);
    if (js::get(e, "tag_name") && js::get(e, "published_at")) return published(e, r);
    if (js::get(e, "tagName") && js::get(e, "publishedAt")) {  // gh release list --json
      r.time = time_at(e, {"publishedAt", "createdAt"});
      r.version = js::text(e, "tagName");
      r.status = "published";
      return true;
    }
    if (js::get(e, "head_sha") && js::get(e, "run_number")) return workflow_run(e, "", r);
    if (js::get(e, "headSha") && (js::get(e, "conclusion") || js::get(e, "status"))) {  // gh run list --json
      r.time = time_at(e, {"updatedAt", "createdAt"});
      r.start = time_at(e, {"startedAt", "createdAt"});
      r.commit = js::text(e, "headSha");
      r.version = js::text(e, "headBranch");
      r.pipeline = std::string(js::text(e, "workflowName")) + " #" + plain(js::get(e, "databaseId"));
      const auto conclusion = js::text(e, "conclusion");
      r.status = conclusion == "success"   ? "succeeded"
                 : conclusion.empty()      ? "inProgress"
                 : conclusion == "failure" ? "failed"
                                           : std::string(conclusion);
      return true;
    }
    if (js::get(e, "sha") && js::get(e, "environment") && js::get(e, "task")) {  // one of the REST API's list of deployments
      r.time = time_at(e, {"updated_at", "created_at"});
      r.start = time_at(e, {"created_at"});
      r.version = js::text(e, "ref");
      r.commit = js::text(e, "sha");
      r.actor = js::text(e, {"creator", "login"});
      r.pipeline = std::string(js::text(e, "task")) + " / " + std::string(js::text(e, "environment"));
      if (const auto p = js::get(e, "payload"); js::is_object(p)) payload(*p, r);
      return true;
    }
    if (js::get(e, "after") && js::get(e, "ref") && js::get(e, "repository")) {  // push
      r.time = js::get(e, "head_commit") ? time_at(*js::get(e, "head_commit"), {"timestamp"}) : 0;
      r.version = js::text(e, "ref");
      r.commit = js::text(e, "after");
      r.actor = first_text(e, {{"pusher", "name"}, {"sender", "login"}});
      r.pipeline = "push";
      r.status = "pushed";
      JsonWriter w;
      w.begin_object().key("before").string(js::text(e, "before")).key("commits").begin_array();
      js::each(js::get(e, "commits"), [&](const Element& c) {
        w.begin_object().key("id").string(js::text(c, "id")).key("message").string(js::text(c, "message"));
        for (const std::string_view k : {"added", "removed", "modified"})
          if (const auto files = js::get(c, k)) w.key(k).raw(js::minified(*files));
        w.end_object();
      });
      w.end_array().end_object();
      r.changes = std::move(w).take();
      return true;
    }
    if (const auto package = js::get(e, "package") ? js::get(e, "package") : js::get(e, "registry_package"); js::is_object(package)) {
      const auto version = js::get(*package, "package_version");
      r.time = version ? time_at(*version, {"created_at", "updated_at"}) : 0;
      if (!r.time) r.time = time_at(*package, {"updated_at", "created_at"});
      r.workload_name = js::text(*package, "name");
      if (version) {
        const std::string_view v = js::text(*version, "version");
        if (v.starts_with("sha256:")) r.digest = v;
        r.version = first_text(*version, {{"container_metadata", "tag", "name"}, {"version"}});
        r.image = js::text(*version, "package_url");
      }
      r.actor = js::text(e, {"sender", "login"});
      r.pipeline = "package " + std::string(js::text(*package, "ecosystem"));
      r.status = action;
      return true;
    }
    return false;
  }

  static bool published(const Element& release, Release& r) {
    r.time = time_at(release, {"published_at", "created_at"});
    r.start = time_at(release, {"created_at"});
    r.version = js::text(release, "tag_name");
    r.actor = js::text(release, {"author", "login"});
    r.pipeline = "release";
    r.status = js::boolean(js::get(release, "draft")) ? "draft" : "published";
    if (const auto body = js::text(release, "body"); !body.empty()) r.changes = "{\"notes\":" + json_quote(body) + "}";
    return true;
  }

  static bool workflow_run(const Element& run, std::string_view action, Release& r) {
    r.time = time_at(run, {"updated_at", "created_at"});
    r.start = time_at(run, {"run_started_at", "created_at"});
    if (r.workload_name.empty()) r.workload_name = js::text(run, {"repository", "name"});
    r.version = js::text(run, "head_branch");
    r.commit = js::text(run, "head_sha");
    r.actor = first_text(run, {{"triggering_actor", "login"}, {"actor", "login"}, {"head_commit", "author", "name"}});
    r.pipeline = std::string(js::text(run, "name")) + " #" + plain(js::get(run, "run_number"));
    const std::string_view conclusion = js::text(run, "conclusion");
    r.status = conclusion == "success"   ? "succeeded"
               : conclusion == "failure" ? "failed"
               : conclusion.empty()      ? std::string(action.empty() ? "inProgress" : action)
                                         : std::string(conclusion);
    if (const auto m = js::text(run, {"head_commit", "message"}); !m.empty()) r.changes = "{\"message\":" + json_quote(m) + "}";
    return true;
  }

  // What a team puts into a deployment's payload is its own; these names are taken where they are there.
  static void payload(const Element& p, Release& r) {
    const auto take = [&](std::string& to, std::string_view key) {
      if (const auto s = js::text(p, key); !s.empty()) to = s;
    };
    take(r.cluster, "cluster");
    take(r.name_space, "namespace");
    take(r.workload_name, "workload");
    take(r.version, "version");
    take(r.image, "image");
    take(r.digest, "digest");
    r.changes = js::minified(p);
  }

  static bool flux(const Element& e, Release& r) {
    r.source = "flux";
    const auto object = js::get(e, "involvedObject");
    if (!js::is_object(object) || !js::get(e, "reportingController")) return false;
    r.time = time_at(e, {"timestamp"});
    r.name_space = js::text(*object, "namespace");
    r.workload_name = js::text(*object, "name");
    js::each_member(js::get(e, "metadata"), [&](std::string_view key, const Element& v) {
      const std::string_view s = js::text(v);
      if (key.ends_with("revision")) {
        r.version = s;
        r.commit = s.substr(s.find_last_of("/:@") + 1);
      }
      if (key.ends_with("cluster")) r.cluster = s;
    });
    r.actor = js::text(e, "reportingController");
    r.pipeline = std::string(js::text(*object, "kind")) + "/" + r.workload_name;
    r.status = js::text(e, "severity") == "error" ? "failed" : "succeeded";
    JsonWriter w;
    w.begin_object().key("reason").string(js::text(e, "reason")).key("message").string(js::text(e, "message")).end_object();
    r.changes = std::move(w).take();
    return true;
  }

  static bool own(const Element& e, Release& r) {
    r.source = "egret";
    if (!js::get(e, "time") || !(js::get(e, "version") || js::get(e, "image") || js::get(e, "digest") || js::get(e, "commit")))
      return false;
    r.time = time_at(e, {"time"});
    r.start = time_at(e, {"started", "start"});
    const auto take = [&](std::string& to, std::initializer_list<std::string_view> keys) {
      for (const std::string_view k : keys)
        if (const auto v = js::get(e, k); v && !v->is_object()) {
          to = plain(v);
          return;
        }
    };
    take(r.cluster, {"cluster"});
    take(r.name_space, {"namespace"});
    take(r.workload_kind, {"kind"});
    take(r.workload_name, {"name", "workload"});
    // "workload": "Deployment/payments", "payments/Deployment/payments" or {"kind": …, "name": …}
    if (const auto w = js::get(e, "workload")) {
      if (w->is_object()) {
        r.workload_kind = js::text(*w, "kind");
        r.workload_name = js::text(*w, "name");
      } else if (const auto parts = split(js::text(*w), '/'); parts.size() > 1) {
        r.workload_name = parts.back();
        r.workload_kind = parts[parts.size() - 2];
        if (parts.size() > 2 && r.name_space.empty()) r.name_space = parts[parts.size() - 3];
      }
    }
    take(r.version, {"version", "tag"});
    take(r.commit, {"commit", "sha"});
    take(r.image, {"image"});
    take(r.digest, {"digest"});
    if (const size_t at = r.image.find('@'); r.digest.empty() && at != std::string::npos) r.digest = r.image.substr(at + 1);
    take(r.actor, {"actor", "by", "user"});
    take(r.pipeline, {"pipeline"});
    take(r.status, {"status"});
    if (r.status.empty()) r.status = "succeeded";
    if (const auto c = js::get(e, "changes")) r.changes = js::minified(*c);
    return true;
  }

  const Source& source_;
  Sink& sink_;
  Ticks from_ = 0, to_ = 0;
};

int recognise(std::string_view head, std::string_view path) {
  const std::string_view s = trim(head);
  if (!s.starts_with('{') && !s.starts_with('[')) return 0;
  const auto has = [&](std::string_view what) { return s.find(what) != std::string_view::npos; };
  if (has("\"releaseDefinition\"") || (has("\"x-ms-vss-") && has("\"responses\"")) || (has("\"eventType\"") && has("\"publisherId\"")))
    return 90;
  if (has("\"buildNumber\"") && has("\"definition\"")) return 85;
  if (has("\"repository\"") && (has("\"workflow_run\"") || has("\"deployment\"") || has("\"deployment_status\"") || has("\"tag_name\"") ||
                                has("\"head_commit\"") || has("\"package_version\"")))
    return 88;
  if (has("\"workflow_runs\"") || (has("\"head_sha\"") && has("\"run_number\"")) || has("\"headSha\"") ||
      (has("\"tagName\"") && has("\"publishedAt\"")) || (has("\"tag_name\"") && has("\"published_at\"")) ||
      (has("\"statuses_url\"") && has("\"environment\"")))
    return 80;
  if ((has("\"iid\"") && has("\"deployable\"") && has("\"environment\"")) || (has("\"object_kind\"") && has("\"deployment_id\"")))
    return 88;
  if (has("\"revision\"") && has("\"updated\"") && has("\"chart\"") && has("\"app_version\"")) return 88;
  if (has("\"involvedObject\"") && has("\"reportingController\"") && has("\"severity\"")) return 93;
  if (s.substr(0, 200).find("\"app\"") != std::string_view::npos && has("\"operationState\"")) return 80;
  // The plain form: by its members, in the first record.
  const std::string_view first = s.substr(0, 4096);
  const auto near = [&](std::string_view what) { return first.find(what) != std::string_view::npos; };
  if (near("\"time\"") && (near("\"version\"") || near("\"image\"") || near("\"digest\"")) &&
      (near("\"workload\"") || (near("\"namespace\"") && near("\"name\""))) && !near("\"metadata\"") && !near("\"flow\"") &&
      !near("\"log\"") && !near("\"exec_id\""))
    return to_lower(path).find("release") != std::string::npos ? 85 : 55;
  return 0;
}

void decode(const Source& source, Sink& sink) {
  Releases releases(source, sink);
  simdjson::dom::parser parser;
  Element e;
  const std::string_view text = trim(source.bytes);
  if (!text.empty() && parser.parse(text.data(), text.size()).get(e) == simdjson::SUCCESS) {
    releases.document(e, 1);
  } else {
    uint64_t line = 0;
    for (std::string_view rest = source.bytes; !rest.empty();) {
      const size_t end = rest.find('\n');
      const std::string_view one = trim(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      ++line;
      if (one.empty()) continue;
      if (parser.parse(one.data(), one.size()).get(e) == simdjson::SUCCESS)
        releases.document(e, line);
      else
        sink.error(line, "not valid JSON", one);
    }
  }
  releases.finish();
}

}  // namespace

extern const Decoder kReleases;
const Decoder kReleases{"releases", "release records: Azure DevOps, GitHub, GitLab, Helm, Argo CD, Flux, and Egret's plain form",
                        "EgretReleases", recognise, decode};

}  // namespace egret::ingest
