#include "incident/flow_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"

namespace egret::incident {

namespace {

using investigate::Answer;
using investigate::FlowPoint;

constexpr double kWidth = 1024, kLeft = 150, kRight = 14, kBand = 74, kGap = 22, kTop = 34, kAxis = 30;

// Times that people read: whole multiples of a round step.
Ticks step_of(Ticks span) {
  for (const Ticks minutes : {5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080}) {
    if (span / (minutes * kTicksPerMinute) <= 10) return minutes * kTicksPerMinute;
  }
  return 30 * kTicksPerDay;
}

}  // namespace

std::string flow_picture(const Answer& a, const std::function<std::string(std::string_view)>& shown) {
  const auto& points = a.facts.flows;
  const Ticks bin = a.facts.bin;
  if (points.empty() || bin <= 0) return {};
  std::map<std::string, std::vector<const FlowPoint*>> bands;
  Ticks from = points.front().time, to = from;
  for (const auto& p : points) {
    bands[p.cluster].push_back(&p);
    from = std::min(from, p.time);
    to = std::max(to, p.time + bin);
  }
  // The cluster of the contacts first; of many others those with most flows.
  std::vector<std::string> order;
  std::map<std::string, int64_t> contacts, flows;
  for (const auto& p : points) {
    contacts[p.cluster] += p.contacts;
    flows[p.cluster] += p.flows;
  }
  for (const auto& [name, list] : bands) order.push_back(name);
  std::stable_sort(order.begin(), order.end(),
                   [&](const auto& x, const auto& y) { return std::pair(contacts[x], flows[x]) > std::pair(contacts[y], flows[y]); });
  const size_t left_out = order.size() > 8 ? order.size() - 8 : 0;
  if (left_out) order.resize(8);

  const double plot = kWidth - kLeft - kRight;
  const double height = kTop + static_cast<double>(order.size()) * (kBand + kGap) + kAxis;
  const auto x = [&](Ticks t) { return kLeft + plot * static_cast<double>(t - from) / static_cast<double>(to - from); };
  const double bar = std::max(1.0, plot * static_cast<double>(bin) / static_cast<double>(to - from) - 1);

  std::string s = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {:.0f} {:.0f}" role="img" font-family="system-ui, sans-serif" font-size="12">)",
      kWidth, height);
  s += "<title>Outbound connections over time by cluster</title>";
  // legend
  s +=
      R"(<g fill="#5b6670"><rect x="150" y="8" width="10" height="10" fill="#9db7d9"/><text x="165" y="17">connections to public addresses</text>)"
      R"(<path d="M385 6 l6 11 h-12 z" fill="#b3261e"/><text x="396" y="17">contact with the address</text>)"
      R"(<line x1="565" y1="6" x2="565" y2="19" stroke="#1f4f9e" stroke-width="2" stroke-dasharray="2 2"/><text x="573" y="17">node start</text>)"
      R"(<line x1="655" y1="6" x2="655" y2="19" stroke="#6a2f9e" stroke-width="2"/><text x="663" y="17">release or change of the owner</text></g>)";
  double y = kTop;
  for (const auto& name : order) {
    const auto& list = bands[name];
    int64_t most = 1;
    for (const auto* p : list) most = std::max(most, p->flows);
    const double base = y + kBand;
    s += fmt::format(R"(<text x="0" y="{:.1f}" font-weight="600" fill="#1c2329">{}</text>)", y + 14,
                     shown(name.size() > 22 ? name.substr(0, 21) + "…" : name));
    s += fmt::format(R"(<text x="0" y="{:.1f}" fill="#5b6670">{}</text>)", y + 30,
                     count_of(static_cast<uint64_t>(flows[name]), "connection"));
    s += fmt::format(R"(<text x="0" y="{:.1f}" fill="{}">{}</text>)", y + 46, contacts[name] ? "#b3261e" : "#5b6670",
                     count_of(static_cast<uint64_t>(contacts[name]), "contact"));
    s += fmt::format(R"(<text x="0" y="{:.1f}" font-size="10" fill="#5b6670">{} in the highest bar</text>)", y + 62, most);
    s += fmt::format(R"(<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke="#d9dee3"/>)", kLeft, base, kWidth - kRight, base);
    for (const auto* p : list) {
      if (p->flows <= 0) continue;
      const double h = std::max(1.0, (kBand - 14) * static_cast<double>(p->flows) / static_cast<double>(most));
      s += fmt::format(R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="#9db7d9"><title>{} {}</title></rect>)",
                       x(p->time), base - h, bar, h, format_datetime_short(p->time),
                       count_of(static_cast<uint64_t>(p->flows), "connection"));
    }
    std::set<int> drawn;  // marks that would lie on one another are drawn once
    for (const auto& t : a.timeline) {
      if (t.cluster != name || t.time < from || t.time > to) continue;
      const bool node = t.kind == "node" && t.text.ends_with(" created");
      const bool change = t.kind == "release" || t.kind == "change";
      if (!node && !change) continue;
      if (!drawn.insert(static_cast<int>(x(t.time) / 2) * 2 + (node ? 0 : 1)).second) continue;
      s += fmt::format(
          R"(<line x1="{0:.1f}" y1="{1:.1f}" x2="{0:.1f}" y2="{2:.1f}" stroke="{3}" stroke-width="2"{4}><title>{5} {6}</title></line>)",
          x(t.time), y, base, node ? "#1f4f9e" : "#6a2f9e", node ? R"( stroke-dasharray="2 2")" : "", format_datetime_short(t.time),
          shown(t.text));
    }
    if (a.owner() && a.owner()->cluster == name) {  // versions are told by name, since paper has no tooltips
      for (const auto& v : a.release.versions) {
        if (v.from <= from || v.from > to || v.version.empty()) continue;
        s += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" font-size="10" fill="#6a2f9e">{}</text>)", x(v.from) + 4, y + 8,
                         shown(v.version.size() > 24 ? v.version.substr(0, 23) + "…" : v.version));
      }
    }
    std::set<int> marks;
    for (const auto& c : a.contacts) {
      if (c.cluster != name || c.time < from || c.time > to || !marks.insert(static_cast<int>(x(c.time) / 3)).second) continue;
      s += fmt::format(R"(<path d="M{:.1f} {:.1f} l5 9 h-10 z" fill="#b3261e"><title>{} contact</title></path>)", x(c.time), base + 2,
                       format_datetime_short(c.time));
    }
    y += kBand + kGap;
  }
  const Ticks step = step_of(to - from);
  double last = -100;
  for (Ticks t = (from + step - 1) / step * step; t <= to; t += step) {
    if (x(t) - last < 40 || x(t) < kLeft + 12) continue;
    last = x(t);
    const std::string text = format_datetime_short(t);
    s += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle" font-size="11" fill="#5b6670">{}</text>)",
                     std::min(x(t), kWidth - 30), height - 12, step >= kTicksPerDay ? text.substr(5, 5) : text.substr(11, 5));
  }
  s += fmt::format(R"(<text x="0" y="{:.1f}" font-size="11" fill="#5b6670">{} UTC, {} a bar</text>)", height - 12,
                   format_datetime_short(from).substr(0, 10), format_duration(bin));
  s += "</svg>";
  if (left_out) s += fmt::format("<p class=\"label\">{} with fewer connections left out.</p>", count_of(left_out, "more cluster"));
  return s;
}

}  // namespace egret::incident
