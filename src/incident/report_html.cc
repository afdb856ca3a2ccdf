// The sections stand in the order of the page; each is one function. Longer than most files: splitting it would part the page.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/embedded.h"
#include "base/text.h"
#include "incident/flow_picture.h"
#include "incident/mask.h"
#include "incident/report.h"
#include "investigate/page.h"
#include "investigate/payloads.h"

namespace egret::incident {

namespace {

using investigate::Answer;
using investigate::Classification;

class Html {
 public:
  Html(const Case& c, const ReportOptions& options) : c_(c), a_(c.answer), options_(options) {}

  std::string page() {
    out_ =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\">";
    out_ += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">";
    out_ += "<title>Incident " + std::to_string(c_.number) + ": " + v(c_.title) + "</title><style>";
    out_ += embedded_text("report/report.css");
    out_ += "</style></head><body>\n";
    head();
    picture();
    reasons();
    payloads();
    plan();
    credentials();
    release();
    regions();
    timeline();
    ledger();
    missing();
    coverage();
    sources();
    log();
    post();
    out_ += fmt::format("<footer>Made by egret at {} UTC from incident {} ({}). {}</footer>\n</body></html>\n",
                        format_datetime_short(options_.now), c_.number, count_of(static_cast<uint64_t>(c_.answers), "answer"),
                        options_.unmask ? "Values are shown as the logs have them." : "Secrets and e-mail addresses in values are masked.");
    return std::move(out_);
  }

 private:
  // Every value passes here: masked unless asked otherwise, made visible where it is no text, escaped.
  std::string v(std::string_view s) const { return html_escape(terminal_safe(options_.unmask ? std::string(s) : mask(s))); }
  std::string lines(std::string_view s) const {  // as v, but keeps line ends
    std::vector<std::string> all;
    for (const auto& l : split(s, '\n')) all.push_back(v(l));
    return join(all, "\n");
  }
  static std::string time(Ticks t) { return t ? format_datetime_short(t) : "–"; }
  void h2(const char* text) { out_ += fmt::format("<h2>{}</h2>\n", text); }
  void row(const char* label, const std::string& html) {
    if (!html.empty()) out_ += fmt::format("<dt>{}</dt><dd>{}</dd>", label, html);
  }

  void head() {
    out_ += "<h1>" + v(c_.title) + "</h1>\n";
    out_ += fmt::format("<p class=\"meta\">Incident {} · {} · {} · opened {} UTC{}</p>\n", c_.number, status_name(c_.status),
                        c_.severity.empty() ? "no severity" : v(c_.severity), time(c_.created),
                        c_.closed ? " · closed " + time(c_.closed) + " UTC" : "");
    const auto cls = c_.status == Status::kClosed ? c_.classification : a_.verdict.classification;
    out_ += fmt::format("<div class=\"verdict {}\"><b class=\"word\">{}</b>", investigate::classification_name(cls), word(cls));
    if (cls == a_.verdict.classification && cls != Classification::kUndetermined)
      out_ +=
          " &nbsp;confidence " + (a_.verdict.confidence > 0.995 ? std::string("&gt;0.99") : fmt::format("{:.2f}", a_.verdict.confidence));
    if (c_.status == Status::kClosed) out_ += "<p>Closed: " + v(c_.reason) + "</p>";
    out_ += "<dl>";
    const auto* o = a_.owner();
    row("Who", o ? "<b>" + v(o->id()) + "</b>" + (o->container.empty() ? "" : ", container " + v(o->container)) +
                       (o->cluster.empty() ? "" : ", cluster " + v(o->cluster)) + fmt::format(", probability {:.3f}", o->probability)
                 : "unknown");
    if (a_.owners.size() > 1) {
      std::string more;
      for (const auto& x : a_.owners)
        more += (more.empty() ? "" : "; ") + fmt::format("{:.0f} % ", x.share * 100) +
                v(x.candidate + (x.cluster.empty() ? "" : " in " + x.cluster));
      row("Shares", more);
    }
    row("Criticality", v(a_.alert.criticality));
    std::string to = v(a_.alert.address) + (a_.alert.port ? fmt::format(":{}", *a_.alert.port) : "");
    if (!a_.cause.names.empty()) to = "<b>" + v(a_.cause.names.front().name) + "</b> (" + to + ")";
    if (!a_.contacts.empty()) {
      uint64_t sent = 0, received = 0;
      for (const auto& x : a_.contacts) {
        sent += static_cast<uint64_t>(std::max<int64_t>(0, x.bytes_out));
        received += static_cast<uint64_t>(std::max<int64_t>(0, x.bytes_in));
      }
      to += fmt::format(", {} from {} to {} UTC, {} sent, {} received", count_of(a_.contacts.size(), "contact"),
                        time(a_.contacts.front().time), time(a_.contacts.back().time), format_bytes(sent), format_bytes(received));
    } else {
      to += ", no contact in the data";
    }
    row("Contact", to);
    row("Alert", v(a_.alert.rule) + (a_.alert.provider.empty() ? "" : ", " + v(a_.alert.provider)) +
                     (a_.alert.id.empty() ? "" : ", id <code>" + v(a_.alert.id) + "</code>"));
    if (a_.cause.trigger.kind != "unknown") row("Trigger", v(a_.cause.trigger.reason));
    for (size_t i = 0; i < a_.cause.sentences.size(); ++i) row(i == 0 ? "Cause" : "", v(a_.cause.sentences[i]));
    if (a_.release.first_bad) {
      const auto name = [](const investigate::Version& x) {
        return x.version.empty() ? x.image.empty() ? x.revision : x.image : x.version;
      };
      row("Release", "first bad <b>" + v(name(*a_.release.first_bad)) + "</b>" +
                         (a_.release.last_good ? ", last good <b>" + v(name(*a_.release.last_good)) + "</b>" : ""));
    }
    if (a_.verdict.expires) row("Expires", time(a_.verdict.expires) + " UTC");
    row("ATT&amp;CK", v(join(a_.verdict.techniques, ", ")));
    out_ += "</dl></div>\n";
  }

