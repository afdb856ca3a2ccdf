#include "ingest/kube_audit.h"

#include <gtest/gtest.h>

#include "ingest/memory_sink.h"

namespace egret::ingest {
namespace {

struct Audit {
  MemorySink sink;
  AuditDecoder decoder{sink};
  std::string add(std::string json, bool admin = false) { return decoder.decode_text(json, {.cluster = "c1", .admin = admin}); }
  size_t objects() { return sink.count("EgretKubeObjects"); }
  std::string object(std::string_view column, size_t row = 0) { return sink.text("EgretKubeObjects", row, column); }
};

std::string event(std::string_view verb, std::string_view ref, std::string_view rest, std::string_view stage = "ResponseComplete",
                  std::string_view id = "a1", int code = 200) {
  return R"({"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":")" + std::string(id) + R"(","stage":")" + std::string(stage) +
         R"(","verb":")" + std::string(verb) +
         R"(","requestURI":"/x","user":{"username":"alice"},"userAgent":"kubectl/1.30","objectRef":)" + std::string(ref) +
         R"(,"responseStatus":{"code":)" + std::to_string(code) + R"(},"requestReceivedTimestamp":"2024-06-01T10:00:00.5Z")" +
         std::string(rest) + "}";
}

constexpr std::string_view kPod = R"({"resource":"pods","namespace":"shop","name":"web-1","apiVersion":"v1"})";
constexpr std::string_view kDeployment =
    R"({"resource":"deployments","namespace":"shop","name":"web","apiGroup":"apps","apiVersion":"v1"})";
constexpr std::string_view kSecret = R"({"resource":"secrets","namespace":"shop","name":"db","apiVersion":"v1"})";

