#include "sensor/block_kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <optional>
#include <vector>

#include "block.skel.h"

namespace egret::sensor {

namespace {

std::string warnings;  // libbpf has one printer for all; kept for the error's text

int keep_warning(libbpf_print_level level, const char* format, va_list args) {
  char text[512];
  vsnprintf(text, sizeof text, format, args);
  if (level == LIBBPF_WARN && warnings.size() < 4096) warnings += text;
  return 0;
}

std::string last_warning() {
  const auto end = warnings.find_last_not_of('\n');
  if (end == std::string::npos) return "no more is known";
  const auto begin = warnings.rfind('\n', end);
  return warnings.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

// The pin folder on a BPF file system, which is mounted where it is not.
Result<void> need_pin_folder(const std::string& folder) {
  const std::string parent = folder.substr(0, folder.rfind('/'));
  struct statfs s{};
  if (::statfs(parent.c_str(), &s) != 0 || s.f_type != static_cast<decltype(s.f_type)>(BPF_FS_MAGIC)) {
    if (parent != "/sys/fs/bpf" || ::mount("bpf", parent.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
      return unavailable(parent + " is no BPF file system, so that a block could not outlive its controller",
                         "mount -t bpf bpf /sys/fs/bpf (in a container: a hostPath volume)");
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return unavailable(fmt::format("{}: {}", folder, std::strerror(errno)));
  return {};
}

}  // namespace

struct BlockKernel::Impl {
  BlockKernelOptions options;
  block_bpf* skeleton = nullptr;
  std::vector<bpf_link*> links;
  std::vector<std::string> link_pins;
  std::optional<BlockMaps> held;  // what hold() last wrote; before its first time the maps may hold anything
  bool netns_in_flight = false, taken_over = false;
  int processors = 1;

  ~Impl() {
    for (bpf_link* l : links) bpf_link__destroy(l);  // only the handle: what is pinned stays attached
    block_bpf__destroy(skeleton);
  }
  std::string pin(std::string_view name) const { return fmt::format("{}/{}", options.pin_folder, name); }

  Result<void> load(bool with_netns) {
    warnings.clear();
    skeleton = block_bpf__open();
    if (!skeleton) return unavailable(fmt::format("the blocking programs cannot be opened: {}", std::strerror(errno)));
    skeleton->rodata->netns_in_flight = with_netns;
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, skeleton->obj) {
      const std::string name = bpf_map__name(map);
      if (!name.starts_with("block_") || name.contains('.')) continue;  // not the constants
      if (::access(pin(name).c_str(), F_OK) == 0) taken_over = true;
      if (bpf_map__set_pin_path(map, pin(name).c_str()) != 0) return internal_error("a map's pin path");
    }
    if (const int error = block_bpf__load(skeleton); error != 0) {
      auto failed = unavailable(fmt::format("the kernel refuses the blocking programs: {} ({})", std::strerror(-error), last_warning()),
                                error == -EPERM ? "they need CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN" : "");
      block_bpf__destroy(skeleton);
      skeleton = nullptr;
      return failed;
    }
    netns_in_flight = with_netns;
    return {};
  }

  // Pinned links of an earlier controller get the new program; where they hang elsewhere, or there is none, a new one is made.
  Result<void> attach() {
    const int folder = ::open(options.cgroup_folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat s{};
    if (folder < 0 || ::fstat(folder, &s) != 0)
      return unavailable(fmt::format("cgroup {}: {}", options.cgroup_folder, std::strerror(errno)),
                         "name the unified hierarchy, or the node's part of it, with --cgroup-root");
    auto done = attach_to(folder, s.st_ino);
    ::close(folder);
    return done;
  }

  Result<void> attach_to(int folder, uint64_t cgroup) {
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton->obj) {
      const std::string path = pin(fmt::format("link_{}", bpf_program__name(program)));
      if (bpf_link* old = bpf_link__open(path.c_str())) {
        bpf_link_info info{};
        __u32 length = sizeof info;
        if (bpf_obj_get_info_by_fd(bpf_link__fd(old), &info, &length) == 0 && info.cgroup.cgroup_id == cgroup &&
            bpf_link__update_program(old, program) == 0) {
          links.push_back(old);
          link_pins.push_back(path);
          continue;
        }
        (void)::unlink(path.c_str());
        bpf_link__destroy(old);
      }
      bpf_link* link = bpf_program__attach_cgroup(program, folder);
      if (!link)
        return unavailable(
            fmt::format("{} is not attached to {}: {}", bpf_program__name(program), options.cgroup_folder, std::strerror(errno)));
      links.push_back(link);
      if (bpf_link__pin(link, path.c_str()) != 0) return unavailable(fmt::format("{}: {}", path, std::strerror(errno)));
      link_pins.push_back(path);
    }
    return {};
  }
};

BlockKernel::BlockKernel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BlockKernel::~BlockKernel() = default;

Result<std::unique_ptr<BlockKernel>> BlockKernel::open(const BlockKernelOptions& options) {
  libbpf_set_print(keep_warning);
  TRY_VOID(need_pin_folder(options.pin_folder));
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->processors = libbpf_num_possible_cpus();
  // Tried with the helper that not every kernel has for these programs, then without; then without the maps of an earlier version, whose
  // entries the caller's journal has as well.
  auto loaded = impl->load(true);
  if (!loaded) loaded = impl->load(false);
  if (!loaded && impl->taken_over) {
    for (const char* map : {"block_entries", "block_addresses", "block_config", "block_counters"}) (void)::unlink(impl->pin(map).c_str());
    impl->taken_over = false;
    loaded = impl->load(true);
    if (!loaded) loaded = impl->load(false);
  }
  TRY_VOID(std::move(loaded));
  TRY_VOID(impl->attach());
  return std::unique_ptr<BlockKernel>(new BlockKernel(std::move(impl)));
}

bool BlockKernel::netns_in_flight() const { return impl_->netns_in_flight; }
bool BlockKernel::taken_over() const { return impl_->taken_over; }

namespace {

template <typename Key>
std::vector<Key> keys_in(int map) {
  std::vector<Key> keys;
  Key key{}, next{};
  bool first = true;
  while (bpf_map_get_next_key(map, first ? nullptr : &key, &next) == 0) {
    keys.push_back(next);
    key = next;
    first = false;
  }
  return keys;
}

template <typename Map>
std::vector<typename Map::key_type> keys_of(const Map& map) {
  std::vector<typename Map::key_type> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

Result<void> update(int map, const void* key, const void* value) {
  if (bpf_map_update_elem(map, key, value, BPF_ANY) != 0)
    return unavailable(fmt::format("the kernel takes no more blocked addresses: {}", std::strerror(errno)));
  return {};
}

}  // namespace

Result<void> BlockKernel::hold(const BlockMaps& wanted) {
  const int entries = bpf_map__fd(impl_->skeleton->maps.block_entries), addresses = bpf_map__fd(impl_->skeleton->maps.block_addresses),
            config = bpf_map__fd(impl_->skeleton->maps.block_config);
  const __u32 zero = 0;
  // What is looked at last in the kernel is written first, and the configuration opens the way to it; on the way back it closes it.
  const BlockMaps* held = impl_->held ? &*impl_->held : nullptr;
  const auto written = [](const auto& map, const auto& key, const auto& value) {
    const auto found = map.find(key);
    return found != map.end() && std::memcmp(&found->second, &value, sizeof value) == 0;
  };
  for (const auto& [key, value] : wanted.entries)
    if (!held || !written(held->entries, key, value)) TRY_VOID(update(entries, &key, &value));
  for (const auto& [key, value] : wanted.addresses)
    if (!held || !written(held->addresses, key, value)) TRY_VOID(update(addresses, &key, &value));
  TRY_VOID(update(config, &zero, &wanted.config));
  for (const auto& key : held ? keys_of(held->addresses) : keys_in<BlockAddressKey>(addresses))
    if (!wanted.addresses.contains(key)) (void)bpf_map_delete_elem(addresses, &key);
  for (const auto& key : held ? keys_of(held->entries) : keys_in<BlockKey>(entries))
    if (!wanted.entries.contains(key)) (void)bpf_map_delete_elem(entries, &key);
  impl_->held = wanted;
  return {};
}

Result<BlockCounters> BlockKernel::counters(uint32_t slot) const {
  std::vector<BlockCounters> each(static_cast<size_t>(impl_->processors));
  if (bpf_map_lookup_elem(bpf_map__fd(impl_->skeleton->maps.block_counters), &slot, each.data()) != 0)
    return unavailable(fmt::format("no counters: {}", std::strerror(errno)));
  BlockCounters sum{};
  for (const auto& c : each) {
    sum.refused += c.refused;
    sum.packets_out += c.packets_out;
    sum.bytes_out += c.bytes_out;
    sum.packets_in += c.packets_in;
    sum.bytes_in += c.bytes_in;
    sum.last = std::max(sum.last, c.last);
  }
  return sum;
}

Result<void> BlockKernel::clear_counters(uint32_t slot) {
  const std::vector<BlockCounters> zero(static_cast<size_t>(impl_->processors));
  return update(bpf_map__fd(impl_->skeleton->maps.block_counters), &slot, zero.data());
}

void BlockKernel::release() {
  for (const auto& path : impl_->link_pins) (void)::unlink(path.c_str());
  impl_->link_pins.clear();
  for (const char* map : {"block_entries", "block_addresses", "block_config", "block_counters"}) (void)::unlink(impl_->pin(map).c_str());
  (void)::rmdir(impl_->options.pin_folder.c_str());
}

}  // namespace egret::sensor
