// The ways in which Log Analytics rows, diagnostic records, alerts and indicators come.
#include <gtest/gtest.h>

#include "ingest/decoders.h"
#include "ingest/indicator.h"
#include "ingest/memory_sink.h"

namespace egret::ingest {
namespace {

MemorySink decode(std::string_view bytes, std::string_view expected, std::string path = "x.json", const Source& base = {}) {
  MemorySink sink;
  const auto guesses = recognise(bytes, path);
  EXPECT_FALSE(guesses.empty());
  if (guesses.empty()) return sink;
  EXPECT_EQ(guesses[0].decoder->name, expected);
  Source s = base;
  s.path = std::move(path);
  s.bytes = bytes;
  guesses[0].decoder->decode(s, sink);
  return sink;
}

TEST(LogAnalytics, AzCliRowsAreAllText) {
  const auto s = decode(
      R"([{"ClusterName":"Prod-CA","Computer":"aks-n-1","ContainerStatus":"running","ControllerKind":"DaemonSet","ControllerName":"otel","Name":"otel-x","Namespace":"monitoring","PodIp":"10.0.0.4","PodRestartCount":"2","TableName":"PrimaryResult","TimeGenerated":"2022-04-01T06:14:09.5Z"}])",
      "log-analytics");
  ASSERT_EQ(s.count("KubePodInventory"), 1u);
  EXPECT_EQ(s.text("KubePodInventory", 0, "PodRestartCount"), "2");
  EXPECT_EQ(s.text("KubePodInventory", 0, "Cluster"), "prod-ca");
  EXPECT_EQ(s.text("KubePodInventory", 0, "TimeGenerated"), "2022-04-01T06:14:09.5Z");
}

TEST(LogAnalytics, RestTables) {
  const auto s = decode(
      R"({"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated","type":"datetime"},{"name":"AlertName","type":"string"},{"name":"IsIncident","type":"bool"},{"name":"SystemAlertId","type":"string"}],"rows":[["2022-04-01T06:14:09Z","C2",false,"1"],[null,"no time",null,"2"]]}]})",
      "log-analytics");
  ASSERT_EQ(s.count("SecurityAlert"), 1u);
  EXPECT_EQ(s.text("SecurityAlert", 0, "IsIncident"), "false");
  ASSERT_EQ(s.errors.size(), 1u);
  EXPECT_TRUE(s.errors[0].reason.contains("without a time"));
}

TEST(LogAnalytics, PortalCsvWithLocalTimes) {
  const std::string utc =
      "\"TimeGenerated [UTC]\",\"ObjectKind\",\"Name\",\"Namespace\",\"Reason\",\"Message\",\"KubeEventType\"\n\"4/1/2022, 6:14:09.123 "
      "AM\",Pod,otel-x,monitoring,Started,\"a \"\"b\"\"\nc\",Normal\n";
  auto s = decode(utc, "log-analytics", "query_data.csv");
  ASSERT_EQ(s.count("KubeEvents"), 1u);
  EXPECT_EQ(s.text("KubeEvents", 0, "TimeGenerated"), "2022-04-01T06:14:09.123Z");
  EXPECT_EQ(s.text("KubeEvents", 0, "Message"), "a \"b\"\nc");
  s = decode(
      "TimeGenerated [Local Time],ObjectKind,Name,Namespace,Reason,Message,KubeEventType\n\"1.4.2022 08:14:09\",Pod,o,m,Started,x,Normal\n",
      "log-analytics", "query_data.csv",
      {.path = {}, .bytes = {}, .cluster = "one", .region = {}, .kind = {}, .utc_offset = 2 * kTicksPerHour});
  EXPECT_EQ(s.text("KubeEvents", 0, "TimeGenerated"), "2022-04-01T06:14:09Z");
  EXPECT_EQ(s.text("KubeEvents", 0, "Cluster"), "one");
}

TEST(LogAnalytics, WhatAzuresResolverAnsweredIsADnsRow) {
  const auto s = decode(
      R"({"TimeGenerated":"2024-04-01T06:14:09Z","OperationName":"RESPONSE_SUCCESS","SourceIpAddress":"10.1.0.7","SourcePort":4711,"QueryName":"Edge.Example.com.","QueryType":"A","QueryClass":"IN","Transport":"UDP","ResponseCode":0,"QueryResponseTime":7,"ResolutionPath":"PublicDnsResolution","Answer":[{"RData":"alias.example.net.","Type":"CNAME","Class":"IN","TTL":60},{"RData":"192.0.2.1","Type":"A","Class":"IN","TTL":60}],"Type":"DNSQueryLogs"}
{"TimeGenerated":"2024-04-01T06:14:10Z","OperationName":"RESPONSE_FAILURE","SourceIpAddress":"10.1.0.7","QueryName":"gone.example.com.","QueryType":"AAAA","ResponseCode":3,"Answer":[],"Type":"DNSQueryLogs"}
)",
      "log-analytics");
  EXPECT_EQ(s.count("DNSQueryLogs"), 2u);
  ASSERT_EQ(s.count("ASimDnsActivityLogs"), 2u);
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 0, "DnsQuery"), "edge.example.com");
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 0, "SrcIpAddr"), "10.1.0.7");
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 0, "Answers"), R"(["192.0.2.1"])");
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 0, "DnsResponseName"), "alias.example.net.,192.0.2.1");
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 1, "EventResultDetails"), "NXDOMAIN");
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 1, "Answers"), "");
}

