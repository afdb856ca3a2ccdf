#pragma once
// A file's bytes, ready to decode: unpacked (gzip and zstd by their magic, nested once), without byte-order mark, UTF-8.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"

namespace egret::ingest {

struct Content {
  std::string bytes;
  std::string sha256;  // of the file as it lies on disk
  uint64_t disk_bytes = 0;
  std::string trouble;  // why `bytes` is not all of it: "the gzip data ends early: …"; empty when it is
};

// Bytes above `limit` after unpacking are left out and said in `trouble`: a small archive must not fill the memory.
inline constexpr uint64_t kContentLimit = 4ull << 30;
Result<Content> read_content(const std::filesystem::path& file, uint64_t limit = kContentLimit);
// SHA-256 of a file as it lies on disk, read in pieces.
Result<std::string> file_sha256(const std::filesystem::path& file);
// Unpacks and recodes what is in memory already (a member of an archive).
void unpack(Content& content, uint64_t limit = kContentLimit);

struct Member {
  std::string path;
  std::string bytes;
};
// Is this a tar archive (after unpacking)? Calls each(member) for its regular files; returns what is wrong with it, or ''.
bool is_tar(std::string_view bytes);
std::string each_tar_member(std::string_view bytes, const std::function<void(Member)>& each);

}  // namespace egret::ingest
