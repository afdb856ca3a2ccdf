#include "ingest/release_forms.h"

#include "base/json.h"
#include "ingest/json_dom.h"
#include "ingest/times.h"

namespace egret::ingest {
namespace {

using js::Element;

Ticks first_time(const Element& e, std::initializer_list<js::Path> paths) {
  for (const js::Path& p : paths)
    if (const auto t = parse_time(js::text(e, p))) return *t;
  return 0;
}

std::string_view first_text(const Element& e, std::initializer_list<js::Path> paths) {
  for (const js::Path& p : paths)
    if (const auto s = js::text(e, p); !s.empty()) return s;
  return {};
}

}  // namespace

// https://docs.gitlab.com/ee/api/deployments.html, …/user/project/integrations/webhook_events.html#deployment-events
bool gitlab_release(const Element& e, Release& r) {
  const bool hook = js::text(e, "object_kind") == "deployment";
  if (!hook && !(js::get(e, "iid") && js::get(e, "sha") && js::is_object(js::get(e, "environment")))) return false;
  r.source = "gitlab";
  const std::string_view environment = hook ? js::text(e, "environment") : js::text(e, {"environment", "name"});
  const auto number = js::integer(e, hook ? "deployment_id" : "iid");
  if (hook) {
    r.time = first_time(e, {{"status_changed_at"}});
    r.commit = first_text(e, {{"short_sha"}});
    if (const std::string_view url = js::text(e, "commit_url"); url.rfind("/commit/") != std::string_view::npos)
      r.commit = url.substr(url.rfind("/commit/") + 8);
    r.workload_name = js::text(e, {"project", "name"});
  } else {
    r.time = first_time(e, {{"finished_at"}, {"deployable", "finished_at"}, {"updated_at"}, {"created_at"}});
    r.start = first_time(e, {{"deployable", "started_at"}, {"created_at"}});
    r.commit = js::text(e, "sha");
    r.workload_name = first_text(e, {{"project", "name"}, {"deployable", "project", "name"}});
  }
  r.version = js::text(e, "ref");
  r.actor = first_text(e, {{"user", "username"}, {"deployable", "user", "username"}, {"user", "name"}});
  r.pipeline = "gitlab " + std::string(environment);
  if (number) r.pipeline += " #" + std::to_string(*number);
  const std::string_view status = js::text(e, "status");
  r.status = status == "success"                                                 ? "succeeded"
             : status == "created" || status == "running" || status == "blocked" ? "inProgress"
             : status == "canceled" || status == "skipped" || status == "failed" ? std::string(status)
                                                                                 : std::string(status);
  JsonWriter w;
  w.begin_object().key("environment").string(environment);
  if (const auto title = first_text(e, {{"deployable", "commit", "title"}, {"commit_title"}}); !title.empty())
    w.key("message").string(title);
  w.end_object();
  r.changes = std::move(w).take();
  return true;
}

void helm_chart(std::string_view chart, Release& r) {
  // The version begins at the last dash that a digit (or v and a digit) follows with a dot behind.
  for (size_t dash = chart.rfind('-'); dash != std::string_view::npos && dash > 0; dash = chart.rfind('-', dash - 1)) {
    std::string_view v = chart.substr(dash + 1);
    if (v.starts_with('v')) v.remove_prefix(1);
    if (v.empty() || v[0] < '0' || v[0] > '9' || v.find('.') == std::string_view::npos) continue;
    if (r.workload_name.empty()) r.workload_name = chart.substr(0, dash);
    if (r.version.empty()) r.version = chart.substr(dash + 1);
    return;
  }
  if (r.workload_name.empty()) r.workload_name = chart;
}

std::string helm_status(std::string_view s) {
  return s == "deployed" || s == "superseded" ? "succeeded" : s.starts_with("pending") ? "inProgress" : std::string(s);
}

Ticks helm_time(std::string_view text) {
  if (const auto t = parse_time(text)) return *t;
  // 2025-11-10 07:50:00.512345678 +0100 CET
  const size_t zone = text.find(' ', text.find(' ') == std::string_view::npos ? 0 : text.find(' ') + 1);
  if (zone == std::string_view::npos || text.size() < zone + 6) return 0;
  std::string iso(text.substr(0, zone));
  iso[10] = 'T';
  iso += std::string(text.substr(zone + 1, 3)) + ":" + std::string(text.substr(zone + 4, 2));
  const auto t = parse_iso_datetime(iso);
  return t ? *t : 0;
}

// `helm list -o json` has name and namespace, `helm history -o json` neither: its chart's name stands for them.
bool helm_release(const Element& e, Release& r) {
  if (!js::get(e, "revision") || !js::get(e, "updated") || !js::get(e, "chart")) return false;
  r.source = "helm";
  r.time = helm_time(js::text(e, "updated"));
  r.workload_name = js::text(e, "name");
  r.name_space = js::text(e, "namespace");
  r.version = js::text(e, "app_version");
  helm_chart(js::text(e, "chart"), r);
  const auto number = js::integer(e, "revision");
  r.pipeline = "helm " + r.workload_name;
  if (number) r.pipeline += " v" + std::to_string(*number);
  r.status = helm_status(js::text(e, "status"));
  JsonWriter w;
  w.begin_object().key("chart").string(js::text(e, "chart"));
  if (const auto d = js::text(e, "description"); !d.empty()) w.key("description").string(d);
  w.end_object();
  r.changes = std::move(w).take();
  return true;
}

}  // namespace egret::ingest
