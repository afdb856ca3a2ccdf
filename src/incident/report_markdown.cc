#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "incident/mask.h"
#include "incident/report.h"
#include "investigate/page.h"
#include "investigate/payloads.h"

namespace egret::incident {

std::string markdown_escape(std::string_view text) {
  std::string out;
  for (const char c : terminal_safe(text)) {
    if (std::string_view("\\`*_{}[]<>#|!~&").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string report_markdown(const Case& c, const ReportOptions& options) {
  const auto& a = c.answer;
  const auto v = [&](std::string_view s) { return markdown_escape(options.unmask ? std::string(s) : mask(s)); };
  const auto code = [&](std::string_view s) {
    // A fence longer than any in the text.
    std::string fence = "```";
    while (s.find(fence) != std::string_view::npos) fence += '`';
    std::string body;
    for (const auto& l : split(options.unmask ? std::string(s) : mask(s), '\n')) body += terminal_safe(l) + "\n";
    return fence + "\n" + body + fence + "\n";
  };
  const auto time = [](Ticks t) { return t ? format_datetime_short(t) : std::string("–"); };
  std::string out = fmt::format("# Incident {}: {}\n\n", c.number, v(c.title));
  out += fmt::format("{}, {}, opened {} UTC{}\n\n", status_name(c.status), c.severity.empty() ? "no severity" : v(c.severity),
                     time(c.created), c.closed ? ", closed " + time(c.closed) + " UTC: " + v(c.reason) : "");
  const auto cls = c.status == Status::kClosed ? c.classification : a.verdict.classification;
  out += fmt::format("**{}**", investigate::classification_name(cls));
  if (cls == a.verdict.classification) out += fmt::format(" (confidence {:.2f})", a.verdict.confidence);
  out += "\n\n";
  const auto* o = a.owner();
  out += "- Who: " +
         (o ? v(o->id()) + (o->cluster.empty() ? "" : " in " + v(o->cluster)) + fmt::format(", probability {:.3f}", o->probability)
            : std::string("unknown")) +
         "\n";
  out += "- Contact: " + (a.cause.names.empty() ? "" : v(a.cause.names.front().name) + ", ") + v(a.alert.address) +
         (a.alert.port ? fmt::format(" port {}", *a.alert.port) : "") + ", " + count_of(a.contacts.size(), "contact") + "\n";
  out += "- Alert: " + v(a.alert.rule) + ", " + v(a.alert.provider) + ", id " + v(a.alert.id) + "\n";
  if (!a.cause.trigger.reason.empty()) out += "- Trigger: " + v(a.cause.trigger.reason) + "\n";
  for (const auto& s : a.cause.sentences) out += "- Cause: " + v(s) + "\n";
  if (a.verdict.expires) out += "- Expires: " + time(a.verdict.expires) + " UTC\n";
  if (!a.verdict.techniques.empty()) out += "- ATT\\&CK: " + v(join(a.verdict.techniques, ", ")) + "\n";
  out += "\n## Why\n\n";
  for (const auto& r : a.verdict.reasons) out += "- " + v(r) + "\n";
  if (!a.verdict.premises.empty()) {
    out += "\n### It holds as long as\n\n";
    for (const auto& p : a.verdict.premises)
      out += "- " + v(p.statement) + " Overturned by: " + v(p.overturned_by) + "\n\n" + code(p.query) + "\n";
  }
  if (const auto told = investigate::told_payloads(a); !told.empty()) {
    out += "\n## What the requests carried, decoded\n";
    for (const auto& t : told) {
      const auto& p = *t.example;
      out += fmt::format("\n### {}{}\n\nTo {}, from {}, first at {} UTC.\n\n", v(p.what), p.asked.empty() ? "" : ": " + v(p.asked),
                         v(p.workload), v(join(p.clients, ", ")), time(t.first));
      for (const auto& s : p.steps) out += "- " + v(s.what) + ": " + v(s.text) + "\n";
      for (const auto& file : t.shown_by) out += "- seen in " + v(file) + "\n";
    }
  }
  if (!a.plan.empty()) {
    out += "\n## Plan, in order\n";
    int n = 0;
    for (const auto& p : a.plan) {
      out += fmt::format("\n### {}. {} {}{}\n\n{}\n\n- Hurts: {}\n- Approval: {}\n\n", ++n, v(p.action), v(p.target),
                         p.cluster.empty() ? "" : " in " + v(p.cluster), v(p.effect), v(p.blast_radius.summary), v(p.approval));
      const auto commands = [&](const char* label, const std::vector<std::string>& list) {
        for (size_t i = 0; i < list.size(); ++i) out += (i == 0 ? std::string(label) + ":\n\n" : "") + code(list[i]) + "\n";
      };
      commands("Apply", p.apply);
      commands("Verify", p.verify);
      commands("Undo", p.undo);
    }
  }
  if (!a.credentials.empty()) {
    out += "\n## Credentials within reach\n\n| # | kind | name | how |\n|--:|---|---|---|\n";
    for (const auto& x : a.credentials) out += fmt::format("| {} | {} | {} | {} |\n", x.order, v(x.kind), v(x.name), v(x.reach));
  }
  if (!a.release.explanation.empty()) out += "\n## Releases\n\n" + v(a.release.explanation) + "\n";
  if (!a.release.versions.empty()) {
    out += "\n| version | image | by | from | to | contacts |\n|---|---|---|---|---|--:|\n";
    for (const auto& x : a.release.versions)
      out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", v(x.version), v(x.image), v(x.by), time(x.from),
                         x.to ? time(x.to) : "still running", x.contacts);
  }
  if (!a.cause.regions.empty()) {
    out += "\n## Clusters compared\n\n| cluster | region | contacts | name leads to | difference |\n|---|---|--:|---|---|\n";
    for (const auto& r : a.cause.regions)
      out += fmt::format("| {} | {} | {} | {} | {} |\n", v(r.cluster), v(r.region), r.contacts, v(join(r.answers, ", ")), v(r.difference));
  }
  out += "\n## Timeline\n\n| time (UTC) | kind | cluster | what |\n|---|---|---|---|\n";
  for (const auto& t : a.timeline) out += fmt::format("| {} | {} | {} | {} |\n", time(t.time), v(t.kind), v(t.cluster), v(t.text));
  out += "\n## Ledger\n\n| probability | candidate | decibans | evidence |\n|--:|---|--:|---|\n";
  int shown = 0;
  for (const auto& x : a.candidates) {
    if (++shown > 10 && x.kind != "unknown") continue;
    out += fmt::format("| {:.3f} | {} | {:+.0f} | |\n", x.probability, x.kind == "unknown" ? "nobody known" : v(x.id()), x.score);
    for (const auto& e : x.evidence)
      out += fmt::format("| | | {:+.0f} | {}{} |\n", e.weight, v(e.reason), e.counted ? "" : " (not counted)");
  }
  for (const auto& e : a.verdict.evidence)
    out += fmt::format("| | {} | {:+.0f} | {}{} |\n", e.weight > 0 ? "bad" : "harmless", e.weight, v(e.reason),
                       e.counted ? "" : " (not counted)");
  out += "\n## Coverage and gaps\n\n";
  for (const auto& g : a.facts.gaps) out += "- " + v(g) + "\n";
  if (a.facts.gaps.empty()) out += "Flow logs, DNS questions, pods and audit log cover the contacts.\n";
  if (!a.facts.coverage.empty()) {
    out += "\n| cluster | source | from | to | rows |\n|---|---|---|---|--:|\n";
    for (const auto& s : a.facts.coverage)
      out += fmt::format("| {} | {} | {} | {} | {} |\n", v(s.cluster), v(s.source), time(s.from), time(s.to), s.rows);
  }
  if (!a.facts.sources.empty()) {
    out += "\n## Inputs\n\n| file | format | rows | unread | SHA-256 |\n|---|---|--:|--:|---|\n";
    for (const auto& s : a.facts.sources)
      out += fmt::format("| {} | {} | {} | {} | {} |\n", v(s.file), v(s.format), s.rows, s.errors, v(s.sha256));
  }
  out += "\n## Communication log\n\n| time (UTC) | kind | who | what |\n|---|---|---|---|\n";
  for (const auto& l : c.log) out += fmt::format("| {} | {} | {} | {} |\n", time(l.time), v(l.kind), v(l.author), v(l.text));
  out += "\n## Post-mortem\n";
  for (const auto& p : post_mortem(c))
    out += "\n### " + v(p.question) + "\n\n" + (p.answer.empty() ? "_To be written by those who were there._" : v(p.answer)) + "\n";
  return out;
}

}  // namespace egret::incident
