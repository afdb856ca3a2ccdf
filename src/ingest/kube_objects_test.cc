#include <gtest/gtest.h>

#include "ingest/memory_sink.h"
#include "ingest/yaml_json.h"

namespace egret::ingest {
extern const Decoder kKubeObjects, kReleases, kZeek, kHubble, kKubeAudit, kSuricata, kTetragon, kContainerLog;
namespace {

MemorySink load(const Decoder& decoder, std::string_view bytes, std::string path = "pods.json") {
  MemorySink sink;
  Source s;
  s.path = std::move(path);
  s.bytes = bytes;
  s.cluster = "c1";
  s.read_at = *parse_iso_datetime("2024-06-01T12:00:00Z");
  EXPECT_GE(decoder.recognise(bytes.substr(0, 65536), s.path), 40);
  decoder.decode(s, sink);
  return sink;
}

TEST(YamlJson, ScalarsAnchorsAndDocuments) {
  const auto d = yaml_to_json("a: 1\nb: \"1\"\nc: [true, ~, x]\nd: |\n  two\n  lines\n---\nbase: &b {k: v}\ncopy: *b\n");
  ASSERT_EQ(d.documents.size(), 2u);
  EXPECT_EQ(d.documents[0].json, R"({"a":1,"b":"1","c":[true,null,"x"],"d":"two\nlines\n"})");
  EXPECT_EQ(d.documents[1].json, R"({"base":{"k":"v"},"copy":{"k":"v"}})");
  EXPECT_EQ(d.documents[1].line, 7u);
  EXPECT_EQ(d.error, "");
  EXPECT_NE(yaml_to_json("a: [1\nb: }").error, "");
}

TEST(YamlJson, AliasesDoNotExplode) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i)
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + ",*a" + std::to_string(i - 1) + ",*a" +
            std::to_string(i - 1) + ",*a" + std::to_string(i - 1) + ",*a" + std::to_string(i - 1) + ",*a" + std::to_string(i - 1) + ",*a" +
            std::to_string(i - 1) + ",*a" + std::to_string(i - 1) + "]\n";
  EXPECT_NE(yaml_to_json(bomb).error, "");
}

constexpr std::string_view kNodes =
    R"({"kind":"List","apiVersion":"v1","items":[{"kind":"Node","apiVersion":"v1","metadata":{"name":"aks-np-1","creationTimestamp":"2024-06-01T10:00:00Z",
 "labels":{"topology.kubernetes.io/region":"CanadaCentral","kubernetes.azure.com/cluster":"MC_rg_prod_canadacentral"}},"spec":{"providerID":"azure:///subscriptions/S1/resourceGroups/mc_rg_prod_canadacentral/providers/x"},
 "status":{"addresses":[{"type":"InternalIP","address":"10.240.0.4"},{"type":"ExternalIP","address":"20.1.2.3"}],"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2024-06-01T10:00:40Z"}]}}]})";

TEST(KubeObjects, NodesAndTheirCluster) {
  const MemorySink s = load(kKubeObjects, kNodes);
  ASSERT_EQ(s.count("EgretKubeObjects"), 1u);
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "Ip"), "10.240.0.4");
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "ExternalIp"), "20.1.2.3");
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "Phase"), "Ready");
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "Verb"), "observed");
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "TimeGenerated"), "2024-06-01T12:00:00Z");
  ASSERT_EQ(s.count("EgretClusters"), 1u);
  EXPECT_EQ(s.text("EgretClusters", 0, "Region"), "canadacentral");
  EXPECT_EQ(s.text("EgretClusters", 0, "NodeResourceGroup"), "MC_rg_prod_canadacentral");
}

TEST(KubeObjects, YamlWithTheTimeOfExportAndSeveralDocuments) {
  const MemorySink s =
      load(kKubeObjects,
           "# exported at 2024-06-01T11:00:00Z\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cfg, namespace: shop}\ndata: {url: "
           "\"https://x\"}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\ndata: {p: aHVudGVyMg==}\n",
           "cfg.yaml");
  ASSERT_EQ(s.count("EgretKubeObjects"), 2u);
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "Data"), R"({"url":"https://x"})");
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "TimeGenerated"), "2024-06-01T11:00:00Z");
  EXPECT_EQ(s.text("EgretKubeObjects", 1, "Data").find("aHVud"), std::string::npos);
}

TEST(KubeObjects, TemplatesHashTheSameInAnyOrder) {
  const auto hash = [](std::string_view spec) {
    return load(
               kKubeObjects,
               R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d","creationTimestamp":"2024-01-01T00:00:00Z"},"spec":)" +
                   std::string(spec) + "}")
        .text("EgretKubeObjects", 0, "TemplateHash");
  };
  EXPECT_EQ(hash(R"({"template":{"metadata":{"labels":{"a":"1"}},"spec":{"containers":[{"name":"c","image":"i"}]}}})"),
            hash(R"({"template":{"spec":{"containers":[{"image":"i","name":"c"}]},"metadata":{"labels":{"a":"1"}}}})"));
  EXPECT_NE(hash(R"({"template":{"spec":{"containers":[{"name":"c","image":"i"}]}}})"),
            hash(R"({"template":{"spec":{"containers":[{"name":"c","image":"j"}]}}})"));
}

