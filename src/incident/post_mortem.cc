#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "incident/report.h"

namespace egret::incident {

std::vector<PostMortemItem> post_mortem(const Case& c) {
  const auto& a = c.answer;
  std::vector<PostMortemItem> out;
  std::string what = a.cause.sentences.empty() ? "" : join(a.cause.sentences, " ");
  if (!a.cause.trigger.reason.empty()) what += (what.empty() ? "" : " ") + a.cause.trigger.reason;
  out.push_back({"What happened, and what caused it?", what});
  std::string detect;
  if (!a.contacts.empty()) {
    Ticks seen = 0;
    for (const auto& t : a.timeline) {
      if (t.kind == "alert" && t.time >= a.contacts.front().time && (seen == 0 || t.time < seen)) seen = t.time;
    }
    detect = fmt::format("The first contact was at {} UTC", format_datetime_short(a.contacts.front().time));
    detect += seen ? fmt::format("; the alert came {} later.", format_duration(seen - a.contacts.front().time)) : ".";
    detect +=
        fmt::format(" There were {} until {} UTC.", count_of(a.contacts.size(), "contact"), format_datetime_short(a.contacts.back().time));
  }
  out.push_back({"How was it noticed, and how long did that take?", detect});
  std::string impact;
  if (!a.contacts.empty()) {
    uint64_t sent = 0;
    for (const auto& x : a.contacts) sent += static_cast<uint64_t>(std::max<int64_t>(x.bytes_out, 0));
    impact = format_bytes(sent) + " went to the address.";
  }
  if (!a.credentials.empty()) impact += " " + count_of(a.credentials.size(), "credential") + " within the workload's reach.";
  out.push_back({"What was the impact?", impact});
  if (a.release.first_bad || !a.release.explanation.empty())
    out.push_back({"Which change brought it, and why was it not noticed before it was released?", a.release.explanation});
  std::string gaps = join(a.facts.gaps, " ");
  for (size_t i = 0; i < a.missing.size() && i < 2; ++i)
    gaps += (gaps.empty() ? "" : " ") + ("Would have told most: " + a.missing[i].log) +
            (a.missing[i].where.empty() ? "." : " in " + a.missing[i].where + ".");
  out.push_back({"Which logs were missing?", gaps.empty() ? "None that the question needed." : gaps});
  out.push_back({"What went well?", ""});
  out.push_back({"What went badly, and where were we lucky?", ""});
  out.push_back({"What is changed so that it does not come again (who, until when)?", ""});
  return out;
}

}  // namespace egret::incident
