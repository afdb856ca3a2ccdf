#include "store/output.h"

#include <gtest/gtest.h>

#include <cmath>

namespace egret::store {
namespace {

using model::Batch;
using model::Type;

Batch sample() {
  auto t = std::make_shared<model::Table>();
  t->columns = {{.name = "s", .type = Type::kString},   {.name = "n", .type = Type::kLong},     {.name = "r", .type = Type::kReal},
                {.name = "t", .type = Type::kDatetime}, {.name = "p", .type = Type::kTimespan}, {.name = "d", .type = Type::kDynamic},
                {.name = "b", .type = Type::kBool}};
  t->build_index();
  Batch b(t);
  b.add_row();
  b.set_string(0, "a,\"b\"|\x1b[31m");
  b.set_int(1, 9'007'199'254'740'993);
  b.set_real(2, NAN);
  b.set_datetime(3, kUnixEpochTicks);
  b.set_timespan(4, kTicksPerHour);
  b.set_dynamic(5, "{\"x\":\n[1]}");
  b.set_bool(6, true);
  b.add_row();
  return b;
}

std::string written(Format format, size_t width = 0, size_t max_rows = 0) {
  const Batch b = sample();
  std::string text;
  Output o(b.table(), {.format = format, .width = width, .max_rows = max_rows, .colours = false}, [&](std::string_view s) { text += s; });
  o.rows(b);
  o.end();
  return text;
}

TEST(Output, Json) {
  EXPECT_EQ(
      written(Format::kJson),
      R"({"columns":[{"name":"s","type":"string"},{"name":"n","type":"long"},{"name":"r","type":"real"},{"name":"t","type":"datetime"},)"
      R"({"name":"p","type":"timespan"},{"name":"d","type":"dynamic"},{"name":"b","type":"bool"}],"rows":[)"
      "\n"
      R"(["a,\"b\"|\u001b[31m",9007199254740993,"NaN","1970-01-01T00:00:00Z","01:00:00",{"x": [1]},true],)"
      "\n"
      R"(["",null,null,null,null,null,null])"
      "\n]}\n");
}

TEST(Output, LinesOfJson) {
  const std::string text = written(Format::kNdjson);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

TEST(Output, CsvQuotes) { EXPECT_NE(written(Format::kCsv).find("\"a,\"\"b\"\"|"), std::string::npos); }

TEST(Output, TablesCarryNoControlCharacters) {
  for (const Format f : {Format::kTable, Format::kMarkdown}) EXPECT_EQ(written(f).find('\x1b'), std::string::npos);
  EXPECT_NE(written(Format::kTable, 0, 1).find("1 of 2 rows shown"), std::string::npos);
}

TEST(Output, ALineTooShortForTheColumnsGivesRecords) {
  const std::string text = written(Format::kTable, 30);
  EXPECT_NE(text.find("── row 1 ──"), std::string::npos) << text;
  EXPECT_EQ(text.find("── row 3"), std::string::npos);
}

}  // namespace
}  // namespace egret::store
