#include "ingest/content.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/text.h"

namespace egret::ingest {
namespace {

constexpr size_t kReadAtOnce = 256 * 1024, kHugePage = 2 << 20;

bool is_gzip(std::string_view s) { return s.size() > 3 && s.starts_with("\x1f\x8b\x08"); }
bool is_zstd(std::string_view s) { return s.size() > 4 && s.starts_with("\x28\xb5\x2f\xfd"); }

std::string too_big(uint64_t limit) { return fmt::format("only the first {} of the unpacked data were read", format_bytes(limit)); }

std::string gunzip(std::string_view in, std::string& out, uint64_t limit) {
  z_stream z{};
  if (inflateInit2(&z, 15 + 32) != Z_OK) return "the gzip reader could not start";
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  uint64_t left = in.size();
  std::string trouble;
  out.resize(std::min<uint64_t>(limit, std::max<uint64_t>(64 * 1024, in.size() * 6)));
  size_t have = 0;
  for (;;) {
    if (have == out.size()) {
      if (out.size() >= limit) {
        trouble = too_big(limit);
        break;
      }
      out.resize(std::min<uint64_t>(limit, out.size() * 2));
    }
    const uInt take = static_cast<uInt>(std::min<uint64_t>(left, 1u << 30));
    const uInt room = static_cast<uInt>(std::min<uint64_t>(out.size() - have, 1u << 30));
    z.avail_in = take;
    z.next_out = reinterpret_cast<Bytef*>(out.data() + have);
    z.avail_out = room;
    const int rc = inflate(&z, Z_NO_FLUSH);
    left -= take - z.avail_in;
    have += room - z.avail_out;
    if (rc == Z_STREAM_END) {
      // Several members follow each other in files that were appended to; zeros or anything else behind the last end it.
      if (left > 18 && is_gzip({reinterpret_cast<const char*>(z.next_in), left})) {
        inflateReset2(&z, 15 + 32);
        continue;
      }
      break;
    }
    if (rc == Z_OK && (left > 0 || z.avail_out == 0)) continue;
    if (rc == Z_BUF_ERROR || rc == Z_OK) {
      trouble = "the gzip data ends early: the file was cut off while it was written or copied";
    } else {
      trouble = fmt::format("the gzip data is damaged ({})", z.msg ? z.msg : "no reason given");
    }
    break;
  }
  inflateEnd(&z);
  out.resize(have);
  return trouble;
}

std::string unzstd(std::string_view in, std::string& out, uint64_t limit) {
  ZSTD_DStream* const d = ZSTD_createDStream();
  ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, 27);
  ZSTD_inBuffer from{in.data(), in.size(), 0};
  std::string trouble;
  size_t have = 0, need = 1;
  out.resize(std::min<uint64_t>(limit, std::max<uint64_t>(64 * 1024, in.size() * 6)));
  while (from.pos < from.size || need != 0) {
    if (have == out.size()) {
      if (out.size() >= limit) {
        trouble = too_big(limit);
        break;
      }
      out.resize(std::min<uint64_t>(limit, out.size() * 2));
    }
    ZSTD_outBuffer to{out.data(), out.size(), have};
    const size_t before = from.pos;
    need = ZSTD_decompressStream(d, &to, &from);
    const bool moved = to.pos != have || from.pos != before;
    have = to.pos;
    if (ZSTD_isError(need)) {
      trouble = fmt::format("the zstd data is damaged ({})", ZSTD_getErrorName(need));
      break;
    }
    if (!moved && need != 0) {
      trouble = "the zstd data ends early: the file was cut off while it was written or copied";
      break;
    }
  }
  ZSTD_freeDStream(d);
  out.resize(have);
  return trouble;
}

// PowerShell's `>` writes UTF-16 with a byte-order mark.
std::string from_utf16(std::string_view in, bool little) {
  std::string out;
  out.reserve(in.size());
  const auto unit = [&](size_t i) {
    const auto a = static_cast<unsigned char>(in[i]), b = static_cast<unsigned char>(in[i + 1]);
    return static_cast<uint32_t>(little ? a | b << 8 : a << 8 | b);
  };
  for (size_t i = 2; i + 1 < in.size(); i += 2) {
    uint32_t c = unit(i);
    if (c >= 0xd800 && c < 0xdc00 && i + 3 < in.size()) {
      const uint32_t low = unit(i + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        i += 2;
      }
    }
    append_utf8(out, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
  }
  return out;
}

}  // namespace

void unpack(Content& c, uint64_t limit) {
  for (int layers = 0; layers < 2 && (is_gzip(c.bytes) || is_zstd(c.bytes)); ++layers) {
    std::string out;
    const std::string trouble = is_gzip(c.bytes) ? gunzip(c.bytes, out, limit) : unzstd(c.bytes, out, limit);
    if (c.trouble.empty()) c.trouble = trouble;
    c.bytes = std::move(out);
  }
  if (c.bytes.starts_with("\xff\xfe") || c.bytes.starts_with("\xfe\xff")) {
    c.bytes = from_utf16(c.bytes, c.bytes[0] == '\xff');
  } else if (c.bytes.starts_with("\xef\xbb\xbf")) {
    c.bytes.erase(0, 3);
  }
}

Result<Content> read_content(const std::filesystem::path& file, uint64_t limit) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unavailable(fmt::format("{} cannot be read: {}", file.string(), std::strerror(errno)));
  Content c;
  struct stat st{};
  fstat(fd, &st);
  Sha256 sum;
  const auto most = static_cast<size_t>(std::min<uint64_t>(limit, static_cast<uint64_t>(std::max<int64_t>(0, st.st_size))));
  c.bytes.resize_and_overwrite(most, [&](char* bytes, size_t size) {
    if (size >= 4 * kHugePage) {  // a fault for each small page costs as much as the reading
      const size_t skip = -reinterpret_cast<uintptr_t>(bytes) % kHugePage;
      (void)madvise(bytes + skip, (size - skip) / kHugePage * kHugePage, MADV_HUGEPAGE);
    }
    size_t have = 0;
    while (have < size) {
      const ssize_t n = ::read(fd, bytes + have, std::min(size - have, kReadAtOnce));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) c.trouble = fmt::format("reading stopped: {}", std::strerror(errno));
      if (n <= 0) break;
      sum.update({bytes + have, static_cast<size_t>(n)});  // while the cache has it
      have += static_cast<size_t>(n);
    }
    return have;
  });
  ::close(fd);
  c.disk_bytes = static_cast<uint64_t>(st.st_size);
  if (static_cast<uint64_t>(st.st_size) > limit) c.trouble = too_big(limit);
  c.sha256 = sum.hex();
  unpack(c, limit);
  return c;
}

