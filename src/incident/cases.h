#pragma once
// Stored incidents. One process at a time writes; another gets an error that says so after five seconds.
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "investigate/answer.h"

namespace egret::incident {

enum class Status { kNew, kActive, kClosed };
const char* status_name(Status s);  // Sentinel's: "New", "Active", "Closed"

struct LogEntry {
  Ticks time = 0;
  std::string author, kind, text;  // kind: opened, investigated, comment, closed, reopened
};

struct Case {
  int64_t number = 0;
  std::string title, severity;
  Status status = Status::kNew;
  investigate::Classification classification = investigate::Classification::kUndetermined;  // as closed, else as the last answer says
  std::string reason;                                                                       // of the closing
  Ticks created = 0, modified = 0, closed = 0;
  investigate::Answer answer;  // the last one, with facts
  int64_t answers = 0;         // how many were given
  std::vector<LogEntry> log;
};

class Cases {
 public:
  // Opens or makes control.sqlite in the folder (which is made if need be).
  static Result<std::unique_ptr<Cases>> open(const std::filesystem::path& folder);
  virtual ~Cases() = default;

  // Stores the answer: a new incident, or a further answer of the one about the same alert and address. Returns its number.
  virtual Result<int64_t> keep(const investigate::Answer& answer, std::string_view author, Ticks now) = 0;
  // Without answers and logs; newest first.
  virtual Result<std::vector<Case>> list() = 0;
  virtual Result<Case> get(int64_t number) = 0;
  virtual Result<int64_t> last() = 0;  // kNotFound when there is none
  virtual Result<void> comment(int64_t number, std::string_view text, std::string_view author, Ticks now) = 0;
  virtual Result<void> close(int64_t number, investigate::Classification as, std::string_view reason, std::string_view author,
                             Ticks now) = 0;
  virtual Result<void> reopen(int64_t number, std::string_view reason, std::string_view author, Ticks now) = 0;
};

}  // namespace egret::incident
