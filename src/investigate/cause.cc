#include "investigate/cause.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "investigate/result_row.h"

namespace egret::investigate {

namespace {

constexpr double kNearAsGood = 12;                             // a name this much weaker than the best is not told
constexpr const char* kQuestionOnly = "question just before";  // as content/verdict/names.yaml says it
constexpr double kTriggerCounts = 5;                           // decibans from which a trigger is claimed

std::string region_of(const Answer& a, const std::string& cluster) {
  for (const auto& r : a.cause.regions) {
    if (r.cluster == cluster) return r.region;
  }
  return {};
}

}  // namespace

Result<void> find_names(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& a) {
  struct Found {
    ResolvedName name;
    double weight;
  };
  std::vector<Found> found;
  TRY_VOID(each_row(engine, now, judgements, "names", [&](const Judgement&, const ResultRow& row) {
    found.push_back({{.name = to_lower(row.text("Name")),
                      .address = row.text("Address"),
                      .cluster = row.text("Cluster"),
                      .region = {},
                      .time = row.number("Time"),
                      .source = row.text("Source"),
                      .rows = row.rows("RowIds")},
                     row.real("Weight")});
  }));
  if (!a.alert.name.empty()) {
    found.push_back({{.name = to_lower(a.alert.name),
                      .address = a.alert.address,
                      .cluster = a.alert.cluster,
                      .region = {},
                      .time = a.alert.time,
                      .source = "alert",
                      .rows = {}},
                     30});
  }
  // The name that the alert is about stays before others that led there too.
  constexpr double kAccused = 20;
  for (auto& f : found) {
    if (!a.alert.name.empty() && f.name.name == to_lower(a.alert.name)) f.weight += kAccused;
  }
  // One entry for each name and cluster; the strongest first.
  std::stable_sort(found.begin(), found.end(), [](const Found& x, const Found& y) { return x.weight > y.weight; });
  for (const auto& f : found) {
    if (f.name.name.empty() || f.weight < 3 || f.weight < found.front().weight - kNearAsGood) continue;
    const auto same =
        std::ranges::find_if(a.cause.names, [&](const ResolvedName& n) { return n.name == f.name.name && n.cluster == f.name.cluster; });
    // Names that are known by their questions alone are guesses at one thing: the best of a cluster is told.
    const bool guessed = f.name.source == kQuestionOnly &&
                         std::ranges::any_of(a.cause.names, [&](const ResolvedName& n) { return n.cluster == f.name.cluster; });
    if (same == a.cause.names.end() && !guessed) a.cause.names.push_back(f.name);
  }
  if (a.cause.names.size() > 5) a.cause.names.resize(5);
  return {};
}

Result<void> compare_regions(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& a) {
  TRY_VOID(each_row(engine, now, judgements, "regions", [&](const Judgement&, const ResultRow& row) {
    a.cause.regions.push_back({.cluster = row.text("Cluster"),
                               .region = row.text("Region"),
                               .has_contact = row.number("Contacts") > 0,
                               .contacts = row.number("Contacts"),
                               .answers = row.texts("Answers"),
                               .difference = row.text("Difference")});
  }));
  for (auto& n : a.cause.names) n.region = region_of(a, n.cluster);
  return {};
}

Result<void> find_trigger(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& a) {
  struct Found {
    const Judgement* test;
    Trigger trigger;
    double weight;
  };
  std::vector<Found> found;
  const auto take = [&](const Judgement& j, const ResultRow& row) {
    const double weight = std::clamp(row.real("Weight"), -j.cap, j.cap);
    if (weight < kTriggerCounts) return;
    found.push_back(
        {&j,
         {.kind = j.id, .object = row.text("Object"), .time = row.number("Time"), .reason = row.text("Reason"), .rows = row.rows("RowIds")},
         weight});
  };
  if (!a.contacts.empty()) TRY_VOID(each_row(engine, now, judgements, "trigger", take));
  std::stable_sort(found.begin(), found.end(), [](const Found& x, const Found& y) { return x.weight > y.weight; });
  const Found* best = found.empty() ? nullptr : &found.front();
  for (const auto& f : found) {
    if (best && std::ranges::find(f.test->explains, best->test->id) != f.test->explains.end()) best = &f;
  }
  if (best) {
    a.cause.trigger = best->trigger;
    return {};
  }
  if (a.release.first_bad && a.release.first_bad->contacts > 0 && !a.contacts.empty()) {
    const auto& bad = *a.release.first_bad;
    // The release was bisected in the owner's cluster; others may have had theirs earlier.
    const Candidate* owner = a.owner();
    const auto first = std::ranges::find_if(a.contacts, [&](const Contact& c) {
      return c.time >= bad.from && (!owner || owner->cluster.empty() || c.cluster == owner->cluster);
    });
    const Ticks after = (first == a.contacts.end() ? a.contacts.back() : *first).time - bad.from;
    const bool settings = a.release.settings_alone();
    a.cause.trigger = {.kind = settings ? "config-change" : "release",
                       .object = settings              ? a.release.changes.front().what
                                 : bad.version.empty() ? bad.image
                                                       : bad.version,
                       .time = bad.from,
                       .reason = fmt::format("The contacts begin {} after this {}, and nothing nearer precedes them.",
                                             format_duration(std::max<Ticks>(0, after)), settings ? "change of settings" : "release"),
                       .rows = {}};
    return {};
  }
  a.cause.trigger = {.kind = "unknown",
                     .object = {},
                     .time = 0,
                     .reason = a.contacts.empty() ? "There is no contact in the data to find a trigger of."
                                                  : "Nothing that the logs show precedes the contacts more often than by chance.",
                     .rows = {}};
  return {};
}

void explain_cause(Answer& a) {
  auto& out = a.cause.sentences;
  const auto& names = a.cause.names;
  if (!names.empty()) {
    const auto& n = names.front();
    const bool answered = n.source.find("answer") != std::string::npos;
    std::string where =
        n.cluster.empty()
            ? ""
            : " in " + n.cluster + (n.region.empty() || n.cluster.find(n.region) != std::string::npos ? "" : " (" + n.region + ")");
    if (n.source == kQuestionOnly)
      out.push_back(fmt::format("{} most probably led to {}{}: it is asked for just before the contacts; no log shows the answer.", n.name,
                                n.address, where));
    else
      out.push_back(answered ? fmt::format("{} led to {}{}, as an answer of the name server says.", n.name, n.address, where)
                             : fmt::format("{} was the name behind {}{} (seen as {}).", n.name, n.address, where, n.source));
  } else if (!a.alert.address.empty()) {
    out.push_back("No log says which name led to " + a.alert.address + ".");
  }
  int with = 0, without = 0;
  std::vector<std::string> differences;
  for (const auto& r : a.cause.regions) {
    (r.has_contact ? with : without) += 1;
    if (!r.has_contact && !r.difference.empty() && differences.size() < 3) differences.push_back(r.cluster + ": " + r.difference);
  }
  if (with > 0 && without > 0) {
    out.push_back(
        fmt::format("{} of {} clusters {} the contact. {}.", with, with + without, with == 1 ? "shows" : "show", join(differences, "; ")));
    if (differences.empty())
      out.back() = fmt::format("{} of {} clusters {} the contact.", with, with + without, with == 1 ? "shows" : "show");
  }
}

}  // namespace egret::investigate
