#include "store/engine.h"
#include "store/sealed.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "model/catalogue.h"
#include "store/duck.h"

namespace egret::store {
namespace {

using model::Batch;
using model::Type;

class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/egret-store-XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<Engine> open(bool read_only = false) {
    auto engine = Engine::open({.folder = folder_, .memory_bytes = 512u << 20, .threads = 1, .read_only = read_only});
    EXPECT_TRUE(engine) << engine.error().message;
    return engine ? *std::move(engine) : nullptr;
  }
  std::filesystem::path folder_;
};

Batch errors_batch(int from, int to) {
  Batch b(*model::find_table("EgretIngestErrors"));
  for (int i = from; i < to; ++i) {
    b.add_row();
    b.set_string(b.column("File"), "f" + std::to_string(i));
    if (i % 2 == 0) b.set_int(b.column("Line"), i);
  }
  b.source_id = 7;
  return b;
}

kql::Query sql(std::string text, std::vector<std::string> tables, std::vector<model::Column> columns) {
  kql::Query q;
  q.sql = std::move(text);
  q.tables = std::move(tables);
  q.shape = std::make_shared<model::Table>();
  q.shape->columns = std::move(columns);
  q.shape->build_index();
  return q;
}

int64_t number(Engine& e, const std::string& text, const std::string& table) {
  const auto b = e.run(sql(text, {table}, {{.name = "n", .type = Type::kLong}}));
  EXPECT_TRUE(b) << b.error().message;
  return b && b->rows() == 1 ? b->number(0, 0) : -1;
}

TEST_F(EngineTest, StringsAreNeverNullAndNumbersMayBe) {
  auto e = open();
  ASSERT_TRUE(e->append(errors_batch(0, 5000), 42));
  EXPECT_EQ(number(*e, R"(SELECT count(*) FROM "EgretIngestErrors")", "EgretIngestErrors"), 0) << "not before the commit";
  ASSERT_TRUE(e->commit());
  EXPECT_EQ(e->row_count("EgretIngestErrors"), 5000u);
  EXPECT_EQ(number(*e, R"(SELECT count(*) FROM "EgretIngestErrors" WHERE "Line" IS NULL)", "EgretIngestErrors"), 2500);
  EXPECT_EQ(number(*e, R"(SELECT count(*) FROM "EgretIngestErrors" WHERE "Hint" = '')", "EgretIngestErrors"), 5000);
  EXPECT_EQ(number(*e, R"(SELECT min("_IngestionTime") + min("_SourceId") FROM "EgretIngestErrors")", "EgretIngestErrors"), 49);
}

TEST_F(EngineTest, ColumnsComeWhenFirstUsedAndSurviveReopening) {
  {
    auto e = open();
    ASSERT_TRUE(e->append(errors_batch(0, 10), 1));
    ASSERT_TRUE(e->commit());
    EXPECT_EQ(number(*e, R"(SELECT count(*) FROM "EgretIngestErrors" WHERE "Reason" = '')", "EgretIngestErrors"), 10);
    Batch b(*model::find_table("EgretIngestErrors"));
    b.add_row();
    b.set_string(b.column("Reason"), "cut");
    ASSERT_TRUE(e->append(errors_batch(10, 20), 1));
    ASSERT_TRUE(e->append(b, 2));
    ASSERT_TRUE(e->append(errors_batch(20, 30), 3));
    ASSERT_TRUE(e->commit());
    EXPECT_EQ(number(*e, R"(SELECT count(*) FROM "EgretIngestErrors" WHERE "Reason" = 'cut' AND "File" = '')", "EgretIngestErrors"), 1);
  }
  auto e = open();
  EXPECT_EQ(e->row_count("EgretIngestErrors"), 31u);
  EXPECT_EQ(number(*e, R"(SELECT count(*) FROM "EgretIngestErrors" WHERE "Reason" = '')", "EgretIngestErrors"), 30);
  EXPECT_EQ(number(*e, R"(SELECT count(DISTINCT "_RowId") FROM "EgretIngestErrors")", "EgretIngestErrors"), 31);
  ASSERT_TRUE(e->append(errors_batch(0, 1), 9));
  ASSERT_TRUE(e->commit());
  EXPECT_EQ(number(*e, R"(SELECT max("_RowId") FROM "EgretIngestErrors")", "EgretIngestErrors"), 32) << "an orderly stop leaves no gap";
}

TEST_F(EngineTest, AddressesHaveIntegerCompanions) {
  auto e = open();
  Batch b(*model::find_table("ASimNetworkSessionLogs"));
  for (const char* ip : {"10.0.0.1", "::1", "nonsense"}) {
    b.add_row();
    b.set_string(b.column("SrcIpAddr"), ip);
  }
  ASSERT_TRUE(e->append(b, 1));
  ASSERT_TRUE(e->commit());
  const std::string t = "ASimNetworkSessionLogs";
  EXPECT_EQ(number(*e, R"(SELECT count("SrcIpAddr$ip") FROM "ASimNetworkSessionLogs")", t), 2);
  EXPECT_EQ(number(*e, R"(SELECT count(*) FROM "ASimNetworkSessionLogs" WHERE "SrcIpAddr$ip" = 281470849122305)", t), 0);
  EXPECT_EQ(number(*e, R"(SELECT count(*) FROM "ASimNetworkSessionLogs" WHERE "SrcIpAddr$ip" = 281470681743360 + 167772161)", t), 1);
  EXPECT_EQ(number(*e, R"(SELECT count("DstIpAddr$ip") FROM "ASimNetworkSessionLogs")", t), 0) << "not stored, still there to name";
}

TEST_F(EngineTest, UnstoredTablesAreEmptyAndTemporariesHideStoredOnes) {
  auto e = open();
  EXPECT_EQ(number(*e, R"(SELECT count(*) FROM "SecurityAlert")", "SecurityAlert"), 0);
  ASSERT_TRUE(e->append(errors_batch(0, 3), 1));
  ASSERT_TRUE(e->commit());
  ASSERT_TRUE(e->put_temporary("EgretIngestErrors", errors_batch(0, 1)));
  EXPECT_EQ(number(*e, R"(SELECT count(*) FROM "EgretIngestErrors")", "EgretIngestErrors"), 1);
  ASSERT_TRUE(e->put_temporary("EgretIngestErrors", errors_batch(0, 2)));
  EXPECT_EQ(number(*e, R"(SELECT count(*) FROM "EgretIngestErrors")", "EgretIngestErrors"), 2);
  EXPECT_EQ(e->row_count("EgretIngestErrors"), 3u);
}

TEST_F(EngineTest, QueriesOnlyRead) {
  auto e = open();
  ASSERT_TRUE(e->append(errors_batch(0, 3), 1));
  ASSERT_TRUE(e->commit());
  for (const char* bad :
       {R"(DELETE FROM hot.main."EgretIngestErrors$hot")", "SELECT 1; SELECT 2", "CREATE TABLE memory.main.x (a INT)", "CHECKPOINT hot",
        "ATTACH ':memory:' AS y", "SET threads = 3", "SELECT 1 FROM read_csv('/etc/passwd')", "COPY (SELECT 1) TO '/tmp/egret-x'"}) {
    EXPECT_FALSE(e->run(sql(bad, {}, {{.name = "n", .type = Type::kLong}}))) << bad;
  }
  EXPECT_EQ(e->row_count("EgretIngestErrors"), 3u);
}

TEST_F(EngineTest, StreamsAndStops) {
  auto e = open();
  size_t seen = 0;
  const auto q = sql("SELECT range AS n FROM range(100000)", {}, {{.name = "n", .type = Type::kLong}});
  ASSERT_TRUE(e->stream(q, [&](const Batch& b) {
    seen += b.rows();
    return seen < 5000;
  }));
  EXPECT_GE(seen, 5000u);
  EXPECT_LT(seen, 20000u);
  const auto endless =
      sql("SELECT count(*) AS n FROM range(100000000000) a WHERE a.range % 7 = 9", {}, {{.name = "n", .type = Type::kLong}});
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    e->interrupt();
  });
  const auto stopped = e->run(endless);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(number(*e, "SELECT 5 AS n", ""), 5) << "the connection still works";
}