  static const char* word(Classification c) {
    switch (c) {
      case Classification::kTruePositive: return "True positive: an incident";
      case Classification::kBenignPositive: return "Benign positive: it happened, and it is harmless";
      case Classification::kFalsePositive: return "False positive: the alert is wrong";
      case Classification::kUndetermined: return "Undetermined";
    }
    return "";
  }

  void picture() {
    const std::string svg = flow_picture(a_, [this](std::string_view s) { return v(s); });
    if (svg.empty()) return;
    h2("Flows over time");
    out_ += "<div class=\"picture\">" + svg + "</div>\n";
  }

  void reasons() {
    h2("Why");
    out_ += "<ul>";
    for (const auto& r : a_.verdict.reasons) out_ += "<li>" + v(r) + "</li>";
    out_ += "</ul>\n";
    if (!a_.verdict.premises.empty()) {
      out_ += "<h3>It holds as long as</h3>";
      for (const auto& p : a_.verdict.premises) {
        out_ += "<details><summary>" + v(p.statement) + "</summary><p>Overturned by: " + v(p.overturned_by) +
                " A row in the result of this query means so:</p><pre>" + lines(p.query) + "</pre></details>";
      }
    }
  }

  void payloads() {
    const auto told = investigate::told_payloads(a_);
    if (told.empty()) return;
    h2("What the requests carried, decoded");
    for (const auto& t : told) {
      const auto& p = *t.example;
      out_ += fmt::format("<div class=\"step\"><h3>{}{}{}</h3>", v(p.what),
                          p.parameter.empty() ? "" : " in the parameter " + v(p.parameter), p.asked.empty() ? "" : ": " + v(p.asked));
      out_ += fmt::format("<p>To {} ({}), from {}, first at {} UTC{}</p>", v(p.workload), v(join(p.pods, ", ")), v(join(p.clients, ", ")),
                          time(t.first), p.hidden.empty() ? "." : ", made unreadable by " + v(p.hidden) + ".");
      out_ += "<table><tr><th>Layer</th><th>What it says</th></tr>";
      out_ += "<tr><td class=\"t\">the request</td><td><code>" + v(p.url) + "</code></td></tr>";
      for (const auto& s : p.steps) out_ += "<tr><td class=\"t\">" + v(s.what) + "</td><td><code>" + v(s.text) + "</code></td></tr>";
      out_ += "</table>";
      if (!t.shown_by.empty()) {
        out_ += "<p><span class=\"label\">Seen in:</span></p><ul>";
        for (const auto& file : t.shown_by) out_ += "<li>" + v(file) + "</li>";
        out_ += "</ul>";
      }
      out_ += "</div>\n";
    }
  }

  void commands(const char* label, const std::vector<std::string>& list) {
    if (list.empty()) return;
    out_ += fmt::format("<p class=\"label\">{}</p>", label);
    out_ += "<pre>" + lines(join(list, "\n")) + "</pre>";
  }

  void plan() {
    if (a_.plan.empty()) return;
    h2("Plan, in order");
    int n = 0;
    for (const auto& p : a_.plan) {
      out_ += fmt::format("<div class=\"step\"><h3>{}. {} {}{}</h3><p>{}</p>", ++n, v(p.action), v(p.target),
                          p.cluster.empty() ? "" : " in " + v(p.cluster), v(p.effect));
      if (!p.blast_radius.summary.empty()) out_ += "<p><span class=\"label\">Hurts:</span> " + v(p.blast_radius.summary) + "</p>";
      if (!p.approval.empty()) out_ += "<p><span class=\"label\">Approval:</span> " + v(p.approval) + "</p>";
      out_ += "<details open><summary>Commands</summary>";
      commands("Apply", p.apply);
      commands("Verify", p.verify);
      commands("Undo", p.undo);
      out_ += "</details></div>\n";
    }
  }

