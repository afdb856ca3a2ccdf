#include "lab/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include "base/text.h"

namespace egret::lab {
namespace {

// In the child, between fork and exec. Returns what failed, or null.
const char* enter(const Where& w) {
  for (const std::string& folder : w.cgroups) {
    const int fd = ::open((folder + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ::write(fd, "0", 1) != 1) return "cannot join its cgroup";
    ::close(fd);
  }
  if (!w.netns.empty()) {
    const int fd = ::open(w.netns.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) return "cannot enter its network namespace";
    ::close(fd);
  }
  if (!w.resolv_conf.empty()) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(w.resolv_conf.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) != 0)
      return "cannot show it its resolver";
  }
  if (w.gid != 0 && ::setgid(w.gid) != 0) return "cannot join its group";
  return nullptr;
}

[[noreturn]] void execute(const Words& command) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  const std::string why = fmt::format("{}: {}\n", command[0], std::strerror(errno));
  if (::write(2, why.data(), why.size()) < 0) ::_exit(126);
  ::_exit(127);
}

[[noreturn]] void fail(const char* why) {
  const std::string text = fmt::format("{}: {}\n", why, std::strerror(errno));
  if (::write(2, text.data(), text.size()) < 0) ::_exit(126);
  ::_exit(126);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<std::string> run(const Words& command, std::string_view input, const Where& where) {
  int in[2], out[2], err[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0)
    return unavailable(fmt::format("no pipe: {}", std::strerror(errno)));
  const pid_t pid = ::fork();
  if (pid < 0) return unavailable(fmt::format("no process: {}", std::strerror(errno)));
  if (pid == 0) {
    ::dup2(in[0], 0), ::dup2(out[1], 1), ::dup2(err[1], 2);
    if (const char* why = enter(where)) fail(why);
    execute(command);
  }
  ::close(in[0]), ::close(out[1]), ::close(err[1]);
  ::fcntl(in[1], F_SETFL, O_NONBLOCK);
  std::string texts[2];
  pollfd fds[3] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}, {in[1], POLLOUT, 0}};
  if (input.empty()) ::close(in[1]), fds[2].fd = -1;
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (::poll(fds, 3, -1) < 0 && errno != EINTR) break;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      char buffer[16384];
      const ssize_t n = ::read(fds[i].fd, buffer, sizeof buffer);
      if (n > 0) texts[i].append(buffer, static_cast<size_t>(n));
      if (n <= 0) ::close(fds[i].fd), fds[i].fd = -1;
    }
    if (fds[2].fd >= 0 && fds[2].revents != 0) {
      const ssize_t n = ::write(fds[2].fd, input.data(), input.size());
      if (n > 0) input.remove_prefix(static_cast<size_t>(n));
      if (input.empty() || (n < 0 && errno != EAGAIN)) ::close(fds[2].fd), fds[2].fd = -1;
    }
  }
  if (fds[2].fd >= 0) ::close(fds[2].fd);
  if (const int code = wait_for(pid); code != 0)
    return unavailable(fmt::format("`{}` failed ({}): {}", join(command, " "), code, trim(texts[1])));
  return std::move(texts[0]);
}

Result<pid_t> start(const Words& command, const Where& where, const std::string& output) {
  int told[2];  // closes when the program runs; otherwise says why it does not
  if (::pipe2(told, O_CLOEXEC) != 0) return unavailable(fmt::format("no pipe: {}", std::strerror(errno)));
  const pid_t pid = ::fork();
  if (pid < 0) return unavailable(fmt::format("no process: {}", std::strerror(errno)));
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setsid();
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int log = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    ::dup2(null, 0), ::dup2(log, 1), ::dup2(told[1], 2);
    if (log < 0) fail("cannot write its log");
    if (const char* why = enter(where)) fail(why);
    // From here on the cgroup is what finds the process again.
    ::prctl(PR_SET_PDEATHSIG, 0);
    ::dup2(log, 2);
    execute(command);
  }
  ::close(told[1]);
  std::string why;
  char buffer[1024];
  for (ssize_t n; (n = ::read(told[0], buffer, sizeof buffer)) > 0;) why.append(buffer, static_cast<size_t>(n));
  ::close(told[0]);
  if (!why.empty()) {
    wait_for(pid);
    return unavailable(fmt::format("`{}` did not start: {}", command[0], trim(why)));
  }
  return pid;
}

Result<void> still_runs(pid_t pid, const std::string& output) {
  int status = 0;
  if (::waitpid(pid, &status, WNOHANG) != pid) return {};
  std::ifstream file(output);
  std::string line, last;
  while (std::getline(file, line)) last = line;
  return unavailable(fmt::format("a program of the lab ended at once: {}", last.empty() ? output + " is empty" : last));
}

Result<int> attach(const Words& command, const Where& where) {
  const pid_t pid = ::fork();
  if (pid < 0) return unavailable(fmt::format("no process: {}", std::strerror(errno)));
  if (pid == 0) {
    if (const char* why = enter(where)) fail(why);
    execute(command);
  }
  return wait_for(pid);
}

Result<void> inside(const std::string& netns, std::string (*work)(const void*), const void* argument) {
  int told[2];
  if (::pipe2(told, O_CLOEXEC) != 0) return unavailable(fmt::format("no pipe: {}", std::strerror(errno)));
  const pid_t pid = ::fork();
  if (pid < 0) return unavailable(fmt::format("no process: {}", std::strerror(errno)));
  if (pid == 0) {
    ::dup2(told[1], 2);
    if (const char* why = enter({netns, {}, {}, 0})) fail(why);
    const std::string error = work(argument);
    if (!error.empty() && ::write(2, error.data(), error.size()) < 0) ::_exit(126);
    ::_exit(error.empty() ? 0 : 1);
  }
  ::close(told[1]);
  std::string why;
  char buffer[1024];
  for (ssize_t n; (n = ::read(told[0], buffer, sizeof buffer)) > 0;) why.append(buffer, static_cast<size_t>(n));
  ::close(told[0]);
  if (wait_for(pid) != 0) return unavailable(why.empty() ? "a child process died" : std::string(trim(why)));
  return {};
}

}  // namespace egret::lab