TEST(Audit, CreateShowsTheWholePod) {
  Audit a;
  ASSERT_EQ(
      a.add(event(
          "create", kPod,
          R"(,"responseObject":{"kind":"Pod","metadata":{"name":"web-1","namespace":"shop","uid":"u1","labels":{"app":"web","pod-template-hash":"abc"},"ownerReferences":[{"kind":"ReplicaSet","name":"web-abc","uid":"r1","controller":true}]},"spec":{"nodeName":"n1","serviceAccountName":"web","containers":[{"name":"c","image":"acr/web:2","args":["--url","https://x.example"],"env":[{"name":"K","valueFrom":{"secretKeyRef":{"name":"db","key":"p"}}},{"name":"HOST","value":"api.example"}]}],"volumes":[{"configMap":{"name":"cfg"}}]}})")),
      "");
  ASSERT_EQ(a.objects(), 1u);
  EXPECT_EQ(a.object("Verb"), "create");
  EXPECT_EQ(a.object("Node"), "n1");
  EXPECT_EQ(a.object("OwnerName"), "web-abc");
  EXPECT_EQ(a.object("Images"), R"(["acr/web:2"])");
  EXPECT_EQ(a.object("TemplateHash"), "abc");
  EXPECT_EQ(a.object("Arguments"), "c: --url https://x.example HOST=api.example");
  EXPECT_EQ(a.object("Mounts"), R"([{"kind":"ConfigMap","name":"cfg","via":"volume"},{"kind":"Secret","name":"db","via":"env"}])");
  EXPECT_EQ(a.object("HostNetwork"), "false");
  EXPECT_EQ(a.object("User"), "alice");
  EXPECT_EQ(a.object("TimeGenerated"), "2024-06-01T10:00:00.5Z");
  EXPECT_EQ(a.object("Source"), "kube-audit");
  EXPECT_EQ(a.sink.count("AKSAudit"), 1u);
}

// As Kubernetes 1.34 writes it: the request and objectRef carry kubelet's own uid, the answer that of the object in the cluster.
TEST(Audit, TheMirrorOfAStaticPodHasTheUidThatTheServerGave) {
  Audit a;
  a.add(event(
      "create",
      R"({"resource":"pods","namespace":"kube-system","name":"edge-n1","uid":"94e8d7c12adb8fe35aca5e01b01c13e0","apiVersion":"v1"})",
      R"(,"requestObject":{"kind":"Pod","metadata":{"name":"edge-n1","uid":"94e8d7c12adb8fe35aca5e01b01c13e0"},"spec":{"nodeName":"n1","containers":[]}})"
      R"(,"responseObject":{"kind":"Pod","metadata":{"name":"edge-n1","uid":"160b07ac-ae02-421f-a28f-578c869d39c5"},"spec":{"nodeName":"n1","containers":[]}})"));
  ASSERT_EQ(a.objects(), 1u);
  EXPECT_EQ(a.object("Uid"), "160b07ac-ae02-421f-a28f-578c869d39c5");
}

TEST(Audit, FailedAndDryRunRequestsChangeNothing) {
  Audit a;
  a.add(event("create", kPod, "", "ResponseComplete", "a1", 403));
  std::string dry = event("delete", kPod, "");
  dry.replace(dry.find("\"/x\""), 4, "\"/x?dryRun=All\"");
  a.add(dry);
  a.add(event("get", kPod, ""));
  EXPECT_EQ(a.sink.count("AKSAudit"), 3u);
  EXPECT_EQ(a.objects(), 0u);
}

TEST(Audit, OnlyTheCompletedStageCountsUnlessThereIsNone) {
  Audit a;
  a.add(event("delete", kPod, "", "RequestReceived", "a1"));
  a.add(event("delete", kPod, "", "ResponseComplete", "a1"));
  a.add(event("delete", kPod, "", "RequestReceived", "a2"));
  a.add(event("delete", kDeployment, "", "ResponseComplete", "a3", 404));
  a.add(event("delete", kDeployment, "", "RequestReceived", "a3"));  // exports are not always in order
  EXPECT_EQ(a.objects(), 1u);
  a.decoder.finish();
  EXPECT_EQ(a.objects(), 2u);
  EXPECT_EQ(a.object("Deleted"), "2024-06-01T10:00:00.5Z");
  ASSERT_EQ(a.sink.coverage.size(), 1u);
  EXPECT_EQ(a.sink.coverage[0].source, "kube-audit");
}

TEST(Audit, PatchShowsOnlyWhatItChanged) {
  Audit a;
  a.add(
      event("patch", kDeployment, R"(,"requestObject":{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"acr/web:3"}]}}}})"));
  a.add(event(
      "patch", kDeployment,
      R"(,"requestObject":[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"acr/web:4"},{"op":"replace","path":"/spec/replicas","value":5}])"));
  a.add(event("update", R"({"resource":"deployments","namespace":"shop","name":"web","subresource":"scale"})",
              R"(,"requestObject":{"kind":"Scale","spec":{"replicas":0}})"));
  ASSERT_EQ(a.objects(), 3u);
  EXPECT_EQ(a.object("Images", 0), R"(["acr/web:3"])");
  EXPECT_EQ(a.object("HostNetwork", 0), "");
  EXPECT_EQ(a.object("TemplateHash", 0), "");
  EXPECT_EQ(a.object("Images", 1), R"(["acr/web:4"])");
  EXPECT_EQ(a.object("Replicas", 1), "5");
  EXPECT_EQ(a.object("Replicas", 2), "0");
}

TEST(Audit, BindingGivesTheNode) {
  Audit a;
  a.add(event("create", R"({"resource":"pods","namespace":"shop","name":"web-1","subresource":"binding"})",
              R"(,"requestObject":{"kind":"Binding","metadata":{"uid":"u1"},"target":{"kind":"Node","name":"n7"}})"));
  a.add(event("create", R"({"resource":"pods","namespace":"shop","name":"web-1","subresource":"exec"})", ""));
  ASSERT_EQ(a.objects(), 1u);
  EXPECT_EQ(a.object("Node"), "n7");
  EXPECT_EQ(a.object("Uid"), "u1");
}

TEST(Audit, SecretsNeverKeepTheirValues) {
  Audit a;
  a.add(event(
      "create", kSecret,
      R"(,"requestObject":{"kind":"Secret","metadata":{"name":"db","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"p\":\"aHVudGVyMg==\"}}"}},"data":{"p":"aHVudGVyMg=="},"stringData":{"q":"hunter2"}})"));
  a.add(event(
      "patch", kSecret,
      R"(,"requestObject":[{"op":"replace","path":"/data/p","value":"aHVudGVyMg=="},{"op":"add","path":"/data","value":{"r":"aHVudGVyMg=="}}])"));
  ASSERT_EQ(a.objects(), 2u);
  for (const auto& [table, batch] : a.sink.batches)
    for (size_t row = 0; row < batch.rows(); ++row)
      for (size_t c = 0; c < batch.table().columns.size(); ++c) {
        const std::string cell = batch.to_text(static_cast<int>(c), row);
        EXPECT_EQ(cell.find("hunter2"), std::string::npos) << table << " " << batch.table().columns[c].name;
        EXPECT_EQ(cell.find("aHVudGVyMg"), std::string::npos) << table << " " << batch.table().columns[c].name;
      }
  // The same value has the same hash, whether it was given encoded or plain.
  const std::string data = a.object("Data");
  EXPECT_EQ(data.substr(data.find("sha256:"), 71), data.substr(data.rfind("sha256:"), 71));
}

