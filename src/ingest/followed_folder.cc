#include "ingest/followed_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/encoding.h"
#include "base/hash.h"
#include "base/text.h"
#include "ingest/decoders.h"

namespace egret::ingest {
namespace {

namespace fs = std::filesystem;

constexpr size_t kHead = 64 * 1024;
constexpr uint64_t kCheck = 256;
constexpr std::string_view kSensorFact = "follow:sensor:", kFileFact = "follow:file:";

// Up to `length` bytes at `offset`; fewer at the end of the file, none when it cannot be read (it may be gone by now).
std::string read_at(const fs::path& file, uint64_t offset, uint64_t length) {
  std::string bytes;
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bytes;
  bytes.resize(length);
  size_t have = 0;
  while (have < length) {
    const ssize_t n = pread(fd, bytes.data() + have, length - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    have += static_cast<size_t>(n);
  }
  ::close(fd);
  bytes.resize(have);
  return bytes;
}

std::string short_hash(std::string_view bytes) { return sha256_hex(bytes).substr(0, 32); }

// Names that say: somebody is still writing this, or it is no data.
bool is_passing(std::string_view name) {
  for (const std::string_view end : {".part", ".partial", ".tmp", ".lock", ".swp", ".new", "~"})
    if (name.ends_with(end)) return true;
  return name.starts_with(".") || name == "evidence.yaml" || name == "evidence.yml";
}

// The lines that later lines cannot do without (Zeek), and the first of the others; empty when that is not complete yet.
struct Beginning {
  std::string_view header, first;
};
Beginning beginning_of(std::string_view head) {
  size_t at = 0;
  while (at < head.size() && head[at] == '#') {
    const size_t end = head.find('\n', at);
    if (end == std::string_view::npos) return {};
    at = end + 1;
  }
  const size_t end = head.find('\n', at);
  if (end == std::string_view::npos) return {};
  return {head.substr(0, at), head.substr(at, end - at)};
}

// Do the lines stand for themselves, so that some of them can be decoded without the rest?
bool is_growing(std::string_view head, const Decoder& decoder) {
  const Beginning b = beginning_of(head);
  const std::string_view first = trim(b.first);
  if (first.empty()) return false;
  if (first.starts_with('{')) return first.ends_with('}');
  return decoder.line_by_line;
}

std::vector<std::string> words(std::string_view text) { return split(text, ' '); }

template <typename T>
T number_of(std::string_view text) {
  T v{};
  std::from_chars(text.data(), text.data() + text.size(), v);
  return v;
}

}  // namespace

bool numbers_of_line(std::string_view line, std::string_view& sensor, int64_t& sequence) {
  constexpr std::string_view kSensor = ",\"_Sensor\":\"", kSequence = ",\"_Sequence\":";
  const size_t s = line.find(kSensor), n = line.find(kSequence);
  if (s == std::string_view::npos || n == std::string_view::npos) return false;
  sensor = line.substr(s + kSensor.size());
  sensor = sensor.substr(0, sensor.find('"'));
  const std::string_view digits = line.substr(n + kSequence.size());
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
  return error == std::errc() && !sensor.empty() && sequence > 0;
}

FollowedFolder::FollowedFolder(fs::path folder, const std::map<std::string, std::string>& facts, Options options)
    : folder_(std::move(folder)), options_(std::move(options)) {
  for (const auto& [name, value] : facts) {
    const auto parts = words(value);
    if (name.starts_with(kSensorFact) && parts.size() == 2) {
      sensors_[name.substr(kSensorFact.size())] = {number_of<int64_t>(parts[0]), number_of<int>(parts[1])};
    } else if (name.starts_with(kFileFact) && parts.size() == 3) {
      Growing& g = growing_[name.substr(kFileFact.size())];
      g.offset = number_of<uint64_t>(parts[0]);
      g.check = parts[1];
      g.source_id = number_of<int>(parts[2]);
    }
  }
}

std::map<std::string, std::string> FollowedFolder::facts(const Round& round) const {
  std::map<std::string, std::string> facts;
  for (const Piece& p : round.pieces) {
    if (const auto s = round.sequences.find(p.key); s != round.sequences.end())
      facts.emplace(std::string(kSensorFact) + p.key, fmt::format("{} {}", s->second, p.source_id));
    else if (const auto f = round.places.find(p.key); f != round.places.end())
      facts.emplace(std::string(kFileFact) + p.key, fmt::format("{} {} {}", f->second.offset, f->second.check, p.source_id));
  }
  return facts;
}

void FollowedFolder::settle(const Round& round) {
  for (const Piece& p : round.pieces) {
    if (const auto s = round.sequences.find(p.key); s != round.sequences.end()) {
      sensors_[p.key] = {s->second, p.source_id};
    } else if (const auto f = round.places.find(p.key); f != round.places.end()) {
      Growing& g = growing_[p.key];
      g.offset = f->second.offset;
      g.check = f->second.check;
      g.source_id = p.source_id;
    }
  }
  for (const std::string& path : round.whole) seen_[path].taken = true;
  for (const fs::path& file : round.segments) seen_[file.lexically_relative(folder_).generic_string()].taken = true;
}

Result<std::vector<FollowedFolder::File>> FollowedFolder::list() const {
  std::error_code ec;
  auto it = fs::recursive_directory_iterator(folder_, fs::directory_options::skip_permission_denied, ec);
  if (ec) return unavailable(fmt::format("{} cannot be read: {}", folder_.string(), ec.message()));
  std::vector<File> files;
  for (; it != fs::recursive_directory_iterator(); it.increment(ec)) {
    if (ec) break;
    if (is_passing(it->path().filename().string())) {
      if (it->is_directory(ec)) it.disable_recursion_pending();
      continue;
    }
    struct stat st{};
    if (::stat(it->path().c_str(), &st) != 0 || !S_ISREG(st.st_mode)) continue;
    files.push_back({it->path(), it->path().lexically_relative(folder_).generic_string(), static_cast<uint64_t>(st.st_size),
                     static_cast<int64_t>(st.st_mtim.tv_sec) * 1'000'000'000 + st.st_mtim.tv_nsec});
  }
  // Names of segments sort by time; a segment that is not listed yet is newer than those that are.
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.path < b.path; });
  return files;
}

Result<FollowedFolder::Round> FollowedFolder::look(int64_t now) {
  TRY(const std::vector<File> files, list());
  Round round;
  std::map<std::string, Seen> still;
  for (const File& f : files) {
    auto node = seen_.extract(f.path);
    Seen seen = node.empty() ? Seen{} : node.mapped();
    if (node.empty() || seen.size != f.size || seen.modified != f.modified) {
      seen = {f.size, f.modified, now, false};
      // What lay there before this process began rests since it was written.
      if (node.empty()) seen.since = std::min(now, f.modified / 1'000'000'000);
    }
    still.emplace(f.path, seen);
  }
  seen_ = std::move(still);
  for (const File& f : files) {
    if (seen_[f.path].taken) continue;
    if (round.bytes >= options_.bytes) {
      round.more = true;
      break;
    }
    if (is_segment_name(f.disk.filename().string()))
      take_segment(f, round);
    else
      take_other(f, now, round);
  }
  return round;
}

void FollowedFolder::take_segment(const File& file, Round& round) {
  const std::string bytes = read_at(file.disk, 0, file.size);
  round.bytes += bytes.size();
  const std::string folder = file.path.substr(0, file.path.size() - file.disk.filename().string().size());
  for (size_t at = 0; at < bytes.size();) {
    const size_t end = std::min(bytes.find('\n', at), bytes.size());
    const std::string_view line = std::string_view(bytes).substr(at, end - at);
    at = end + 1;
    if (trim(line).empty()) continue;
    std::string_view sensor;
    int64_t sequence = 0;
    // A line without numbers cannot be told from its double; it becomes an error row of the segment.
    const bool numbered = numbers_of_line(line, sensor, sequence);
    const std::string key = numbered ? std::string(sensor) : file.disk.filename().string();
    const auto known = sensors_.find(key);
    const auto reached = round.sequences.find(key);
    const int64_t before = reached != round.sequences.end() ? reached->second : known != sensors_.end() ? known->second.sequence : 0;
    if (numbered && sequence <= before) {
      ++round.repeated;
      continue;
    }
    auto piece = std::find_if(round.pieces.begin(), round.pieces.end(), [&](const Piece& p) { return p.key == key; });
    if (piece == round.pieces.end()) {
      Piece p;
      p.key = key;
      p.path = folder + key;
      p.decoder = "sensor-segment";
      p.modified_at = ticks_from_unix_seconds(file.modified / 1'000'000'000);
      p.source_id = known != sensors_.end() ? known->second.source_id : 0;
      piece = round.pieces.insert(round.pieces.end(), std::move(p));
    }
    if (!numbered) {
      piece->troubles.push_back(fmt::format("a line of the segment has no number of its sensor: {}", terminal_safe(line.substr(0, 80))));
      continue;
    }
    if (sequence > before + 1)
      piece->troubles.push_back(sequence == before + 2
                                    ? fmt::format("row {} of sensor {} never came", before + 1, key)
                                    : fmt::format("rows {} to {} of sensor {} never came", before + 1, sequence - 1, key));
    piece->bytes.append(line) += '\n';
    round.sequences[key] = sequence;
  }
  round.segments.push_back(file.disk);
}

void FollowedFolder::take_other(const File& file, int64_t now, Round& round) {
  Seen& seen = seen_[file.path];
  if (file.size == 0) return;
  const std::string head = read_at(file.disk, 0, kHead);
  std::string decoder = options_.format;
  if (decoder.empty()) {
    const auto guesses = recognise(head, file.path);
    if (!guesses.empty() && guesses[0].score >= kSureEnough) decoder = guesses[0].decoder->name;
  }
  const int64_t rests = now - seen.since;
  if (const Decoder* d = find_decoder(decoder); d && is_growing(head, *d)) {
    const bool whole_line = rests >= options_.line_seconds;
    if (take_growing(file, head, decoder, whole_line, round)) seen.taken = true;
    return;
  }
  if (rests < options_.rest_seconds) return;
  round.whole.push_back(file.path);
  round.bytes += file.size;
}

// True when there is nothing left in the file as it lies there.
bool FollowedFolder::take_growing(const File& file, std::string_view head, const std::string& decoder, bool line_is_whole, Round& round) {
  const Beginning b = beginning_of(head);
  const std::string hash = short_hash(std::string(b.header) + std::string(b.first));
  // Files of one beginning: this one read before, a copy of it, or (rarely) another one.
  std::string key = hash;
  Growing known;
  for (int n = 2; n < 100; ++n) {
    const auto it = growing_.find(key);
    if (it == growing_.end()) break;
    known = it->second;
    if (file.size < known.offset) return true;  // a copy that was made before: all of it is there
    const uint64_t length = std::min(kCheck, known.offset);
    if (short_hash(read_at(file.disk, known.offset - length, length)) == known.check) break;
    known = {};
    key = hash + '+' + std::to_string(n);
  }
  if (round.places.contains(key)) return false;  // a copy of one that this round reads: in the next
  std::string bytes = read_at(file.disk, known.offset, std::min(file.size - known.offset, options_.bytes));
  const bool to_the_end = known.offset + bytes.size() >= file.size;
  const size_t end = bytes.rfind('\n');
  // A line that is longer than a round goes as it is.
  const bool as_it_is = to_the_end ? line_is_whole : end == std::string::npos;
  const size_t whole = as_it_is ? bytes.size() : end == std::string::npos ? 0 : end + 1;
  const bool complete = to_the_end && whole == bytes.size();
  bytes.resize(whole);
  if (bytes.empty()) return complete;
  Piece p;
  p.key = key;
  p.path = file.path;
  p.decoder = decoder;
  p.modified_at = ticks_from_unix_seconds(file.modified / 1'000'000'000);
  p.source_id = known.source_id;
  Round::Place& place = round.places[key];
  place.offset = known.offset + bytes.size();
  const uint64_t length = std::min(kCheck, place.offset);
  place.check = short_hash(bytes.size() >= length ? std::string_view(bytes).substr(bytes.size() - length)
                                                  : std::string_view(read_at(file.disk, place.offset - length, length)));
  round.bytes += bytes.size();
  if (!to_the_end) round.more = true;
  if (known.offset == 0) {
    p.bytes = std::move(bytes);
  } else {
    p.bytes = std::string(b.header) + bytes;
  }
  round.pieces.push_back(std::move(p));
  // Looked at again until it rests: the state says that there is nothing more.
  return false;
}

bool is_segment_name(std::string_view name) {
  const auto parts = split(name, '.');
  return parts.size() == 4 && parts[3] == "ndjson" && parts[1].size() == 16 && parts[2].size() == 8 &&
         std::all_of(parts[1].begin(), parts[1].end(), [](char c) { return hex_digit(c) >= 0; }) &&
         std::all_of(parts[2].begin(), parts[2].end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace egret::ingest
