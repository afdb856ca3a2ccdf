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

// Whatever the order of setting, a row reads as it was set, and the whole column as its rows.
TEST(Batch, ColumnsThatRepeatReadAsRows) {
  constexpr size_t kRows = 40;
  for (size_t differs = 0; differs <= kRows; ++differs)      // the row that says something else
    for (size_t without = 0; without <= kRows; ++without) {  // and one that says nothing; the last of them: no such row
      Batch b(*find_table("EgretIngestErrors"));
      const int file = b.column("File"), line = b.column("Line");
      for (int round = 0; round < 2; ++round, b.clear()) {
        for (size_t row = 0; row < kRows; ++row) {
          b.add_row();
          if (row == without) continue;
          b.set_string(file, "x");
          b.set_int(line, 5);
          if (row != differs) continue;
          b.set_string(file, "other");
          b.set_int(line, 6);
          b.add_row();
          b.set_string(file, b.text(file, row - (row > 0)));  // one of its own texts
          b.drop_row();
        }
        const TextView texts = b.texts(file);
        const ColumnView<int64_t> numbers = b.numbers(line);
        EXPECT_EQ(numbers.same, numbers.rows > 0 && numbers.values.size() == 1);
        for (size_t row = 0; row < kRows; ++row) {
          const bool null = row == without, other = row == differs;
          ASSERT_EQ(b.is_null(file, row), null);
          ASSERT_EQ(b.text(file, row), null ? "" : other ? "other" : "x") << differs << " " << without << " " << row;
          ASSERT_EQ(b.number(line, row), null ? 0 : other ? 6 : 5);
          const bool viewed = row < texts.rows && (texts.valid.empty() || texts.valid[row]);
          ASSERT_EQ(viewed, !null);
          if (null) continue;
          ASSERT_EQ(texts.at(texts.same ? 0 : row), b.text(file, row));
          ASSERT_EQ(numbers.values[numbers.same ? 0 : row], b.number(line, row));
        }
      }
    }
}

TEST(Catalogue, MergesPublishedAndDeclared) {
  ASSERT_NE(find_table("SecurityAlert"), nullptr);
  EXPECT_GE(find_table("SecurityAlert")->find("CompromisedEntity"), 0);
  EXPECT_EQ(find_table("NoSuchTable"), nullptr);
  EXPECT_GT(table_names().size(), 700u);
}

}  // namespace
}  // namespace egret::model
