#include "capture/pcapng_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace egret::capture {
namespace {

constexpr size_t kFlushAt = 256 * 1024;

void put16(std::string& out, uint16_t v) { out.append(reinterpret_cast<const char*>(&v), 2); }
void put32(std::string& out, uint32_t v) { out.append(reinterpret_cast<const char*>(&v), 4); }
void put64(std::string& out, uint64_t v) { out.append(reinterpret_cast<const char*>(&v), 8); }
void pad(std::string& out) { out.append((4 - out.size() % 4) % 4, '\0'); }
void option(std::string& out, uint16_t code, std::string_view value) {
  value = value.substr(0, 0xfff0);
  put16(out, code);
  put16(out, static_cast<uint16_t>(value.size()));
  out.append(value);
  pad(out);
}
void end_options(std::string& out) { put32(out, 0); }

}  // namespace

PcapngWriter::PcapngWriter(int fd, std::string_view application, std::string_view comment) : fd_(fd) {
  std::string body;
  put32(body, 0x1a2b3c4d);
  put16(body, 1);
  put16(body, 0);
  put64(body, ~uint64_t{0});  // the section's length is not stated
  if (!comment.empty()) option(body, 1, comment);
  option(body, 3, "Linux");
  option(body, 4, application);
  end_options(body);
  block(0x0a0d0d0a, body);
}

PcapngWriter::~PcapngWriter() {
  (void)flush();
  ::close(fd_);
}

void PcapngWriter::block(uint32_t type, std::string_view body) {
  const auto size = static_cast<uint32_t>(body.size() + 12);
  put32(buffer_, type);
  put32(buffer_, size);
  buffer_.append(body);
  put32(buffer_, size);
  bytes_ += size;
  if (buffer_.size() >= kFlushAt) (void)flush();
}

uint32_t PcapngWriter::interface(int link_type, uint32_t snap_length, std::string_view name, std::string_view filter) {
  static constexpr char kNanoseconds = 9;
  std::string body;
  put16(body, static_cast<uint16_t>(link_type));
  put16(body, 0);
  put32(body, snap_length);
  option(body, 2, name);
  option(body, 9, {&kNanoseconds, 1});
  if (!filter.empty()) option(body, 11, std::string(1, '\0') + std::string(filter));
  end_options(body);
  block(1, body);
  return interfaces_++;
}

void PcapngWriter::packet(uint32_t interface, int64_t nanoseconds, Bytes data, uint32_t wire_bytes) {
  const auto t = static_cast<uint64_t>(nanoseconds);
  const auto size = static_cast<uint32_t>(packet_size(data.size()));
  const size_t begin = buffer_.size();
  put32(buffer_, 6);
  put32(buffer_, size);
  put32(buffer_, interface);
  put32(buffer_, static_cast<uint32_t>(t >> 32));
  put32(buffer_, static_cast<uint32_t>(t));
  put32(buffer_, static_cast<uint32_t>(data.size()));
  put32(buffer_, wire_bytes);
  buffer_.append(as_text(data));
  buffer_.append(size - 4 - (buffer_.size() - begin), '\0');
  put32(buffer_, size);
  bytes_ += size;
  if (buffer_.size() >= kFlushAt) (void)flush();
}

void PcapngWriter::statistics(uint32_t interface, int64_t from, int64_t to, uint64_t received, uint64_t dropped) {
  std::string body;
  const auto time = [](int64_t v) {
    std::string out;
    put32(out, static_cast<uint32_t>(static_cast<uint64_t>(v) >> 32));
    put32(out, static_cast<uint32_t>(v));
    return out;
  };
  const auto number = [](uint64_t v) {
    std::string out;
    put64(out, v);
    return out;
  };
  put32(body, interface);
  body += time(to);
  option(body, 2, time(from));
  option(body, 3, time(to));
  option(body, 4, number(received));
  option(body, 5, number(dropped));
  end_options(body);
  block(5, body);
}

Result<void> PcapngWriter::flush() {
  size_t at = 0;
  while (error_ == 0 && at < buffer_.size()) {
    const ssize_t n = ::write(fd_, buffer_.data() + at, buffer_.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      error_ = errno;
      break;
    }
    at += static_cast<size_t>(n);
  }
  buffer_.clear();
  if (error_) return unavailable(fmt::format("the capture could not be written: {}", std::strerror(error_)));
  return {};
}

}  // namespace egret::capture