TEST(KubeObjects, EventsOfBothApis) {
  const MemorySink s = load(
      kKubeObjects,
      R"({"kind":"EventList","apiVersion":"events.k8s.io/v1","items":[{"metadata":{"namespace":"shop"},"eventTime":"2024-06-01T09:00:00.000001Z","series":{"count":4,"lastObservedTime":"2024-06-01T09:10:00Z"},"reason":"Pulled","note":"image","regarding":{"kind":"Pod","name":"web-1","namespace":"shop"},"reportingController":"kubelet","type":"Normal"}]})");
  ASSERT_EQ(s.count("KubeEvents"), 1u);
  EXPECT_EQ(s.text("KubeEvents", 0, "LastSeen"), "2024-06-01T09:10:00Z");
  EXPECT_EQ(s.text("KubeEvents", 0, "Count"), "4");
  EXPECT_EQ(s.text("KubeEvents", 0, "Message"), "image");
}

TEST(KubeObjects, WatchStreamsAndCutOffFiles) {
  const MemorySink s =
      load(kKubeObjects,
           "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}}\n{\"type\":\"DELETED\","
           "\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"}}}\n{\"type\":\"ADDED\",\"obj");
  ASSERT_EQ(s.count("EgretKubeObjects"), 2u);
  EXPECT_EQ(s.text("EgretKubeObjects", 1, "Verb"), "delete");
  EXPECT_EQ(s.errors.size(), 1u);
}

TEST(Releases, PlainFormAndArgoHistory) {
  MemorySink s = load(
      kReleases,
      R"({"time":"2024-06-01T10:02:11Z","namespace":"payments","workload":"Deployment/payments","version":"4.3.0","image":"acr/payments@sha256:ab","actor":"ci","changes":{"libraries":["x"]}})"
      "\n{\"time\":\"soon\",\"version\":\"1\",\"workload\":\"a\"}\n",
      "releases.jsonl");
  ASSERT_EQ(s.count("EgretReleases"), 1u);
  EXPECT_EQ(s.errors.size(), 1u);
  EXPECT_EQ(s.text("EgretReleases", 0, "WorkloadKind"), "Deployment");
  EXPECT_EQ(s.text("EgretReleases", 0, "WorkloadName"), "payments");
  EXPECT_EQ(s.text("EgretReleases", 0, "Digest"), "sha256:ab");
  EXPECT_EQ(s.text("EgretReleases", 0, "Status"), "succeeded");
  EXPECT_EQ(s.text("EgretReleases", 0, "Cluster"), "c1");

  s = load(
      kKubeObjects,
      R"({"kind":"List","apiVersion":"v1","items":[{"kind":"Application","apiVersion":"argoproj.io/v1alpha1","metadata":{"name":"shop"},"spec":{"destination":{"namespace":"shop","server":"https://kubernetes.default.svc"}},"status":{"history":[{"id":1,"revision":"abc","deployedAt":"2024-05-01T00:00:00Z","deployStartedAt":"2024-04-30T23:59:00Z","source":{"repoURL":"r","targetRevision":"v1"}},{"id":2,"revision":"def","deployedAt":"2024-06-01T00:00:00Z","source":{"repoURL":"r","targetRevision":"v2"}}],"operationState":{"phase":"Succeeded","finishedAt":"2024-06-01T00:00:00Z"}}}]})");
  ASSERT_EQ(s.count("EgretReleases"), 2u);
  EXPECT_EQ(s.text("EgretReleases", 1, "Commit"), "def");
  EXPECT_EQ(s.text("EgretReleases", 1, "Namespace"), "shop");
}

constexpr std::string_view kConnHeader =
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_"
    "orig\tlocal_resp\thistory\torig_pkts\tresp_pkts\n";

TEST(Zeek, ConnOfTsv) {
  const MemorySink s = load(
      kZeek,
      std::string(kConnHeader) +
          "1672843056.913119\tC1\t10.136.0.18\t55548\t104.16.0.1\t443\ttcp\thttp,ssl\t0.084044\t1030\t20275\tSF\t-\t-\tShADadFf\t18\t14\n"
          "1672843056.9\tC2\t10.136.0.18\t8\t10.0.0.1\t0\ticmp\t-\t-\t-\t-\tOTH\tT\tT\t-\t1\t0\n1672843056.9\tC3\t10.1\n",
      "conn.log");
  ASSERT_EQ(s.count("ASimNetworkSessionLogs"), 2u);
  const auto cell = [&](size_t row, std::string_view column) { return s.text("ASimNetworkSessionLogs", row, column); };
  EXPECT_EQ(cell(0, "TimeGenerated"), "2023-01-04T14:37:36.913119Z");
  EXPECT_EQ(cell(0, "EventEndTime"), "2023-01-04T14:37:36.997163Z");
  EXPECT_EQ(cell(0, "NetworkDirection"), "Outbound");
  EXPECT_EQ(cell(0, "NetworkApplicationProtocol"), "HTTP,TLS");
  EXPECT_EQ(cell(0, "SrcBytes"), "1030");
  EXPECT_EQ(cell(0, "NetworkDuration"), "84");
  EXPECT_EQ(cell(1, "NetworkProtocol"), "ICMP");
  EXPECT_EQ(cell(1, "DstPortNumber"), "");
  EXPECT_EQ(cell(1, "NetworkDirection"), "Local");
  ASSERT_EQ(s.errors.size(), 1u);
  EXPECT_EQ(s.errors[0].line, 9u);
}

TEST(Zeek, DnsAnswersOfJsonAndLogsThatAreNotUsed) {
  MemorySink s = load(
      kZeek,
      R"({"ts":1575413123.292845,"uid":"C1","id.orig_h":"10.18.20.97","id.orig_p":52634,"id.resp_h":"10.18.20.8","id.resp_p":53,"proto":"udp","trans_id":19985,"rtt":0.0596,"query":"Dns.Example","qtype":1,"qtype_name":"A","rcode":0,"rcode_name":"NOERROR","RD":true,"RA":true,"answers":["cdn.example","131.107.255.255"]})",
      "dns.log");
  ASSERT_EQ(s.count("ASimDnsActivityLogs"), 1u);
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 0, "Answers"), R"(["131.107.255.255"])");
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 0, "DnsQuery"), "dns.example");
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 0, "EventSubType"), "response");
  EXPECT_EQ(s.text("ASimDnsActivityLogs", 0, "DnsNetworkDuration"), "59");
  s = load(kZeek, "#separator \\x09\n#path\tweird\n#fields\tts\tname\n1\tx\n", "weird.log");
  EXPECT_EQ(s.total() + s.errors.size(), 0u);
}

