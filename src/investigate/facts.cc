#include "investigate/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "investigate/result_row.h"

namespace egret::investigate {

namespace {

constexpr int kBins = 96;  // at most, in the picture of flows

// A round bin width that gives at most kBins of the span.
Ticks bin_of(Ticks span) {
  for (const Ticks minutes : {1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440}) {
    if (span / (minutes * kTicksPerMinute) <= kBins) return minutes * kTicksPerMinute;
  }
  return (span / kBins / kTicksPerDay + 1) * kTicksPerDay;
}

// Sources without which a kind of question has no answer, and how the gap is told.
struct Kind {
  std::vector<std::string_view> sources;
  const char* gap;
};

const Kind kKinds[] = {
    {{"vnet-flow", "nsg-flow", "zeek-conn", "firewall-network", "sensor", "hubble"}, "no flow log"},
    {{"coredns", "dns-answers", "zeek-dns", "firewall-dns"}, "no log of DNS questions"},
    {{"pod-inventory", "pods", "kube-audit", "kube-audit-admin"}, "no inventory of pods"},
    {{"kube-audit", "kube-audit-admin"}, "no audit log"},
};

}  // namespace

Result<void> collect_facts(store::Engine& engine, Ticks now, const CaseTables& tables, Answer& a) {
  auto& f = a.facts;
  TRY(const auto sources,
      engine.query("EgretSources | sort by File asc | project File, Sha256, Format, Cluster, Bytes, Rows, Errors", now));
  for (size_t r = 0; r < sources.rows(); ++r) {
    const ResultRow row(sources, r);
    f.sources.push_back({.file = row.text("File"),
                         .sha256 = row.text("Sha256"),
                         .format = row.text("Format"),
                         .cluster = row.text("Cluster"),
                         .bytes = row.number("Bytes"),
                         .rows = row.number("Rows"),
                         .errors = row.number("Errors")});
  }
  TRY(const auto coverage, engine.query("EgretCoverage | summarize StartTime = min(StartTime), EndTime = max(EndTime), Completeness = "
                                        "avg(Completeness), Rows = sum(Rows), Names = dcount(Name)"
                                        " by Cluster, Scope, Source | sort by Cluster asc, Source asc",
                                        now));
  for (size_t r = 0; r < coverage.rows(); ++r) {
    const ResultRow row(coverage, r);
    const int64_t names = row.number("Names");
    f.coverage.push_back({.cluster = row.text("Cluster"),
                          .scope = row.text("Scope"),
                          .name = row.text("Scope") == "cluster" ? "" : fmt::format("{}", names),
                          .source = row.text("Source"),
                          .from = row.number("StartTime"),
                          .to = row.number("EndTime"),
                          .completeness = row.real("Completeness"),
                          .rows = row.number("Rows")});
  }
  // What was not watched where the contacts were.
  std::map<std::string, std::vector<Ticks>> contacts;
  for (const auto& c : a.contacts) contacts[c.cluster].push_back(c.time);
  if (contacts.empty() && !a.alert.cluster.empty()) contacts[a.alert.cluster].push_back(a.alert.time);
  for (const auto& [cluster, times] : contacts) {
    for (const auto& kind : kKinds) {
      size_t missed = 0;
      for (const Ticks t : times) {
        missed += std::ranges::none_of(f.coverage, [&](const CoverageSpan& s) {
          return (s.cluster == cluster || s.cluster.empty()) && std::ranges::find(kind.sources, s.source) != kind.sources.end() &&
                 t >= s.from - kTicksPerMinute && t <= s.to + kTicksPerMinute;
        });
      }
      if (missed > 0)
        f.gaps.push_back(fmt::format(
            "{}: {} covers {}.", cluster.empty() ? "unknown cluster" : cluster, kind.gap,
            missed == times.size() ? "the time of any contact" : fmt::format("the time of {} of {} contacts", missed, times.size())));
    }
  }
  f.bin = bin_of(tables.to() - tables.from());
  const std::string series = fmt::format(
      "EgretFlows\n| where Time between (datetime({}) .. datetime({})) and isnotempty(Cluster) and not(ipv4_is_private(DstIp)) and State "
      "!in (\"Continue\", \"End\")\n"
      "| summarize Flows = count(), BytesOut = sum(BytesOut) by Cluster, Bin = bin(Time, {}m)\n| sort by Cluster asc, Bin asc",
      format_datetime(tables.from()), format_datetime(tables.to()), f.bin / kTicksPerMinute);
  TRY(const auto flows, engine.query(series, now));
  std::map<std::pair<std::string, Ticks>, int64_t> hits;
  for (const auto& c : a.contacts) ++hits[{c.cluster, c.time - c.time % f.bin}];
  for (size_t r = 0; r < flows.rows(); ++r) {
    const ResultRow row(flows, r);
    FlowPoint p{.cluster = row.text("Cluster"),
                .time = row.number("Bin"),
                .flows = row.number("Flows"),
                .bytes_out = row.number("BytesOut"),
                .contacts = 0};
    if (const auto it = hits.find({p.cluster, p.time}); it != hits.end()) {
      p.contacts = it->second;
      hits.erase(it);
    }
    f.flows.push_back(std::move(p));
  }
  for (const auto& [key, n] : hits)
    f.flows.push_back({.cluster = key.first, .time = key.second, .flows = 0, .bytes_out = 0, .contacts = n});
  return {};
}

Result<void> find_credentials(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& a) {
  if (!a.owner()) return {};
  return each_row(engine, now, judgements, "credentials", [&](const Judgement&, const ResultRow& row) {
    a.credentials.push_back({.kind = row.text("Kind"),
                             .name = row.text("Name"),
                             .reach = row.text("Reach"),
                             .order = static_cast<int>(a.credentials.size()) + 1,
                             .rows = row.rows("RowIds")});
  });
}

Result<void> tell_timeline(store::Engine& engine, Ticks now, const std::vector<Judgement>& judgements, Answer& a) {
  TRY_VOID(each_row(engine, now, judgements, "timeline", [&](const Judgement&, const ResultRow& row) {
    a.timeline.push_back({.time = row.number("Time"),
                          .cluster = row.text("Cluster"),
                          .kind = row.text("Kind"),
                          .text = row.text("Text"),
                          .rows = row.rows("RowId")});
  }));
  // A long row of contacts is told by its beginning and its end.
  constexpr size_t kTold = 10;
  for (size_t i = 0; i < a.contacts.size(); ++i) {
    const auto& c = a.contacts[i];
    if (i >= kTold && i + 1 < a.contacts.size()) continue;
    std::string text = fmt::format("{} → {}{}{}", c.node.empty() ? c.source : c.node, c.destination,
                                   c.port ? fmt::format(":{}", c.port) : "", c.blocked ? ", blocked" : "");
    if (c.bytes_out + c.bytes_in > 0) text += fmt::format(", {} bytes out, {} in", c.bytes_out, c.bytes_in);
    if (i + 1 == a.contacts.size() && a.contacts.size() > kTold + 1) text += fmt::format(" (the last of {})", a.contacts.size());
    a.timeline.push_back({.time = c.time, .cluster = c.cluster, .kind = "contact", .text = std::move(text), .rows = c.rows});
  }
  std::stable_sort(a.timeline.begin(), a.timeline.end(), [](const TimelineEntry& x, const TimelineEntry& y) { return x.time < y.time; });
  return {};
}

}  // namespace egret::investigate
