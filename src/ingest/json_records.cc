#include "ingest/json_records.h"

#include "base/text.h"

#include <algorithm>
#include <cstring>

namespace egret::ingest {
namespace {

constexpr bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

size_t skip_space(std::string_view s, size_t at) {
  while (at < s.size() && is_space(s[at])) ++at;
  return at;
}

// Index behind the closing quote of the string that opens at `from`.
size_t end_of_string(std::string_view s, size_t from) {
  size_t at = from + 1;
  for (;;) {
    at = s.find('"', at);
    if (at == std::string_view::npos) return at;
    size_t slashes = 0;
    while (at - 1 - slashes > from && s[at - 1 - slashes] == '\\') ++slashes;
    ++at;
    if (slashes % 2 == 0) return at;
  }
}

class Walker {
 public:
  Walker(std::string_view bytes, std::initializer_list<std::string_view> envelopes, const JsonRecordHandler& h)
      : s_(bytes), envelopes_(envelopes), h_(h) {
    one_line_ = s_.substr(0, s_.size() ? s_.size() - 1 : 0).find('\n') == std::string_view::npos;
  }

  void run() {
    size_t at = skip_space(s_, 0);
    if (at == s_.size()) return;
    if (lines(at)) {
      while (at < s_.size()) {
        size_t end = s_.find('\n', at);
        if (end == std::string_view::npos) end = s_.size();
        size_t from = skip_space(s_.substr(0, end), at), to = end;
        while (to > from && (is_space(s_[to - 1]) || s_[to - 1] == ',')) --to;
        if (to > from && !(to - from == 1 && (s_[from] == '[' || s_[from] == ']'))) line(from, to);
        at = end + 1;
      }
      return;
    }
    while (at < s_.size()) {
      if (s_[at] == '[') {
        at = array(at);
      } else if (s_[at] == '{') {
        at = object(at);
      } else {
        h_.broken(line_of(at), "expected a JSON object or array here", s_.substr(at, 200));
        return;
      }
      if (at == std::string_view::npos) return;
      at = skip_space(s_, at);
      if (at < s_.size() && s_[at] == ',') at = skip_space(s_, at + 1);
    }
  }

 private:
  // One record a line: the first line is an object by itself, or the next one begins with an object as well.
  bool lines(size_t at) const {
    if (s_[at] != '{') return false;
    size_t end = s_.find('\n', at);
    if (end == std::string_view::npos) return false;
    const size_t next = skip_space(s_, end);
    while (end > at && (is_space(s_[end - 1]) || s_[end - 1] == ',')) --end;
    if (s_[end - 1] == '}' && end - at > 1) {
      const size_t close = end_of_json_value(s_, at);
      if (close == end) return true;
    }
    return next < s_.size() && s_[next] == '{' && end - at > 1 &&
           (s_[end - 1] == '}' || s_.substr(next, 3).find('"') != std::string_view::npos);
  }

  void line(size_t from, size_t to) {
    const std::string_view text = s_.substr(from, to - from);
    if (text[0] == '{') {
      const size_t key = skip_space(text, 1);
      for (const std::string_view e : envelopes_)
        if (text.substr(key).starts_with('"') && text.substr(key + 1).starts_with(e) && text.substr(key + 1 + e.size()).starts_with('"')) {
          // The line is an envelope of its own.
          const std::string_view whole = s_;
          s_ = s_.substr(0, to);
          object(from);
          s_ = whole;
          return;
        }
      h_.record(text, line_of(from));
    } else if (text[0] == '[') {
      const std::string_view whole = s_;
      s_ = s_.substr(0, to);
      array(from);
      s_ = whole;
    } else {
      h_.broken(line_of(from), "the line is not a JSON object", text);
    }
  }

