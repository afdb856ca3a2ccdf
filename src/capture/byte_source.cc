#include "capture/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace egret::capture {
namespace {

constexpr size_t kWindow = 1u << 20;
constexpr size_t kPacked = 256u << 10;

// Where the unpacked bytes come from: read() gives up to n, 0 at the end; trouble says why there are not more.
class Stage {
 public:
  virtual ~Stage() = default;
  virtual size_t read(uint8_t* to, size_t n) = 0;
  std::string trouble;
};

class FileStage final : public Stage {
 public:
  explicit FileStage(int fd) : fd_(fd) {}
  ~FileStage() override { ::close(fd_); }
  FileStage(const FileStage&) = delete;
  FileStage& operator=(const FileStage&) = delete;
  size_t read(uint8_t* to, size_t n) override {
    for (;;) {
      const ssize_t got = ::read(fd_, to, n);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno == EINTR) continue;
      trouble = fmt::format("reading stopped: {}", std::strerror(errno));
      return 0;
    }
  }

 private:
  int fd_;
};

// Bytes that were read to look at, and then the rest.
class Ahead final : public Stage {
 public:
  Ahead(std::vector<uint8_t> head, std::unique_ptr<Stage> rest) : head_(std::move(head)), rest_(std::move(rest)) {}
  size_t read(uint8_t* to, size_t n) override {
    if (at_ < head_.size()) {
      n = std::min(n, head_.size() - at_);
      std::memcpy(to, head_.data() + at_, n);
      at_ += n;
      return n;
    }
    n = rest_->read(to, n);
    trouble = rest_->trouble;
    return n;
  }

 private:
  std::vector<uint8_t> head_;
  size_t at_ = 0;
  std::unique_ptr<Stage> rest_;
};

class GzipStage final : public Stage {
 public:
  explicit GzipStage(std::unique_ptr<Stage> packed) : packed_(std::move(packed)), buffer_(kPacked) {
    if (inflateInit2(&z_, 15 + 32) != Z_OK) done_ = true, trouble = "the gzip reader could not start";
  }
  ~GzipStage() override { inflateEnd(&z_); }
  GzipStage(const GzipStage&) = delete;
  GzipStage& operator=(const GzipStage&) = delete;
  size_t read(uint8_t* to, size_t n) override {
    z_.next_out = to;
    z_.avail_out = static_cast<uInt>(std::min<size_t>(n, 1u << 30));
    const uInt room = z_.avail_out;
    while (!done_ && z_.avail_out == room) {
      if (z_.avail_in == 0 && !ended_) {
        z_.next_in = buffer_.data();
        z_.avail_in = static_cast<uInt>(packed_->read(buffer_.data(), buffer_.size()));
        ended_ = z_.avail_in == 0;
        if (ended_) trouble = packed_->trouble;
      }
      // Several members follow each other in files that were appended to.
      if (between_) {
        if (ended_ || z_.avail_in == 0 || *z_.next_in != 0x1f) {
          done_ = true;
          break;
        }
        inflateReset2(&z_, 15 + 32);
        between_ = false;
      }
      const int rc = inflate(&z_, Z_NO_FLUSH);
      if (rc == Z_STREAM_END) {
        between_ = true;
      } else if (rc == Z_BUF_ERROR && ended_) {
        if (trouble.empty()) trouble = "the gzip data ends early: the file was cut off while it was written or copied";
        done_ = true;
      } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
        trouble = fmt::format("the gzip data is damaged ({})", z_.msg ? z_.msg : "no reason given");
        done_ = true;
      }
    }
    return room - z_.avail_out;
  }

 private:
  std::unique_ptr<Stage> packed_;
  std::vector<uint8_t> buffer_;
  z_stream z_{};
  bool ended_ = false, done_ = false, between_ = false;
};

class ZstdStage final : public Stage {
 public:
  explicit ZstdStage(std::unique_ptr<Stage> packed) : packed_(std::move(packed)), buffer_(kPacked), d_(ZSTD_createDStream()) {
    ZSTD_DCtx_setParameter(d_, ZSTD_d_windowLogMax, 27);  // 128 MB: what `zstd --long` writes
  }
  ~ZstdStage() override { ZSTD_freeDStream(d_); }
  ZstdStage(const ZstdStage&) = delete;
  ZstdStage& operator=(const ZstdStage&) = delete;
  size_t read(uint8_t* to, size_t n) override {
    ZSTD_outBuffer out{to, n, 0};
    while (!done_ && out.pos == 0) {
      if (in_.pos == in_.size && !ended_) {
        in_ = {buffer_.data(), packed_->read(buffer_.data(), buffer_.size()), 0};
        ended_ = in_.size == 0;
        if (ended_) trouble = packed_->trouble;
      }
      if (ended_ && need_ == 0) {
        done_ = true;
        break;
      }
      const size_t before = in_.pos;
      need_ = ZSTD_decompressStream(d_, &out, &in_);
      if (ZSTD_isError(need_)) {
        trouble = fmt::format("the zstd data is damaged ({})", ZSTD_getErrorName(need_));
        done_ = true;
      } else if (ended_ && out.pos == 0 && in_.pos == before && need_ != 0) {
        if (trouble.empty()) trouble = "the zstd data ends early: the file was cut off while it was written or copied";
        done_ = true;
      }
    }
    return out.pos;
  }