TEST_F(EngineTest, ReadersSeeWholeCommitsWhileAWriterAppends) {
  auto e = open();
  ASSERT_TRUE(e->append(errors_batch(0, 100), 1));
  ASSERT_TRUE(e->commit());
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0, read = 0;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const auto b = e->query("EgretIngestErrors | count", 0);
        if (!b || b->number(0, 0) % 100 != 0) ++wrong;
        ++read;
      }
    });
  }
  for (int i = 1; i <= 20; ++i) {
    ASSERT_TRUE(e->append(errors_batch(0, 50), i));
    Batch widening(*model::find_table("EgretIngestErrors"));
    for (int k = 0; k < 50; ++k) {
      widening.add_row();
      widening.set_string(widening.column(i % 2 ? "Hint" : "Reason"), "x");
    }
    ASSERT_TRUE(e->append(widening, i));
    ASSERT_TRUE(e->commit());
  }
  stop = true;
  readers.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(read, 0);
  EXPECT_EQ(e->row_count("EgretIngestErrors"), 2100u);
}

TEST_F(EngineTest, QueryErrorsAreTheUsers) {
  auto e = open();
  const auto bad = e->query("SecurityAlrt | take 1", 0);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().kind, ErrorKind::kUsage);
  EXPECT_NE(bad.error().message.find("SecurityAlert"), std::string::npos) << bad.error().message;
  e->define_function("Twice", "// doubles\n(x:long) { x * 2 }");
  const auto good = e->query("print Twice(21)", 0);
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->number(0, 0), 42);
}