TEST(LogAnalytics, WorkspaceExportDropsDoubles) {
  const std::string row =
      R"({"TimeGenerated":"2022-04-01T06:14:09Z","Computer":"n1","Name":"otel-x","Namespace":"m","ControllerName":"otel"})"
      "\n";
  const auto s = decode(row + row, "log-analytics",
                        "am-kubepodinventory/WorkspaceResourceId=/subscriptions/s/resourcegroups/r/providers/microsoft.operationalinsights/"
                        "workspaces/w/y=2022/m=04/d=01/h=06/m=10/PT05M.json");
  EXPECT_EQ(s.count("KubePodInventory"), 1u);
}

TEST(LogAnalytics, ContainerLogRowsGiveDnsRows) {
  const auto s = decode(
      R"([{"TimeGenerated":"2022-04-01T06:14:09Z","ContainerName":"coredns","PodName":"coredns-1","PodNamespace":"kube-system","LogSource":"stdout","LogMessage":"[INFO] 10.244.0.5:40312 - 4021 \"A IN ifconfig.co. udp 29 false 512\" NOERROR qr,rd,ra 72 0.002s","_ResourceId":"/subscriptions/s/resourcegroups/r/providers/microsoft.containerservice/managedclusters/prod-ca"}])",
      "log-analytics");
  ASSERT_EQ(s.count("ContainerLogV2"), 1u);
  ASSERT_EQ(s.count("ASimDnsActivityLogs"), 1u);
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 0, "DnsQuery"), "ifconfig.co");
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 0, "Cluster"), "prod-ca");
}

