#include "investigate/bisect.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/json.h"
#include "base/text.h"
#include "investigate/result_row.h"

namespace egret::investigate {

namespace {

constexpr Ticks kOneRollout = 10 * kTicksPerMinute;  // changes closer than this belong to one release
constexpr double kClaims = 3;                        // decibans (twice as likely) from which a release is blamed
constexpr double kHardlyRan = 0.25;                  // of the time that the bad version needed for its first contact

struct Span {
  Version version;
  std::vector<ChangeRow> changes;
  Ticks seen = 0;  // how long it ran while flow logs covered it
};

bool is_configuration(const ChangeRow& c) { return c.what == "configmap" || c.what == "secret"; }

// "registry/app:1.2@sha256:…" → tag, digest. Several images: the first that is no sidecar.
void read_image(const std::string& images, Version& v) {
  std::string first;
  for (const auto& part : split(images, ',')) {
    const std::string one(trim(part));
    if (first.empty() || first.find("istio/proxyv2") != std::string::npos || first.find("/proxyv2") != std::string::npos) first = one;
  }
  if (first.empty()) return;
  v.image = first;
  const size_t at = first.find('@');
  if (at != std::string::npos) v.digest = first.substr(at + 1);
  const std::string plain = first.substr(0, at);
  const size_t colon = plain.rfind(':');
  if (colon != std::string::npos && plain.find('/', colon) == std::string::npos) v.version = plain.substr(colon + 1);
}

std::string name_of(const Version& v) {
  if (!v.version.empty()) return v.version;
  if (!v.image.empty()) return v.image;
  return v.revision.empty() ? "the version of " + format_datetime_short(v.from) : v.revision;
}

// Where nothing but settings changed, the version's name would be that of the one before.
std::string name_of(const Span& s) {
  return std::ranges::all_of(s.changes, is_configuration) ? "the settings of " + format_datetime_short(s.version.from) : name_of(s.version);
}

}  // namespace

std::string changed_keys(const std::string& from, const std::string& to) {
  simdjson::dom::parser p, q;
  simdjson::dom::object a, b;
  const simdjson::padded_string ta(from), tb(to);
  if (p.parse(ta).get(a) || q.parse(tb).get(b)) return {};
  std::map<std::string, std::string> before, after;
  for (const auto [k, v] : a) before[std::string(k)] = simdjson::minify(v);
  for (const auto [k, v] : b) after[std::string(k)] = simdjson::minify(v);
  std::vector<std::string> out;
  for (const auto& [k, v] : after) {
    const auto it = before.find(k);
    if (it == before.end())
      out.push_back("+" + k);
    else if (it->second != v)
      out.push_back("~" + k);
  }
  for (const auto& [k, v] : before) {
    if (!after.contains(k)) out.push_back("-" + k);
  }
  return join(out, ", ");
}

Release bisect(const std::string& workload, const std::vector<ChangeRow>& changes, const std::vector<Ticks>& contacts, Ticks covered_from,
               Ticks covered_to) {
  Release out;
  std::vector<Span> spans;
  std::vector<const ChangeRow*> records;
  std::string current;  // images, as the last change gave them
  for (const auto& given : changes) {
    if (given.what == "release") {
      records.push_back(&given);
      continue;
    }
    ChangeRow c = given;
    // Each source tells a beginning of its own: only the first of them is one.
    if (c.what == "created" && !spans.empty()) {
      if (c.to == current) continue;
      c.what = "image";
      c.from = current;
    }
    if (c.what == "created" || c.what == "image") current = c.to;
    const bool new_image = c.what == "image" || c.what == "created" || c.what == "template";
    if (!spans.empty() && c.time - spans.back().changes.back().time <= kOneRollout && spans.back().changes.front().what != "created") {
      spans.back().changes.push_back(c);
    } else {
      Span s;
      s.version.from = c.time;
      if (!spans.empty()) {  // what is not changed stays
        spans.back().version.to = c.time;
        s.version.image = spans.back().version.image;
        s.version.version = spans.back().version.version;
        s.version.digest = spans.back().version.digest;
        s.version.revision = spans.back().version.revision;
      }
      s.changes.push_back(c);
      spans.push_back(std::move(s));
    }
    Version& v = spans.back().version;
    if (new_image && c.to.find('/') != std::string::npos) {
      v.digest.clear();
      read_image(c.to, v);
    } else if (new_image && c.to.find(':') != std::string::npos) {
      read_image(c.to, v);
    } else if (c.what == "template" || c.what == "image") {
      v.revision = c.to;
    }
    if (!c.revision.empty()) v.revision = c.revision;
    if (!c.by.empty() && v.by.empty()) v.by = c.by;
  }
  if (spans.empty()) {
    out.explanation = "No change of the workload is in the data.";
    return out;
  }
  // Release records belong to the change that they come with: a pipeline reports before or after the rollout.
  for (const ChangeRow* r : records) {
    Span* best = nullptr;
    for (auto& s : spans) {
      const bool by_image = !r->image.empty() && s.version.image == r->image;
      const bool by_version = !r->release.empty() && s.version.version == r->release;
      if (by_image || by_version) best = &s;
    }
    for (auto& s : spans) {
      if (!best && std::abs(s.version.from - r->time) <= 2 * kOneRollout) best = &s;
    }
    if (!best) continue;
    if (!r->release.empty()) best->version.version = r->release;
    if (!r->commit.empty()) best->version.commit = r->commit;
    if (!r->digest.empty() && best->version.digest.empty()) best->version.digest = r->digest;
    if (!r->by.empty()) best->version.by = r->by;
    best->changes.push_back(*r);
  }
  for (auto& s : spans) {
    const Ticks end = s.version.to ? s.version.to : covered_to;
    s.seen = std::max<Ticks>(0, std::min(end, covered_to) - std::max(s.version.from, covered_from));
    for (const Ticks t : contacts) s.version.contacts += t >= s.version.from && (s.version.to == 0 || t < s.version.to);
    out.versions.push_back(s.version);
  }
  if (contacts.empty()) {
    out.explanation = "There is no contact in the data to compare with releases.";
    return out;
  }
  size_t bad = spans.size();
  for (size_t i = 0; i < spans.size() && bad == spans.size(); ++i) {
    if (spans[i].version.contacts > 0) bad = i;
  }
  if (bad == spans.size()) {
    out.explanation = "The contacts are older than every version that the data shows.";
    return out;
  }
  if (bad == 0) {
    out.explanation = fmt::format(
        "The contacts come with {}, the first version that the data shows: no change in the data's time brought them.", name_of(spans[0]));
    return out;
  }
  const Span& b = spans[bad];
  const Span& g = spans[bad - 1];
  Ticks quiet = 0;
  for (size_t i = 0; i < bad; ++i) quiet += spans[i].seen;
  const Ticks delay = std::max<Ticks>(contacts.front() - std::max(b.version.from, covered_from), kTicksPerSecond);
  // Had the release nothing to do with it, the first contact would have come anywhere in the time that was watched until then.
  const double chance = static_cast<double>(delay) / static_cast<double>(delay + quiet);
  const double weight = -10 * std::log10(chance);
  const std::string story = fmt::format(
      "{} ran {} under flow logs without a contact; {} made the first {} after it came and {} in all. By chance a first contact would fall "
      "so soon after a change in {:.0f} % of cases.",
      bad > 1 ? "Earlier versions" : name_of(g), format_duration(quiet), name_of(b), format_duration(delay), b.version.contacts,
      100 * chance);
  if (weight < kClaims) {
    out.explanation = quiet > 0 ? "No release is to blame as far as the data goes: " + story
                                : "No release is to blame as far as the data goes: no version was watched for a while without a contact.";
    return out;
  }
  out.first_bad = b.version;
  out.last_good = g.version;
  out.explanation = story;
  if (static_cast<double>(g.seen) < kHardlyRan * static_cast<double>(delay)) {
    out.explanation +=
        fmt::format(" {} itself ran only {} under flow logs, too little to call it good for certain", name_of(g), format_duration(g.seen));
    out.explanation += bad > 1 ? fmt::format("; {} before it ran {}.", name_of(spans[bad - 2]), format_duration(spans[bad - 2].seen)) : ".";
  }
  for (const auto& c : b.changes) {
    Change change{.time = c.time,
                  .workload = workload,
                  .what = c.what,
                  .from = c.from,
                  .to = c.to,
                  .by = c.by,
                  .release = b.version.version,
                  .rows = c.rows};
    if (is_configuration(c)) {
      const std::string keys = changed_keys(c.from, c.to);
      change.what = c.what + " " + c.object;
      change.from.clear();
      change.to = !keys.empty() ? keys : c.to.empty() ? "the log does not keep what" : "contents changed";
    }
    out.changes.push_back(std::move(change));
  }
  return out;
}

Result<void> find_release(store::Engine& engine, Ticks now, Ticks covered_from, Ticks covered_to, Answer& a) {
  const Candidate* o = a.owner();
  if (!o || o->ns.empty()) {
    a.release.explanation =
        o ? "A process of the node has no releases in the data." : "Without an owner there is no release to compare with.";
    return {};
  }
  const std::string query = fmt::format(
      "EgretChanges\n| where isnull(Time) == false and (isempty(Cluster) or Cluster == {0})\n"
      "| where Workload == {1} or (What == \"release\" and Workload in ({2}, {3}, {4}))\n"
      "| sort by Time asc, RowId asc",
      json_quote(o->cluster), json_quote(o->id()), json_quote(o->ns + "//" + o->name), json_quote("//" + o->name),
      json_quote("/" + o->kind + "/" + o->name));
  TRY(const auto result, engine.query(query, now));
  std::vector<ChangeRow> changes;
  for (size_t r = 0; r < result.rows(); ++r) {
    const ResultRow row(result, r);
    changes.push_back({.time = row.number("Time"),
                       .what = row.text("What"),
                       .object = row.text("Object"),
                       .from = row.text("From"),
                       .to = row.text("To"),
                       .revision = row.text("Revision"),
                       .by = row.text("By"),
                       .release = row.text("Release"),
                       .commit = row.text("Commit"),
                       .image = row.text("Image"),
                       .digest = row.text("Digest"),
                       .status = row.text("Status"),
                       .rows = row.rows("RowId")});
  }
  std::vector<Ticks> contacts;
  for (const auto& c : a.contacts) {
    if (c.cluster.empty() || o->cluster.empty() || c.cluster == o->cluster) contacts.push_back(c.time);
  }
  std::ranges::sort(contacts);
  a.release = bisect(o->id(), changes, contacts, covered_from, covered_to);
  return {};
}

}  // namespace egret::investigate