 private:
  std::unique_ptr<Stage> packed_;
  std::vector<uint8_t> buffer_;
  ZSTD_DStream* d_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  size_t need_ = 1;
  bool ended_ = false, done_ = false;
};

// Looks at the first bytes and unpacks, twice at most (a rotated .gz inside a .zst), as far as files in practice go.
std::unique_ptr<Stage> unpacked(std::unique_ptr<Stage> stage) {
  for (int layers = 0; layers < 3; ++layers) {
    std::vector<uint8_t> head(4);
    size_t have = 0;
    while (have < head.size()) {
      const size_t n = stage->read(head.data() + have, head.size() - have);
      if (n == 0) break;
      have += n;
    }
    head.resize(have);
    const bool gzip = have == 4 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8;
    const bool zstd = have == 4 && head[0] == 0x28 && head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd;
    stage = std::make_unique<Ahead>(std::move(head), std::move(stage));
    if (layers == 2 || !(gzip || zstd)) break;
    if (gzip)
      stage = std::make_unique<GzipStage>(std::move(stage));
    else
      stage = std::make_unique<ZstdStage>(std::move(stage));
  }
  return stage;
}

}  // namespace

struct ByteSource::Impl {
  std::unique_ptr<Stage> stage;
  std::vector<uint8_t> window;
  uint64_t window_at = 0;  // position of window[0]
  bool ended = false;
};

ByteSource::ByteSource() = default;
ByteSource::ByteSource(ByteSource&&) noexcept = default;
ByteSource& ByteSource::operator=(ByteSource&&) noexcept = default;
ByteSource::~ByteSource() = default;

Result<ByteSource> ByteSource::open(const std::filesystem::path& file) {
  const bool standard_input = file == "-";
  const int fd = standard_input ? ::dup(STDIN_FILENO) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unavailable(fmt::format("{} cannot be read: {}", file.string(), std::strerror(errno)));
  ByteSource s;
  s.impl_ = std::make_unique<Impl>();
  s.impl_->stage = unpacked(std::make_unique<FileStage>(fd));
  s.impl_->window.resize(kWindow);
  s.begin_ = s.at_ = s.end_ = s.impl_->window.data();
  return s;
}

ByteSource ByteSource::of(Bytes memory) {
  ByteSource s;
  s.begin_ = s.at_ = memory.data();
  s.end_ = memory.data() + memory.size();
  return s;
}

bool ByteSource::refill(size_t n) {
  if (!impl_ || impl_->ended || n > kMostWindow) return false;
  Impl& m = *impl_;
  size_t have = available();
  m.window_at += static_cast<uint64_t>(at_ - begin_);
  if (n > m.window.size()) {
    std::vector<uint8_t> larger(std::min(kMostWindow, std::max(n, m.window.size() * 2)));
    if (have) std::memcpy(larger.data(), at_, have);
    m.window.swap(larger);
  } else if (have) {
    std::memmove(m.window.data(), at_, have);
  }
  while (have < n) {
    const size_t got = m.stage->read(m.window.data() + have, m.window.size() - have);
    if (got == 0) {
      m.ended = true;
      break;
    }
    have += got;
  }
  begin_ = at_ = m.window.data();
  end_ = at_ + have;
  return have >= n;
}

bool ByteSource::skip(uint64_t n) {
  while (n > 0) {
    if (available() == 0 && !refill(1)) return false;
    const size_t step = static_cast<size_t>(std::min<uint64_t>(n, available()));
    consume(step);
    n -= step;
  }
  return true;
}

uint64_t ByteSource::position() const { return (impl_ ? impl_->window_at : 0) + static_cast<uint64_t>(at_ - begin_); }

const std::string& ByteSource::trouble() const {
  static const std::string kNone;
  return impl_ ? impl_->stage->trouble : kNone;
}

}  // namespace egret::capture
