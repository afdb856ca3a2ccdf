#include "ingest/decoders.h"

#include <algorithm>

namespace egret::ingest {

// One line here for each decoder, below and in the table. Where two are equally sure, the earlier wins.
extern const Decoder kVnetFlow, kNsgFlow, kDiagnostics, kReleases, kZeek, kKubeAudit, kKubeObjects, kCorednsLog, kEnvoyLog, kContainerLog,
    kLogAnalytics, kAppInsightsExport, kAlerts, kStix, kMisp, kEcs, kIntelJson, kIntelCsv, kIntelPlain, kProviderJson, kProviderList;

extern const Decoder kHubble, kSuricata, kFalco, kTetragon, kCalico, kDnsCollector, kWindowsDns, kGadget, kOtlp, kPrometheusAlerts,
    kPacketCapture, kSensorSegment, kBind, kUnbound, kKubeTable, kAccessLog, kJournal, kHelmTable, kAzureNics;

namespace {

constexpr const Decoder* kDecoders[] = {
    &kPacketCapture, &kVnetFlow,  &kNsgFlow,      &kDiagnostics,  &kReleases,          &kZeek,         &kHubble,    &kSuricata,
    &kFalco,         &kTetragon,  &kCalico,       &kDnsCollector, &kWindowsDns,        &kGadget,       &kKubeAudit, &kKubeObjects,
    &kCorednsLog,    &kEnvoyLog,  &kContainerLog, &kLogAnalytics, &kAppInsightsExport, &kAlerts,       &kStix,      &kMisp,
    &kEcs,           &kIntelJson, &kIntelCsv,     &kIntelPlain,   &kProviderJson,      &kProviderList, &kOtlp,      &kPrometheusAlerts,
    &kSensorSegment, &kKubeTable, &kBind,         &kUnbound,      &kAccessLog,         &kJournal,      &kHelmTable, &kAzureNics,
};

}  // namespace

std::span<const Decoder* const> decoders() { return kDecoders; }

const Decoder* find_decoder(std::string_view name) {
  for (const Decoder* d : kDecoders)
    if (d->name == name) return d;
  return nullptr;
}

namespace {
constexpr int kCertain = 97;
}

std::vector<Guess> recognise(std::string_view bytes, std::string_view path) {
  const std::string_view head = bytes.substr(0, 64 * 1024);
  std::vector<Guess> guesses;
  for (const Decoder* d : kDecoders)
    if (const int score = d->recognise(head, path); score > 0) {
      guesses.push_back({d, score});
      if (score >= kCertain) break;  // most files are flow logs: looking further would cost more than decoding some of them
    }
  std::stable_sort(guesses.begin(), guesses.end(), [](const Guess& a, const Guess& b) { return a.score > b.score; });
  return guesses;
}

}  // namespace egret::ingest
