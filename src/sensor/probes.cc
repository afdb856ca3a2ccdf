#include "sensor/probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sensor.skel.h"

namespace egret::sensor {

namespace {

std::string kernel_messages;  // libbpf has one global printer; kept for the error's text

int keep_message(libbpf_print_level level, const char* format, va_list args) {
  if (level != LIBBPF_WARN) return 0;
  char text[1024];
  vsnprintf(text, sizeof text, format, args);
  if (kernel_messages.size() < 8192) kernel_messages += text;
  return 0;
}

std::string last_message() {
  const size_t end = kernel_messages.find_last_not_of("\n ");
  if (end == std::string::npos) return {};
  const size_t begin = kernel_messages.rfind('\n', end);
  return kernel_messages.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

// Tracepoints are found through tracefs.
void need_tracefs() {
  struct stat s{};
  if (stat("/sys/kernel/tracing/events", &s) == 0) return;
  (void)mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr);
}

}  // namespace

struct Probes::Impl {
  sensor_bpf* skeleton = nullptr;
  ring_buffer* ring = nullptr;
  Handler handle;
  std::vector<bpf_link*> links;
  bpf_link* sweep = nullptr;

  ~Impl() {
    for (bpf_link* l : links) bpf_link__destroy(l);
    bpf_link__destroy(sweep);
    ring_buffer__free(ring);
    sensor_bpf__destroy(skeleton);
  }
};

Probes::Probes(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Probes::~Probes() = default;

Result<std::unique_ptr<Probes>> Probes::open(const ProbeOptions& options, Handler handle) {
  libbpf_set_print(keep_message);
  need_tracefs();
  struct Hook {
    std::string_view program, name, unseen;
    bool cgroup;
  };
  // In the order of attaching: what marks sockets comes before what reports on them.
  static constexpr Hook kHooks[] = {
      {"on_cgroup_made", "new cgroups", "pods that live only a moment may stay unnamed", false},
      {"on_cgroup_removed", "removed cgroups", "names of dead pods are kept longer than needed", false},
      {"on_exec", "process starts", "processes that live only a moment have no path or parents", false},
      {"on_exit", "process ends", "when a process ended", false},
      {"on_create", "socket creation", "the owner of sockets that never connect", true},
      {"on_connect4", "IPv4 connect", "connections that fail before the first packet (IPv4)", true},
      {"on_connect6", "IPv6 connect", "connections that fail before the first packet (IPv6)", true},
      {"on_release", "socket release", "the end of UDP flows", true},
      {"on_state", "TCP states", "TCP connections", false},
      {"on_egress", "packets out", "UDP flows, DNS questions, TLS names, HTTP requests", true},
      {"on_ingress", "packets in", "UDP answers, DNS answers", true},
      {"on_sweep", "open sockets", "connections that were open before the sensor, and progress of long ones", false},
  };
  std::vector<std::string> unloadable;
  // A program that this kernel's verifier refuses is left out and loading is tried again without it.
  for (size_t attempt = 0; attempt <= std::size(kHooks); ++attempt) {
    auto impl = std::make_unique<Impl>();
    impl->handle = handle;
    kernel_messages.clear();
    impl->skeleton = sensor_bpf__open();
    if (!impl->skeleton) return unavailable(fmt::format("the kernel programs cannot be opened: {}", strerror(errno)));
    sensor_bpf* s = impl->skeleton;
    s->rodata->root_cgroup = options.root_cgroup;
    s->rodata->want_inbound = options.inbound;
    s->rodata->want_loopback = options.loopback;
    s->rodata->want_processes = options.processes;
    s->rodata->idle = options.idle;
    bpf_map__set_max_entries(s->maps.events, options.ring_bytes);
    for (const std::string& name : unloadable) bpf_program__set_autoload(bpf_object__find_program_by_name(s->obj, name.c_str()), false);
    if (const int error = sensor_bpf__load(s); error != 0) {
      // libbpf says "prog 'NAME': failed to load".
      const std::string mark = "prog '";
      const size_t failed = kernel_messages.find("': failed to load");
      const size_t at = failed == std::string::npos ? std::string::npos : kernel_messages.rfind(mark, failed);
      const std::string name =
          at == std::string::npos ? std::string() : kernel_messages.substr(at + mark.size(), failed - at - mark.size());
      if (name.empty() || unloadable.size() + 1 >= std::size(kHooks))
        return unavailable(fmt::format("the kernel takes none of the programs: {} ({})", strerror(-error), last_message()),
                           "eBPF needs Linux 5.15 or later with BTF, and CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN");
      unloadable.push_back(name);
      if (options.verbose) fmt::print(stderr, "{}\n", kernel_messages);
      continue;
    }
    const int cgroup = ::open(options.cgroup_folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cgroup < 0)
      return unavailable(fmt::format("cgroup {}: {}", options.cgroup_folder, strerror(errno)),
                         "name the node's part of the tree with --cgroup-root");
    auto probes = std::unique_ptr<Probes>(new Probes(std::move(impl)));
    Impl& i = *probes->impl_;
    for (const Hook& hook : kHooks) {
      ProbeState state{std::string(hook.name), std::string(hook.unseen), false, {}};
      bpf_program* program = bpf_object__find_program_by_name(s->obj, std::string(hook.program).c_str());
      if (std::ranges::find(unloadable, hook.program) != unloadable.end()) {
        state.error = "the kernel refuses the program";
      } else {
        bpf_link* link = hook.cgroup ? bpf_program__attach_cgroup(program, cgroup) : bpf_program__attach(program);
        if (!link) {
          state.error = strerror(errno);
        } else {
          state.attached = true;
          if (hook.program == "on_sweep")
            i.sweep = link;
          else
            i.links.push_back(link);
        }
      }
      probes->states_.push_back(std::move(state));
    }
    ::close(cgroup);
    const auto on_event = [](void* context, void* data, size_t size) {
      const auto* header = static_cast<const EventHeader*>(data);
      if (size >= sizeof(EventHeader) && header->bytes <= size) static_cast<Impl*>(context)->handle(*header);
      return 0;
    };
    i.ring = ring_buffer__new(bpf_map__fd(s->maps.events), on_event, &i, nullptr);
    if (!i.ring) return unavailable(fmt::format("the kernel's ring cannot be mapped: {}", strerror(errno)));
    return probes;
  }
  return unavailable("the kernel takes none of the programs");
}

int Probes::fd() const { return ring_buffer__epoll_fd(impl_->ring); }

int Probes::consume() { return ring_buffer__consume(impl_->ring); }

void Probes::sweep(const std::function<void(const Flow&)>& each) {
  if (!impl_->sweep) return;
  const int fd = bpf_iter_create(bpf_link__fd(impl_->sweep));
  if (fd < 0) return;
  std::vector<char> buffer(64 * sizeof(Flow));
  size_t have = 0;
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data() + have, buffer.size() - have);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) break;
    have += static_cast<size_t>(n);
    size_t at = 0;
    for (; have - at >= sizeof(Flow); at += sizeof(Flow)) {
      Flow flow;
      std::memcpy(&flow, buffer.data() + at, sizeof flow);
      each(flow);
    }
    std::memmove(buffer.data(), buffer.data() + at, have - at);
    have -= at;
  }
  ::close(fd);
}

