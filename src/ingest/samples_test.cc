// Real files by others (the shared data folder) against tests/samples/expected.tsv: format, rows by table and errors of each. A file that
// a decoder newly reads, or no longer reads, shows here. EGRET_UPDATE=1 rewrites the table from what is read now: look at the difference.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/text.h"
#include "ingest/load.h"

namespace egret::ingest {
namespace {

namespace fs = std::filesystem;

fs::path shared() {
  if (const char* env = std::getenv("EGRET_SHARED")) return fs::path(env);
  return fs::path(EGRET_SOURCE_DIR) / ".." / "shared";
}

struct Expected {
  std::string path, format, rows, errors, remark;
};

std::vector<Expected> read_table(const fs::path& file) {
  std::ifstream in(file);
  std::vector<Expected> all;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    auto cells = split(line, '\t');
    cells.resize(5);
    all.push_back({cells[0], cells[1], cells[2], cells[3], cells[4]});
  }
  return all;
}

std::string counts(const std::map<std::string, uint64_t>& rows) {
  std::string out;
  for (const auto& [table, n] : rows)
    if (table != "EgretIngestErrors") out += fmt::format("{}{} {}", out.empty() ? "" : ", ", table, n);
  return out;
}

TEST(Samples, LoadAsExpected) {
  const fs::path data = shared() / "data" / "samples";
  const fs::path table = fs::path(EGRET_SOURCE_DIR) / "tests" / "samples" / "expected.tsv";
  if (!fs::exists(data)) {
    if (std::getenv("CI")) FAIL() << "the shared data folder is missing: " << data;
    GTEST_SKIP() << "no shared data folder at " << data;
  }
  const auto all = read_table(table);
  ASSERT_GT(all.size(), 50u);
  std::string updated =
      "# path below the shared samples\tformat\trows by table\terrors\twhere this differs from the manifest's counts, and why\n";
  for (const Expected& e : all) {
    RowStore store{.append = [](const model::Batch&) -> Result<void> { return {}; }, .commit = []() -> Result<void> { return {}; }};
    const auto s = load(store, {data / e.path}, {.now = ticks_from_unix_seconds(1'750'000'000)});
    ASSERT_TRUE(s) << e.path << ": " << s.error().message;
    std::map<std::string, uint64_t> rows;
    uint64_t errors = 0;
    std::string why;
    for (const FileSummary& f : s->files) {
      for (const auto& [t, n] : f.rows) rows[t] += n;
      errors += f.error_count();
      for (const auto& [reason, n] : f.errors) why += fmt::format("\n  {} × {}", n, reason);
    }
    const std::string format = s->files.empty() ? "" : s->files.back().format;
    updated += fmt::format("{}\t{}\t{}\t{}\t{}\n", e.path, format, counts(rows), errors, e.remark);
    if (std::getenv("EGRET_UPDATE")) continue;
    EXPECT_EQ(format, e.format) << e.path;
    EXPECT_EQ(counts(rows), e.rows) << e.path << why;
    EXPECT_EQ(std::to_string(errors), e.errors) << e.path << why;
  }
  if (std::getenv("EGRET_UPDATE")) std::ofstream(table) << updated;
}

}  // namespace
}  // namespace egret::ingest
