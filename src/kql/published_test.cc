// Published queries against the catalogue: how many bind, with the result columns that Microsoft's own binder gives them.
// The queries lie in the shared folder; EGRET_KQL_LIST=FILE writes what does not bind as expected.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "kql/compile.h"
#include "model/catalogue.h"

namespace egret::kql {
namespace {

class Declared final : public Catalogue {
 public:
  const model::Table* table(std::string_view name) const override { return model::find_table(name); }
  std::optional<std::string> function(std::string_view) const override { return {}; }
  std::vector<std::string> names() const override { return model::table_names(); }
};

std::filesystem::path shared() {
  if (const char* folder = std::getenv("EGRET_SHARED")) return folder;
  return std::filesystem::path(EGRET_SOURCE_DIR) / ".." / "shared";
}

TEST(Published, BindWithTheExpectedColumns) {
  const auto path = shared() / "kql" / "published-dev.jsonl";
  if (!std::filesystem::exists(path)) {
    if (std::getenv("CI")) FAIL() << path << " is missing";
    GTEST_SKIP() << path << " is missing";
  }
  const Declared catalogue;
  simdjson::dom::parser parser;
  std::ofstream list;
  if (const char* to = std::getenv("EGRET_KQL_LIST")) list.open(to);
  size_t total = 0, bound = 0, compared = 0, right = 0;
  std::vector<double> micros;
  std::ifstream lines(path);
  for (std::string text; std::getline(lines, text);) {
    simdjson::dom::element line;
    ASSERT_FALSE(parser.parse(text).get(line));
    ++total;
    const std::string query(line["query"].get_string().value());
    const std::string id(line["id"].get_string().value());
    simdjson::dom::array tables, columns;
    ASSERT_FALSE(line["tables"].get_array().get(tables));
    for (auto t : tables) model::find_table(t.get_string().value());  // loading is not compiling
    const auto from = std::chrono::steady_clock::now();
    const auto compiled = compile(query, catalogue, {.now = 638'000'000'000'000'000});
    micros.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - from).count());
    if (list && micros.back() > 3000) list << "# slow " << micros.back() << " " << id << (compiled ? " ok" : " error") << "\n\n";
    if (!compiled) {
      if (list) list << "# " << id << "\n" << format_diagnostics(query, "query", compiled.error()) << "\n";
      continue;
    }
    ++bound;
    if (line["columns"].get_array().get(columns)) continue;
    ++compared;
    // No difference: columns of ours in published tables, their order in tables that Egret declares, types that the other binder
    // does not know.
    std::vector<std::string> wanted, got;
    for (auto c : columns)
      wanted.push_back(std::string(c.get_array().at(0).get_string().value()) + ":" + std::string(c.get_array().at(1).get_string().value()));
    size_t i = 0;
    for (const auto& c : compiled->shape->columns) {
      std::string_view type = model::type_name(c.type);
      if (std::find(wanted.begin(), wanted.end(), c.name + ":unknown") != wanted.end()) type = "unknown";
      if (c.name == "Cluster" && (i >= columns.size() || columns.at(i).get_array().at(0).get_string().value() != "Cluster")) continue;
      got.push_back(c.name + ":" + std::string(type));
      ++i;
    }
    const bool open = line["open"].get_bool().value();
    std::sort(wanted.begin(), wanted.end());
    std::sort(got.begin(), got.end());
    if (wanted == got || (open && std::includes(got.begin(), got.end(), wanted.begin(), wanted.end()))) {
      ++right;
    } else if (list) {
      list << "# " << id << " columns\n" << query << "\n  wanted";
      for (const auto& c : wanted) list << " " << c;
      list << "\n  got   ";
      for (const auto& c : got) list << " " << c;
      list << "\n\n";
    }
  }
  std::sort(micros.begin(), micros.end());
  std::cout << total << " queries, " << bound << " bind, " << right << " of " << compared
            << " with the expected columns; compile time median " << micros[micros.size() / 2] << " us, 99 % "
            << micros[micros.size() * 99 / 100] << " us\n";
  EXPECT_GE(right * 100, 1087 * 93u);  // of those whose tables are published
}

}  // namespace
}  // namespace egret::kql
