#pragma once
// The report of an incident: everything that an engineer, a manager and an auditor ask for afterwards, in one file.
#include <string>

#include "incident/cases.h"

namespace egret::incident {

struct ReportOptions {
  bool unmask = false;  // secrets and personal data as they stand in the logs
  Ticks now = 0;
};

// One HTML file: no script, nothing loaded from elsewhere, prints on paper. Values from logs are escaped.
std::string report_html(const Case& c, const ReportOptions& options);
std::string report_markdown(const Case& c, const ReportOptions& options);
// Text that Markdown takes literally, in running text and in table cells.
std::string markdown_escape(std::string_view text);

// What went well or badly, and what to change: questions whose answers the data has are answered, the others are left to people.
struct PostMortemItem {
  std::string question, answer;  // an empty answer is left to people
};
std::vector<PostMortemItem> post_mortem(const Case& c);

}  // namespace egret::incident