  void credentials() {
    if (a_.credentials.empty()) return;
    h2("Credentials within reach, in the order to rotate");
    out_ += "<table><tr><th class=\"n\">#</th><th>Kind</th><th>Name</th><th>How it is reached</th></tr>";
    for (const auto& c : a_.credentials)
      out_ += fmt::format("<tr><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", c.order, v(c.kind), v(c.name), v(c.reach));
    out_ += "</table>\n";
  }

  void release() {
    const auto& r = a_.release;
    if (r.versions.empty() && r.explanation.empty()) return;
    h2("Releases");
    if (!r.explanation.empty()) out_ += "<p>" + v(r.explanation) + "</p>";
    if (!r.versions.empty()) {
      out_ +=
          "<table><tr><th>Version</th><th>Image</th><th>By</th><th>From (UTC)</th><th>To</th><th class=\"n\">Contacts</th><th></th></tr>";
      for (const auto& x : r.versions) {
        const bool bad = r.first_bad && r.first_bad->from == x.from, good = r.last_good && r.last_good->from == x.from;
        out_ += fmt::format(
            "<tr><td>{}</td><td>{}{}</td><td>{}</td><td class=\"t\">{}</td><td class=\"t\">{}</td><td class=\"n\">{}</td><td><b "
            "class=\"{}\">{}</b></td></tr>",
            v(x.version.empty() ? x.revision : x.version), v(x.image),
            x.commit.empty() ? "" : "<br><span class=\"label\">commit " + v(x.commit) + "</span>", v(x.by), time(x.from),
            x.to ? time(x.to) : "still running", x.contacts, bad ? "against" : "for",
            bad    ? "first bad"
            : good ? "last good"
                   : "");
      }
      out_ += "</table>";
    }
    if (!r.changes.empty()) {
      out_ += "<h3>What changed between them</h3><table><tr><th>Time (UTC)</th><th>What</th><th>From</th><th>To</th><th>By</th></tr>";
      for (const auto& x : r.changes)
        out_ += fmt::format("<tr><td class=\"t\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", time(x.time), v(x.what),
                            v(x.from), v(x.to), v(x.by));
      out_ += "</table>\n";
    }
  }

  void regions() {
    if (a_.cause.regions.size() < 2 && a_.cause.names.empty()) return;
    h2("Names and clusters compared");
    if (!a_.cause.names.empty()) {
      out_ += "<table><tr><th>Name</th><th>Address</th><th>Cluster</th><th>Time (UTC)</th><th>Seen as</th></tr>";
      for (const auto& n : a_.cause.names)
        out_ += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"t\">{}</td><td>{}</td></tr>", v(n.name), v(n.address),
                            v(n.cluster), time(n.time), v(n.source));
      out_ += "</table>";
    }
    out_ += "<table><tr><th>Cluster</th><th>Region</th><th class=\"n\">Contacts</th><th>Name leads to</th><th>Difference</th></tr>";
    for (const auto& r : a_.cause.regions)
      out_ += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td>{}</td><td>{}</td></tr>", v(r.cluster), v(r.region),
                          r.contacts, v(join(r.answers, ", ")), v(r.difference));
    out_ += "</table>\n";
  }

  void timeline() {
    if (a_.timeline.empty()) return;
    h2("Timeline");
    out_ += "<table><tr><th>Time (UTC)</th><th></th><th>Cluster</th><th>What</th></tr>";
    for (const auto& t : a_.timeline)
      out_ += fmt::format("<tr><td class=\"t\">{}</td><td><span class=\"kind {}\">{}</span></td><td>{}</td><td>{}</td></tr>", time(t.time),
                          v(t.kind), v(t.kind), v(t.cluster), v(t.text));
    out_ += "</table>\n";
  }

  void evidence(const std::vector<investigate::Evidence>& list, const char* plus, const char* minus) {
    out_ += "<table><tr><th class=\"n\">Decibans</th><th>Evidence</th></tr>";
    for (const auto& e : list) {
      out_ += fmt::format(
          "<tr{}><td class=\"n {}\">{:+.0f}</td><td>{}{}<details><summary>test {}, group {}, {}</summary><pre>{}</pre></details></td></tr>",
          e.counted ? "" : " class=\"off\"", e.weight > 0 ? plus : minus, e.weight, v(e.reason),
          e.counted ? "" : " (a stronger test of its group counts)", v(e.test), v(e.group), count_of(e.rows.size(), "row"), lines(e.query));
    }
    out_ += "</table>\n";
  }