TEST_F(EngineTest, InvalidUtf8IsReplaced) {
  auto e = open();
  Batch b(*model::find_table("EgretIngestErrors"));
  b.add_row();
  b.set_string(b.column("File"), "a\xff\xfe z");
  ASSERT_TRUE(e->append(b, 1));
  ASSERT_TRUE(e->commit());
  EXPECT_EQ(number(*e, R"(SELECT length("File") FROM "EgretIngestErrors")", "EgretIngestErrors"), 5);
}

TEST_F(EngineTest, FactsAreCommittedWithTheRows) {
  {
    auto e = open();
    ASSERT_TRUE(e->append(errors_batch(0, 10), 1));
    ASSERT_TRUE(e->remember("follow:a", "it's 1"));
    ASSERT_TRUE(e->remember("follow:a", "it's 2"));
    ASSERT_TRUE(e->remember("other", "3"));
    ASSERT_TRUE(e->commit());
    ASSERT_TRUE(e->append(errors_batch(10, 20), 1));
    ASSERT_TRUE(e->remember("follow:a", "4"));  // never committed
  }
  auto e = open();
  EXPECT_EQ(e->row_count("EgretIngestErrors"), 10u);
  EXPECT_EQ(e->remembered("follow:").value(), (std::map<std::string, std::string>{{"follow:a", "it's 2"}}));
}

TEST_F(EngineTest, CommittedRowsSurviveKill) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto e = Engine::open({.folder = folder_, .threads = 1});
    if (!e || !(*e)->append(errors_batch(0, 1000), 1) || !(*e)->commit()) _exit(1);
    if (!(*e)->append(errors_batch(1000, 1500), 1)) _exit(1);  // never committed
    (void)!write(ready[1], "x", 1);
    while (true) pause();
  }
  close(ready[1]);
  char c = 0;
  ASSERT_EQ(read(ready[0], &c, 1), 1);
  close(ready[0]);
  // While the child lives, nobody else gets in.
  const auto second = Engine::open({.folder = folder_, .threads = 1});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("in use by process " + std::to_string(child)), std::string::npos) << second.error().message;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(open(true)->row_count("EgretIngestErrors"), 1000u) << "a reader replays the log without writing";
  auto e = open();
  EXPECT_EQ(e->row_count("EgretIngestErrors"), 1000u);
  ASSERT_TRUE(e->append(errors_batch(0, 1), 2));
  ASSERT_TRUE(e->commit());
  EXPECT_EQ(number(*e, R"(SELECT count(DISTINCT "_RowId") FROM "EgretIngestErrors")", "EgretIngestErrors"), 1001);
}

