#include "drill/output.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace egret::drill {

Output::File::File(Output& out, std::string kind, const std::string& path) : out_(out), kind_(std::move(kind)) {
  const std::filesystem::path full = out.root_ / (out.gzip_ ? path + ".gz" : path);
  std::error_code ec;
  std::filesystem::create_directories(full.parent_path(), ec);
  handle_ = out.gzip_ ? static_cast<void*>(gzopen(full.c_str(), "wb1")) : static_cast<void*>(std::fopen(full.c_str(), "wb"));
  if (handle_ == nullptr && out.failure_.empty())
    out.failure_ = fmt::format("{} cannot be written: {}", full.string(), std::strerror(errno));
}

void Output::File::flush() {
  bytes_ += buffer_.size();
  if (handle_ != nullptr && !buffer_.empty()) {
    const size_t written =
        out_.gzip_
            ? static_cast<size_t>(std::max(0, gzwrite(static_cast<gzFile>(handle_), buffer_.data(), static_cast<unsigned>(buffer_.size()))))
            : std::fwrite(buffer_.data(), 1, buffer_.size(), static_cast<FILE*>(handle_));
    if (written != buffer_.size() && out_.failure_.empty()) out_.failure_ = fmt::format("writing failed: {}", std::strerror(errno));
  }
  buffer_.clear();
}

Output::File::~File() {
  flush();
  if (handle_ != nullptr) {
    const int bad = out_.gzip_ ? gzclose(static_cast<gzFile>(handle_)) : std::fclose(static_cast<FILE*>(handle_));
    if (bad != 0 && out_.failure_.empty()) out_.failure_ = fmt::format("writing failed: {}", std::strerror(errno));
  }
  Total& t = out_.totals_[kind_];
  ++t.files;
  t.rows += rows_;
  t.bytes += bytes_;
}

Result<void> Output::finish() const {
  if (!failure_.empty()) return unavailable(failure_, "check the free space and the rights of the folder");
  return {};
}

}  // namespace egret::drill
