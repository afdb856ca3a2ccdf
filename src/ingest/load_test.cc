#include "ingest/load.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "ingest/cluster_survey.h"
#include "ingest/content.h"
#include "ingest/manifest.h"
#include "model/catalogue.h"

namespace egret::ingest {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFlow =
    R"({"records":[{"time":"2022-09-14T09:00:52Z","category":"FlowLogFlowEvent","targetResourceID":"/s/x/net","flowRecords":{"flows":[{"flowGroups":[{"rule":"r","flowTuples":["1663146003599,10.0.0.6,52.239.184.180,23956,443,6,O,B,NX,0,0,0,0"]}]}]}}]})";

class Load : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() /
            ("egret-load-" + std::to_string(::getpid()) + "-" + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void put(const std::string& path, std::string_view text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }

  Result<Summary> load() {
    store_.append = [this](const model::Batch& b) -> Result<void> {
      for (size_t r = 0; r < b.rows(); ++r) {
        std::map<std::string, std::string> row;
        for (size_t c = 0; c < b.table().columns.size(); ++c)
          if (const auto text = b.to_text(static_cast<int>(c), r); !text.empty()) row[b.table().columns[c].name] = text;
        rows_[b.table().name].push_back(std::move(row));
      }
      return {};
    };
    store_.commit = [this]() -> Result<void> {
      ++commits_;
      return {};
    };
    return ingest::load(store_, {root_}, {.now = ticks_from_unix_seconds(1'700'000'000), .format = {}});
  }

  fs::path root_;
  RowStore store_;
  int commits_ = 0;
  std::map<std::string, std::vector<std::map<std::string, std::string>>> rows_;
};

std::string gzip(std::string_view text) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 1000, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

TEST_F(Load, TheFolderNamesTheCluster) {
  put("aks-one/flow.json", kFlow);
  put("aks-two/flow.json", std::string(kFlow) + "\n\n");
  put("logs/flow2.json", std::string(kFlow) + "\n");
  const auto s = load();
  ASSERT_TRUE(s);
  ASSERT_EQ(rows_["ASimNetworkSessionLogs"].size(), 3u);
  EXPECT_EQ(rows_["ASimNetworkSessionLogs"][0]["Cluster"], "aks-one");
  EXPECT_EQ(rows_["ASimNetworkSessionLogs"][2]["Cluster"], "") << "'logs' is no cluster's name, and there are two";
  ASSERT_EQ(rows_["EgretSources"].size(), 3u);
  EXPECT_EQ(rows_["EgretSources"][0]["Sha256"].size(), 64u);
  EXPECT_EQ(rows_["EgretSources"][0]["Rows"], "1");
  EXPECT_EQ(rows_["EgretCoverage"][1]["Source"], "vnet-flow");
  EXPECT_GE(commits_, 1);
}

constexpr std::string_view kEvents =
    R"([{"TimeGenerated":"2022-09-14T09:00:52Z","ObjectKind":"Pod","Name":"a-1","Namespace":"n","Reason":"Started","Message":"m","KubeEventType":"Normal","_ResourceId":"/subscriptions/s/resourcegroups/r/providers/microsoft.containerservice/managedclusters/prod-ca"}])";

TEST_F(Load, WhereOneClusterIsNamedItIsThatOne) {
  put("flow.json", kFlow);
  put("KubeEvents.json", kEvents);
  const auto s = load();
  ASSERT_TRUE(s);
  ASSERT_EQ(rows_["ASimNetworkSessionLogs"].size(), 1u);
  EXPECT_EQ(rows_["ASimNetworkSessionLogs"][0]["Cluster"], "prod-ca");
  EXPECT_EQ(s->notes.size(), 1u);
}

TEST(ClustersNamed, IdsGroupsAndMembersButNotOperations) {
  std::set<std::string> names;
  clusters_named(R"({"operationName":"Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
    "resourceId":"/SUBSCRIPTIONS/S/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/PROD-CA",
    "SrcVm":"mc_rg-x_prod-we_westeurope/vm_1", "ClusterName": "Prod-Ne", "columns":[{"name":"ClusterName","type":"string"}]})",
                 names);
  EXPECT_EQ(names, (std::set<std::string>{"prod-ca", "prod-we", "prod-ne"}));
}

TEST_F(Load, AFolderOfAnotherNameIsTheClusterThatItsFilesName) {
  put("canada/flow.json", kFlow);
  put("canada/KubeEvents.json", kEvents);
  put("europe/flow.json", std::string(kFlow) + "\n");
  const auto s = load();
  ASSERT_TRUE(s);
  ASSERT_EQ(rows_["ASimNetworkSessionLogs"].size(), 2u);
  EXPECT_EQ(rows_["ASimNetworkSessionLogs"][0]["Cluster"], "prod-ca");
  EXPECT_EQ(rows_["ASimNetworkSessionLogs"][1]["Cluster"], "europe");
  EXPECT_EQ(rows_["KubeEvents"][0]["Cluster"], "prod-ca");
}

TEST_F(Load, TheSameFileTwiceIsTakenOnce) {
  put("aks-one/a.json", kFlow);
  put("aks-one/b.json", kFlow);
  put("aks-two/a.json", kFlow);
  const auto s = load();
  ASSERT_TRUE(s);
  EXPECT_EQ(rows_["ASimNetworkSessionLogs"].size(), 2u) << "once for each cluster";
  EXPECT_EQ(s->files[1].format, "repeated");
}

TEST_F(Load, UnknownAndEmptyFilesBecomeErrorRows) {
  put("notes.bin", std::string("\x00\x01\x02\x03 something", 14));
  put("empty.log", "");
  const auto s = load();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->unknown_files(), 1u);
  ASSERT_EQ(rows_["EgretIngestErrors"].size(), 2u);
  EXPECT_EQ(rows_["EgretIngestErrors"][0]["Reason"], "the file is empty");
  EXPECT_EQ(rows_["EgretIngestErrors"][1]["Reason"], "the format is not known (binary data)");
  EXPECT_TRUE(rows_["EgretIngestErrors"][1]["Hint"].contains("--formats"));
}

TEST_F(Load, SegmentsOfASensorAsAPlainFolder) {
  put("n/node-1.0006610e4406a2f1.00000001.ndjson",
      R"({"Type":"ASimNetworkSessionLogs","TimeGenerated":"2026-01-02T03:04:05.678Z","_Sensor":"node-1.0006610e4406a2f1","_Sequence":1,"DstIpAddr":"192.0.2.1"})"
      "\n");
  put("n/node-1.0006610e4406a2f1.00000002.ndjson", "");
  put("n/.node-1.0006610e4406a2f1.00000003.ndjson.part",
      R"({"Type":"ASimNetworkSessionLogs","TimeGenerated":"2026-01-02T03:04:06.678Z","_Sensor":"node-1.0006610e4406a2f1","_Sequence":2})"
      "\n{\"Type\":\"ASim");
  put("n/.node-1.lock", "");
  const auto s = load();
  ASSERT_TRUE(s);
  EXPECT_EQ(rows_["ASimNetworkSessionLogs"].size(), 1u);
  EXPECT_EQ(rows_["EgretIngestErrors"].size(), 0u);
  EXPECT_TRUE(s->notes.empty()) << s->notes.begin()->first;
}

TEST_F(Load, ACutGzipGivesItsGoodPartAndSaysSo) {
  // Random-looking lines, so that the cut falls inside the data and not behind it.
  std::string text;
  for (int i = 0; i < 4000; ++i)
    text += "{\"time\":\"2022-09-14T09:00:52Z\",\"category\":\"FlowLogFlowEvent\",\"flow.0\":\"1663146" +
            std::to_string(100000 + i * 7919 % 900000) + ",10.0.0." + std::to_string(i * 31 % 250) +
            ",52.239.184.180,23956,443,6,O,B,NX,0,0,0,0\"}\n";
  const std::string whole = gzip(text);
  put("aks-one/flow.jsonl.gz", whole.substr(0, whole.size() / 2));
  const auto s = load();
  ASSERT_TRUE(s);
  EXPECT_GT(rows_["ASimNetworkSessionLogs"].size(), 500u);
  EXPECT_LT(rows_["ASimNetworkSessionLogs"].size(), 4000u);
  EXPECT_TRUE(rows_["EgretIngestErrors"].at(0)["Reason"].contains("ends early"));
}

TEST_F(Load, TheManifestNamesWhatNothingElseDoes) {
  put("evidence.yaml",
      "clusters:\n  prod-ca:\n    region: Canada Central\n    paths: [ca/**]\n    egress_ips: [20.48.1.2]\nfiles:\n  - path: '*.txt'\n    "
      "skip: true\n");
  put("ca/flow.json", kFlow);
  put("ca/readme.txt", "nothing");
  const auto s = load();
  ASSERT_TRUE(s);
  EXPECT_EQ(rows_["ASimNetworkSessionLogs"].at(0)["Cluster"], "prod-ca");
  EXPECT_EQ(rows_["EgretClusters"].at(0)["Region"], "canadacentral");
  EXPECT_EQ(rows_["EgretClusters"].at(0)["EgressIps"], "[\"20.48.1.2\"]");
  EXPECT_EQ(rows_["EgretIngestErrors"].size(), 0u);
}

TEST_F(Load, MistakesOfTheUserAreErrors) {
  EXPECT_EQ(load().error().message, "there is no file in " + root_.string());
  put("evidence.yaml", "clusters:\n  prod:\n    regoin: x\n");
  EXPECT_TRUE(load().error().message.ends_with("evidence.yaml:3: cluster 'prod' has no 'regoin'"));
  EXPECT_EQ(load().error().hint, "did you mean 'region'?");
  EXPECT_TRUE(ingest::load(store_, {root_ / "nowhere"}, {.now = 0, .format = {}}).error().message.contains("nowhere"));
}

TEST(Manifest, GlobsAndOffsets) {
  EXPECT_TRUE(path_matches("ca/**", "ca/x/y.json"));
  EXPECT_TRUE(path_matches("*.csv", "portal/a.csv"));
  EXPECT_FALSE(path_matches("portal/*.csv", "portal/x/a.csv"));
  EXPECT_TRUE(path_matches("**/pods.json", "pods.json"));
  const auto m = parse_manifest("files:\n  - {path: a.csv, utc_offset: '-05:30', dates: D/M/YYYY, kind: KubeEvents}\n", "e");
  ASSERT_TRUE(m);
  Source s{.path = "a.csv"};
  EXPECT_TRUE(apply(*m, s));
  EXPECT_EQ(s.utc_offset, -(5 * kTicksPerHour + 30 * kTicksPerMinute));
  EXPECT_FALSE(s.month_first);
  EXPECT_EQ(s.kind, "KubeEvents");
  EXPECT_EQ(parse_manifest("files:\n  - {path: a, utc_offset: Berlin}\n", "e").error().message, "e:2: 'Berlin' is no time zone");
  EXPECT_EQ(parse_manifest("files:\n  - {path: a, kind: KubeEvent}\n", "e").error().hint, "did you mean 'KubeEvents'?");
}

TEST(Content, Recodes) {
  Content c;
  c.bytes = std::string("\xff\xfe{\0}\0", 6);
  unpack(c);
  EXPECT_EQ(c.bytes, "{}");
  c.bytes = "\xef\xbb\xbf{}";
  unpack(c);
  EXPECT_EQ(c.bytes, "{}");
  c.bytes = gzip(std::string(100'000, 'x'));
  unpack(c, 1000);
  EXPECT_EQ(c.bytes.size(), 1000u);
  EXPECT_TRUE(c.trouble.contains("only the first"));
}

TEST(ClusterOfPath, IdsAndFolders) {
  EXPECT_EQ(cluster_of_path("insights-logs-kube-audit/resourceId=/SUBSCRIPTIONS/X/RESOURCEGROUPS/R/PROVIDERS/MICROSOFT.CONTAINERSERVICE/"
                            "MANAGEDCLUSTERS/PROD-CA/y=2022/PT1H.json"),
            "prod-ca");
  EXPECT_EQ(cluster_of_path("prod-ca/x.json"), "prod-ca");
  EXPECT_EQ(cluster_of_path("logs/x.json"), "");
  EXPECT_EQ(cluster_of_path("evidence/prod-ca/kubectl/x.json"), "prod-ca");
  EXPECT_EQ(cluster_of_path("export/logs/prod-ca/x.json"), "prod-ca");
  EXPECT_EQ(cluster_of_path("evidence/alerts/x.json"), "");
  EXPECT_EQ(cluster_of_path("2022-04-01/x.json"), "");
  EXPECT_EQ(cluster_of_path("logs/shop_cart-7d9f8c6b5d-aaaaa_0a1b2c3d/cart/0.log"), "");
  EXPECT_EQ(cluster_of_path("x.json"), "");
}

}  // namespace
}  // namespace egret::ingest