std::vector<uint64_t> Probes::losses() const {
  const int cpus = libbpf_num_possible_cpus();
  std::vector<uint64_t> out(kLossKinds), slot(static_cast<size_t>(std::max(cpus, 1)));
  for (uint32_t kind = 0; kind < kLossKinds; ++kind) {
    if (bpf_map_lookup_elem(bpf_map__fd(impl_->skeleton->maps.losses), &kind, slot.data()) != 0) continue;
    for (const uint64_t n : slot) out[kind] += n;
  }
  return out;
}

void Probes::datagrams(uint64_t idle_ns, const std::function<void(const Flow&, bool)>& each) {
  struct Key {
    __u64 cookie;
    Endpoint remote;
    __u32 protocol, padding;
  };
  const int fd = bpf_map__fd(impl_->skeleton->maps.datagrams);
  std::vector<Key> keys;
  Key key, next;
  for (bool more = bpf_map_get_next_key(fd, nullptr, &next) == 0; more; more = bpf_map_get_next_key(fd, &key, &next) == 0) {
    key = next;
    keys.push_back(key);
    if (keys.size() > 65536) break;
  }
  for (const Key& k : keys) {
    Flow flow;
    if (bpf_map_lookup_elem(fd, &k, &flow) != 0) continue;
    const bool last = flow.last < idle_ns;
    if (last && bpf_map_delete_elem(fd, &k) != 0) continue;
    each(flow, last);
  }
}

}  // namespace egret::sensor
