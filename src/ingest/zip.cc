#include "ingest/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace egret::ingest {
namespace {

constexpr uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50, kEntry = 0x02014b50, kLocal = 0x04034b50;
constexpr size_t kEndSize = 22, kEntrySize = 46, kLocalSize = 30;
constexpr uint64_t kFreeBytes = 64u << 20;  // small archives may have any ratio

// Little-endian numbers; 0 beyond the end.
uint64_t number(std::string_view s, size_t at, size_t bytes) {
  uint64_t v = 0;
  for (size_t i = 0; i < bytes; ++i) v |= static_cast<uint64_t>(at + i < s.size() ? static_cast<unsigned char>(s[at + i]) : 0) << (8 * i);
  return v;
}
uint32_t u32(std::string_view s, size_t at) { return static_cast<uint32_t>(number(s, at, 4)); }
uint16_t u16(std::string_view s, size_t at) { return static_cast<uint16_t>(number(s, at, 2)); }

struct Directory {
  uint64_t offset = 0, entries = 0;
};

// The end record stands last, before a comment of at most 65,535 bytes.
std::optional<Directory> find_directory(std::string_view b) {
  if (b.size() < kEndSize) return {};
  const size_t least = b.size() > kEndSize + 65'535 ? b.size() - kEndSize - 65'535 : 0;
  for (size_t at = b.size() - kEndSize;; --at) {
    if (u32(b, at) == kEnd && at + kEndSize + u16(b, at + 20) <= b.size()) {
      Directory d{u32(b, at + 16), u16(b, at + 10)};
      if (at >= 20 && u32(b, at - 20) == kLocator64) {
        const uint64_t end64 = number(b, at - 12, 8);
        if (end64 < b.size() && b.size() - end64 >= 56 && u32(b, end64) == kEnd64) d = {number(b, end64 + 48, 8), number(b, end64 + 32, 8)};
      }
      return d;
    }
    if (at == least) return {};
  }
}

struct Entry {
  std::string name;
  uint16_t flags = 0, method = 0;
  uint32_t crc = 0;
  uint64_t packed = 0, size = 0, local = 0;
};

// Reads the entry at `at` and moves behind it; false at what is no entry.
bool read_entry(std::string_view b, uint64_t& at, Entry& e) {
  if (at > b.size() || b.size() - at < kEntrySize || u32(b, at) != kEntry) return false;
  const size_t name = u16(b, at + 28), extra = u16(b, at + 30), comment = u16(b, at + 32);
  if (b.size() - at - kEntrySize < name + extra) return false;
  e.flags = u16(b, at + 8);
  e.method = u16(b, at + 10);
  e.crc = u32(b, at + 16);
  e.packed = u32(b, at + 20);
  e.size = u32(b, at + 24);
  e.local = u32(b, at + 42);
  e.name = std::string(b.substr(at + kEntrySize, name));
  // Zip64: those of the three that do not fit, in this order.
  const std::string_view fields = b.substr(at + kEntrySize + name, extra);
  for (size_t i = 0; i + 4 <= fields.size();) {
    const size_t length = u16(fields, i + 2);
    if (u16(fields, i) == 1) {
      size_t from = i + 4;
      for (uint64_t* v : {&e.size, &e.packed, &e.local}) {
        if (*v != 0xffffffff || from + 8 > i + 4 + length) continue;
        *v = number(fields, from, 8);
        from += 8;
      }
    }
    i += 4 + length;
  }
  at += kEntrySize + name + extra + comment;
  return true;
}

// A name as a path below the archive: no drive, no leading slash, nothing that climbs.
std::string path_of(std::string name) {
  std::replace(name.begin(), name.end(), '\\', '/');
  std::string path;
  for (const std::string& part : split(name, '/')) {
    if (part.empty() || part == "." || part == ".." || part.ends_with(':')) continue;
    path += (path.empty() ? "" : "/") + part;
  }
  return is_valid_utf8(path) ? path : terminal_safe(path);
}

// The packed bytes inflated; at most `limit`. Empty error when all went well.
std::string inflate_raw(std::string_view packed, uint64_t limit, std::string& out) {
  z_stream z{};
  if (inflateInit2(&z, -MAX_WBITS) != Z_OK) return "zlib could not start";
  std::string error;
  std::string chunk(256 * 1024, '\0');
  size_t fed = 0;
  for (int state = Z_OK; state != Z_STREAM_END;) {
    if (z.avail_in == 0) {
      const size_t n = std::min<size_t>(packed.size() - fed, 1u << 30);
      z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + fed));
      z.avail_in = static_cast<uInt>(n);
      fed += n;
    }
    z.next_out = reinterpret_cast<Bytef*>(chunk.data());
    z.avail_out = static_cast<uInt>(chunk.size());
    state = inflate(&z, Z_NO_FLUSH);
    out.append(chunk.data(), chunk.size() - z.avail_out);
    if (state == Z_STREAM_END) break;
    if (out.size() > limit) {
      error = "unpacks to more than is said of it";
      break;
    }
    if (state == Z_BUF_ERROR && fed == packed.size()) {
      error = "ends early";
      break;
    }
    if (state != Z_OK && state != Z_BUF_ERROR) {
      error = "is damaged";
      break;
    }
  }
  inflateEnd(&z);
  return error;
}

}  // namespace

