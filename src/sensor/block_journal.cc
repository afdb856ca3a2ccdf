#include "sensor/block_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/json.h"

namespace egret::sensor {

namespace {

using Element = simdjson::dom::element;

Result<void> refuse(const std::string& what) { return usage_error("the journal of blocks is damaged: " + what); }

bool text(const Element& e, const char* key, std::string& into) {
  std::string_view v;
  if (e[key].get(v) != simdjson::SUCCESS || v.size() > 8192) return false;
  into = v;
  return true;
}

bool number(const Element& e, const char* key, uint64_t& into) { return e[key].get(into) == simdjson::SUCCESS; }

Result<void> read_entry(const Element& e, BlockEntry& entry) {
  std::string address;
  uint64_t added = 0, expires = 0, slot = 0;
  if (!text(e, "id", entry.id) || !text(e, "address", address) || !text(e, "target", entry.target) || !text(e, "reason", entry.reason))
    return refuse("an entry lacks a text");
  const auto range = Cidr::parse(address);
  if (!range) return refuse("an entry's address");
  entry.address = *range;
  if (!number(e, "until_ns", entry.until_ns) || !number(e, "added", added) || !number(e, "expires", expires) || !number(e, "slot", slot) ||
      slot >= kBlockSlots || added > static_cast<uint64_t>(kMaxDatetime) || expires > static_cast<uint64_t>(kMaxDatetime))
    return refuse("an entry's number");
  entry.added = static_cast<Ticks>(added);
  entry.expires = static_cast<Ticks>(expires);
  entry.slot = static_cast<uint32_t>(slot);
  if (e["in_flight"].get(entry.in_flight) != simdjson::SUCCESS) return refuse("an entry's \"in_flight\"");
  simdjson::dom::array scopes;
  if (e["scopes"].get(scopes) != simdjson::SUCCESS) return refuse("an entry without scopes");
  for (const Element& s : scopes) {
    uint64_t kind = 0, id = 0, level = 0;
    if (!number(s, "kind", kind) || !number(s, "id", id) || !number(s, "level", level) || kind < kBlockNode || kind > kBlockCgroupV1 ||
        level >= kBlockLevels)
      return refuse("an entry's scope");
    entry.scopes.push_back({static_cast<BlockScopeKind>(kind), id, static_cast<int>(level)});
  }
  return {};
}

}  // namespace

std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

std::string write_block_journal(const BlockJournal& journal) {
  JsonWriter w(1);
  const auto number = [&](std::string_view key, uint64_t n) { w.key(key).number(static_cast<int64_t>(n)); };
  w.begin_object();
  number("version", 1);
  w.key("boot").string(journal.boot);
  w.key("entries").begin_array();
  for (const BlockEntry& e : journal.entries) {
    w.begin_object();
    w.key("id").string(e.id);
    w.key("address").string(e.address.to_string());
    w.key("target").string(e.target);
    w.key("reason").string(e.reason);
    number("until_ns", e.until_ns);
    number("added", static_cast<uint64_t>(e.added));
    number("expires", static_cast<uint64_t>(e.expires));
    number("slot", e.slot);
    w.key("in_flight").boolean(e.in_flight);
    w.key("scopes").begin_array();
    for (const BlockScope& s : e.scopes) {
      w.begin_object();
      number("kind", s.kind);
      number("id", s.id);
      number("level", static_cast<uint64_t>(s.level));
      w.end_object();
    }
    w.end_array();
    w.end_object();
  }
  w.end_array();
  w.end_object();
  return std::move(w).take() + "\n";
}

Result<BlockJournal> parse_block_journal(std::string_view text_in) {
  simdjson::dom::parser parser;
  Element root;
  if (parser.parse(text_in.data(), text_in.size()).get(root) != simdjson::SUCCESS) return usage_error("the journal of blocks is no JSON");
  BlockJournal journal;
  uint64_t version = 0;
  if (!number(root, "version", version) || version != 1) return usage_error("the journal of blocks has another version");
  if (!text(root, "boot", journal.boot)) return usage_error("the journal of blocks is damaged: no boot id");
  simdjson::dom::array entries;
  if (root["entries"].get(entries) != simdjson::SUCCESS) return usage_error("the journal of blocks is damaged: no entries");
  for (const Element& e : entries) {
    BlockEntry entry;
    TRY_VOID(read_entry(e, entry));
    journal.entries.push_back(std::move(entry));
  }
  return journal;
}

Result<BlockJournal> read_block_journal(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    if (errno == ENOENT) return BlockJournal{};
    return unavailable(fmt::format("{}: {}", file, std::strerror(errno)));
  }
  std::stringstream text;
  text << in.rdbuf();
  auto journal = parse_block_journal(text.str());
  if (!journal)
    return unavailable(fmt::format("{}: {}", file, journal.error().message),
                       "look at it and move it away; blocks that the kernel holds end at their time in any case");
  return journal;
}

Result<void> replace_block_journal(const std::string& file, const BlockJournal& journal) {
  const std::string fresh = file + ".new", text = write_block_journal(journal);
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return unavailable(fmt::format("{}: {}", fresh, std::strerror(errno)));
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = ::write(fd, text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      ::close(fd);
      return unavailable(fmt::format("{}: {}", fresh, std::strerror(error)));
    }
    written += static_cast<size_t>(n);
  }
  ::close(fd);
  if (::rename(fresh.c_str(), file.c_str()) != 0) return unavailable(fmt::format("{}: {}", file, std::strerror(errno)));
  return {};
}

Result<void> sync_block_journal(const std::string& file) {
  for (const std::string& path : {file, file.substr(0, file.rfind('/') + 1)}) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool done = fd >= 0 && ::fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (!done) return unavailable(fmt::format("{} is not safely on the disk: {}", path, std::strerror(error)));
  }
  return {};
}

}  // namespace egret::sensor
