#include "ingest/csv.h"

#include <algorithm>
#include <array>

namespace egret::ingest {
namespace {

constexpr size_t kMostCells = 4096;

}  // namespace

bool Csv::next(std::vector<std::string_view>& cells) {
  cells.clear();
  kept_.clear();
  kept_.reserve(kMostCells);  // views into kept strings must not move
  broken_ = false;
  while (at_ < s_.size() && (s_[at_] == '\n' || s_[at_] == '\r')) {
    if (s_[at_] == '\n') ++next_line_;
    ++at_;
  }
  if (at_ >= s_.size()) return false;
  line_ = next_line_;
  const size_t begin = at_;
  for (;;) {
    size_t from = at_;
    while (from < s_.size() && s_[from] == ' ') ++from;
    if (from < s_.size() && s_[from] == '"') {
      std::string text;
      bool copied = false, closed = false;
      size_t at = from + 1, piece = at;
      while (at < s_.size()) {
        const char c = s_[at];
        if (c == '"') {
          if (at + 1 < s_.size() && s_[at + 1] == '"') {
            text.append(s_, piece, at + 1 - piece);
            copied = true;
            at += 2;
            piece = at;
            continue;
          }
          closed = true;
          break;
        }
        if (c == '\n') ++next_line_;
        ++at;
      }
      if (!closed) broken_ = true;
      if (copied && kept_.size() < kMostCells) {
        text.append(s_, piece, at - piece);
        cells.push_back(kept_.emplace_back(std::move(text)));
      } else {
        cells.push_back(s_.substr(from + 1, at - from - 1));
      }
      at_ = std::min(at + 1, s_.size());
      while (at_ < s_.size() && s_[at_] != separator_ && s_[at_] != '\n' && s_[at_] != '\r') ++at_;
    } else {
      const char stops[] = {separator_, '\n', '\r', '\0'};
      size_t end = s_.find_first_of(std::string_view(stops, 3), at_);
      if (end == std::string_view::npos) end = s_.size();
      cells.push_back(s_.substr(at_, end - at_));
      at_ = end;
    }
    if (at_ < s_.size() && s_[at_] == separator_ && cells.size() < kMostCells) {
      ++at_;
      continue;
    }
    break;
  }
  whole_ = s_.substr(begin, at_ - begin);
  if (at_ < s_.size() && s_[at_] == '\r') ++at_;
  if (at_ < s_.size() && s_[at_] == '\n') {
    ++at_;
    ++next_line_;
  }
  return true;
}

char separator_of(std::string_view header) {
  header = header.substr(0, header.find('\n'));
  std::array<size_t, 3> n{};
  bool quoted = false;
  for (const char c : header) {
    if (c == '"') quoted = !quoted;
    if (!quoted) {
      n[0] += c == ',';
      n[1] += c == ';';
      n[2] += c == '\t';
    }
  }
  const size_t best = static_cast<size_t>(std::max_element(n.begin(), n.end()) - n.begin());
  return ",;\t"[n[best] == 0 ? 0 : best];
}

}  // namespace egret::ingest