bool is_zip(std::string_view bytes) {
  return bytes.starts_with("PK\x03\x04") || (bytes.starts_with("PK\x05\x06") && bytes.size() >= kEndSize);
}

std::string_view zip_of_what(std::string_view bytes) {
  if (!is_zip(bytes)) return {};
  const std::string_view name = bytes.substr(std::min(kLocalSize, bytes.size()), u16(bytes, 26));
  if (name == "[Content_Types].xml" || name.starts_with("_rels/")) return "an Office document";
  if (name == "mimetype") return "an OpenDocument or EPUB file";
  if (name.starts_with("META-INF/")) return "a Java archive";
  return {};
}

std::string each_zip_member(std::string_view b, const ZipLimits& limits, const std::function<void(Member)>& each,
                            const std::function<void(std::string)>& trouble) {
  const auto directory = find_directory(b);
  if (!directory) return "the zip archive has no directory: it ends early";
  uint64_t at = directory->offset, unpacked = 0, packed = 0;
  for (uint64_t i = 0; i < directory->entries; ++i) {
    if (i >= limits.members)
      return fmt::format("the zip archive has more than {} members; the rest is left out", with_thousands(limits.members));
    Entry e;
    if (!read_entry(b, at, e)) return "the directory of the zip archive is damaged";
    if (e.name.empty() || e.name.ends_with('/') || e.name.ends_with('\\')) continue;
    const std::string path = path_of(e.name);
    if (path.empty()) continue;
    if (e.flags & 1) {
      trouble(fmt::format("{} is encrypted: unpack it with its password", path));
      continue;
    }
    if (e.method != 0 && e.method != 8) {
      trouble(fmt::format("{} is packed by method {}, which is not read: unpack it first", path, e.method));
      continue;
    }
    if (e.local > b.size() || b.size() - e.local < kLocalSize || u32(b, e.local) != kLocal) {
      trouble(fmt::format("{} is not where the directory says", path));
      continue;
    }
    // The local header has lengths of its own.
    const uint64_t begin = e.local + kLocalSize + u16(b, e.local + 26) + u16(b, e.local + 28);
    if (begin > b.size() || e.packed > b.size() - begin) {
      trouble(fmt::format("{} ends early", path));
      continue;
    }
    // Members that share their bytes unpack to more than any honest archive holds.
    packed += e.packed;
    if (packed > b.size()) return "members of the zip archive overlap: it is made to do harm";
    if (e.size > limits.bytes - std::min(unpacked, limits.bytes))
      return fmt::format("the zip archive unpacks to more than {}; the rest is left out", format_bytes(limits.bytes));
    const uint64_t allowed = std::max(kFreeBytes, b.size() > UINT64_MAX / limits.ratio ? UINT64_MAX : b.size() * limits.ratio);
    if (unpacked + e.size > allowed)
      return fmt::format("the zip archive unpacks to more than {} times its size: it is made to do harm", limits.ratio);
    Member m{path, {}};
    const std::string_view raw = b.substr(begin, e.packed);
    std::string wrong;
    if (e.method == 0) {
      m.bytes = std::string(raw);
    } else {
      wrong = inflate_raw(raw, e.size, m.bytes);
    }
    if (wrong.empty() && m.bytes.size() != e.size) wrong = "has another size than is said of it";
    if (wrong.empty() && crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(m.bytes.data()), m.bytes.size()) != e.crc)
      wrong = "has a wrong checksum";
    unpacked += m.bytes.size();
    if (!wrong.empty()) trouble(fmt::format("{} {}", path, wrong));
    if (!m.bytes.empty() && m.bytes.size() <= e.size) each(std::move(m));
  }
  return {};
}

}  // namespace egret::ingest
