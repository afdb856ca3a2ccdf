#include "ingest/access_line.h"

#include <charconv>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "ingest/times.h"
#include "ingest/whole_number.h"

namespace egret::ingest {
namespace {

std::string known(std::string_view s) { return s == "-" ? std::string() : std::string(s); }

// Takes what precedes `end` off the front, and `end` with it.
bool take_until(std::string_view& rest, std::string_view end, std::string_view& part) {
  const size_t at = rest.find(end);
  if (at == std::string_view::npos) return false;
  part = rest.substr(0, at);
  rest.remove_prefix(at + end.size());
  return true;
}

int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

// A text in quotes; servers write a quote within as \" or \x22. What is not printable stays as the server wrote it.
bool take_quoted(std::string_view& rest, std::string& text) {
  text.clear();
  if (!rest.starts_with('"')) return false;
  for (size_t i = 1; i < rest.size(); ++i) {
    const char c = rest[i];
    if (c == '"') {
      rest.remove_prefix(i + 1);
      if (rest.starts_with(' ')) rest.remove_prefix(1);
      return true;
    }
    if (c != '\\' || i + 1 == rest.size()) {
      text += c;
    } else if (rest[i + 1] == '"' || rest[i + 1] == '\\') {
      text += rest[++i];
    } else if (rest[i + 1] == 'x' && i + 3 < rest.size() && hex(rest[i + 2]) >= 2 && hex(rest[i + 2]) < 8 && hex(rest[i + 3]) >= 0 &&
               rest.substr(i + 2, 2) != "7F") {
      text += static_cast<char>(hex(rest[i + 2]) * 16 + hex(rest[i + 3]));
      i += 3;
    } else {
      text += c;
    }
  }
  return false;
}

std::string_view take_word(std::string_view& rest) {
  const size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

// One value for each upstream that was tried: "10.0.0.1:80, 10.0.0.2:80", and " : " where nginx turned to another group of them.
std::vector<std::string_view> take_list(std::string_view& rest) {
  std::vector<std::string_view> out;
  while (!rest.empty()) {
    std::string_view word = take_word(rest);
    const bool more = word.ends_with(',');
    if (more) word.remove_suffix(1);
    out.push_back(word);
    if (more) continue;
    if (!rest.starts_with(": ")) break;
    rest.remove_prefix(2);
  }
  return out;
}

bool milliseconds(std::string_view seconds, int64_t& ms) {
  double v = 0;
  const auto [end, ec] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), v);
  if (ec != std::errc{} || end != seconds.data() + seconds.size() || !(v >= 0 && v < 1e6)) return false;
  ms = std::llround(v * 1000);
  return true;
}

void request(std::string_view text, AccessLine& a) {
  const size_t first = text.find(' '), last = text.rfind(' ');
  if (first == std::string_view::npos || first == 0 || first == last || !text.substr(last + 1).starts_with("HTTP/")) return;
  for (const char c : text.substr(0, first))
    if (!(c >= 'A' && c <= 'Z') && c != '-' && c != '_') return;
  a.method = text.substr(0, first);
  a.path = text.substr(first + 1, last - first - 1);
  a.version = text.substr(last + 6);
}

// length time [name] [alternative name] addresses lengths times statuses id
void ingress(std::string_view rest, AccessLine& a) {
  AccessLine b;
  std::string_view name, alternative;
  if (!whole_number(take_word(rest), b.received) || !milliseconds(take_word(rest), b.milliseconds) || !rest.starts_with('[')) return;
  rest.remove_prefix(1);
  if (!take_until(rest, "] ", name)) return;
  // Before 0.24 there was no alternative.
  if (rest.starts_with('[')) {
    rest.remove_prefix(1);
    if (!take_until(rest, "] ", alternative)) return;
  }
  const auto addresses = take_list(rest), lengths = take_list(rest), times = take_list(rest), statuses = take_list(rest);
  if (statuses.empty() || statuses.size() != addresses.size() || lengths.size() != times.size()) return;
  a.ingress = true;
  a.received = b.received;
  a.milliseconds = b.milliseconds;
  a.upstream_name = known(name);
  a.upstream = known(addresses.back());
  a.request_id = known(take_word(rest));
}

// 2025/11/10 08:03:11 [error] 33#33: *1 upstream timed out …
bool error_line(std::string_view s) {
  constexpr std::string_view kForm = "0000/00/00 00:00:00 [";
  if (s.size() < kForm.size()) return false;
  for (size_t i = 0; i < kForm.size(); ++i)
    if (kForm[i] == '0' ? !(s[i] >= '0' && s[i] <= '9') : s[i] != kForm[i]) return false;
  return s.find('#', kForm.size()) != std::string_view::npos;
}

}  // namespace

AccessKind parse_access(std::string_view line, AccessLine& a, std::string& reason) {
  a = {};
  line = trim(line);
  if (error_line(line)) return AccessKind::kOther;
  // The cheap test first: nearly every line of a container's log is something else.
  const size_t bracket = line.find(" [");
  if (bracket == std::string_view::npos || bracket > 300 || line.find(" - ") > bracket) return AccessKind::kNo;
  std::string_view rest = line, who, time, user;
  if (!take_until(rest, " - ", who)) return AccessKind::kNo;
  // Apache's vhost_combined begins with the server's own name.
  if (const size_t blank = who.find(' '); blank != std::string_view::npos) who.remove_prefix(blank + 1);
  if (who.empty() || who.find_first_of(" \"[]") != std::string_view::npos) return AccessKind::kNo;
  // ingress-nginx before 0.26: "ADDRESS - [ADDRESS] - USER [TIME] …"
  if (rest.starts_with('[') && !take_until(rest, "] - ", user)) return AccessKind::kNo;
  if (!take_until(rest, " [", user) || !take_until(rest, "] \"", time)) return AccessKind::kNo;
  if (time.size() != 26 || time[2] != '/' || time[6] != '/' || time[11] != ':') return AccessKind::kNo;
  a.client = who;
  const auto logged = parse_time(time);
  if (!logged) {
    reason = "the access line's [time] cannot be read";
    return AccessKind::kMalformed;
  }
  a.logged = *logged;
  rest = line.substr(static_cast<size_t>(rest.data() - line.data()) - 1);
  std::string text;
  const auto cut = [&] {
    reason = "the access line ends too early, or its fields are not those of the combined format";
    return AccessKind::kMalformed;
  };
  if (!take_quoted(rest, text)) return cut();
  request(text, a);
  if (!whole_number(take_word(rest), a.status) || a.status < 0 || a.status > 999) return cut();
  if (const std::string_view bytes = take_word(rest); bytes != "-" && !whole_number(bytes, a.sent)) return cut();
  if (rest.empty()) return AccessKind::kAccess;  // the common format
  if (!rest.starts_with('"')) return AccessKind::kAccess;
  if (!take_quoted(rest, text)) return cut();
  a.referrer = known(text);
  if (!rest.starts_with('"')) return AccessKind::kAccess;
  if (!take_quoted(rest, text)) return cut();
  a.agent = known(text);
  ingress(rest, a);
  return AccessKind::kAccess;
}

}  // namespace egret::ingest
