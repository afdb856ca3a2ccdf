#include "sensor/privileges.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

namespace egret::sensor {

namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the system calls of this architecture are not listed"
#endif

// What both roles do: files, memory, time, signals, threads, sockets that are open, and bpf(2) on maps that are open.
constexpr int kCommon[] = {
    __NR_read,
    __NR_write,
    __NR_readv,
    __NR_writev,
    __NR_pread64,
    __NR_pwrite64,
    __NR_close,
    __NR_lseek,
    __NR_fstat,
    __NR_newfstatat,
    __NR_statx,
    __NR_statfs,
    __NR_fstatfs,
    __NR_openat,
    __NR_faccessat,
    __NR_faccessat2,
    __NR_readlinkat,
    __NR_getdents64,
    __NR_getcwd,
    __NR_ioctl,
    __NR_fcntl,
    __NR_flock,
    __NR_fsync,
    __NR_fdatasync,
    __NR_ftruncate,
    __NR_fallocate,
    __NR_renameat,
    __NR_renameat2,
    __NR_unlinkat,
    __NR_mkdirat,
    __NR_fchmod,
    __NR_fchmodat,
    __NR_fchown,
    __NR_fchownat,
    __NR_umask,
    __NR_dup,
    __NR_dup3,
    __NR_pipe2,
    __NR_sync_file_range,
    __NR_fadvise64,
    __NR_copy_file_range,
    __NR_sendfile,
    __NR_mmap,
    __NR_munmap,
    __NR_mremap,
    __NR_mprotect,
    __NR_madvise,
    __NR_brk,
    __NR_futex,
    __NR_membarrier,
    __NR_rseq,
    __NR_set_robust_list,
    __NR_get_robust_list,
    __NR_set_tid_address,
    __NR_clone,
    __NR_clone3,
    __NR_exit,
    __NR_exit_group,
    __NR_wait4,
    __NR_restart_syscall,
    __NR_rt_sigaction,
    __NR_rt_sigprocmask,
    __NR_rt_sigreturn,
    __NR_rt_sigtimedwait,
    __NR_sigaltstack,
    __NR_tgkill,
    __NR_tkill,
    __NR_kill,
    __NR_signalfd4,
    __NR_getpid,
    __NR_gettid,
    __NR_getppid,
    __NR_getuid,
    __NR_geteuid,
    __NR_getgid,
    __NR_getegid,
    __NR_getrandom,
    __NR_uname,
    __NR_sysinfo,
    __NR_getrusage,
    __NR_prlimit64,
    __NR_sched_yield,
    __NR_sched_getaffinity,
    __NR_getcpu,
    __NR_prctl,
    __NR_capget,
    __NR_clock_gettime,
    __NR_clock_getres,
    __NR_clock_nanosleep,
    __NR_nanosleep,
    __NR_gettimeofday,
    __NR_timerfd_create,
    __NR_timerfd_settime,
    __NR_timerfd_gettime,
    __NR_epoll_create1,
    __NR_epoll_ctl,
    __NR_epoll_pwait,
    __NR_epoll_pwait2,
    __NR_ppoll,
    __NR_pselect6,
    __NR_eventfd2,
    __NR_inotify_init1,
    __NR_inotify_add_watch,
    __NR_inotify_rm_watch,
    __NR_bpf,
    __NR_bind,
    __NR_connect,
    __NR_getsockname,
    __NR_getsockopt,
    __NR_setsockopt,
    __NR_sendto,
    __NR_recvfrom,
    __NR_sendmsg,
    __NR_recvmsg,
    __NR_recvmmsg,
    __NR_sendmmsg,
    __NR_shutdown,
#if defined(__x86_64__)
    // The older names that a C library still uses there.
    __NR_open,
    __NR_stat,
    __NR_lstat,
    __NR_access,
    __NR_readlink,
    __NR_rename,
    __NR_unlink,
    __NR_mkdir,
    __NR_rmdir,
    __NR_chmod,
    __NR_chown,
    __NR_dup2,
    __NR_pipe,
    __NR_poll,
    __NR_select,
    __NR_epoll_wait,
    __NR_time,
    __NR_arch_prctl,
#endif
};

// The control socket's server, and other processes' network namespaces.
constexpr int kOfBlock[] = {__NR_listen, __NR_accept, __NR_accept4, __NR_setns};

// Families a new socket may have: what is left is no way out of the machine.
constexpr int kFamilies[] = {AF_UNIX, AF_NETLINK};

sock_filter load(uint32_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset); }
sock_filter answer(uint32_t value) { return BPF_STMT(BPF_RET | BPF_K, value); }
sock_filter skip_unless(uint32_t value, uint8_t n) { return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, n); }

