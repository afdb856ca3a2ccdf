// What `kubectl get pods` prints for people (-A, -o wide): pods as rows of EgretKubeObjects. The table has no owners and no times: owners
// are taken from the names that controllers give, times from AGE before the file's own time, so the JSON form says more.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "ingest/decoder.h"
#include "ingest/row_setter.h"

namespace egret::ingest {
namespace {

// Columns stand at least two blanks apart; a value may have single ones ("2 (3h ago)").
std::vector<std::string_view> columns_of(std::string_view line) {
  std::vector<std::string_view> out;
  for (size_t at = line.find_first_not_of(' '); at != std::string_view::npos;) {
    const size_t end = std::min(line.find("  ", at), line.size());
    out.push_back(trim(line.substr(at, end - at)));
    at = line.find_first_not_of(' ', end);
  }
  return out;
}

// "45s", "3d4h", "7h12m"; nothing for "<unknown>". Good to its smallest unit, which is added: it is at least as old.
std::optional<Ticks> age_of(std::string_view text) {
  Ticks age = 0, unit = 0;
  while (!text.empty()) {
    int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end == text.data() + text.size() || n < 0 || n > 100'000) return {};
    switch (*end) {
      case 'y': unit = 365 * kTicksPerDay; break;
      case 'd': unit = kTicksPerDay; break;
      case 'h': unit = kTicksPerHour; break;
      case 'm': unit = kTicksPerMinute; break;
      case 's': unit = kTicksPerSecond; break;
      default: return {};
    }
    age += n * unit;
    text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
  }
  return unit ? std::optional(age + unit) : std::nullopt;
}

bool all_of(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

// By the names of controllers: NAME-HASH-xxxxx, NAME-MINUTES-xxxxx, NAME-N, NAME-xxxxx. The last may be a Job that somebody made, too.
std::pair<std::string_view, std::string> owner_of(std::string_view pod, std::string_view node) {
  constexpr std::string_view kHash = "bcdf456789", kSuffix = "bcdfghjklmnpqrstvwxz2456789", kDigits = "0123456789";
  if (!node.empty() && pod.size() > node.size() + 1 && pod.ends_with(node) && pod[pod.size() - node.size() - 1] == '-')
    return {"Node", std::string(node)};
  const size_t dash = pod.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return {};
  const std::string_view last = pod.substr(dash + 1), before = pod.substr(0, dash);
  if (last.size() == 5 && all_of(last, kSuffix)) {
    const size_t second = before.rfind('-');
    const std::string_view middle = second == std::string_view::npos ? std::string_view{} : before.substr(second + 1);
    if (middle.size() >= 8 && middle.size() <= 10 && all_of(middle, kDigits)) return {"Job", std::string(before)};
    if (middle.size() >= 8 && middle.size() <= 10 && all_of(middle, kHash)) return {"ReplicaSet", std::string(before)};
    return {"DaemonSet", std::string(before)};
  }
  if (last.size() <= 4 && all_of(last, kDigits)) return {"StatefulSet", std::string(before)};
  return {};
}

void decode(const Source& source, Sink& sink) {
  std::vector<std::string_view> head;
  uint64_t number = 0;
  const Ticks now = source.modified_at ? source.modified_at : source.read_at;
  for (std::string_view rest = source.bytes; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (trim(line).empty() || line.starts_with('#')) continue;
    const auto cells = columns_of(line);
    if (std::find(cells.begin(), cells.end(), "RESTARTS") != cells.end()) {
      head = cells;
      continue;
    }
    if (head.empty()) continue;  // the command itself, above its output
    if (cells.size() != head.size()) {
      sink.error(number, "the line has other columns than the header", line);
      continue;
    }
    const auto cell = [&](std::string_view name) {
      const auto at = std::find(head.begin(), head.end(), name);
      const std::string_view v = at == head.end() ? std::string_view{} : cells[static_cast<size_t>(at - head.begin())];
      return v.starts_with('<') ? std::string_view{} : v;
    };
    std::string_view name = cell("NAME");
    if (name.starts_with("pod/")) name.remove_prefix(4);
    const auto [owner_kind, owner_name] = owner_of(name, cell("NODE"));
    const auto age = age_of(cell("AGE"));
    RowSetter(sink.rows("EgretKubeObjects"))
        .time("TimeGenerated", now)
        .text("Verb", "observed")
        .text("Cluster", source.cluster)
        .text("Kind", "Pod")
        .text("Namespace", cell("NAMESPACE"))
        .text("Name", name)
        .text("OwnerKind", owner_kind)
        .text("OwnerName", owner_name)
        .time("Created", age ? std::optional(now - *age) : std::nullopt)
        .text("Node", cell("NODE"))
        .address("Ip", cell("IP"))
        .text("Phase", cell("STATUS") == "Completed" ? "Succeeded" : cell("STATUS"))
        .text("Source", "kubectl");
  }
}

int recognise(std::string_view head, std::string_view) {
  const size_t at = head.find("RESTARTS");
  if (at == std::string_view::npos) return 0;
  const size_t begin = head.rfind('\n', at);
  std::string_view line = head.substr(begin == std::string_view::npos ? 0 : begin + 1);
  line = line.substr(0, line.find('\n'));
  const auto cells = columns_of(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
  for (const std::string_view word : {"NAME", "READY", "STATUS", "RESTARTS", "AGE"})
    if (std::find(cells.begin(), cells.end(), word) == cells.end()) return 0;
  return 95;
}

}  // namespace

extern const Decoder kKubeTable;
const Decoder kKubeTable{"kubectl-table", "the table that kubectl get pods prints (-A, -o wide)", "EgretKubeObjects", recognise, decode};

}  // namespace egret::ingest