  void ledger() {
    h2("Ledger");
    out_ +=
        "<p class=\"label\">10 decibans: ten times as likely. Each test's query runs as printed with <code>egret query</code> against the "
        "same data folder.</p>";
    int shown = 0;
    for (const auto& c : a_.candidates) {
      if (shown >= 10 && c.kind != "unknown") continue;
      ++shown;
      out_ += fmt::format("<h3>{}{} · probability {:.3f}</h3>", c.kind == "unknown" ? "nobody known" : v(c.id()),
                          c.cluster.empty() ? "" : " in " + v(c.cluster), c.probability);
      if (!c.evidence.empty()) evidence(c.evidence, "for", "against");
    }
    if (a_.candidates.size() > static_cast<size_t>(shown))
      out_ += fmt::format("<p class=\"label\">{} of less probability left out.</p>",
                          count_of(a_.candidates.size() - static_cast<size_t>(shown), "candidate"));
    if (!a_.verdict.evidence.empty()) {
      out_ += fmt::format("<h3>Bad (+) or harmless (−), sum {:+.0f}</h3>", a_.verdict.score);
      evidence(a_.verdict.evidence, "plus", "minus");
    }
  }

  void missing() {
    if (a_.missing.empty()) return;
    h2("Which log would tell more");
    out_ += "<table><tr><th>Log</th><th>Where</th><th class=\"n\">Bits</th><th>Cost</th><th>How</th></tr>";
    for (const auto& m : a_.missing)
      out_ += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"n\">{:.2f}</td><td>{}</td><td><code>{}</code></td></tr>", v(m.log),
                          v(m.where), m.entropy_gain, v(m.cost), v(m.how));
    out_ += "</table>\n";
  }

  void coverage() {
    h2("Coverage and gaps");
    if (a_.facts.gaps.empty()) out_ += "<p>Flow logs, DNS questions, pods and audit log cover the contacts.</p>";
    for (const auto& g : a_.facts.gaps) out_ += "<p class=\"against\">" + v(g) + "</p>";
    if (a_.facts.coverage.empty()) return;
    out_ +=
        "<table><tr><th>Cluster</th><th>Source</th><th>Scope</th><th>From (UTC)</th><th>To</th><th class=\"n\">Complete</th><th "
        "class=\"n\">Rows</th></tr>";
    for (const auto& s : a_.facts.coverage) {
      out_ += fmt::format(
          "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"t\">{}</td><td class=\"t\">{}</td><td class=\"n\">{:.0f} %</td><td "
          "class=\"n\">{}</td></tr>",
          s.cluster.empty() ? "–" : v(s.cluster), v(s.source), s.scope == "cluster" ? "cluster" : v(s.name + " of " + s.scope),
          time(s.from), time(s.to), s.completeness * 100, with_thousands(static_cast<uint64_t>(std::max<int64_t>(s.rows, 0))));
    }
    out_ += "</table>\n";
  }

  void sources() {
    if (a_.facts.sources.empty()) return;
    h2("Inputs");
    out_ +=
        "<table><tr><th>File</th><th>Format</th><th class=\"n\">Bytes</th><th class=\"n\">Rows</th><th "
        "class=\"n\">Unread</th><th>SHA-256</th></tr>";
    for (const auto& s : a_.facts.sources)
      out_ += fmt::format(
          "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"hash\">{}</td></tr>",
          v(s.file), v(s.format), s.bytes, s.rows, s.errors, v(s.sha256));
    out_ += "</table>\n";
  }

  void log() {
    h2("Communication log");
    out_ += "<table><tr><th>Time (UTC)</th><th></th><th>Who</th><th>What</th></tr>";
    for (const auto& l : c_.log)
      out_ += fmt::format("<tr><td class=\"t\">{}</td><td><span class=\"kind\">{}</span></td><td>{}</td><td>{}</td></tr>", time(l.time),
                          v(l.kind), v(l.author), v(l.text));
    out_ += "</table>\n";
  }

  void post() {
    h2("Post-mortem");
    for (const auto& p : post_mortem(c_)) {
      out_ += "<h3>" + v(p.question) + "</h3>";
      out_ += p.answer.empty() ? "<div class=\"blank\">to be written by those who were there</div>" : "<p>" + v(p.answer) + "</p>";
    }
  }

  const Case& c_;
  const Answer& a_;
  const ReportOptions& options_;
  std::string out_;
};

}  // namespace

std::string report_html(const Case& c, const ReportOptions& options) { return Html(c, options).page(); }

}  // namespace egret::incident