TEST_F(EngineTest, RefusesNewerFormatsAndForeignFolders) {
  open();
  std::ofstream(folder_ / "FORMAT") << "egret-data 99\n";
  const auto newer = Engine::open({.folder = folder_});
  ASSERT_FALSE(newer);
  EXPECT_NE(newer.error().message.find("format 99"), std::string::npos);
  std::filesystem::create_directories(folder_ / "other");
  std::ofstream(folder_ / "other" / "letter.txt") << "hello";
  EXPECT_FALSE(Engine::open({.folder = folder_ / "other"}));
  EXPECT_FALSE(Engine::open({.folder = folder_ / "none", .read_only = true}));
}

TEST_F(EngineTest, UndeclaredTablesKeepTheirShape) {
  {
    model::Table t;
    t.name = "Mine_CL";
    t.columns = {{.name = "When", .type = Type::kDatetime}, {.name = "What_s", .type = Type::kString}};
    t.build_index();
    Batch b(std::make_shared<const model::Table>(t));
    b.add_row();
    b.set_datetime(0, 77);
    b.set_string(1, "x");
    auto e = open();
    ASSERT_TRUE(e->append(b, 1));
    ASSERT_TRUE(e->commit());
  }
  auto e = open();
  const model::Table* t = e->catalogue().table("Mine_CL");
  ASSERT_NE(t, nullptr);
  ASSERT_EQ(t->columns.size(), 2u);
  EXPECT_EQ(t->columns[0].type, Type::kDatetime);
  EXPECT_EQ(number(*e, R"(SELECT "When" FROM "Mine_CL")", "Mine_CL"), 77);
}

