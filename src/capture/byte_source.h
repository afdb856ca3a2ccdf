#pragma once
// A file's bytes in order, unpacked on the way (gzip and zstd by their magic), through one window of bounded size: however large the
// file is, memory stays the window's. Or bytes in memory, without a copy.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "capture/bytes.h"

namespace egret::capture {

class ByteSource {
 public:
  static Result<ByteSource> open(const std::filesystem::path& file);
  static ByteSource of(Bytes memory);  // which must live as long as the source
  ByteSource(ByteSource&&) noexcept;
  ByteSource& operator=(ByteSource&&) noexcept;
  ~ByteSource();

  // Makes n bytes contiguous at data(), if the file has so many (then true). n is at most kMostWindow.
  bool fill(size_t n) { return static_cast<size_t>(end_ - at_) >= n || refill(n); }
  const uint8_t* data() const { return at_; }
  size_t available() const { return static_cast<size_t>(end_ - at_); }
  void consume(size_t n) { at_ += n; }  // n <= available()
  bool skip(uint64_t n);                // over any number; false when the file ends before
  uint64_t position() const;            // of data() in the unpacked bytes
  const std::string& trouble() const;   // why the bytes ended early, or ''

  static constexpr size_t kMostWindow = 32u << 20;

 private:
  struct Impl;
  ByteSource();
  bool refill(size_t n);

  std::unique_ptr<Impl> impl_;  // null for memory
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  const uint8_t* begin_ = nullptr;
};

}  // namespace egret::capture
