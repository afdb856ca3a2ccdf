#include "ingest/log_line.h"

#include <simdjson.h>

#include <array>

#include "base/text.h"
#include "ingest/times.h"

namespace egret::ingest {
namespace {

// A pod's name as RFC 1123 has it; a dash at least, since a Deployment's pod has its hash there.
bool pod_like(std::string_view s) {
  if (s.size() < 3 || s.size() > 253 || !s.contains('-')) return false;
  for (const char c : s)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.')) return false;
  return s.front() != '-' && s.back() != '-';
}

bool container_like(std::string_view s) {
  if (s.empty() || s.size() > 63) return false;
  for (const char c : s)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  return s.front() != '-' && s.back() != '-';
}

bool hex(std::string_view s, size_t at_least) {
  return s.size() >= at_least && s.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string_view first_word(std::string_view s) { return s.substr(0, s.find(' ')); }

}  // namespace

struct LogLines::Json {
  simdjson::dom::parser parser;
};

std::string_view next_word(std::string_view& rest) {
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  const size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

std::optional<Ticks> leading_clock(std::string_view& text) {
  const size_t blank = text.find(' ');
  if (blank == std::string_view::npos || blank < 20 || blank > 40 || text[4] != '-' || text[10] != 'T') return {};
  const std::string_view word = text.substr(0, blank);
  const bool zone = word.back() == 'Z' || word.substr(19).find_first_of("+-") != std::string_view::npos;
  if (!zone) return {};
  const auto t = parse_iso_datetime(word);
  if (t) text.remove_prefix(blank + 1);
  return t;
}

LogOrigin origin_of_path(std::string_view path) {
  LogOrigin o;
  const size_t slash = path.rfind('/');
  std::string_view file = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  for (const std::string_view end : {".gz", ".zst", ".log", ".txt", ".jsonl"})
    if (file.ends_with(end)) file.remove_suffix(end.size());
  // POD_NAMESPACE_CONTAINER-<64 hex digits>
  if (const auto parts = split(file, '_'); parts.size() == 3) {
    const size_t dash = parts[2].rfind('-');
    const bool runtime = dash != std::string::npos && hex(std::string_view(parts[2]).substr(dash + 1), 12);
    if (runtime) {
      o = {parts[0], parts[1], parts[2].substr(0, dash)};
    } else if (pod_like(parts[1]) && container_like(parts[0]) && container_like(parts[2])) {
      o = {parts[1], parts[0], parts[2]};  // NAMESPACE_POD_CONTAINER, as scripts write them
    }
    return o;
  }
  // NAMESPACE_POD_UID/CONTAINER/N
  const auto folders = split(path, '/');
  if (folders.size() >= 3) {
    const auto parts = split(folders[folders.size() - 3], '_');
    if (parts.size() == 3 && hex(std::string_view(parts[2]).substr(0, 8), 8)) o = {parts[1], parts[0], folders[folders.size() - 2]};
  }
  return o;
}

LogLines::LogLines(std::string_view bytes, std::string_view path) : rest_(bytes), origin_(origin_of_path(path)) {}
LogLines::~LogLines() = default;

std::string_view LogLines::keep(std::string text) { return kept_.emplace_back(std::move(text)); }

bool LogLines::next(LogLine& line) {
  while (!rest_.empty()) {
    const size_t end = rest_.find('\n');
    std::string_view whole = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + 1);
    ++number_;
    if (!whole.empty() && whole.back() == '\r') whole.remove_suffix(1);
    if (trim(whole).empty()) continue;
    line = {};
    kept_.clear();
    line.whole = line.text = whole;
    line.number = number_;
    line.pod = origin_.pod;
    line.ns = origin_.ns;
    line.container = origin_.container;
    bool part = false;
    for (int depth = 0; depth < 6 && !line.broken; ++depth) {
      const std::string_view before = line.text;
      // CRI: TIME stream F|P text
      std::string_view text = line.text;
      if (const auto t = leading_clock(text)) {
        const bool out = text.starts_with("stdout "), err = text.starts_with("stderr ");
        if ((out || err) && text.size() >= 8 && (text[7] == 'F' || text[7] == 'P') &&
            (text.size() == 8 || text[8] == ' ' || text[8] == ':')) {
          line.clock = t;
          line.stream = text.substr(0, 6);
          const size_t from = text.find(' ', 7);
          line.text = from == std::string_view::npos ? std::string_view{} : text.substr(from + 1);
          std::string& so_far = partial_[err];
          if (text[7] == 'P') {
            if (so_far.size() < (1u << 20)) so_far += line.text;
            part = true;
            break;
          }
          if (!so_far.empty()) {
            line.text = keep(so_far + std::string(line.text));
            so_far.clear();
          }
          continue;
        }
      }
      if (!peel(line)) break;
      if (line.text == before) break;
    }
    if (part || (line.text.empty() && !line.broken)) continue;
    return true;
  }
  return false;
}

bool LogLines::peel(LogLine& line) {
  std::string_view& text = line.text;
  // kubectl logs --prefix
  if (text.starts_with("[pod/")) {
    const size_t end = text.find("] ");
    const size_t slash = text.find('/', 5);
    if (end != std::string_view::npos && slash != std::string_view::npos && slash < end) {
      line.pod = text.substr(5, slash - 5);
      line.container = text.substr(slash + 1, end - slash - 1);
      text.remove_prefix(end + 2);
      return true;
    }
  }
  // A time that a wrapper wrote: only one in front of everything, and only once, since the rest is the program's own.
  if (!line.clock) {
    if (const auto t = leading_clock(text)) {
      line.clock = t;
      return true;
    }
  }
  if (!text.empty() && (text.front() == '{' || text.front() == '[')) {
    if (peel_json(line)) return true;
    if (line.broken) return false;
  }
  // stern: [NAMESPACE ]POD CONTAINER text; only where what follows looks like a line of its own.
  std::string_view ns, rest = text;
  std::string_view pod = first_word(rest);
  // The hash of a generated pod name keeps plain words with a dash ("re-reading config") from being taken for a pod.
  const auto generated = [](std::string_view name) {
    const size_t dash = name.rfind('-');
    return pod_like(name) && (name.size() - dash - 1 == 5 || name.find_first_of("0123456789", dash) != std::string_view::npos);
  };
  if (const std::string_view first = pod; container_like(first) && !generated(first) && first.size() < rest.size()) {
    const std::string_view after = rest.substr(first.size() + 1);
    if (generated(first_word(after))) ns = first, rest = after, pod = first_word(rest);
  }
  if (generated(pod) && pod.size() < rest.size()) {
    const std::string_view more = rest.substr(pod.size() + 1);
    const std::string_view container = first_word(more);
    std::string_view line_itself = container.size() < more.size() ? more.substr(container.size() + 1) : std::string_view{};
    // With a namespace there are three words to be mistaken about: then only before a time.
    std::string_view probe = line_itself;
    if (container_like(container) && !line_itself.empty() && (ns.empty() || line.clock || leading_clock(probe))) {
      line.pod = pod;
      line.container = container;
      if (!ns.empty()) line.ns = ns;
      text = line_itself;
      return true;
    }
  }
  return false;
}

bool LogLines::peel_json(LogLine& line) {
  using simdjson::dom::element;
  const bool wrapper = line.text.contains("\"log\"") || line.text.contains("\"kubernetes\"");
  if (!wrapper) return false;
  if (!json_) json_ = std::make_unique<Json>();
  element doc;
  if (json_->parser.parse(line.text.data(), line.text.size(), true).get(doc) != simdjson::SUCCESS) {
    // A line that begins as a wrapper does and breaks off is broken; any other is the program's own JSON.
    if (line.text.starts_with("{\"log\"") || line.text.starts_with("{\"stream\"") || line.text.starts_with("{\"time\"")) {
      line.broken = true;
      line.text = {};
    }
    return false;
  }
  // Fluent Bit's standard output: [time, {record}] or [[time, {metadata}], {record}]
  if (doc.is_array()) {
    const auto array = simdjson::dom::array(doc);
    if (array.size() != 2 || array.at(1).get(doc) != simdjson::SUCCESS || !doc.is_object()) return false;
    double seconds = 0;
    if (array.at(0).get_double().get(seconds) == simdjson::SUCCESS && seconds > 0 && seconds < 1e11)
      line.clock = kUnixEpochTicks + static_cast<Ticks>(seconds * 1e7);
  }
  if (!doc.is_object()) return false;
  std::string_view value;
  const auto text_of = [&](std::string_view key) -> std::optional<std::string_view> {
    if (doc.at_key(key).get_string().get(value) == simdjson::SUCCESS) return value;
    return {};
  };
  element kubernetes;
  const bool enriched = doc.at_key("kubernetes").get(kubernetes) == simdjson::SUCCESS && kubernetes.is_object();
  std::optional<std::string_view> inner = text_of("log");
  if (!inner && enriched) inner = text_of("message");
  if (!inner && enriched) inner = text_of("msg");
  if (!inner) return false;
  std::string text(*inner);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  for (const std::string_view key : {"time", "timestamp", "@timestamp", "ts", "date"}) {
    if (line.clock) break;
    if (const auto t = text_of(key)) {
      line.clock = parse_time(*t);
    } else if (double seconds = 0; doc.at_key(key).get_double().get(seconds) == simdjson::SUCCESS && seconds > 1e8 && seconds < 1e11) {
      line.clock = kUnixEpochTicks + static_cast<Ticks>(seconds * 1e7);
    }
  }
  if (const auto s = text_of("stream")) line.stream = keep(std::string(*s));
  if (enriched) {
    const auto take = [&](std::string_view key, std::string_view& into) {
      std::string_view v;
      if (kubernetes.at_key(key).get_string().get(v) == simdjson::SUCCESS) into = keep(std::string(v));
    };
    take("pod_name", line.pod);
    take("namespace_name", line.ns);
    take("container_name", line.container);
    take("host", line.node);
  }
  line.text = keep(std::move(text));
  return true;
}

}  // namespace egret::ingest
