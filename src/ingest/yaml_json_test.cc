#include "ingest/yaml_json.h"

#include <gtest/gtest.h>

namespace egret::ingest {
namespace {

TEST(YamlJson, ReadsDocuments) {
  const auto y = yaml_to_json("a: 1\nb: [x, true]\n---\n---\nc: ~\n");
  EXPECT_EQ(y.error, "");
  ASSERT_EQ(y.documents.size(), 2u);
  EXPECT_EQ(y.documents[0].json, R"({"a":1,"b":["x",true]})");
  EXPECT_EQ(y.documents[1].line, 4u);  // of its "---"
}

// Found by the fuzzer: the parser gave empty documents without end.
TEST(YamlJson, EndsWhereNoValueCanBegin) {
  for (const char* text : {",R", ",", "a: 1\n---\n,b"}) EXPECT_NE(yaml_to_json(text).error, "") << text;
}

}  // namespace
}  // namespace egret::ingest
