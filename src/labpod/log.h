#pragma once
// Lines appended to a file, one write each, so that a killed process leaves whole lines.
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "labpod/net.h"

namespace egret::labpod {

class Log {
 public:
  static Result<Log> open(const std::string& path);  // "" writes nowhere
  void line(std::string_view text);

 private:
  Fd fd_;
};

int64_t now_nanoseconds();                                  // since 1970
std::string iso_time(int64_t nanoseconds, int digits = 9);  // 2024-04-01T06:14:09.123456789Z

}  // namespace egret::labpod