TEST(Diagnostics, AuditAutoscalerAndOthers) {
  const auto s = decode(
      R"({"time":"2022-04-01T06:14:09Z","category":"cluster-autoscaler","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/PROD-CA","operationName":"Microsoft.ContainerService/managedClusters/diagnosticLogs/Read","properties":{"log":"I0401 06:14:09 scale_up.go:1] Scale-up: setting group size to 4","stream":"stderr","pod":"cluster-autoscaler-1"}}
{"time":"2022-04-01T06:14:09Z","category":"kube-audit","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/PROD-CA","operationName":"x","properties":{"log":"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io\/v1\",\"level\":\"Metadata\",\"auditID\":\"1\",\"stage\":\"ResponseComplete\",\"verb\":\"get\",\"requestURI\":\"\/api\",\"user\":{\"username\":\"u\"},\"requestReceivedTimestamp\":\"2022-04-01T06:14:08Z\",\"stageTimestamp\":\"2022-04-01T06:14:08Z\"}"}}
{"time":"2022-04-01T06:14:09Z","category":"SomethingNew","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.X/Y/Z","operationName":"o","properties":{"answer":42,"deep":{"word":"w"}}}
)",
      "azure-diagnostics");
  EXPECT_TRUE(s.errors.empty());
  EXPECT_EQ(s.text("AKSControlPlane", 0, "Category"), "cluster-autoscaler");
  EXPECT_EQ(s.text("AKSControlPlane", 0, "Cluster"), "prod-ca");
  EXPECT_EQ(s.count("AKSAudit"), 1u);
  ASSERT_EQ(s.count("AzureDiagnostics"), 1u);
  const model::Batch& b = s.extra.at(0);
  EXPECT_EQ(b.to_text(b.column("answer_d"), 0), "42");
  EXPECT_EQ(b.to_text(b.column("deep_word_s"), 0), "w");
}

TEST(Diagnostics, FirewallTextsBecomeRules) {
  const auto s = decode(
      R"({"category":"AzureFirewallNetworkRule","time":"2023-04-03T17:51:00Z","resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.NETWORK/AZUREFIREWALLS/F","operationName":"AzureFirewallNetworkRuleLog","properties":{"msg":"TCP request from 10.0.4.4:44432 to 10.0.6.7:80. Action: Allow. Rule Collection: RevProxy. Rule: WebsiteRequest"}})",
      "azure-diagnostics");
  ASSERT_EQ(s.count("AZFWNetworkRule"), 1u);
  EXPECT_EQ(s.text("AZFWNetworkRule", 0, "DestinationIp"), "10.0.6.7");
  EXPECT_EQ(s.text("AZFWNetworkRule", 0, "Action"), "Allow");
  EXPECT_EQ(s.text("AZFWNetworkRule", 0, "RuleCollection"), "RevProxy");
  EXPECT_EQ(s.text("AZFWNetworkRule", 0, "Rule"), "WebsiteRequest");
}

TEST(Alerts, CommonAlertSchemaOfAzureMonitor) {
  const auto s = decode(
      R"({"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"/subscriptions/s/providers/Microsoft.AlertsManagement/alerts/1","alertRule":"New endpoint","severity":"Sev1","signalType":"Log","monitorCondition":"Fired","monitoringService":"Log Alerts V2","alertTargetIDs":["/subscriptions/s/resourcegroups/r/providers/microsoft.containerservice/managedclusters/prod-ca"],"configurationItems":["prod-ca"],"originAlertId":"o1","firedDateTime":"2022-04-01T06:30:00Z","description":"d"},"alertContext":{"conditionType":"LogQueryCriteria","condition":{"windowSize":"PT1H","allOf":[{"dimensions":[{"name":"DestinationIp","value":"203.0.113.9"},{"name":"SourceIp","value":"10.1.0.4"}],"metricValue":12.0}],"windowStartTime":"2022-04-01T06:14:09Z","windowEndTime":"2022-04-01T06:29:09Z"}}}})",
      "security-alert");
  ASSERT_EQ(s.count("SecurityAlert"), 1u);
  EXPECT_EQ(s.text("SecurityAlert", 0, "DisplayName"), "New endpoint");
  EXPECT_EQ(s.text("SecurityAlert", 0, "StartTime"), "2022-04-01T06:14:09Z");
  EXPECT_EQ(s.text("SecurityAlert", 0, "AlertSeverity"), "High");
  EXPECT_EQ(s.text("SecurityAlert", 0, "Cluster"), "prod-ca");
  EXPECT_EQ(s.text("SecurityAlert", 0, "ExtendedProperties"), R"({"DestinationIp":"203.0.113.9","SourceIp":"10.1.0.4"})");
}

