#pragma once
// What a lab has made outside of its own processes: a line is written before each thing is made, so that whoever takes the lab down
// (also after the one that built it was killed) finds everything. Order of removal is the reverse.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace egret::lab {

// A lab's folder: EGRET_LAB_RUN or /run/egret-lab, and in it the lab's id.
std::filesystem::path lab_root();
std::filesystem::path home_of(std::string_view id);
std::vector<std::string> lab_ids();  // of the folders that are there

struct Thing {
  enum class Kind { kNetns, kCgroup };
  Kind kind;
  std::string path;
};

Result<void> note_made(const std::filesystem::path& home, const Thing& thing);
std::vector<Thing> things_made(const std::filesystem::path& home);
// Ends every process, removes every namespace and cgroup, then the folder. Nothing there is no error.
Result<void> remove_lab(const std::filesystem::path& home);

// Holds the lab's lock as long as it lives. Waits ten seconds for it.
class Lock {
 public:
  static Result<Lock> take(const std::filesystem::path& home);
  Lock(Lock&& o) noexcept : fd_(o.fd_) { o.fd_ = -1; }
  Lock& operator=(Lock&&) = delete;
  ~Lock();

 private:
  explicit Lock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace egret::lab
