#include "model/batch.h"

#include <gtest/gtest.h>

#include "model/catalogue.h"

namespace egret::model {
namespace {

TEST(Batch, KeepsValuesAndNulls) {
  Batch b(*find_table("EgretIngestErrors"));
  const int file = b.column("File"), line = b.column("Line");
  b.add_row();
  b.set_string(file, "a.log");
  b.add_row();
  b.set_int(line, 7);
  b.set_string(file, "first");
  b.set_string(file, "b.log");
  b.add_row();
  b.drop_row();
  ASSERT_EQ(b.rows(), 2u);
  EXPECT_EQ(b.text(file, 0), "a.log");
  EXPECT_EQ(b.text(file, 1), "b.log");
  EXPECT_TRUE(b.is_null(line, 0));
  EXPECT_EQ(b.number(line, 1), 7);
  EXPECT_FALSE(b.used(b.column("Hint")));
}

TEST(Catalogue, MergesPublishedAndDeclared) {
  ASSERT_NE(find_table("SecurityAlert"), nullptr);
  EXPECT_GE(find_table("SecurityAlert")->find("CompromisedEntity"), 0);
  EXPECT_EQ(find_table("NoSuchTable"), nullptr);
  EXPECT_GT(table_names().size(), 700u);
}

}  // namespace
}  // namespace egret::model
