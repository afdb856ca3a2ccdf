// Every evidence test of content/evidence over its own sample rows, and the functions that judgement reads over given rows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/embedded.h"
#include "investigate/evidence_file.h"
#include "investigate/evidence_tables.h"
#include "store/sample_rows.h"

namespace egret::investigate {
namespace {

TEST(EvidenceContent, SampleRowsGiveWhatIsExpected) {
  auto tests = load_evidence_tests();
  ASSERT_TRUE(tests) << tests.error().message;
  EXPECT_GE(tests->size(), 10u);
  const std::vector<const model::Table*> shapes = evidence_shapes();
  for (const EvidenceTest& t : *tests) {
    const auto file = content_file(t.file);
    ASSERT_TRUE(file);
    auto cases = store::read_sample_cases(file->text, t.file, shapes);
    ASSERT_TRUE(cases) << cases.error().message;
    EXPECT_FALSE(cases->empty()) << t.file << " has no sample rows";
    for (store::SampleCase& c : *cases) {
      // Tables that a case does not give are empty, not unknown.
      for (const model::Table* shape : shapes)
        if (std::none_of(c.given.begin(), c.given.end(), [&](const model::Batch& b) { return b.table().name == shape->name; }))
          c.given.emplace_back(*shape);
      auto differences = store::run_sample_case(c, t.query);
      EXPECT_TRUE(differences) << t.file << " '" << c.name << "': " << differences.error().message << "\n" << differences.error().hint;
      if (!differences) continue;
      for (const std::string& d : *differences) ADD_FAILURE() << t.file << ":" << c.line << " '" << c.name << "': " << d;
    }
  }
}

}  // namespace
}  // namespace egret::investigate
