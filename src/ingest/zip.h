#pragma once
// The files of a zip archive (PKWARE APPNOTE 6.3: central directory, stored and deflated members, zip64). Nothing is unpacked to disk.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "ingest/content.h"

namespace egret::ingest {

bool is_zip(std::string_view bytes);
// Documents and programs that are zip archives underneath: "an Office document", "a Java archive"; empty when it is none of them.
std::string_view zip_of_what(std::string_view bytes);

struct ZipLimits {
  uint64_t bytes = kContentLimit;  // of all members together, unpacked
  uint64_t ratio = 1000;           // unpacked to packed, of the whole archive beyond its first 64 MB: more is a bomb
  uint64_t members = 100'000;
};
// Calls each(member) for its files, in the order of the directory, one at a time. Members that cannot be read (encrypted, damaged, an
// unknown method) are told to `trouble` by name; returns what is wrong with the archive as a whole, or ''.
std::string each_zip_member(std::string_view bytes, const ZipLimits& limits, const std::function<void(Member)>& each,
                            const std::function<void(std::string)>& trouble);

}  // namespace egret::ingest
