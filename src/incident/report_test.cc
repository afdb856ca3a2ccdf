#include "incident/report.h"

#include <gtest/gtest.h>

#include "investigate/answer_testing.h"

namespace egret::incident {
namespace {

Case sample() {
  Case c;
  c.number = 4;
  c.title = "Alert: kube-system/DaemonSet/omsagent → ifconfig.co";
  c.severity = "Medium";
  c.created = c.modified = investigate::at("2022-04-01T10:00:00Z");
  c.answer = investigate::benign_answer();
  c.answers = 1;
  c.log = {{c.created, "jane.doe@example.com", "comment", "asked <support>"}};
  return c;
}

TEST(ReportHtml, HasEverySectionAndNothingFromElsewhere) {
  const std::string html = report_html(sample(), {.now = investigate::at("2022-04-02T00:00:00Z")});
  for (const char* part : {"Benign positive", "<svg", "Plan, in order", "Timeline", "Ledger", "Coverage and gaps", "SHA-256",
                           "Communication log", "Post-mortem", "aaaaaaaa"})
    EXPECT_NE(html.find(part), html.npos) << part;
  EXPECT_EQ(html.find("<script"), html.npos);
  EXPECT_EQ(html.find("src="), html.npos);
  EXPECT_EQ(html.find("@import"), html.npos);
  EXPECT_NE(html.find("asked &lt;support&gt;"), html.npos);
}

TEST(ReportHtml, ValuesFromLogsStayText) {
  Case c = sample();
  const std::string bad = "\"><script>alert(1)</script>'\x1b[2J";
  c.title = c.answer.alert.rule = c.answer.alert.address = c.answer.candidates[0].name = c.answer.plan[0].apply[0] =
      c.answer.timeline[0].text = c.answer.cause.regions[0].cluster = c.answer.facts.flows[0].cluster = bad;
  c.answer.cause.names[0].name = c.answer.facts.sources[0].file = c.answer.verdict.evidence.emplace_back().reason = bad;
  for (const std::string& page : {report_html(c, {}), report_markdown(c, {})}) {
    EXPECT_EQ(page.find('\x1b'), page.npos);
  }
  EXPECT_EQ(report_html(c, {}).find("<script>alert"), std::string::npos);
  // In Markdown only commands, which stand in fences, keep their signs.
  const std::string md = report_markdown(c, {});
  EXPECT_NE(md.find("\\<script\\>"), md.npos);
}

TEST(Report, MasksUnlessAsked) {
  Case c = sample();
  c.answer.timeline[0].text = "GET /cb?token=abcdef123456";
  for (auto* make : {&report_html, &report_markdown}) {
    EXPECT_EQ(make(c, {}).find("abcdef123456"), std::string::npos);
    EXPECT_EQ(make(c, {}).find("jane.doe"), std::string::npos);
    EXPECT_NE(make(c, {.unmask = true}).find("abcdef123456"), std::string::npos);
  }
}

TEST(PostMortem, AnswersWhatTheDataKnowsAndLeavesTheRestToPeople) {
  const auto items = post_mortem(sample());
  EXPECT_NE(items.front().answer.find("node start"), std::string::npos);
  EXPECT_TRUE(items.back().answer.empty());
}

}  // namespace
}  // namespace egret::incident