  // Elements from the '[' at `at`; returns the index behind the ']', npos at the end of the text.
  size_t array(size_t at) {
    at = skip_space(s_, at + 1);
    while (at < s_.size()) {
      if (s_[at] == ']') return at + 1;
      if (s_[at] == ',') {
        at = skip_space(s_, at + 1);
        continue;
      }
      const size_t end = end_of_json_value(s_, at);
      if (end == std::string_view::npos || end == at) {
        h_.broken(line_of(at), end == at ? "a record is not JSON" : "the file ends inside a record", s_.substr(at, 200));
        return std::string_view::npos;
      }
      h_.record(s_.substr(at, end - at), line_of(at));
      at = skip_space(s_, end);
    }
    h_.broken(line_of(s_.size()), "the file ends inside its list of records", s_.substr(s_.size() > 120 ? s_.size() - 120 : 0));
    return std::string_view::npos;
  }

  size_t object(size_t from) {
    size_t at = skip_space(s_, from + 1);
    bool envelope = false;
    while (at < s_.size() && s_[at] == '"') {
      const size_t key_end = end_of_string(s_, at);
      if (key_end == std::string_view::npos) break;
      const std::string_view key = s_.substr(at + 1, key_end - at - 2);
      at = skip_space(s_, key_end);
      if (at >= s_.size() || s_[at] != ':') break;
      at = skip_space(s_, at + 1);
      if (at < s_.size() && s_[at] == '[' && std::find(envelopes_.begin(), envelopes_.end(), key) != envelopes_.end()) {
        envelope = true;
        at = array(at);
        if (at == std::string_view::npos) return at;
      } else {
        const size_t end = end_of_json_value(s_, at);
        if (end == std::string_view::npos || end == at) break;
        at = end;
      }
      at = skip_space(s_, at);
      if (at < s_.size() && s_[at] == ',') at = skip_space(s_, at + 1);
    }
    if (at < s_.size() && s_[at] == '}') {
      if (!envelope) h_.record(s_.substr(from, at + 1 - from), line_of(from));
      return at + 1;
    }
    // Not well-formed at its top level: hand it over whole where its end can be found, so that the parser says why.
    const size_t end = end_of_json_value(s_, from);
    if (end != std::string_view::npos && !envelope) {
      h_.record(s_.substr(from, end - from), line_of(from));
      return end;
    }
    h_.broken(line_of(from), "the file ends inside an object", s_.substr(from, 200));
    return std::string_view::npos;
  }

  // Asked for in rising order, so each byte is looked at once.
  uint64_t line_of(size_t at) {
    if (one_line_) return ++record_number_;
    line_ += static_cast<uint64_t>(
        std::count(s_.begin() + static_cast<std::ptrdiff_t>(std::min(counted_, at)), s_.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted_ = std::max(counted_, at);
    return line_;
  }

  std::string_view s_;
  std::initializer_list<std::string_view> envelopes_;
  const JsonRecordHandler& h_;
  bool one_line_ = false;
  uint64_t record_number_ = 0, line_ = 1;
  size_t counted_ = 0;
};

}  // namespace

size_t end_of_json_value(std::string_view s, size_t from) {
  size_t at = from, depth = 0;
  while (at < s.size()) {
    switch (s[at]) {
      case '"':
        at = end_of_string(s, at);
        if (at == std::string_view::npos) return at;
        if (depth == 0) return at;
        continue;
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (depth == 0) return at;  // behind a bare number or word
        if (--depth == 0) return at + 1;
        break;
      case ',':
        if (depth == 0) return at;
        break;
      default: break;
    }
    ++at;
  }
  return depth == 0 && at > from ? at : std::string_view::npos;
}

void each_json_record(std::string_view bytes, std::initializer_list<std::string_view> envelopes, const JsonRecordHandler& handler) {
  Walker(bytes, envelopes, handler).run();
}

bool begins_as_json(std::string_view head) {
  const std::string_view t = trim(head.substr(0, 64));
  return t.starts_with("{") || t.starts_with("[");
}

}  // namespace egret::ingest
