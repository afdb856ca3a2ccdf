// The shape of the SQL, and the places of errors. What queries mean is tested where they run: tests/data/kql.
#include "kql/compile.h"

#include <gtest/gtest.h>

#include "kql/lexer.h"
#include "model/catalogue.h"

namespace egret::kql {
namespace {

class Declared final : public Catalogue {
 public:
  const model::Table* table(std::string_view name) const override { return model::find_table(name); }
  std::optional<std::string> function(std::string_view name) const override {
    if (name == "Twice") return "(T: (*), n: long = 2) { T | extend Double = n * 2 }";
    if (name == "Broken") return "() { SecurityAlert | where Nothing == 1 }";
    if (name == "Self") return "() { Self() }";
    return {};
  }
  std::vector<std::string> names() const override { return {"SecurityAlert", "Twice"}; }
};

std::string sql(std::string_view text) {
  static const Declared catalogue;
  const auto q = compile(text, catalogue, {.now = 0});
  return q ? q->sql : format_diagnostics(text, "q", q.error());
}

TEST(Lexer, Kinds) {
  const auto t = tokenize("a !in~ (1.5, 1h, 0x10, @'\\', 'it\\'s') // end");
  EXPECT_EQ(t[1].text, "!in~");
  EXPECT_EQ(t[2].match, t.size() - 2);
  EXPECT_EQ(t[3].real, 1.5);
  EXPECT_EQ(t[5].number, kTicksPerHour);
  EXPECT_EQ(t[7].number, 16);
  EXPECT_EQ(t[9].value, "\\");
  EXPECT_EQ(t[11].value, "it's");
}

TEST(Compile, SimpleOperatorsShareOneSelect) {
  EXPECT_EQ(sql("SecurityAlert | where AlertName == 'x' and VendorName != '' | project AlertName"),
            R"(SELECT "AlertName" FROM "SecurityAlert" WHERE ("AlertName" = 'x') AND ("VendorName" <> ''))");
  EXPECT_EQ(sql("SecurityAlert | where AlertName == 'x' | summarize n = count() by AlertName | project n"),
            R"(SELECT "n" FROM (SELECT count(*) AS "n" FROM "SecurityAlert" WHERE ("AlertName" = 'x') GROUP BY "AlertName"))");
}

TEST(Compile, OnlyNeededColumnsAreRead) {
  EXPECT_EQ(sql("SecurityAlert | extend a = strcat(AlertName, 'x'), b = VendorName | count"),
            R"(SELECT count(*) AS "Count" FROM "SecurityAlert")");
}

TEST(Compile, ATableNamedTwiceIsComputedOnce) {
  const std::string s =
      sql("let T = SecurityAlert | summarize n = count() by AlertName; T | join kind=inner T on AlertName | project n, n1");
  EXPECT_NE(s.find("AS MATERIALIZED"), std::string::npos) << s;
  EXPECT_EQ(s.find("count(*)"), s.rfind("count(*)")) << s;
}

TEST(Compile, HiddenColumnsMayBeNamed) {
  EXPECT_EQ(sql("SecurityAlert | project _RowId, t = ingestion_time()"),
            R"(SELECT "_RowId", "_IngestionTime" AS "t" FROM "SecurityAlert")");
  EXPECT_EQ(sql("SecurityAlert").find("_RowId"), std::string::npos);
}

TEST(Compile, StoredFunctions) {
  EXPECT_NE(sql("SecurityAlert | invoke Twice(4) | project Double").find("SELECT"), std::string::npos);
  EXPECT_EQ(sql("Broken() | take 1").substr(0, 66), "q:1:1: error: in the stored function Broken: no column is named 'N");
  EXPECT_NE(sql("Self()").find("error"), std::string::npos);
}

TEST(Compile, EveryErrorAtOnceAtItsPlace) {
  static const Declared catalogue;
  const auto q = compile("SecurityAlert\n| where Alertname == 1\n| extend a = 'ü', b = Foo", catalogue, {.now = 0});
  ASSERT_FALSE(q);
  ASSERT_EQ(q.error().size(), 2u);
  EXPECT_EQ(q.error()[0].line, 2);
  EXPECT_EQ(q.error()[0].column, 9);
  EXPECT_EQ(q.error()[1].column, 23);  // code points, not bytes
}

}  // namespace
}  // namespace egret::kql
