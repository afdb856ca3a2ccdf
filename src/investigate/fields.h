#pragma once
// The members of an answer, named once: the JSON writer, the reader and the schema are visitors of these functions.
// A visitor v has
//   v(name, value, doc)        text, numbers, flags, lists, structures that have fields() themselves, and optionals of them
//   v.time(name, ticks, doc)   RFC 3339 text; 0 is null
//   v.object(name, doc, body)  an object in the JSON that is no structure in C++
#include <concepts>
#include <type_traits>

#include "investigate/answer.h"

namespace egret::investigate {

template <class T, class U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

template <class V>
void fields(V& v, Is<Alert> auto& a) {
  v("id", a.id, "Id of the alert as its provider gave it.");
  v.time("time", a.time, "First contact known, else the alert's own start.");
  v.time("end_time", a.end_time, "Last contact known.");
  v("rule", a.rule, "Name of the rule or alert.");
  v("provider", a.provider, "Product that raised it.");
  v("severity", a.severity, "As the provider gave it.");
  v("criticality", a.criticality, "Of the workload, where labels, annotations or a list say.");
  v.object("entities", "Who is accused of talking to what.", [&] {
    v("cluster", a.cluster, "Cluster; empty when the alert does not say.");
    v("node", a.node, "Node.");
    v("source_address", a.source_address, "Source as the alert or flow saw it.");
    v("address", a.address, "Destination address.");
    v("port", a.port, "Destination port.");
    v("name", a.name, "Destination name, where the alert says one.");
    v("workload", a.workload, "namespace/Kind/name, where the alert names one.");
    v("pod", a.pod, "Pod, where the alert names one.");
  });
}

template <class V>
void fields(V& v, Is<Contact> auto& c) {
  v.time("time", c.time, "When the connection began.");
  v("cluster", c.cluster, "Cluster.");
  v("node", c.node, "Node.");
  v("source", c.source, "Source address as the log saw it.");
  v("destination", c.destination, "Destination address.");
  v("name", c.name, "Destination name, where the log saw one.");
  v("port", c.port, "Destination port.");
  v("bytes_out", c.bytes_out, "Bytes sent.");
  v("bytes_in", c.bytes_in, "Bytes received.");
  v("blocked", c.blocked, "A rule denied it.");
  v("rows", c.rows, "_RowId of the rows it rests on.");
}

template <class V>
void fields(V& v, Is<Evidence> auto& e) {
  v("test", e.test, "Id of the test (content/evidence, content/verdict).");
  v("group", e.group, "Tests of one group look at one observation; the strongest counts.");
  v("weight", e.weight, "Decibans: + supports, - refutes.");
  v("reason", e.reason, "One sentence.");
  v("query", e.query, "KQL that runs as printed against the same data folder.");
  v("rows", e.rows, "_RowId of the rows it rests on.");
  v("counted", e.counted, "False: a stronger test of the same group counted instead.");
}

template <class V>
void fields(V& v, Is<Candidate> auto& c) {
  v("cluster", c.cluster, "Cluster.");
  v("namespace", c.ns, "Namespace; empty for processes of a node.");
  v("kind", c.kind,
    "Kind of the topmost owner: Deployment, StatefulSet, DaemonSet, CronJob, Job, ReplicaSet, Pod, StaticPod, HostProcess, or unknown.");
  v("name", c.name, "Name of the topmost owner.");
  v("container", c.container, "Container, where it is known.");
  v("node", c.node, "Node of the contact, where it is known.");
  v("probability", c.probability, "0 to 1; those of all candidates and of unknown sum to 1.");
  v("score", c.score, "Decibans: prior plus counted weights.");
  v("evidence", c.evidence, "Strongest first.");
}

template <class V>
void fields(V& v, Is<Owner> auto& o) {
  v("candidate", o.candidate, "namespace/Kind/name.");
  v("cluster", o.cluster, "Cluster.");
  v("share", o.share, "Share of the contacts, 0 to 1.");
  v("distinguished_by", o.distinguished_by, "Name or timing that tells its contacts apart.");
}

template <class V>
void fields(V& v, Is<ResolvedName> auto& n) {
  v("name", n.name, "Name that led to the address there and then.");
  v("address", n.address, "The address.");
  v("cluster", n.cluster, "Cluster where it was asked.");
  v("region", n.region, "Its region.");
  v.time("time", n.time, "When it was asked or answered.");
  v("source", n.source, "Where it was seen.");
  v("rows", n.rows, "_RowId of the rows it rests on.");
}

template <class V>
void fields(V& v, Is<RegionCompared> auto& r) {
  v("cluster", r.cluster, "Cluster.");
  v("region", r.region, "Region.");
  v("has_contact", r.has_contact, "Whether the contact was seen there.");
  v("contacts", r.contacts, "How often.");
  v("answers", r.answers, "Addresses that the name led to there.");
  v("difference", r.difference, "What differs from the cluster of the alert, one sentence.");
}

template <class V>
void fields(V& v, Is<Trigger> auto& t) {
  v("kind", t.kind, "node-start, container-start, release, config-change, schedule, request, or unknown.");
  v("object", t.object, "The node, pod, release or request.");
  v.time("time", t.time, "When it happened (the one before the first contact).");
  v("reason", t.reason, "One sentence with the numbers it rests on.");
  v("rows", t.rows, "_RowId of the rows it rests on.");
}

template <class V>
void fields(V& v, Is<Cause> auto& c) {
  v("names", c.names, "Names resolved there and then.");
  v("regions", c.regions, "Clusters compared.");
  v("trigger", c.trigger, "What sets the contact off.");
  v("sentences", c.sentences, "The explanation, in order.");
}

template <class V>
void fields(V& v, Is<Change> auto& c) {
  v.time("time", c.time, "When.");
  v("workload", c.workload, "namespace/Kind/name that changed.");
  v("what", c.what, "image, template, configmap, secret, replicas, release …");
  v("from", c.from, "Before.");
  v("to", c.to, "After.");
  v("by", c.by, "Who or what did it.");
  v("release", c.release, "Version of the release record, where one matches.");
  v("rows", c.rows, "_RowId of the rows it rests on.");
}

template <class V>
void fields(V& v, Is<Version> auto& r) {
  v("version", r.version, "Version tag.");
  v("image", r.image, "Image reference.");
  v("digest", r.digest, "Digest of the image, where known.");
  v("commit", r.commit, "Source revision, where a release record names it.");
  v("by", r.by, "Who or what released it.");
  v("revision", r.revision, "Revision of the rollout.");
  v.time("from", r.from, "It ran from.");
  v.time("to", r.to, "It ran until; null: still running when the data ends.");
  v("contacts", r.contacts, "Contacts while it ran.");
}

template <class V>
void fields(V& v, Is<Release> auto& r) {
  v("first_bad", r.first_bad, "The first version after which the contact appears; null where no change brought it.");
  v("last_good", r.last_good, "The last version before it without the contact.");
  v("changes", r.changes, "What changed between them.");
  v("versions", r.versions, "Every version that ran in the data's time, oldest first.");
  v("explanation", r.explanation, "How sure that is, with the exposure of each version.");
}

template <class V>
void fields(V& v, Is<Premise> auto& p) {
  v("statement", p.statement, "What must stay true.");
  v("overturned_by", p.overturned_by, "What would overturn it.");
  v("query", p.query, "KQL; a row in its result means that the premise no longer holds.");
}

template <class V>
void fields(V& v, Is<Verdict> auto& t) {
  v("classification", t.classification, "As Microsoft Sentinel classifies incidents, or Undetermined.");
  v("confidence", t.confidence, "Probability of the classification, 0 to 1.");
  v("score", t.score, "Decibans for malicious: prior plus counted weights.");
  v("reasons", t.reasons, "Sentences, strongest first.");
  v("premises", t.premises, "What it rests on and what would overturn it.");
  v.time("expires", t.expires, "After this it must be looked at again.");
  v("techniques", t.techniques, "MITRE ATT&CK techniques.");
  v("evidence", t.evidence, "Evidence for and against: + speaks for malicious, - for benign.");
}

template <class V>
void fields(V& v, Is<BlastRadius> auto& b) {
  v("summary", b.summary, "One sentence: whom it would hurt, from past flows.");
  v("flows", b.flows, "Connections of others that it would have broken.");
  v("workloads", b.workloads, "Those whose connections they were.");
  v.time("since", b.since, "Flows were looked at from here on.");
}

template <class V>
void fields(V& v, Is<Action> auto& a) {
  v("action", a.action, "What to do.");
  v("target", a.target, "On what.");
  v("cluster", a.cluster, "In which cluster; empty: all.");
  v("effect", a.effect, "What changes, one sentence.");
  v("blast_radius", a.blast_radius, "Whom it would hurt.");
  v("apply", a.apply, "Commands, to copy.");
  v("verify", a.verify, "Commands that show whether it worked.");
  v("undo", a.undo, "Commands that take it back.");
  v("approval", a.approval, "Who should agree, or none.");
}

template <class V>
void fields(V& v, Is<Credential> auto& c) {
  v("kind", c.kind, "Secret, KeyVaultSecret, ServiceAccountToken or ManagedIdentity.");
  v("name", c.name, "Its name.");
  v("reach", c.reach, "How the workload reaches it.");
  v("order", c.order, "Rotate in this order.");
  v("rows", c.rows, "_RowId of the rows it rests on.");
}

template <class V>
void fields(V& v, Is<PayloadStep> auto& s) {
  v("what", s.what, "As sent, then the layer that was undone.");
  v("text", s.text, "What it gave.");
}

template <class V>
void fields(V& v, Is<CarriedPayload> auto& p) {
  v("cluster", p.cluster, "Cluster.");
  v("workload", p.workload, "Whom it was sent to, namespace/Kind/name.");
  v("pods", p.pods, "Its pods that got it.");
  v("clients", p.clients, "Who sent it.");
  v.time("first", p.first, "The first of these requests.");
  v.time("last", p.last, "The last.");
  v("requests", p.requests, "How many, in this file. Another file may show the same ones.");
  v("url", p.url, "The first one's path and query, as sent.");
  v("parameter", p.parameter, "The parameter that carried it.");
  v("steps", p.steps, "Layer by layer; the last is what the server would ask for.");
  v("decoded", p.decoded, "What the server would ask for.");
  v("what", p.what, "What that is.");
  v("asked", p.asked, "What is asked for there, where it is known.");
  v("hidden", p.hidden, "By what it was made unreadable; empty: it was plain.");
  v("file", p.file, "The file that shows it, below the folder that was read.");
  v("format", p.format, "Its format.");
  v("captured", p.captured, "Whether it was seen in packets, not in a log.");
  v("rows", p.rows, "_RowId of the rows it rests on.");
}

template <class V>
void fields(V& v, Is<Missing> auto& m) {
  v("log", m.log, "Which log would tell most next.");
  v("where", m.where, "In which cluster.");
  v("entropy_gain", m.entropy_gain, "Bits it would be expected to take off the answer.");
  v("cost", m.cost, "What switching it on costs.");
  v("how", m.how, "Command or setting.");
}

template <class V>
void fields(V& v, Is<TimelineEntry> auto& t) {
  v.time("time", t.time, "When.");
  v("cluster", t.cluster, "Where.");
  v("kind", t.kind, "alert, contact, node, release, change, dns, request, action, comment.");
  v("text", t.text, "One line.");
  v("rows", t.rows, "_RowId of the rows it rests on.");
}

template <class V>
void fields(V& v, Is<SourceFile> auto& s) {
  v("file", s.file, "Path below the folder that was read.");
  v("sha256", s.sha256, "Of its bytes.");
  v("format", s.format, "Decoder that recognised it.");
  v("cluster", s.cluster, "Cluster that it belongs to.");
  v("bytes", s.bytes, "Size.");
  v("rows", s.rows, "Rows that it gave.");
  v("errors", s.errors, "Records that could not be read.");
}

template <class V>
void fields(V& v, Is<CoverageSpan> auto& s) {
  v("cluster", s.cluster, "Cluster.");
  v("scope", s.scope, "cluster, node, workload, pod or network.");
  v("name", s.name, "Of that scope.");
  v("source", s.source, "Kind of log.");
  v.time("from", s.from, "First moment covered.");
  v.time("to", s.to, "Last moment covered.");
  v("completeness", s.completeness, "Share written down, 0 to 1.");
  v("rows", s.rows, "Rows.");
}

template <class V>
void fields(V& v, Is<FlowPoint> auto& f) {
  v("cluster", f.cluster, "Cluster.");
  v.time("time", f.time, "Start of the bin.");
  v("flows", f.flows, "Outbound connections to public addresses.");
  v("bytes_out", f.bytes_out, "Bytes sent on them.");
  v("contacts", f.contacts, "Contacts with the alert's destination.");
}

template <class V>
void fields(V& v, Is<Facts> auto& f) {
  v("sources", f.sources, "The files that were read.");
  v("coverage", f.coverage, "Which source saw what.");
  v("flows", f.flows, "Outbound flows over time by cluster.");
  v("bin_ticks", f.bin, "Width of a bin, in ticks of 100 ns.");
  v("gaps", f.gaps, "What no source covered at the time of the contacts.");
}

// Facts are kept with the incident, but not printed: they are as long as the input is.
template <class V>
void fields(V& v, Is<Answer> auto& a) {
  v("alert", a.alert, "The contact that is asked about.");
  v("related", a.related, "Other alerts of the same incident.");
  v("contacts", a.contacts, "Connections to the alert's destination.");
  v("candidates", a.candidates, "Who could have made them, most probable first.");
  v("owners", a.owners, "Where the contacts have more than one.");
  v("cause", a.cause, "Why.");
  v("release", a.release, "Which version brought it.");
  v("verdict", a.verdict, "Is it bad.");
  v("plan", a.plan, "What to do, in order.");
  v("payloads", a.payloads, "What requests to the owner carried, decoded, and the files that show it.");
  v("credentials", a.credentials, "What the workload can reach, in the order to rotate.");
  v("missing", a.missing, "Which log would tell most next.");
  v("timeline", a.timeline, "What happened, in order.");
  if (v.with_facts()) v("facts", a.facts, "What the report shows besides.");
}

}  // namespace egret::investigate
