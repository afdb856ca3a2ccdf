#pragma once
// Comma-separated values as RFC 4180 has them, with what exports do besides: quotes doubled or escaped by a backslash, line ends inside
// quotes, other separators (told from the header), blanks behind commas.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace egret::ingest {

class Csv {
 public:
  explicit Csv(std::string_view bytes, char separator = ',') : s_(bytes), separator_(separator) {}
  // One record; empty lines are left out. Views hold until the next call.
  bool next(std::vector<std::string_view>& cells);
  uint64_t line() const { return line_; }            // where the record began
  std::string_view whole() const { return whole_; }  // the record as it stands in the file
  bool broken() const { return broken_; }            // a quote was never closed

 private:
  std::string_view s_, whole_;
  char separator_;
  size_t at_ = 0;
  uint64_t line_ = 0, next_line_ = 1;
  bool broken_ = false;
  std::vector<std::string> kept_;
};

char separator_of(std::string_view header);  // ',', ';' or tab, whichever is there most outside quotes

}  // namespace egret::ingest
