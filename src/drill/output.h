#pragma once
// Where rendered logs go: files below one folder, written in pieces, gzip on request. The first failure is kept and reported at
// the end; what each kind of log came to is counted on the way.
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace egret::drill {

class Output {
 public:
  struct Total {
    uint64_t files = 0, rows = 0, bytes = 0;  // bytes before compression
  };

  Output(std::filesystem::path root, bool gzip) : root_(std::move(root)), gzip_(gzip) {}

  class File {
   public:
    File(Output& out, std::string kind, const std::string& path);
    ~File();
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    std::string& text() { return buffer_; }  // append here, then call row()
    void row(uint64_t n = 1) {
      rows_ += n;
      if (buffer_.size() > 256 * 1024) flush();
    }

   private:
    void flush();
    Output& out_;
    std::string kind_, buffer_;
    uint64_t rows_ = 0, bytes_ = 0;
    void* handle_ = nullptr;
  };

  const std::map<std::string, Total>& totals() const { return totals_; }
  Result<void> finish() const;

 private:
  std::filesystem::path root_;
  bool gzip_;
  std::map<std::string, Total> totals_;
  std::string failure_;
};

}  // namespace egret::drill