std::vector<sock_filter> filter_for(Role role) {
  constexpr uint32_t kNo = SECCOMP_RET_ERRNO | EPERM;
  std::vector<sock_filter> f;
  f.push_back(load(offsetof(seccomp_data, arch)));
  f.push_back(skip_unless(kArchitecture, 1));
  f.push_back(BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0));
  f.push_back(answer(SECCOMP_RET_KILL_PROCESS));
  f.push_back(load(offsetof(seccomp_data, nr)));
  const auto allow = [&](int nr) {
    f.push_back(skip_unless(static_cast<uint32_t>(nr), 1));
    f.push_back(answer(SECCOMP_RET_ALLOW));
  };
  for (const int nr : kCommon) allow(nr);
  if (role == Role::kBlock)
    for (const int nr : kOfBlock) allow(nr);
  // socket(2): by family. AF_INET only to ask a namespace for its cookie, which the blocking part does; it never sends on it.
  std::vector<int> families(std::begin(kFamilies), std::end(kFamilies));
  if (role == Role::kBlock) families.push_back(AF_INET);
  f.push_back(skip_unless(__NR_socket, static_cast<uint8_t>(2 + 2 * families.size())));
  f.push_back(load(offsetof(seccomp_data, args)));
  for (const int family : families) {
    f.push_back(skip_unless(static_cast<uint32_t>(family), 1));
    f.push_back(answer(SECCOMP_RET_ALLOW));
  }
  f.push_back(answer(kNo));
  f.push_back(answer(kNo));
  return f;
}

bool kernel_before(int major, int minor) {
  utsname u{};
  int a = 0, b = 0;
  if (::uname(&u) != 0 || std::sscanf(u.release, "%d.%d", &a, &b) != 2) return true;
  return a < major || (a == major && b < minor);
}

Result<void> failed(const char* what) {
  return unavailable(std::string("privileges cannot be dropped: ") + what + ": " + std::strerror(errno));
}

}  // namespace

const std::vector<Privilege>& privileges() {
  static const std::vector<Privilege> kAll = {
      {CAP_BPF, "CAP_BPF", false, false, true, true,
       "loads programs and makes maps; before Linux 5.19 also to use maps that are open, so that it is kept there"},
      {CAP_PERFMON, "CAP_PERFMON", false, false, true, true, "loads programs that read kernel structures (the owner of a socket)"},
      {CAP_NET_ADMIN, "CAP_NET_ADMIN", true, true, true, true,
       "attaches programs to cgroups; reads conntrack's table and events; the blocking part ends connections and removes conntrack "
       "entries"},
      {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", true, true, false, false,
       "reads /proc/PID/exe, cwd and ns of other users' processes; the blocking part opens their network namespaces"},
      {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", true, true, false, false,
       "reads kubelet's and containerd's folders, and /proc/PID/fd, whoever owns them"},
      {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", false, true, false, true,
       "the blocking part alone: enters pods' network namespaces (setns), mounts the BPF file system where it is not mounted"},
  };
  return kAll;
}

Result<void> drop_privileges(Role role) {
  uint64_t keep = 0;
  for (const Privilege& p : privileges())
    if (role == Role::kObserve ? p.observe : p.block) keep |= uint64_t{1} << p.capability;
  if (kernel_before(5, 19)) keep |= uint64_t{1} << CAP_BPF;

  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(__NR_capget, &header, data) != 0) return failed("capget");
  const bool may_bound = data[CAP_SETPCAP / 32].effective & (1u << CAP_SETPCAP % 32);
  for (int c = 0; c < 64 && may_bound; ++c) {
    const int held = ::prctl(PR_CAPBSET_READ, c, 0, 0, 0);
    if (held < 0) break;  // beyond the kernel's last
    if (held == 1 && !(keep & (uint64_t{1} << c)) && ::prctl(PR_CAPBSET_DROP, c, 0, 0, 0) != 0) return failed("the bounding set");
  }
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return failed("the ambient set");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no_new_privs");
  for (int i = 0; i < 2; ++i) {
    const auto mask = static_cast<uint32_t>(keep >> (32 * i));
    data[i].permitted &= mask;
    data[i].effective = data[i].permitted;
    data[i].inheritable = 0;
  }
  if (::syscall(__NR_capset, &header, data) != 0) return failed("capset");

  auto filter = filter_for(role);
  sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) return failed("seccomp");
  return {};
}

std::vector<std::string> effective_capabilities() {
  std::vector<std::string> names;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(__NR_capget, &header, data) != 0) return names;
  for (int c = 0; c <= CAP_LAST_CAP; ++c) {
    if (!(data[c / 32].effective & (1u << c % 32))) continue;
    const auto known = std::ranges::find(privileges(), c, &Privilege::capability);
    names.push_back(known != privileges().end() ? std::string(known->name) : std::to_string(c));
  }
  return names;
}

}  // namespace egret::sensor
