// tests/data/kql/*.test: a title, the query, `----`, and its result or its diagnostics. EGRET_UPDATE=1 writes what came out.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/time.h"
#include "store/engine.h"

namespace egret::store {
namespace {

struct Case {
  std::string title, query, expected;
};

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<Case> cases;
  bool in_query = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# ")) {
      cases.push_back({line.substr(2), {}, {}});
      in_query = true;
    } else if (cases.empty()) {
      continue;
    } else if (in_query && line == "----") {
      in_query = false;
    } else {
      (in_query ? cases.back().query : cases.back().expected) += line + "\n";
    }
  }
  for (Case& c : cases)
    while (c.expected.ends_with("\n\n") || c.expected == "\n") c.expected.pop_back();
  return cases;
}

std::string outcome(Engine& engine, const std::string& query) {
  const auto rows = engine.query(query, *parse_iso_datetime("2022-04-01T12:00:00Z"));
  if (!rows) {
    std::string message = rows.error().message;
    // Lines keep their carets, not the spaces behind them.
    std::string out;
    std::istringstream lines(message);
    for (std::string line; std::getline(lines, line);) out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    return out;
  }
  std::string out;
  const auto& columns = rows->table().columns;
  for (size_t c = 0; c < columns.size(); ++c)
    out += (c ? " | " : "") + columns[c].name + ":" + std::string(model::type_name(columns[c].type));
  out += "\n";
  for (size_t r = 0; r < rows->rows(); ++r) {
    for (size_t c = 0; c < columns.size(); ++c) {
      const int column = static_cast<int>(c);
      out += (c ? " | " : "") + (columns[c].type != model::Type::kString && rows->is_null(column, r) ? "null" : rows->to_text(column, r));
    }
    out += "\n";
  }
  return out;
}

TEST(KqlData, Cases) {
  const std::filesystem::path folder = std::filesystem::path(EGRET_SOURCE_DIR) / "tests/data/kql";
  const bool update = std::getenv("EGRET_UPDATE") != nullptr;
  auto engine = Engine::open({});
  ASSERT_TRUE(engine) << engine.error().message;
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".test") continue;
    std::vector<Case> cases = read_cases(entry.path());
    for (Case& c : cases) {
      ++count;
      const std::string got = outcome(**engine, c.query);
      if (!update) {
        EXPECT_EQ(got, c.expected) << entry.path().filename() << ": " << c.title << "\n" << c.query;
      }
      c.expected = got;
    }
    if (!update) continue;
    std::ofstream out(entry.path());
    for (size_t i = 0; i < cases.size(); ++i)
      out << (i ? "\n" : "") << "# " << cases[i].title << "\n" << cases[i].query << "----\n" << cases[i].expected;
  }
  EXPECT_GT(count, 40u);
}

}  // namespace
}  // namespace egret::store
