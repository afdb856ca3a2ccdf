#pragma once
// The entries of a block on disk: one JSON file, exchanged as a whole. Of our own writing, and still read as if it were not.
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sensor/block_table.h"

namespace egret::sensor {

struct BlockJournal {
  std::string boot;  // /proc/sys/kernel/random/boot_id when it was written
  std::vector<BlockEntry> entries;
};

std::string boot_id();
std::string write_block_journal(const BlockJournal& journal);
Result<BlockJournal> parse_block_journal(std::string_view text);

// An absent file is an empty journal.
Result<BlockJournal> read_block_journal(const std::string& file);
// Writes FILE.new and renames it; after sync_block_journal() the disk has it.
Result<void> replace_block_journal(const std::string& file, const BlockJournal& journal);
Result<void> sync_block_journal(const std::string& file);

}  // namespace egret::sensor
