#include "detect/rule_reader.h"

#include <gtest/gtest.h>

namespace egret::detect {
namespace {

constexpr std::string_view kGood = R"(id: 5f0e3c1a-3f2b-4d51-9a11-0c8a5a1b2c3d
name: Egress to a rare port
description: |
  'Outbound sessions to a port that nobody else uses.'
severity: Medium
kind: Scheduled
requiredDataConnectors: []
queryFrequency: 1h
queryPeriod: P1D
triggerOperator: gt
triggerThreshold: 0
tactics:
  - CommandAndControl
relevantTechniques:
  - T1571
query: |
  ASimNetworkSessionLogs
  | where DstPortNumber > 1024
  | summarize Bytes = sum(SrcBytes) by SrcIpAddr, DstIpAddr, Cluster
entityMappings:
  - entityType: IP
    fieldMappings:
      - identifier: Address
        columnName: DstIpAddr
customDetails:
  Bytes: Bytes
alertDetailsOverride:
  alertDisplayNameFormat: Egress from {{SrcIpAddr}}
eventGroupingSettings:
  aggregationKind: AlertPerResult
suppressionEnabled: true
suppressionDuration: PT5H
incidentConfiguration:
  createIncident: true
  groupingConfiguration:
    enabled: true
    lookbackDuration: PT4H
    matchingMethod: Selected
    groupByEntities: [IP]
version: 1.0.0
egret:
  cluster: Cluster
)";

TEST(RuleReader, ReadsEveryPart) {
  const RuleFile file = read_rule(kGood, "r.yaml");
  ASSERT_TRUE(file.rule) << format_diagnostics(kGood, "r.yaml", file.diagnostics);
  EXPECT_TRUE(file.diagnostics.empty()) << format_diagnostics(kGood, "r.yaml", file.diagnostics);
  const Rule& r = *file.rule;
  EXPECT_EQ(r.description, "Outbound sessions to a port that nobody else uses.");
  EXPECT_EQ(r.frequency, kTicksPerHour);
  EXPECT_EQ(r.period, kTicksPerDay);
  EXPECT_EQ(r.grouping, Grouping::kAlertPerResult);
  EXPECT_TRUE(r.suppress);
  EXPECT_EQ(r.suppression, 5 * kTicksPerHour);
  EXPECT_EQ(r.entities[0].fields[0].column, "DstIpAddr");
  EXPECT_EQ(r.incident.matching, IncidentConfiguration::Matching::kSelected);
  EXPECT_EQ(r.egret.cluster, "Cluster");
  ASSERT_EQ(file.columns.size(), 4u);
  EXPECT_EQ(file.columns[2].column, "SrcIpAddr");
  EXPECT_EQ(file.columns[2].line, 28);
  EXPECT_EQ(file.columns[2].yaml_column, 41);
  EXPECT_TRUE(file.query.literal);
  EXPECT_EQ(file.query.first_line, 17);
  EXPECT_EQ(file.query.indent, 2);
  EXPECT_TRUE(looks_like_rule(kGood));
  EXPECT_FALSE(looks_like_rule("tests:\n  - name: x\n"));
}

TEST(RuleReader, ReportsEveryMistakeAtOnce) {
  constexpr std::string_view bad = R"(id: not-a-guid
name: Broken
severity: Hihg
kind: Scheduled
queryFrequency: 60
querryPeriod: 1d
triggerOperator: greater
triggerThreshold: many
tactics: [Exfiltraton, exfiltration]
relevantTechniques: [T10411, T1999]
query: |
  T
entityMappings:
  - entityType: Ip Address
    fieldMappings:
      - identifier: Address
        columnName: A
  - entityType: IP
    fieldMappings:
      - identifier: Adress
        columnName: A
eventGroupingSettings:
  aggregationKind: PerResult
suppressionEnabled: yes
)";
  const RuleFile file = read_rule(bad, "bad.yaml");
  EXPECT_FALSE(file.rule);
  const std::string text = format_diagnostics(bad, "bad.yaml", file.diagnostics);
  for (const char* part : {
           "bad.yaml:1:5: error: id is a GUID, not 'not-a-guid'",
           "bad.yaml:3:11: error: severity cannot be 'Hihg'\n    3 | severity: Hihg\n      |           ^~~~\n      = did you mean 'High'?",
           "bad.yaml:5:17: error: '60' is not a length of time",
           "a unit is missing: 60m, 60h or 60d",
           "bad.yaml:6:1: error: a rule has no key 'querryPeriod'",
           "did you mean 'queryPeriod'?",
           "bad.yaml:7:18: error: triggerOperator cannot be 'greater'",
           "bad.yaml:8:19: error: triggerThreshold is a count of rows, not 'many'",
           "did you mean 'Exfiltration'?",
           "warning: 'exfiltration' is written 'Exfiltration'",
           "'T10411' is not an ATT&CK technique",
           "warning: ATT&CK has no technique T1999",
           "there is no entity type 'Ip Address'",
           "bad.yaml:20:21: error: IP has no identifier 'Adress'",
           "did you mean 'Address'?",
           "aggregationKind cannot be 'PerResult'",
           "suppressionEnabled is true or false, not 'yes'",
       })
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  EXPECT_EQ(text.find("the rule has no 'queryPeriod'"), std::string::npos) << text;
}

TEST(RuleReader, SaysWhatIsMissingAndWhatTheSchedulerWouldNotTake) {
  const auto message = [](std::string_view yaml) { return format_diagnostics(yaml, "r", read_rule(yaml, "r").diagnostics); };
  EXPECT_NE(message("name: x\n").find("the rule has no 'id'"), std::string::npos);
  EXPECT_NE(message("- a\n").find("a rule is a mapping"), std::string::npos);
  EXPECT_NE(message("a: b: c\n").find("r:1:5: error: this is not YAML"), std::string::npos) << message("a: b: c\n");
  EXPECT_NE(message("a: b: c\n").find("quote a value that contains ': '"), std::string::npos);
  EXPECT_NE(message("kind: Scheduled\nqueryFrequency: 1d\nqueryPeriod: 1h\n").find("queryPeriod (1h) is shorter than queryFrequency (1d)"),
            std::string::npos);
  EXPECT_NE(message("kind: Scheduled\nqueryFrequency: 5m\nqueryPeriod: 30d\n").find("from 5m to 14d only"), std::string::npos);
  EXPECT_NE(message("name: x\nname: y\n").find("'name' stands here twice"), std::string::npos);
  EXPECT_NE(message("alertDetailsOverride:\n  alertDisplayNameFormat: a {{b\n").find("does not close it"), std::string::npos);
}

}  // namespace
}  // namespace egret::detect
