#include "investigate/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "investigate/lines.h"
#include "investigate/payloads.h"

namespace egret::investigate {

namespace {

constexpr size_t kStepsWithCommands = 5;
constexpr int kLabel = 11;  // columns of the labels in the first block

std::string safe(std::string_view s) { return terminal_safe(s); }

std::string title(Classification c) {
  switch (c) {
    case Classification::kTruePositive: return "TRUE POSITIVE: treat as an incident";
    case Classification::kBenignPositive: return "BENIGN POSITIVE: it happened, and it is harmless";
    case Classification::kFalsePositive: return "FALSE POSITIVE: the alert is wrong";
    case Classification::kUndetermined: return "UNDETERMINED: not enough is known to call it either way";
  }
  return {};
}

// Which way an open verdict leans, as a part of its title; empty: neither.
std::string lean(const Verdict& v) {
  constexpr double kLeans = 5;  // decibans: three to one
  if (v.classification != Classification::kUndetermined || std::abs(v.score) < kLeans) return {};
  return fmt::format(", though it leans to {} ({:.0f} to 1)", v.score > 0 ? "bad" : "harmless", std::pow(10, std::abs(v.score) / 10));
}

Tone tone_of(Classification c) {
  switch (c) {
    case Classification::kTruePositive: return Tone::kRed;
    case Classification::kUndetermined: return Tone::kYellow;
    default: return Tone::kGreen;
  }
}

std::string probability(double p) {
  if (p >= 0.9995) return ">0.999";
  if (p < 0.0005) return "<0.001";
  return fmt::format("{:.3f}", p);
}

std::string confidence(double p) { return p > 0.995 ? ">0.99" : fmt::format("{:.2f}", p); }

std::string destination(const Answer& a) {
  std::string name;
  for (const auto& n : a.cause.names) {
    if (name.empty()) name = n.name;
  }
  if (name.empty()) name = a.alert.name;
  std::string where = a.alert.address;
  if (a.alert.port && !where.empty())
    where += where.find(':') == std::string::npos ? fmt::format(":{}", *a.alert.port) : fmt::format(" port {}", *a.alert.port);
  if (name.empty() || name == a.alert.address) return where;
  return where.empty() ? name : name + " (" + where + ")";
}

std::string owner_line(const Answer& a) {
  const Candidate* o = a.owner();
  if (!o) return "unknown";
  std::string text = o->id();
  if (!o->container.empty()) text += ", container " + o->container;
  if (!o->cluster.empty()) text += ", cluster " + o->cluster;
  return text + ", probability " + probability(o->probability);
}

std::string version_name(const Version& v) {
  if (!v.version.empty()) return v.version;
  if (!v.image.empty()) return v.image;
  return v.revision.empty() ? v.digest : "revision " + v.revision;
}

std::string weight(double w) { return fmt::format("{:+.0f}", w); }

void contact_line(const Answer& a, Lines& out) {
  std::string text = destination(a);
  if (!a.contacts.empty()) {
    uint64_t sent = 0, received = 0;
    int blocked = 0;
    for (const auto& c : a.contacts) {
      sent += static_cast<uint64_t>(std::max<int64_t>(c.bytes_out, 0));
      received += static_cast<uint64_t>(std::max<int64_t>(c.bytes_in, 0));
      blocked += c.blocked;
    }
    text += fmt::format(", {}", count_of(a.contacts.size(), "contact"));
    text += a.contacts.size() == 1 ? fmt::format(" at {}", format_datetime_short(a.contacts.front().time))
                                   : fmt::format(" from {} to {}", format_datetime_short(a.contacts.front().time),
                                                 format_datetime_short(a.contacts.back().time));
    if (sent + received > 0) text += fmt::format(", {} sent, {} received", format_bytes(sent), format_bytes(received));
    if (blocked > 0) text += fmt::format(", {} blocked", blocked);
  } else {
    text += ", no contact in the data; the alert is of " + format_datetime_short(a.alert.time);
  }
  out.text("  Contact", safe(text), kLabel);
}

void candidates(const Answer& a, const PageOptions& options, Lines& out) {
  out.heading(options.evidence ? "Ledger: evidence for each candidate, in decibans (10 = ten times as likely)"
                               : "Who it could have been, and why (decibans: 10 = ten times as likely)");
  int shown = 0;
  double rest = 0;
  int rest_count = 0;
  for (const auto& c : a.candidates) {
    if (!options.evidence && shown >= 3 && c.kind != "unknown") {
      rest += c.probability;
      ++rest_count;
      continue;
    }
    ++shown;
    out.text("  " + probability(c.probability),
             safe(c.kind == "unknown" ? "nobody known" : c.id() + (c.cluster.empty() ? "" : " in " + c.cluster)), 10,
             shown == 1 ? Tone::kBold : Tone::kPlain);
    auto evidence = c.evidence;
    std::stable_sort(evidence.begin(), evidence.end(),
                     [](const Evidence& x, const Evidence& y) { return std::abs(x.weight) > std::abs(y.weight); });
    int lines = 0;
    for (const auto& e : evidence) {
      if (!options.evidence && (!e.counted || lines >= (shown == 1 ? 5 : 2))) continue;
      ++lines;
      out.text(fmt::format("      {:>4}{}", weight(e.weight), e.counted ? " " : "("),
               safe(e.reason) + (e.counted ? "" : " (a stronger test of its group counts)"), 12);
      if (options.evidence && !e.query.empty()) {
        out.raw(fmt::format("            test {}, group {}; rows {}", safe(e.test), safe(e.group), e.rows.size()));
        for (const auto& line : split(e.query, '\n')) out.raw("              " + safe(line));
      }
    }
  }
  if (rest_count > 0) out.text("  " + probability(rest), count_of(static_cast<uint64_t>(rest_count), "other candidate") + " together", 10);
}

void verdict_part(const Answer& a, const PageOptions& options, Lines& out) {
  const auto& v = a.verdict;
  if (!v.reasons.empty()) {
    out.heading(v.classification == Classification::kTruePositive     ? "Why it is bad"
                : v.classification == Classification::kBenignPositive ? "Why it is benign"
                : v.classification == Classification::kFalsePositive  ? "Why the alert is wrong"
                                                                      : "What speaks for and against");
    for (const auto& r : v.reasons) out.text("  -", safe(r), 4);
  }
  if (!v.premises.empty()) {
    out.heading("It holds as long as");
    for (const auto& p : v.premises) {
      out.text("  -", safe(p.statement) + (p.overturned_by.empty() ? "" : " Overturned by: " + p.overturned_by), 4);
      if (options.evidence && !p.query.empty()) {
        for (const auto& line : split(p.query, '\n')) out.raw("      " + safe(line));
      }
    }
  }
  if (options.evidence && !v.evidence.empty()) {
    out.heading(fmt::format("Ledger: bad (+) or harmless (-), in decibans; sum with the prior {:+.0f}", v.score));
    for (const auto& e : v.evidence) {
      out.text(fmt::format("  {:>4}{}", weight(e.weight), e.counted ? " " : "("), safe(e.reason), 8);
      out.raw(fmt::format("        test {}, group {}; rows {}", safe(e.test), safe(e.group), e.rows.size()));
      for (const auto& line : split(e.query, '\n')) out.raw("          " + safe(line));
    }
  }
}

// What was asked for, in the words of a person: the request as it came, then each layer on a line.
void payloads_part(const Answer& a, const PageOptions& options, Lines& out) {
  if (a.payloads.empty()) return;
  out.heading("What the requests carried, decoded");
  constexpr size_t kShown = 3, kLongest = 240;
  constexpr int kLayer = 21;  // columns of a layer's name
  const auto told = told_payloads(a);
  for (size_t i = 0; i < told.size(); ++i) {
    if (!options.evidence && i == kShown) {
      out.text("  …", fmt::format("{} more; the report has them all", told.size() - kShown), 4);
      break;
    }
    const CarriedPayload& p = *told[i].example;
    out.text("  -",
             safe(fmt::format("{}{} to {}, from {}, at {}", p.what, p.asked.empty() ? "" : " (" + p.asked + ")", p.workload,
                              join(p.clients, ", "), format_datetime_short(told[i].first))),
             4, Tone::kBold);
    for (const PayloadStep& s : p.steps)
      out.text(fmt::format("    {:<{}}", safe(s.what), kLayer), safe(s.text.size() > kLongest ? s.text.substr(0, kLongest) + "…" : s.text),
               kLayer + 4);
    if (!told[i].shown_by.empty()) out.text(fmt::format("    {:<{}}", "seen in", kLayer), safe(join(told[i].shown_by, "; ")), kLayer + 4);
  }
}

void plan_part(const Answer& a, const PageOptions& options, Lines& out) {
  if (a.plan.empty()) return;
  out.heading("What to do, in order");
  int n = 0;
  for (const auto& p : a.plan) {
    ++n;
    std::string head = p.action + " " + p.target;
    if (!p.cluster.empty()) head += " in " + p.cluster;
    out.text(fmt::format("  {:>2}", n),
             safe(head) + (p.approval.empty() || p.approval == "none" ? "" : safe(" (approval: " + p.approval + ")")), 6, Tone::kBold);
    std::string says = safe(p.effect);
    if (!p.blast_radius.summary.empty() && p.blast_radius.summary != "nobody") says += " Hurts " + safe(p.blast_radius.summary);
    out.text("", says, 6);
    const auto commands = [&](const char* label, const std::vector<std::string>& list, size_t most) {
      for (size_t i = 0; i < list.size() && i < most; ++i) {
        const auto lines = split(list[i], '\n');
        out.raw(fmt::format("      {} {}{}", label, safe(lines.front()), lines.size() > 1 && !options.all_steps ? " …" : ""));
        // A here-document must begin in the first column to be copied.
        for (size_t k = 1; options.all_steps && k < lines.size(); ++k) out.raw(safe(lines[k]));
      }
      if (list.size() > most && most > 0) out.raw(fmt::format("      {} … {} more", label, list.size() - most));
    };
    // At three in the morning the first steps are to be copied from here; all commands stand one option away.
    const bool early = n <= kStepsWithCommands || a.plan.size() <= kStepsWithCommands;
    commands("$", p.apply, options.all_steps ? p.apply.size() : early ? 2 : 0);
    if (options.all_steps) {
      commands("verify $", p.verify, p.verify.size());
      commands("undo   $", p.undo, p.undo.size());
    }
  }
}

}  // namespace

std::string headline(const Answer& a) {
  const Candidate* o = a.owner();
  return fmt::format("{} {}: {}{} → {}", classification_name(a.verdict.classification), confidence(a.verdict.confidence),
                     o ? o->id() : "unknown", o && !o->cluster.empty() ? " in " + o->cluster : "", destination(a));
}

void name_incident(Answer& answer, int64_t number) {
  constexpr std::string_view kPlaceholder = "INCIDENT";
  const std::string name = std::to_string(number);
  for (auto& step : answer.plan) {
    for (auto* list : {&step.apply, &step.verify, &step.undo}) {
      for (auto& command : *list) {
        if (!command.starts_with("egret incident ")) continue;
        if (const size_t at = command.find(kPlaceholder); at != std::string::npos) command.replace(at, kPlaceholder.size(), name);
      }
    }
  }
}

std::string render_page(const Answer& a, const PageOptions& options) {
  Lines out(options.width, options.colours);
  const auto& v = a.verdict;
  out.raw(out.tone(tone_of(v.classification), title(v.classification)) +
          (v.classification == Classification::kUndetermined ? lean(v) : "  (confidence " + confidence(v.confidence) + ")"));
  out.blank();
  std::string alert = a.alert.rule.empty() ? "none given; found in the data" : a.alert.rule;
  if (!a.alert.provider.empty()) alert += ", " + a.alert.provider;
  if (!a.alert.severity.empty()) alert += ", severity " + a.alert.severity;
  out.text("  Alert", safe(alert), kLabel);
  if (!a.related.empty()) out.text("", "and " + count_of(a.related.size(), "related alert") + " of the same incident", kLabel);
  out.text("  Who", safe(owner_line(a)), kLabel, Tone::kBold);
  for (const auto& o : a.owners) {
    if (a.owners.size() > 1)
      out.text("",
               safe(fmt::format("{:.0f} % of the contacts: {}{}{}", o.share * 100, o.candidate, o.cluster.empty() ? "" : " in " + o.cluster,
                                o.distinguished_by.empty() ? "" : " (" + o.distinguished_by + ")")),
               kLabel);
  }
  if (!a.alert.criticality.empty()) out.text("", safe("criticality: " + a.alert.criticality), kLabel);
  contact_line(a, out);
  if (!a.cause.trigger.kind.empty() && a.cause.trigger.kind != "unknown") out.text("  Trigger", safe(a.cause.trigger.reason), kLabel);
  for (size_t i = 0; i < a.cause.sentences.size(); ++i) out.text(i == 0 ? "  Cause" : "", safe(a.cause.sentences[i]), kLabel);
  if (a.release.first_bad && a.release.settings_alone()) {
    for (const auto& c : a.release.changes) {
      out.text(&c == a.release.changes.data() ? "  Settings" : "",
               safe(fmt::format("{} changed at {}{}", c.what, format_datetime_short(c.time), c.by.empty() ? "" : " by " + c.by)), kLabel,
               Tone::kBold);
    }
  } else if (a.release.first_bad) {
    out.text("  Release",
             safe("first bad " + version_name(*a.release.first_bad) +
                  (a.release.last_good ? ", last good " + version_name(*a.release.last_good) : ", last good unknown")),
             kLabel, Tone::kBold);
  }
  if (!a.release.explanation.empty()) out.text(a.release.first_bad ? "" : "  Release", safe(a.release.explanation), kLabel);
  if (v.expires != 0) out.text("  Expires", format_datetime_short(v.expires) + " UTC, or as soon as a premise below fails", kLabel);
  if (!v.techniques.empty()) out.text("  ATT&CK", safe(join(v.techniques, ", ")), kLabel);

  verdict_part(a, options, out);
  payloads_part(a, options, out);
  plan_part(a, options, out);
  if (!a.credentials.empty()) {
    out.heading("Credentials within reach, in the order to rotate");
    constexpr size_t kShown = 8;
    for (const auto& c : a.credentials) {
      if (!options.evidence && static_cast<size_t>(&c - a.credentials.data()) == kShown) {
        out.text("   …", fmt::format("{} more; the plan has them all", a.credentials.size() - kShown), 6);
        break;
      }
      out.text(fmt::format("  {:>2}", c.order), safe(c.kind + " " + c.name + ": " + c.reach), 6);
    }
  }
  if (!a.candidates.empty()) candidates(a, options, out);
  // Those that would tell less than a twentieth of a bit are not worth their price.
  const auto worth = [&](const Missing& m) { return options.evidence || m.entropy_gain >= 0.05; };
  if (std::ranges::any_of(a.missing, worth)) {
    out.heading("Which log would tell more");
    int told = 0;
    for (const auto& m : a.missing) {
      if (!worth(m) || (!options.evidence && ++told > 2)) break;
      out.text("  -",
               safe(m.log + (m.where.empty() || m.log.find(m.where) != std::string::npos ? "" : " in " + m.where)) +
                   fmt::format(" (worth {:.1f} bits)", m.entropy_gain) + (m.cost.empty() ? "" : ", costs " + safe(m.cost)),
               4);
      if (!m.how.empty()) out.raw("    $ " + safe(m.how));
    }
  }
  if (!options.incident.empty()) {
    out.blank();
    out.raw(out.tone(
        Tone::kDim,
        fmt::format("Kept as incident {0}. All commands: egret incident show {0} --plan. All evidence: egret incident show {0} --evidence.",
                    safe(options.incident))));
    out.raw(out.tone(Tone::kDim, fmt::format("Report: egret incident report {0} --out report.html", safe(options.incident))));
  }
  return std::move(out).take();
}

}  // namespace egret::investigate
