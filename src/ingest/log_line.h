#pragma once
// Lines of container logs, freed of what was put around them on the way: `kubectl logs --timestamps` and `--prefix`, stern, the
// container runtime's own files (CRI and docker's JSON), and records that Fluentd or Fluent Bit enriched.
//
//   LogLines lines(source.bytes, source.path);
//   for (LogLine l; lines.next(l);)
//     if (l.broken) sink.error(l.number, "not valid JSON", l.whole); else if (!decode_coredns(l.text, …)) …
//
// Wrappers nest (a Fluent record around a CRI line around a timestamp); they are peeled until none is left. What stays
// unknown is empty. Views are valid until the next call of next().
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace egret::ingest {

struct LogLine {
  std::string_view text;       // what the program wrote, without line end
  std::optional<Ticks> clock;  // the wrapper's time; a time inside the text is the text's business
  std::string_view pod, ns, container, stream, node;
  std::string_view whole;  // as it stands in the file
  uint64_t number = 0;     // 1-based
  bool broken = false;     // looked like a JSON wrapper and could not be read; text is empty
};

// Where a log file lies says whose it is: /var/log/containers/POD_NS_CONTAINER-ID.log, /var/log/pods/NS_POD_UID/CONTAINER/0.log.
struct LogOrigin {
  std::string pod, ns, container;
};
LogOrigin origin_of_path(std::string_view path);

class LogLines {
 public:
  // Both must outlive the object.
  LogLines(std::string_view bytes, std::string_view path);
  ~LogLines();
  bool next(LogLine& line);  // empty lines are left out

 private:
  struct Json;
  bool peel(LogLine& line);
  bool peel_json(LogLine& line);
  std::string_view keep(std::string text);

  std::string_view rest_;
  LogOrigin origin_;
  uint64_t number_ = 0;
  std::deque<std::string> kept_;  // unescaped text of the current line
  std::string partial_[2];        // CRI lines marked P, by stream
  std::unique_ptr<Json> json_;
};

// Takes the next word, and the blanks before it, off the front; empty: there is none.
std::string_view next_word(std::string_view& rest);
// One line, without a file around it (a LogMessage of ContainerLogV2).
std::optional<Ticks> leading_clock(std::string_view& text);  // takes an RFC 3339 time with zone and one blank off the front

}  // namespace egret::ingest