Result<std::string> file_sha256(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unavailable(fmt::format("{} cannot be read: {}", file.string(), std::strerror(errno)));
  Sha256 sum;
  std::string piece(1u << 20, '\0');
  for (;;) {
    const ssize_t n = ::read(fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    sum.update(std::string_view(piece).substr(0, static_cast<size_t>(n)));
  }
  ::close(fd);
  return sum.hex();
}

bool is_tar(std::string_view bytes) { return bytes.size() >= 512 && bytes.substr(257, 5) == "ustar"; }

std::string each_tar_member(std::string_view bytes, const std::function<void(Member)>& each) {
  std::string long_name;
  const auto octal = [](std::string_view field) {
    uint64_t v = 0;
    for (const char ch : field)
      if (ch >= '0' && ch <= '7') v = v * 8 + static_cast<uint64_t>(ch - '0');
    return v;
  };
  size_t at = 0;
  while (at + 512 <= bytes.size()) {
    const std::string_view h = bytes.substr(at, 512);
    if (h[0] == '\0') return {};
    if (h.substr(257, 5) != "ustar") return "a header of the tar archive is damaged";
    const uint64_t size = octal(h.substr(124, 12));
    at += 512;
    if (size > bytes.size() - at) return "the tar archive ends early";
    const auto text = [](std::string_view s) { return std::string(s.substr(0, s.find('\0'))); };
    std::string name = text(h.substr(0, 100));
    if (const std::string prefix = text(h.substr(345, 155)); !prefix.empty() && h.substr(257, 6) == std::string_view("ustar\0", 6))
      name = prefix + "/" + name;
    const std::string_view body = bytes.substr(at, size);
    const char type = h[156];
    if (type == 'L') {
      long_name = text(body);
    } else if (type == 'x') {
      if (const size_t p = body.find(" path="); p != std::string_view::npos)
        long_name = std::string(body.substr(p + 6, body.find('\n', p) - p - 6));
    } else {
      if (!long_name.empty()) name = std::move(long_name);
      long_name.clear();
      if (type == '0' || type == '\0') each({std::move(name), std::string(body)});
    }
    at += (size + 511) / 512 * 512;
  }
  return {};
}

}  // namespace egret::ingest
