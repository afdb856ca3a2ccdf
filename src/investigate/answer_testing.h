#pragma once
// Two hand-made answers for tests of what renders, stores and reports them. Nothing but tests includes this.
#include "investigate/answer.h"

namespace egret::investigate {

inline Ticks at(const char* text) { return parse_iso_datetime(text).value_or(0); }

inline Answer benign_answer() {
  Answer a;
  a.alert = {.id = "2517538088",
             .time = at("2022-04-01T06:15:21Z"),
             .end_time = at("2022-04-01T09:41:07Z"),
             .rule = "Network communication with a malicious machine detected",
             .provider = "Microsoft Defender for Cloud",
             .severity = "Medium",
             .cluster = "canadacentral",
             .node = "aks-system-3",
             .source_address = "10.1.0.9",
             .address = "172.64.80.1",
             .port = 80,
             .name = {},
             .workload = {},
             .pod = {},
             .criticality = {}};
  for (const char* t : {"2022-04-01T06:15:21Z", "2022-04-01T09:41:07Z"}) {
    Contact c;
    c.time = at(t);
    c.cluster = "canadacentral";
    c.node = "aks-system-3";
    c.destination = "172.64.80.1";
    c.port = 80;
    c.bytes_out = 412;
    c.bytes_in = 730;
    c.rows = {17, 18};
    a.contacts.push_back(c);
  }
  Candidate agent{.cluster = "canadacentral",
                  .ns = "kube-system",
                  .kind = "DaemonSet",
                  .name = "omsagent",
                  .container = "omsagent",
                  .node = "aks-system-3",
                  .probability = 0.982,
                  .score = 24,
                  .evidence = {}};
  agent.evidence.push_back({.test = "dns-question",
                            .group = "dns",
                            .weight = 22,
                            .reason = "Its pod asked for ifconfig.co 2 s before each of the 2 contacts; no other pod did.",
                            .query = "EgretDns\n| where DnsQuery == \"ifconfig.co\"",
                            .rows = {5, 6},
                            .counted = true});
  agent.evidence.push_back({.test = "node-start",
                            .group = "start",
                            .weight = 9,
                            .reason = "It starts with the node; 2 of 2 contacts follow a node start within 3 min.",
                            .query = "EgretNodes",
                            .rows = {},
                            .counted = true});
  Candidate unknown{.cluster = {},
                    .ns = {},
                    .kind = "unknown",
                    .name = {},
                    .container = {},
                    .node = {},
                    .probability = 0.018,
                    .score = 0,
                    .evidence = {}};
  a.candidates = {agent, unknown};
  a.owners = {{.candidate = "kube-system/DaemonSet/omsagent", .cluster = "canadacentral", .share = 1, .distinguished_by = {}}};
  a.cause.names = {{.name = "ifconfig.co",
                    .address = "172.64.80.1",
                    .cluster = "canadacentral",
                    .region = "canadacentral",
                    .time = at("2022-04-01T06:15:19Z"),
                    .source = "CoreDNS",
                    .rows = {5}}};
  a.cause.regions = {{.cluster = "canadacentral",
                      .region = "canadacentral",
                      .has_contact = true,
                      .contacts = 2,
                      .answers = {"172.64.80.1"},
                      .difference = {}},
                     {.cluster = "westeurope",
                      .region = "westeurope",
                      .has_contact = false,
                      .contacts = 0,
                      .answers = {"104.21.25.86"},
                      .difference = "ifconfig.co leads to 104.21.25.86 there."}};
  a.cause.trigger = {.kind = "node-start",
                     .object = "aks-system-3",
                     .time = at("2022-04-01T06:14:02Z"),
                     .reason = "2 of 2 contacts come within 3 min of a node start.",
                     .rows = {9}};
  a.cause.sentences = {"ifconfig.co led to 172.64.80.1 in canadacentral; in westeurope to 104.21.25.86."};
  a.verdict.classification = Classification::kBenignPositive;
  a.verdict.confidence = 0.98;
  a.verdict.score = -17;
  a.verdict.reasons = {"ifconfig.co only tells a caller its own public address."};
  a.verdict.premises = {{.statement = "The contacts stay small.",
                         .overturned_by = "more than 10 KB sent in one contact.",
                         .query = "EgretFlows | where SrcBytes > 10240"}};
  a.verdict.expires = at("2022-05-01T00:00:00Z");
  a.plan.push_back({.action = "close",
                    .target = "the alert",
                    .cluster = {},
                    .effect = "Closes it as BenignPositive.",
                    .blast_radius = {.summary = "nobody", .flows = 0, .workloads = {}, .since = 0},
                    .apply = {"az rest --method put --url …"},
                    .verify = {"az rest --method get --url …"},
                    .undo = {"az rest --method put --url … # Active"},
                    .approval = "security"});
  a.missing = {{.log = "DNS answers",
                .where = "canadacentral",
                .entropy_gain = 0.1,
                .cost = "about 20,000 rows a day",
                .how = "kubectl edit configmap coredns-custom -n kube-system"}};
  a.timeline = {
      {.time = at("2022-04-01T06:14:02Z"), .cluster = "canadacentral", .kind = "node", .text = "node aks-system-3 created", .rows = {9}},
      {.time = at("2022-04-01T06:15:21Z"),
       .cluster = "canadacentral",
       .kind = "contact",
       .text = "aks-system-3 → 172.64.80.1:80",
       .rows = {17}}};
  a.facts.sources = {{.file = "canadacentral/PT1H.json",
                      .sha256 = std::string(64, 'a'),
                      .format = "vnet-flow",
                      .cluster = "canadacentral",
                      .bytes = 1234,
                      .rows = 20,
                      .errors = 0}};
  a.facts.coverage = {{.cluster = "canadacentral",
                       .scope = "cluster",
                       .name = {},
                       .source = "vnet-flow",
                       .from = at("2022-04-01T00:00:00Z"),
                       .to = at("2022-04-01T12:00:00Z"),
                       .completeness = 1,
                       .rows = 20}};
  a.facts.bin = kTicksPerHour;
  for (int h = 0; h < 12; ++h) {
    a.facts.flows.push_back({.cluster = "canadacentral",
                             .time = at("2022-04-01T00:00:00Z") + h * kTicksPerHour,
                             .flows = 40 + h * 3,
                             .bytes_out = 100000,
                             .contacts = h == 6 || h == 9 ? 1 : 0});
    a.facts.flows.push_back({.cluster = "westeurope",
                             .time = at("2022-04-01T00:00:00Z") + h * kTicksPerHour,
                             .flows = 60 - h,
                             .bytes_out = 200000,
                             .contacts = 0});
  }
  return a;
}

inline Answer payment_answer() {
  Answer a = benign_answer();
  a.alert.rule = "Sustained increase of outbound HTTPS";
  a.alert.provider = "egret";
  a.alert.severity = "High";
  a.alert.cluster = "westeurope";
  a.alert.address = "203.0.113.77";
  a.alert.port = 443;
  a.alert.criticality = "pci";
  a.candidates[0] = {.cluster = "westeurope",
                     .ns = "payments",
                     .kind = "Deployment",
                     .name = "payment-api",
                     .container = "api",
                     .node = {},
                     .probability = 0.9997,
                     .score = 40,
                     .evidence = {{.test = "pod-flow",
                                   .group = "flow",
                                   .weight = 35,
                                   .reason = "A flow log names its pod.",
                                   .query = "EgretFlows",
                                   .rows = {1},
                                   .counted = true}}};
  a.candidates[1].probability = 0.0003;
  a.owners[0].candidate = "payments/Deployment/payment-api";
  a.cause = {};
  a.cause.trigger = {.kind = "request",
                     .object = "POST /api/fetch",
                     .time = a.alert.time,
                     .reason = "11 of 12 contacts follow an inbound request within 1 s.",
                     .rows = {}};
  a.verdict = {};
  a.verdict.classification = Classification::kTruePositive;
  a.verdict.confidence = 0.99;
  a.verdict.reasons = {"Requests to it carry the address of the metadata service, encoded twice."};
  a.verdict.techniques = {"T1190", "T1552.005"};
  a.release.first_bad = Version{.version = "2024.6.3",
                                .image = "acr.example/payment-api:2024.6.3",
                                .digest = "sha256:bb",
                                .commit = "9f1c",
                                .by = "azure-devops",
                                .revision = "7",
                                .from = at("2022-04-01T05:00:00Z"),
                                .to = 0,
                                .contacts = 12};
  a.release.last_good = Version{.version = "2024.6.2",
                                .image = "acr.example/payment-api:2024.6.2",
                                .digest = "sha256:aa",
                                .commit = "11aa",
                                .by = "azure-devops",
                                .revision = "6",
                                .from = at("2022-03-20T05:00:00Z"),
                                .to = at("2022-04-01T05:00:00Z"),
                                .contacts = 0};
  a.release.explanation = "2024.6.2 ran 12 d without a contact; the first came 75 min after 2024.6.3.";
  a.plan.clear();
  a.plan.push_back({.action = "block-address",
                    .target = "203.0.113.0/24",
                    .cluster = "westeurope",
                    .effect = "No node can reach the range.",
                    .blast_radius = {.summary = "nobody else talked to it in the last 7 days.", .flows = 0, .workloads = {}, .since = 0},
                    .apply = {"az network nsg rule create …"},
                    .verify = {},
                    .undo = {"az network nsg rule delete …"},
                    .approval = "oncall"});
  a.credentials = {{.kind = "Secret", .name = "payments/card-gateway", .reach = "mounted as environment", .order = 1, .rows = {}}};
  return a;
}

}  // namespace egret::investigate
