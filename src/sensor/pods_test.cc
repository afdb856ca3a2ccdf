#include "sensor/pods.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace egret::sensor {
namespace {

namespace fs = std::filesystem;

std::string pod(std::string_view name, std::string_view uid, std::string_view meta) {
  return R"({"metadata":{"name":")" + std::string(name) + R"(","namespace":"shop","uid":")" + std::string(uid) + "\"," + std::string(meta) +
         R"(},"spec":{"nodeName":"n1","hostNetwork":true},"status":{"containerStatuses":[{"name":"main","image":"r/x:1",)" +
         R"("imageID":"r/x@sha256:abc","containerID":"containerd://c-)" + std::string(uid) + "\"}]}}";
}

TEST(Pods, TopmostOwner) {
  struct Case {
    std::string name, meta, workload;
  };
  const Case cases[] = {
      {"cart-5d9c7b8f6-abcde",
       R"("labels":{"pod-template-hash":"5d9c7b8f6"},"ownerReferences":[{"kind":"ReplicaSet","name":"cart-5d9c7b8f6","controller":true}])",
       "shop/Deployment/cart"},
      {"lone-x", R"("ownerReferences":[{"kind":"ReplicaSet","name":"lone","controller":true}])", "shop/ReplicaSet/lone"},
      {"agent-x", R"("ownerReferences":[{"kind":"DaemonSet","name":"agent","controller":true}])", "shop/DaemonSet/agent"},
      {"nightly-28391820-x", R"("ownerReferences":[{"kind":"Job","name":"nightly-28391820","controller":true}])", "shop/CronJob/nightly"},
      {"once-x", R"("ownerReferences":[{"kind":"Job","name":"once","controller":true}])", "shop/Job/once"},
      {"apiserver-n1", R"("ownerReferences":[{"kind":"Node","name":"n1","controller":true}])", "shop/StaticPod/apiserver-n1"},
      {"bare", R"("labels":{})", "shop/Pod/bare"},
  };
  for (const Case& c : cases) {
    std::vector<PodFound> found;
    ASSERT_TRUE(parse_pods(pod(c.name, "u", c.meta), found)) << c.name;
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].pod.workload, c.workload);
    EXPECT_EQ(found[0].pod.host_network, 1);
    ASSERT_EQ(found[0].containers.size(), 1u);
    EXPECT_EQ(found[0].containers[0].id, "c-u");
    EXPECT_EQ(found[0].containers[0].digest, "sha256:abc");
  }
}

TEST(Pods, EveryFormOfAListAndNothingElse) {
  const std::string one = pod("a", "u1", R"("labels":{})"), two = pod("b", "u2", R"("labels":{})");
  for (const std::string& text :
       {"[" + one + "," + two + "]", R"({"kind":"PodList","items":[)" + one + "," + two + "]}", one + "\n" + two + "\n"}) {
    std::vector<PodFound> found;
    EXPECT_TRUE(parse_pods(text, found));
    EXPECT_EQ(found.size(), 2u);
  }
  for (const std::string text : {"", "{", "nonsense", R"({"a":1})", "[", "42"}) {
    std::vector<PodFound> found;
    EXPECT_FALSE(parse_pods(text, found)) << text;
  }
}

TEST(Pods, FilesLogFoldersAndBundles) {
  const fs::path folder = fs::path(testing::TempDir()) / ("egret_pods_test_" + std::to_string(::getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder / "logs" / "kube-system_proxy-x_uid-logs");
  fs::create_directories(folder / "run" / "cont1");
  fs::create_directories(folder / "pods");
  std::ofstream(folder / "run" / "cont1" / "config.json")
      << R"({"annotations":{"io.kubernetes.cri.sandbox-namespace":"n","io.kubernetes.cri.sandbox-name":"p","io.kubernetes.cri.sandbox-uid":"uid-run",)"
      << R"("io.kubernetes.cri.container-name":"main","io.kubernetes.cri.image-name":"r/x@sha256:77","io.kubernetes.cri.container-type":"container"}})";
  std::ofstream(folder / "pods" / "list.json") << pod("a", "uid-file", R"("annotations":{"kubernetes.io/config.mirror":"uid-mirror"})");
  std::ofstream(folder / "pods" / "broken.json") << "{";
  Pods pods({(folder / "pods").string(), (folder / "logs").string(), (folder / "run").string()});
  EXPECT_TRUE(pods.refresh());
  EXPECT_FALSE(pods.refresh());
  EXPECT_EQ(pods.unreadable(), 1u);
  ASSERT_TRUE(pods.pod("uid-file"));
  EXPECT_EQ(pods.pod("uid-file")->workload, "shop/Pod/a");
  ASSERT_TRUE(pods.pod("uid-mirror"));
  EXPECT_EQ(pods.pod("uid-mirror")->name, "a");
  ASSERT_TRUE(pods.pod("uid-logs"));
  EXPECT_EQ(pods.pod("uid-logs")->ns, "kube-system");
  EXPECT_EQ(pods.pod("uid-logs")->name, "proxy-x");
  EXPECT_EQ(pods.pod("uid-run"), nullptr);
  ASSERT_TRUE(pods.container("cont1"));
  EXPECT_EQ(pods.container("cont1")->digest, "sha256:77");
  ASSERT_TRUE(pods.pod("uid-run"));
  EXPECT_EQ(pods.pod("uid-run")->name, "p");
  EXPECT_EQ(pods.container("../cont1"), nullptr);
  std::ofstream(folder / "pods" / "more.json") << pod("late", "uid-late", R"("labels":{})");
  EXPECT_TRUE(pods.refresh());
  EXPECT_TRUE(pods.pod("uid-late"));
}

}  // namespace
}  // namespace egret::sensor
