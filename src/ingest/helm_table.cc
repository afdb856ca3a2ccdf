// What `helm history` and `helm list` print for people: columns parted by tabs, times of history in the printer's own zone
// (evidence.yaml names it). The JSON forms are read by releases.cc.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/release_forms.h"

namespace egret::ingest {
namespace {

// "Mon Nov 10 07:50:00 2025", C's asctime.
std::optional<Ticks> asctime_of(std::string_view text, const TimeForm& form) {
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::array<std::string_view, 5> w;
  size_t n = 0;
  for (std::string_view rest = text; !rest.empty();) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (rest.empty()) break;
    if (n == w.size()) return {};
    const size_t end = std::min(rest.find(' '), rest.size());
    w[n++] = rest.substr(0, end);
    rest.remove_prefix(end);
  }
  if (n != 5 || w[1].size() != 3 || w[2].size() > 2 || w[4].size() != 4) return {};
  const size_t month = kMonths.find(w[1]);
  if (month == std::string_view::npos || month % 3) return {};
  const auto two = [](size_t v) { return std::string{static_cast<char>('0' + v / 10), static_cast<char>('0' + v % 10)}; };
  const std::string iso = std::string(w[4]) + "-" + two(month / 3 + 1) + "-" + (w[2].size() == 1 ? "0" : "") + std::string(w[2]) + "T" +
                          std::string(w[3]) + "Z";
  const auto t = parse_iso_datetime(iso);
  return t ? std::optional(form.to_utc(*t)) : std::nullopt;
}

std::vector<std::string_view> cells_of(std::string_view line) {
  std::vector<std::string_view> out;
  for (;;) {
    const size_t tab = line.find('\t');
    out.push_back(trim(line.substr(0, tab)));
    if (tab == std::string_view::npos) return out;
    line.remove_prefix(tab + 1);
  }
}

bool is_head(const std::vector<std::string_view>& cells) {
  const auto has = [&](std::string_view name) { return std::ranges::find(cells, name) != cells.end(); };
  return has("REVISION") && has("UPDATED") && has("STATUS") && has("CHART");
}

void decode(const Source& source, Sink& sink) {
  std::vector<std::string_view> head;
  uint64_t number = 0;
  Ticks from = 0, to = 0;
  for (std::string_view rest = source.bytes; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (trim(line).empty() || line.starts_with('#')) continue;
    const auto cells = cells_of(line);
    if (is_head(cells)) {
      head = cells;
      continue;
    }
    const auto cell = [&](std::string_view name) {
      const auto at = std::ranges::find(head, name);
      const size_t i = static_cast<size_t>(at - head.begin());
      return at == head.end() || i >= cells.size() ? std::string_view() : cells[i];
    };
    const auto local = asctime_of(cell("UPDATED"), source.time_form());
    Release r{.source = "helm"};
    r.time = local ? *local : helm_time(cell("UPDATED"));
    if (!r.time) {
      sink.error(number, "the row of Helm's table has no time under UPDATED", line);
      continue;
    }
    r.cluster = source.cluster;
    r.workload_name = cell("NAME");
    r.name_space = cell("NAMESPACE");
    r.version = cell("APP VERSION");
    helm_chart(cell("CHART"), r);
    r.pipeline = "helm " + r.workload_name + " v" + std::string(cell("REVISION"));
    r.status = helm_status(cell("STATUS"));
    add_release(sink, r);
    from = from ? std::min(from, r.time) : r.time;
    to = std::max(to, r.time);
  }
  if (from) sink.covered({.cluster = source.cluster, .name = {}, .source = "releases", .table = "EgretReleases", .from = from, .to = to});
}

int recognise(std::string_view head, std::string_view) {
  for (std::string_view rest = head.substr(0, 4096); !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (trim(line).empty() || line.starts_with('#')) continue;
    return line.find('\t') != std::string_view::npos && is_head(cells_of(line)) ? 92 : 0;
  }
  return 0;
}

}  // namespace

extern const Decoder kHelmTable;
const Decoder kHelmTable{"helm-table", "what `helm history` and `helm list` print: revisions and their times", "EgretReleases", recognise,
                         decode};

}  // namespace egret::ingest
