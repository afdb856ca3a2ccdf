#include "sensor/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

namespace egret::sensor {

namespace fs = std::filesystem;

namespace {

constexpr size_t kFlushAt = 256 << 10;
constexpr size_t kMostInMemory = 32 << 20;  // while the disk refuses

std::string safe(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') c = '-';
  return out.empty() ? "node" : out;
}

void sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  ::close(fd);
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

uint64_t lines_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return static_cast<uint64_t>(std::count(std::istreambuf_iterator<char>(in), {}, '\n'));
}

}  // namespace

Spool::Spool(SpoolOptions options, int64_t start_us)
    : options_(std::move(options)), id_(fmt::format("{}.{:016x}", safe(options_.node), start_us)), prefix_(safe(options_.node) + ".") {}

Result<std::unique_ptr<Spool>> Spool::open(SpoolOptions options, int64_t start_us) {
  std::error_code ec;
  fs::create_directories(options.folder, ec);
  if (ec)
    return unavailable(fmt::format("spool folder {}: {}", options.folder, ec.message()), "name a folder that can be written with --out");
  std::unique_ptr<Spool> spool(new Spool(std::move(options), start_us));
  const std::string lock = fmt::format("{}/.{}lock", spool->options_.folder, spool->prefix_);
  spool->lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (spool->lock_ < 0) return unavailable(fmt::format("{}: {}", lock, strerror(errno)), "name a folder that can be written with --out");
  if (flock(spool->lock_, LOCK_EX | LOCK_NB) != 0)
    return unavailable(fmt::format("another sensor writes for node {} into {}", spool->options_.node, spool->options_.folder),
                       "give this one another --node or --out");
  spool->recover();
  return spool;
}

Spool::~Spool() {
  (void)finish();
  if (lock_ >= 0) ::close(lock_);
}

// What a crash left is cut after the last whole line and handed to the reader.
void Spool::recover() {
  std::error_code ec;
  std::vector<fs::path> parts;
  for (fs::directory_iterator it(options_.folder, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("." + prefix_) && name.ends_with(".ndjson.part")) parts.push_back(it->path());
  }
  for (const fs::path& part : parts) {
    std::ifstream in(part, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const size_t end = text.rfind('\n');
    std::error_code ignored;
    if (end == std::string::npos) {
      fs::remove(part, ignored);
      continue;
    }
    fs::resize_file(part, end + 1, ignored);
    if (const int fd = ::open(part.c_str(), O_RDONLY | O_CLOEXEC); fd >= 0) fsync(fd), ::close(fd);
    fs::rename(part, part.parent_path() / part.stem().string().substr(1), ignored);
  }
  if (!parts.empty()) sync_folder(options_.folder);
}

void Spool::add(const Row& row) {
  if (buffer_.size() > kMostInMemory) {
    ++loss_.rows;
    loss_.bytes += row.body().size();
    ++sequence_;  // a number that no row has: the reader sees the loss as well
    return;
  }
  buffer_ += row.body();
  fmt::format_to(std::back_inserter(buffer_), R"(,"_Sensor":"{}","_Sequence":{}}}{})", id_, ++sequence_, '\n');
  if (buffer_.size() >= kFlushAt) flush();
  if (written_ >= options_.segment_bytes) (void)finish();
}

std::string Spool::part_path(uint64_t number) const { return fmt::format("{}/.{}.{:08}.ndjson.part", options_.folder, id_, number); }

bool Spool::flush() {
  if (buffer_.empty()) return true;
  if (fd_ < 0) {
    const std::string path = part_path(number_ + 1);
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd_ < 0) {
      ++write_errors_;
      return false;
    }
    ++number_;
    written_ = 0;
  }
  if (!write_all(fd_, buffer_)) {
    ++write_errors_;
    // Half a line may have been written: go back to where the last whole one ended.
    if (ftruncate(fd_, static_cast<off_t>(written_)) != 0 || lseek(fd_, static_cast<off_t>(written_), SEEK_SET) < 0) ++write_errors_;
    return false;
  }
  written_ += buffer_.size();
  buffer_.clear();
  return true;
}

void Spool::tick(Ticks now) {
  if (opened_ == 0) opened_ = now;
  if (now - opened_ < options_.segment_time) return;
  opened_ = now;
  (void)finish();
}

Result<void> Spool::finish() {
  const bool whole = flush();
  if (fd_ >= 0 && written_ > 0) {
    if (fsync(fd_) != 0) ++write_errors_;
    ::close(fd_);
    fd_ = -1;
    const std::string path = fmt::format("{}/{}.{:08}.ndjson", options_.folder, id_, number_);
    std::error_code ec;
    fs::rename(part_path(number_), path, ec);
    if (ec) {
      ++write_errors_;
      return unavailable(fmt::format("{}: {}", path, ec.message()));
    }
    sync_folder(options_.folder);
    written_ = 0;
    bound();
  }
  if (!whole) return unavailable(fmt::format("writing into {} failed: {}", options_.folder, strerror(errno)));
  return {};
}

void Spool::bound() {
  std::error_code ec;
  std::vector<std::pair<std::string, uint64_t>> files;  // names sort by start and number
  uint64_t total = 0;
  for (fs::directory_iterator it(options_.folder, ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(prefix_) || !name.ends_with(".ndjson")) continue;
    std::error_code gone;
    const uint64_t size = it->file_size(gone);
    if (gone) continue;
    files.emplace_back(it->path().string(), size);
    total += size;
  }
  if (total <= options_.most_bytes) return;
  std::sort(files.begin(), files.end());
  for (const auto& [path, size] : files) {
    if (total <= options_.most_bytes) break;
    const uint64_t rows = lines_of(path);
    std::error_code gone;
    if (!fs::remove(path, gone) || gone) continue;  // a reader was faster
    total -= size;
    ++loss_.segments;
    loss_.rows += rows;
    loss_.bytes += size;
  }
}

SpoolLoss Spool::take_loss() { return std::exchange(loss_, {}); }

}  // namespace egret::sensor