TEST(Audit, HeartbeatsOfNodesAreNotChanges) {
  Audit a;
  const std::string ref = R"({"resource":"nodes","name":"n1","subresource":"status"})";
  const auto beat = [&](std::string_view ready) {
    a.add(event("patch", ref,
                R"(,"requestObject":{"status":{"conditions":[{"type":"MemoryPressure","status":"False"},{"type":"Ready","status":")" +
                    std::string(ready) + R"("}]}})"));
  };
  beat("False");
  beat("False");
  beat("True");
  beat("True");
  a.add(event("patch", ref, R"(,"requestObject":{"status":{"images":[]}})"));
  ASSERT_EQ(a.objects(), 2u);
  EXPECT_EQ(a.object("Phase", 0), "NotReady");
  EXPECT_EQ(a.object("Phase", 1), "Ready");
}

TEST(Audit, EventsGoToKubeEvents) {
  Audit a;
  a.add(event(
      "create", R"({"resource":"events","namespace":"default","name":"x"})",
      R"(,"requestObject":{"kind":"Event","reason":"TriggeredScaleUp","message":"pod triggered scale-up","type":"Normal","involvedObject":{"kind":"Pod","name":"web-1","namespace":"shop"},"lastTimestamp":"2024-06-01T09:59:58Z","count":1,"source":{"component":"cluster-autoscaler"}})"));
  EXPECT_EQ(a.objects(), 0u);
  ASSERT_EQ(a.sink.count("KubeEvents"), 1u);
  EXPECT_EQ(a.sink.text("KubeEvents", 0, "Name"), "web-1");
  EXPECT_EQ(a.sink.text("KubeEvents", 0, "SourceComponent"), "cluster-autoscaler");
}

TEST(Audit, ExportedRowsGiveTheSameObject) {
  Audit a;
  a.add(event("create", kPod, R"(,"responseObject":{"kind":"Pod","metadata":{"uid":"u1"},"spec":{"nodeName":"n1","containers":[]}})"),
        true);
  MemorySink again;
  AuditDecoder decoder(again);
  decoder.decode_row(a.sink.batches.find("AKSAuditAdmin")->second, 0, {.cluster = "c1", .admin = true});
  ASSERT_EQ(again.count("EgretKubeObjects"), 1u);
  for (const std::string_view column : {"TimeGenerated", "Verb", "Kind", "Name", "Uid", "Node", "User", "Source"})
    EXPECT_EQ(again.text("EgretKubeObjects", 0, column), a.object(column)) << column;
}

TEST(Audit, WhatIsNoEventIsSaid) {
  Audit a;
  EXPECT_NE(a.add("{"), "");
  EXPECT_NE(a.add(R"({"kind":"Event","apiVersion":"v1","reason":"Pulled"})"), "");
  EXPECT_EQ(a.sink.total(), 0u);
}

}  // namespace
}  // namespace egret::ingest
