#pragma once
// What an investigation answers: the object that `egret investigate --format json` prints (docs/answer.schema.json), that the
// terminal page and the report render, and that the incident keeps. Plain data; each part is filled by one stage.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace egret::investigate {

// The contact that is asked about: who is accused, where, of talking to what, when.
struct Alert {
  std::string id;
  Ticks time = 0;        // first contact known, else the alert's own start
  Ticks end_time = 0;    // last contact known
  std::string rule;      // rule or alert name
  std::string provider;  // "Microsoft Defender for Cloud", "egret", …
  std::string severity;
  std::string cluster;  // empty when the alert does not say
  std::string node;
  std::string source_address;  // as the alert or flow saw it
  std::string address;         // the destination
  std::optional<int> port;
  std::string name;      // destination name, where the alert says one
  std::string workload;  // where the alert names one: namespace/Kind/name
  std::string pod;
  std::string criticality;  // of the workload, from labels, annotations or a list
};

// One contact with the alert's destination, as a flow row showed it (several rows of one connection are one contact).
struct Contact {
  Ticks time = 0;
  std::string cluster, node, source, destination, name;
  int port = 0;
  int64_t bytes_out = 0, bytes_in = 0;
  bool blocked = false;
  std::vector<int64_t> rows;  // _RowId
};

struct Evidence {
  std::string test;  // id of content/evidence/*.yaml
  std::string group;
  double weight = 0;   // decibans: + supports, − refutes
  std::string reason;  // one sentence
  std::string query;   // KQL that runs as printed against the same data folder
  std::vector<int64_t> rows;
  bool counted = true;  // false: a stronger test of the same group counted instead
};

struct Candidate {
  std::string cluster, ns, kind, name;  // topmost owner's; kind "unknown" for the hypothesis that nobody known did it
  std::string container, node;
  double probability = 0;
  double score = 0;  // decibans: prior plus counted weights
  std::vector<Evidence> evidence;
  std::string id() const { return ns.empty() ? kind + "/" + name : ns + "/" + kind + "/" + name; }
};

struct Owner {
  std::string candidate;  // Candidate::id()
  std::string cluster;
  double share = 0;              // of the contacts, 0–1
  std::string distinguished_by;  // name or timing that tells its contacts apart
};

struct ResolvedName {
  std::string name, address, cluster, region;
  Ticks time = 0;
  std::string source;  // where the answer was seen
  std::vector<int64_t> rows;
};

struct RegionCompared {
  std::string cluster, region;
  bool has_contact = false;
  int64_t contacts = 0;
  std::vector<std::string> answers;  // addresses that the name led to there
  std::string difference;            // one sentence, empty where nothing differs
};

struct Trigger {
  std::string kind;    // node-start, container-start, release, config-change, schedule, request, unknown
  std::string object;  // the node, pod, release …
  Ticks time = 0;
  std::string reason;  // one sentence with the numbers it rests on
  std::vector<int64_t> rows;
};

struct Cause {
  std::vector<ResolvedName> names;
  std::vector<RegionCompared> regions;
  Trigger trigger;
  std::vector<std::string> sentences;  // the explanation, in order
};

struct Change {
  Ticks time = 0;
  std::string workload, what, from, to, by, release;
  std::vector<int64_t> rows;
};

struct Version {
  std::string version, image, digest, commit, by;
  std::string revision;    // of the rollout
  Ticks from = 0, to = 0;  // it ran; to = 0: still
  int64_t contacts = 0;
};

struct Release {
  std::optional<Version> first_bad, last_good;
  std::vector<Change> changes;    // between them
  std::vector<Version> versions;  // every one that ran in the data's time, oldest first
  std::string explanation;
  bool settings_alone() const;  // nothing but ConfigMaps and Secrets changed between the two
};

struct Premise {
  std::string statement;  // what must stay true
  std::string overturned_by;
  std::string query;  // KQL whose result shows whether it still holds
};

enum class Classification { kTruePositive, kBenignPositive, kFalsePositive, kUndetermined };
const char* classification_name(Classification c);  // Sentinel's: "TruePositive", …