TEST(Indicators, AbuseIpdbAnswerAboutOneAddress) {
  const auto s = decode(
      R"({"data":{"ipAddress":"198.51.100.7","isPublic":true,"abuseConfidenceScore":27,"countryCode":"US","usageType":"Content Delivery Network","lastReportedAt":"2022-03-30T00:00:00+00:00"}})",
      "indicator-json");
  ASSERT_EQ(s.count("ThreatIntelIndicators"), 1u);
  EXPECT_TRUE(s.errors.empty());
}

TEST(Tetragon, AProcessOfTheNodeIsNoPods) {
  const auto s = decode(
      R"({"process_kprobe":{"process":{"exec_id":"b2xk","pid":4021,"uid":0,"binary":"/usr/bin/.sshd","start_time":"2022-04-01T06:14:00Z"},"function_name":"tcp_connect","args":[{"sock_arg":{"family":"AF_INET","saddr":"10.1.0.4","daddr":"198.51.100.7","sport":40001,"dport":13333}}]},"node_name":"n1","time":"2022-04-01T06:14:09Z"})",
      "tetragon");
  ASSERT_EQ(s.count("ASimNetworkSessionLogs"), 1u);
  EXPECT_EQ(s.text("ASimNetworkSessionLogs", 0, "SrcWorkload"), "node/HostProcess/.sshd");
  EXPECT_EQ(s.text("ASimNetworkSessionLogs", 0, "SrcOwnerKind"), "HostProcess");
}

TEST(Kubectl, TheTableOfPods) {
  Source base;
  base.modified_at = *parse_time("2022-04-01T08:00:00Z");
  const auto s = decode(
      "NAMESPACE  NAME                    READY  STATUS     RESTARTS     AGE   IP           NODE          NOMINATED NODE  READINESS GATES\n"
      "shop       web-6c5d4b9f8c-x2x4d    1/1    Running    2 (3h ago)   5h    10.244.0.9   aks-np-vmss1  <none>          <none>\n"
      "kafka      broker-0                1/1    Running    0            45m   10.244.0.8   aks-np-vmss1  <none>          <none>\n"
      "ops        report-28765207-2slb4   0/1    Completed  0            20m   <none>       aks-np-vmss1  <none>          <none>\n",
      "kubectl-table", "pods.txt", base);
  ASSERT_EQ(s.count("EgretKubeObjects"), 3u);
  EXPECT_TRUE(s.errors.empty());
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "OwnerKind"), "ReplicaSet");
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "OwnerName"), "web-6c5d4b9f8c");
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "Created"), "2022-04-01T02:00:00Z");
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "Ip"), "10.244.0.9");
  EXPECT_EQ(s.text("EgretKubeObjects", 1, "OwnerKind"), "StatefulSet");
  EXPECT_EQ(s.text("EgretKubeObjects", 2, "OwnerName"), "report-28765207");
  EXPECT_EQ(s.text("EgretKubeObjects", 2, "Ip"), "");
}

TEST(Logs, SternNamesNamespacePodAndContainer) {
  const auto s = decode(
      "shop notify-6c5d4b9f8c-x2x4d notify 2022-04-01T06:14:09.5Z calling out\n"
      "shop notify-6c5d4b9f8c-x2x4d notify 2022-04-01T06:14:10.5Z done\n",
      "container-log", "stern.log");
  ASSERT_EQ(s.count("ContainerLogV2"), 2u);
  EXPECT_EQ(s.text("ContainerLogV2", 0, "PodNamespace"), "shop");
  EXPECT_EQ(s.text("ContainerLogV2", 0, "PodName"), "notify-6c5d4b9f8c-x2x4d");
  EXPECT_EQ(s.text("ContainerLogV2", 0, "TimeGenerated"), "2022-04-01T06:14:09.5Z");
}