TEST(Hubble, RepliesAreTurnedRound) {
  const MemorySink s = load(
      kHubble,
      R"({"flow":{"time":"2024-06-01T10:00:00Z","verdict":"FORWARDED","IP":{"source":"104.16.0.1","destination":"10.0.2.16","ipVersion":"IPv4"},"l4":{"TCP":{"source_port":443,"destination_port":42044}},"source":{"identity":2,"labels":["reserved:world"]},"destination":{"namespace":"shop","pod_name":"web-1","workloads":[{"kind":"Deployment","name":"web"}]},"traffic_direction":"INGRESS","is_reply":true,"source_names":["ifconfig.co"]},"node_name":"n1"})");
  ASSERT_EQ(s.count("ASimNetworkSessionLogs"), 1u);
  const auto cell = [&](std::string_view column) { return s.text("ASimNetworkSessionLogs", 0, column); };
  EXPECT_EQ(cell("SrcIpAddr"), "10.0.2.16");
  EXPECT_EQ(cell("DstIpAddr"), "104.16.0.1");
  EXPECT_EQ(cell("DstPortNumber"), "443");
  EXPECT_EQ(cell("SrcWorkload"), "shop/Deployment/web");
  EXPECT_EQ(cell("DstHostname"), "ifconfig.co");
  EXPECT_EQ(cell("NetworkDirection"), "Outbound");
  EXPECT_EQ(cell("DstPackets"), "1");
}

TEST(ContainerLog, AutoscalerLinesKeepTheirTime) {
  const MemorySink s = load(kContainerLog,
                            "I0601 09:58:01.000001       1 executor.go:147] Scale-up: setting group aks-np-vmss size to 4\nI0601 "
                            "09:58:02.5       1 x.go:1] short\n",
                            "kube-system_cluster-autoscaler-1_ca.log");
  ASSERT_EQ(s.count("ContainerLogV2"), 1u);
  EXPECT_EQ(s.text("ContainerLogV2", 0, "TimeGenerated"), "2024-06-01T09:58:01.000001Z");
  EXPECT_EQ(s.errors.size(), 1u);
}

TEST(KubeAudit, ListsAndCloudLoggingEntries) {
  MemorySink s = load(
      kKubeAudit,
      R"({"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"auditID":"1","stage":"ResponseComplete","verb":"get","objectRef":{"resource":"pods"},"requestReceivedTimestamp":"2024-06-01T10:00:00Z"},{"auditID":"2","stage":"ResponseComplete","verb":"get","objectRef":{"resource":"pods"},"requestReceivedTimestamp":"2024-06-01T10:00:00Z"}]})");
  EXPECT_EQ(s.count("AKSAudit"), 2u);
  s = load(
      kKubeAudit,
      R"({"protoPayload":{"methodName":"io.k8s.core.v1.pods.delete","resourceName":"core/v1/namespaces/shop/pods/web-1","authenticationInfo":{"principalEmail":"a@example.com"},"status":{}},"timestamp":"2024-06-01T10:00:00Z","resource":{"labels":{"cluster_name":"gke-1"}}})");
  ASSERT_EQ(s.count("EgretKubeObjects"), 1u);
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "Verb"), "delete");
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "Name"), "web-1");
  EXPECT_EQ(s.text("EgretKubeObjects", 0, "Cluster"), "gke-1");
}

}  // namespace
}  // namespace egret::ingest