// Columns of every type, with nulls, long and odd texts, addresses of both families and none; the same for every n.
Batch flows_batch(int from, int to) {
  Batch b(*model::find_table("ASimNetworkSessionLogs"));
  const auto c = [&](const char* name) { return b.column(name); };
  for (int i = from; i < to; ++i) {
    b.add_row();
    b.set_datetime(c("TimeGenerated"), 638'000'000'000'000'000 + i * kTicksPerSecond);
    b.set_string(c("EventProduct"), "constant");
    b.set_int(c("EventCount"), 7);
    b.set_string(c("SrcNatIpAddr"), "2001:db8::" + std::to_string(i % 10'000));  // hardly repeats
    if (i % 12'345 < 20) b.set_int(c("DstPortNumber"), 443);
    if (i < 12'355) b.set_string(c("DstNatIpAddr"), "192.0.2.2");  // the same as far as it goes
    if (i % 3) b.set_string(c("SrcIpAddr"), "10.0.0." + std::to_string(i % 200));
    b.set_string(c("DstIpAddr"), i % 5 == 0   ? "fe80::" + std::to_string(i % 77)
                                 : i % 7 == 0 ? "no address"
                                              : "203.0.113." + std::to_string(i % 250));
    b.set_string(c("NetworkRuleName"), i % 11 ? "unique " + std::to_string(i) : "bad \xff\xfe byte");
    if (i % 4) b.set_int(c("SrcPortNumber"), (i * 7919) % 65536);
    b.set_int(c("SrcBytes"), i % 13 ? int64_t{i} * i * 1'000'003 : INT64_MIN + i);
    if (i % 2) b.set_dynamic(c("AdditionalFields"), "{\"a\":" + std::to_string(i) + "}");
    if (i % 1000 == 1) b.set_timespan(c("TimePrecision"), i);
  }
  b.source_id = 3;
  return b;
}

constexpr const char* kFlows = "ASimNetworkSessionLogs";

std::unique_ptr<Engine> in_memory(int rows, Ticks ingestion_time) {
  auto memory = *Engine::open({.folder = {}, .memory_bytes = 512u << 20, .threads = 1});
  EXPECT_TRUE(memory->append(flows_batch(0, rows), ingestion_time));
  EXPECT_TRUE(memory->commit());
  return memory;
}

void expect_same_rows(Engine& a, Engine& b) {
  const std::string text =
      "ASimNetworkSessionLogs | order by _RowId asc | project _RowId, _IngestionTime, _SourceId, TimeGenerated, EventProduct, SrcIpAddr, "
      "DstIpAddr, EventCount, SrcNatIpAddr, DstPortNumber, DstNatIpAddr, NetworkRuleName, SrcPortNumber, SrcBytes, AdditionalFields, "
      "TimePrecision, EventVendor, Private = ipv4_is_private(DstIpAddr)";
  const auto of_a = a.query(text, 0), of_b = b.query(text, 0);
  ASSERT_TRUE(of_a) << of_a.error().message;
  ASSERT_TRUE(of_b) << of_b.error().message;
  ASSERT_EQ(of_a->rows(), of_b->rows());
  for (size_t row = 0; row < of_b->rows(); ++row)
    for (int c = 0; c < static_cast<int>(of_b->table().columns.size()); ++c) {
      const std::string& name = of_b->table().columns[static_cast<size_t>(c)].name;
      ASSERT_EQ(of_a->is_null(c, row), of_b->is_null(c, row)) << name << " of row " << row;
      ASSERT_EQ(of_a->to_text(c, row), of_b->to_text(c, row)) << name << " of row " << row;
    }
  const std::string companions =
      "SELECT (hash(string_agg(concat_ws('/', \"DstIpAddr$ip\", \"SrcNatIpAddr$ip\", \"DstNatIpAddr$ip\"), ',' ORDER BY "
      "\"_RowId\")) & 1073741823)::BIGINT FROM \"ASimNetworkSessionLogs\"";
  EXPECT_EQ(number(a, companions, kFlows), number(b, companions, kFlows));
}

// A large batch is sealed, small ones lie in the hot file: both read the same.
TEST_F(EngineTest, SealedRowsReadAsHotOnes) {
  constexpr int kRows = 20'000;
  {
    auto e = open();
    ASSERT_TRUE(e->append(flows_batch(0, 12'345), 5));
    ASSERT_TRUE(e->append(flows_batch(12'345, kRows - 100), 5));
    ASSERT_TRUE(e->append(flows_batch(kRows - 100, kRows), 5));
    ASSERT_TRUE(e->commit());
    EXPECT_EQ(e->row_count(kFlows), kRows);
  }
  auto e = open(true);
  EXPECT_EQ(e->row_count(kFlows), kRows);
  expect_same_rows(*e, *in_memory(kRows, 5));
}

int64_t hot_rows(Engine& e) { return number(e, "SELECT count(*) FROM hot.main.\"ASimNetworkSessionLogs$hot\"", kFlows); }

size_t files_in(const std::filesystem::path& folder) {
  size_t n = 0;
  for (const auto& f : std::filesystem::recursive_directory_iterator(folder)) n += f.is_regular_file();
  return n;
}

// Many small commits end in few sealed files, with the same rows.
TEST_F(EngineTest, SmallCommitsAreRolled) {
  constexpr int kStep = 3000, kRows = 13 * kStep;
  {
    auto e = open();
    for (int from = 0; from < kRows; from += kStep) {
      ASSERT_TRUE(e->append(flows_batch(from, from + kStep), 5));
      ASSERT_TRUE(e->commit());
      const int to = from + kStep;
      ASSERT_TRUE(e->roll());
      EXPECT_EQ(hot_rows(*e), to < static_cast<int>(kRollRows) ? to : to - (static_cast<int>(kRollRows) + kStep - 1) / kStep * kStep);
    }
    EXPECT_EQ(e->row_count(kFlows), kRows);
    ASSERT_TRUE(e->append(flows_batch(0, 1), 5));  // not committed: what is not whole stays
    ASSERT_TRUE(e->roll());
  }
  auto e = open();
  EXPECT_EQ(e->row_count(kFlows), kRows);
  EXPECT_LE(files_in(folder_ / "parquet"), 2u) << "one for each day";
  expect_same_rows(*e, *in_memory(kRows, 5));
}

// Small sealed files of a day become one; columns that only some of them have are empty in the rows of the others.
TEST_F(EngineTest, SmallFilesAreJoined) {
  constexpr int kStep = 8192, kRows = 9 * kStep;
  {
    auto e = open();
    for (int from = 0; from < kRows; from += kStep) {
      ASSERT_TRUE(e->append(flows_batch(from, from + kStep), 5));
      ASSERT_TRUE(e->commit());
    }
    EXPECT_EQ(files_in(folder_ / "parquet"), 9u);
    ASSERT_TRUE(e->roll());
    EXPECT_LT(files_in(folder_ / "parquet"), 9u);
    EXPECT_EQ(e->row_count(kFlows), kRows);
  }
  auto e = open();
  EXPECT_EQ(e->row_count(kFlows), kRows);
  expect_same_rows(*e, *in_memory(kRows, 5));
}

// Killed at any moment of commits and rolls: what was said to be committed is there, once.
TEST_F(EngineTest, RollsSurviveKill) {
  constexpr int kStep = 8000;
  for (int kill_after : {0, 30, 60, 100, 150, 250}) {
    int said[2];
    ASSERT_EQ(pipe(said), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(said[0]);
      auto e = Engine::open({.folder = folder_, .threads = 1});
      if (!e) _exit(1);
      for (int from = static_cast<int>((*e)->row_count(kFlows));; from += kStep) {
        if (!(*e)->append(flows_batch(from, from + kStep), 5) || !(*e)->commit()) _exit(1);
        const int to = from + kStep;
        if (write(said[1], &to, sizeof to) != sizeof to || !(*e)->roll()) _exit(1);
      }
    }
    close(said[1]);
    int told = 0;
    ASSERT_EQ(read(said[0], &told, sizeof told), static_cast<ssize_t>(sizeof told));
    usleep(static_cast<useconds_t>(kill_after) * 1000);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    for (int more; read(said[0], &more, sizeof more) > 0;) told = more;
    close(said[0]);
    auto e = open();
    const auto rows = static_cast<int>(e->row_count(kFlows));
    EXPECT_TRUE(rows == told || rows == told + kStep) << rows << " of " << told << " rows are there";
    EXPECT_EQ(number(*e, "SELECT count(DISTINCT \"SrcBytes\") FROM \"ASimNetworkSessionLogs\"", kFlows), rows);
    EXPECT_EQ(number(*e, "SELECT count(DISTINCT \"_RowId\") FROM \"ASimNetworkSessionLogs\"", kFlows), rows);
  }
}

// What a crash left behind is no row and goes; rows that were not committed are none either.
TEST_F(EngineTest, UnlistedSealedFilesGo) {
  {
    auto e = open();
    ASSERT_TRUE(e->append(flows_batch(0, 10'000), 5));
    ASSERT_TRUE(e->commit());
    ASSERT_TRUE(e->append(flows_batch(10'000, 20'000), 5));
  }
  const auto files = [&] { return files_in(folder_ / "parquet"); };
  EXPECT_EQ(files(), 1u);
  std::ofstream(folder_ / "parquet" / "half.parquet.new") << "PAR1";
  auto e = open();
  EXPECT_EQ(files(), 1u);
  EXPECT_EQ(e->row_count("ASimNetworkSessionLogs"), 10'000u);
}

// Format 1 had no list of sealed files.
TEST_F(EngineTest, FolderOfFormat1IsMigrated) {
  {
    auto e = open();
    ASSERT_TRUE(e->append(errors_batch(0, 10), 5));
    ASSERT_TRUE(e->commit());
  }
  {
    duckdb_database database = nullptr;
    duckdb_connection connection = nullptr;
    ASSERT_EQ(duckdb_open((folder_ / "hot.duckdb").c_str(), &database), DuckDBSuccess);
    ASSERT_EQ(duckdb_connect(database, &connection), DuckDBSuccess);
    ASSERT_EQ(duckdb_query(connection, "DROP TABLE \"$files\"", nullptr), DuckDBSuccess);
    duckdb_disconnect(&connection);
    duckdb_close(&database);
  }
  std::ofstream(folder_ / "FORMAT") << "egret-data 1\n";
  EXPECT_EQ(open(true)->row_count("EgretIngestErrors"), 10u);
  {
    auto e = open();
    EXPECT_EQ(e->row_count("EgretIngestErrors"), 10u);
    ASSERT_TRUE(e->append(flows_batch(0, 10'000), 5));
    ASSERT_TRUE(e->commit());
  }
  std::string word;
  int version = 0;
  std::ifstream(folder_ / "FORMAT") >> word >> version;
  EXPECT_EQ(version, 2);
  EXPECT_EQ(open(true)->row_count("ASimNetworkSessionLogs"), 10'000u);
}

}  // namespace
}  // namespace egret::store