TEST(Alerts, ArmEntitiesBecomeThoseOfLogAnalytics) {
  const auto s = decode(
      R"([{"id":"/subscriptions/s/x","name":"n1","properties":{"alertType":"K8S.NODE_X","alertDisplayName":"C2","severity":"High","compromisedEntity":"prod-ca","timeGeneratedUtc":"2022-04-01T06:20:00Z","startTimeUtc":"2022-04-01T06:14:09Z","intent":"CommandAndControl","resourceIdentifiers":[{"azureResourceId":"/subscriptions/s/resourceGroups/r/providers/Microsoft.ContainerService/managedClusters/prod-ca","type":"AzureResource"}],"entities":[{"$id":"1","address":"203.0.113.9","type":"ip"},{"$ref":"3"},{"$id":"2","host":{"$id":"3","hostName":"aks-n-1","type":"host"},"type":"process"}]}}])",
      "security-alert");
  ASSERT_EQ(s.count("SecurityAlert"), 1u);
  EXPECT_EQ(
      s.text("SecurityAlert", 0, "Entities"),
      R"([{"$id":"1","Address":"203.0.113.9","Type":"ip"},{"$id":"3","HostName":"aks-n-1","Type":"host"},{"$id":"2","Host":{"$id":"3","HostName":"aks-n-1","Type":"host"},"Type":"process"}])");
  EXPECT_EQ(s.text("SecurityAlert", 0, "Cluster"), "prod-ca");
  EXPECT_EQ(s.text("SecurityAlert", 0, "Tactics"), "CommandAndControl");
  EXPECT_EQ(s.text("SecurityAlert", 0, "SystemAlertId"), "n1");
}

TEST(Alerts, PortalCsvWithZoneInTheHeader) {
  const auto s =
      decode("Severity,Alert title,Affected resource,Activity start time (UTC+2),Status\nHigh,C2,prod-ca,\"04/01/22, 08:14 AM\",Active\n",
             "security-alert", "alerts.csv");
  ASSERT_EQ(s.count("SecurityAlert"), 1u);
  EXPECT_EQ(s.text("SecurityAlert", 0, "StartTime"), "2022-04-01T06:14:00Z");
  EXPECT_EQ(s.text("SecurityAlert", 0, "DisplayName"), "C2");
}

TEST(Indicators, Patterns) {
  using O = std::vector<Observable>;
  EXPECT_EQ(observables_of_pattern("[ipv4-addr:value = '1.2.3.4' OR domain-name:value IN ('A.example', 'b.example')]"),
            (O{{"ipv4-addr", "1.2.3.4"}, {"domain-name", "a.example"}, {"domain-name", "b.example"}}));
  EXPECT_EQ(observables_of_pattern("[file:hashes.'SHA-256' = 'AB']"), (O{{"file-sha256", "ab"}}));
  EXPECT_EQ(observables_of_pattern("[url:value LIKE 'http://x/%'] FOLLOWEDBY [network-traffic:dst_ref.value = '10.0.0.1']"),
            (O{{"ipv4-addr", "10.0.0.1"}}));
  EXPECT_EQ(observables_of_pattern("[ipv4-addr:value != '1.2.3.4']"), O{});
  EXPECT_EQ(observables_of_pattern("[[[:::'''"), O{});
}

TEST(Indicators, Classify) {
  EXPECT_EQ(classify("hxxp://bad[.]example/x").value, "http://bad.example/x");
  EXPECT_EQ(classify("1.2.3.0/24").type, "ipv4-addr");
  EXPECT_EQ(classify("1.2.3.4:443").value, "1.2.3.4");
  EXPECT_EQ(classify("2001:db8::1").type, "ipv6-addr");
  EXPECT_EQ(classify("Bad.Example.").value, "bad.example");
  EXPECT_EQ(classify("644087ccca16d2a728ef7685a4106f09").type, "file-md5");
  for (const char* none : {"", "hello", "not-an-ip", "1.2.3.4.5", "a..b", "12"}) EXPECT_EQ(classify(none).type, "") << none;
}

}  // namespace
}  // namespace egret::ingest