struct Verdict {
  Classification classification = Classification::kUndetermined;
  double confidence = 0;
  std::vector<std::string> reasons;  // sentences, strongest first
  std::vector<Premise> premises;
  Ticks expires = 0;
  std::vector<std::string> techniques;  // MITRE ATT&CK ids
  double score = 0;                     // decibans for malicious: prior plus counted weights
  std::vector<Evidence> evidence;       // weight: + speaks for malicious, − for benign
};

struct BlastRadius {
  std::string summary;  // one sentence
  int64_t flows = 0;
  std::vector<std::string> workloads;
  Ticks since = 0;
};

struct Action {
  std::string
      action;  // block-address, isolate-pod, scale-to-zero, rollback, rotate-credential, restart, capture, trap, tune-logging, watch …
  std::string target;
  std::string cluster;
  std::string effect;  // one sentence
  BlastRadius blast_radius;
  std::vector<std::string> apply;  // commands, to copy
  std::vector<std::string> verify;
  std::vector<std::string> undo;
  std::string approval;  // who should agree, or "none"
};

struct Credential {
  std::string kind;  // Secret, KeyVaultSecret, ServiceAccountToken, ManagedIdentity
  std::string name;
  std::string reach;  // how the workload reaches it
  int order = 0;      // rotate in this order
  std::vector<int64_t> rows;
};

struct PayloadStep {
  std::string what;  // "as sent", then the layer that was undone: "percent-encoding", "decimal address"
  std::string text;  // what it gave
};

// Requests to the owner that carried one thing, as one file shows them.
struct CarriedPayload {
  std::string cluster, workload;
  std::vector<std::string> pods, clients;
  Ticks first = 0, last = 0;
  int64_t requests = 0;
  std::string url;                 // as sent
  std::string parameter;           // that held it
  std::vector<PayloadStep> steps;  // the last is what the server would ask for
  std::string decoded, what, asked, hidden;
  std::string file, format;  // that shows it
  bool captured = false;     // from packets
  std::vector<int64_t> rows;
};

struct Missing {
  std::string log;          // which log
  std::string where;        // cluster
  double entropy_gain = 0;  // bits it would be expected to take off the answer
  std::string cost;         // what switching it on costs
  std::string how;          // command or setting
};

struct TimelineEntry {
  Ticks time = 0;
  std::string cluster, kind, text;
  std::vector<int64_t> rows;
};

// What the report shows besides the answer; kept with the incident, since the data may be gone when the report is read.
struct SourceFile {
  std::string file, sha256, format, cluster;
  int64_t bytes = 0, rows = 0, errors = 0;
};

struct CoverageSpan {
  std::string cluster, scope, name, source;
  Ticks from = 0, to = 0;
  double completeness = 1;
  int64_t rows = 0;
};

struct FlowPoint {  // flows to public addresses, and contacts with the alert's destination, in one bin
  std::string cluster;
  Ticks time = 0;
  int64_t flows = 0, bytes_out = 0, contacts = 0;
};

struct Facts {
  std::vector<SourceFile> sources;
  std::vector<CoverageSpan> coverage;
  std::vector<FlowPoint> flows;
  Ticks bin = 0;                  // width of a FlowPoint
  std::vector<std::string> gaps;  // sentences: what no source covered at the time of the contacts
};

struct Answer {
  Alert alert;
  std::vector<Alert> related;  // grouped into the same incident
  std::vector<Contact> contacts;
  std::vector<Candidate> candidates;  // most probable first; probabilities sum to 1 with "unknown"
  std::vector<Owner> owners;
  Cause cause;
  Release release;
  Verdict verdict;
  std::vector<Action> plan;
  std::vector<CarriedPayload> payloads;
  std::vector<Credential> credentials;
  std::vector<Missing> missing;
  std::vector<TimelineEntry> timeline;
  Facts facts;
  const Candidate* owner() const;  // the first that is not "unknown", if it is the most probable
};

}  // namespace egret::investigate
