#include "investigate/page.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "investigate/answer_testing.h"
#include "investigate/lines.h"

namespace egret::investigate {
namespace {

// The page as text files, so that a change of it is seen as a reader sees it.
void expect_page(const char* name, const Answer& answer, const PageOptions& options) {
  const std::string path = std::string(EGRET_SOURCE_DIR) + "/src/investigate/testdata/" + name;
  const std::string page = render_page(answer, options);
  if (std::getenv("EGRET_UPDATE")) std::ofstream(path) << page;
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), page) << "run investigate_test with EGRET_UPDATE=1 to accept";
}

TEST(Page, BenignAlert) { expect_page("benign.txt", benign_answer(), {.incident = "1"}); }
TEST(Page, PaymentPod) { expect_page("payment.txt", payment_answer(), {.incident = "2"}); }
TEST(Page, WithEvidenceAndEveryStep) { expect_page("benign-evidence.txt", benign_answer(), {.evidence = true, .all_steps = true}); }

TEST(Page, TextStaysWithinTheWidth) {
  Answer a = benign_answer();
  for (int i = 0; i < 40; ++i) a.verdict.reasons[0] += " and some more words";
  for (const auto& line : split(render_page(a, {}), '\n')) EXPECT_LE(columns_of(line), 110) << line;  // commands may be longer
}

TEST(Page, LogValuesCannotDriveTheTerminal) {
  Answer a = benign_answer();
  a.candidates[0].evidence[0].reason = "\x1b]0;owned\x07";
  a.alert.rule = "a\x1b[2Jb";
  EXPECT_EQ(render_page(a, {}).find('\x1b'), std::string::npos);
}

TEST(Page, NothingKnown) {
  const std::string page = render_page(Answer{}, {});
  EXPECT_TRUE(page.starts_with("UNDETERMINED")) << page;
  EXPECT_NE(page.find("Who      unknown"), std::string::npos) << page;
}

}  // namespace
}  // namespace egret::investigate
