// The blocking programs: refuse at connect() and sendto(), drop what is in flight. Each entry says until when it holds, and that is looked at
// here, so that a block ends on time whether its controller lives or not.
//
// Whose packet it is: at connect() and sendto() the calling task's cgroup (unified or v1) and the socket's network namespace; in flight the
// socket's own unified cgroup and, from Linux 6.15, its network namespace. A v1 cgroup is not known in flight.
//
// Beside a load balancer that rewrites connect() (Cilium): both run; of two programs on one cgroup the one that was attached first. Whichever
// sees the address before its rewriting, packets are looked at after it, so that a blocked backend stays blocked.
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "sensor/block_shape.h"

char LICENSE[] SEC("license") = "GPL";

enum { kPass = 1, kRefuse = 0, kIpv4 = 0x0800, kIpv6 = 0x86dd };

// Set before loading: whether bpf_get_netns_cookie may be called in flight.
const volatile bool netns_in_flight = false;

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 4 * kBlockSlots);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct BlockKey);
  __type(value, struct BlockValue);
} block_entries SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, 4 * kBlockSlots);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct BlockAddressKey);
  __type(value, __u32);
} block_addresses SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct BlockConfig);
} block_config SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, kBlockSlots);
  __type(key, __u32);
  __type(value, struct BlockCounters);
} block_counters SEC(".maps");

// The slot of an entry that holds now for this scope, or -1. `key` has the address.
static __always_inline int entry(struct BlockKey *key, __u32 kind, __u64 scope, __u64 now) {
  key->bits = 96 + 128;
  key->kind = kind;
  key->scope = scope;
  struct BlockValue *v = bpf_map_lookup_elem(&block_entries, key);
  if (!v) return -1;
  if (v->until[0] > now) return v->slot[0];
  if (v->until[1] > now) return v->slot[1];
  return -1;
}

// What there is to look for, or null: nothing blocks this address for anyone.
static __always_inline struct BlockConfig *concerns(const struct BlockKey *key) {
  __u32 zero = 0;
  struct BlockConfig *config = bpf_map_lookup_elem(&block_config, &zero);
  if (!config || !config->kinds) return 0;
  struct BlockAddressKey address = {.bits = 128};
  __builtin_memcpy(address.address, key->address, 16);
  return bpf_map_lookup_elem(&block_addresses, &address) ? config : 0;
}

static __always_inline void set_v4(struct BlockKey *key, __u32 address) {
  __u32 *words = (__u32 *)key->address;
  words[0] = words[1] = 0;
  words[2] = bpf_htonl(0xffff);
  words[3] = address;
}

enum { kNotV1 = -2 };

// By the task's cgroups in the hierarchy of one controller.
static __always_inline int by_v1(struct BlockKey *key, __u32 levels, __u64 now, int subsystem) {
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  struct css_set *set = BPF_CORE_READ(task, cgroups);
  struct cgroup_subsys_state *css = 0;
  if (bpf_core_read(&css, sizeof(css), &set->subsys[subsystem]) || !css) return kNotV1;
  struct cgroup *group = BPF_CORE_READ(css, cgroup);
  if (BPF_CORE_READ(group, root, hierarchy_id) == BPF_CORE_READ(set, dfl_cgrp, root, hierarchy_id)) return kNotV1;
  for (int i = 0; i < kBlockLevels; ++i) {
    int level = BPF_CORE_READ(group, level);
    if (level >= 0 && level < kBlockLevels && (levels & (1u << level))) {
      int slot = entry(key, kBlockCgroupV1, BPF_CORE_READ(group, kn, id), now);
      if (slot >= 0) return slot;
    }
    struct cgroup_subsys_state *parent = BPF_CORE_READ(group, self.parent);
    if (!parent) break;
    group = BPF_CORE_READ(parent, cgroup);
  }
  return -1;
}

// --- connect() and sendto() ---------------------------------------------------------------------------------------------------

static __always_inline int call(struct bpf_sock_addr *context, struct BlockKey *key) {
  struct BlockConfig *config = concerns(key);
  if (!config) return kPass;
  __u64 now = bpf_ktime_get_boot_ns();
  int slot = -1;
  if (config->kinds & (1u << kBlockNode)) slot = entry(key, kBlockNode, 0, now);
  if (slot < 0 && config->kinds & (1u << kBlockNetns)) slot = entry(key, kBlockNetns, bpf_get_netns_cookie(context), now);
  if (slot < 0 && config->kinds & (1u << kBlockCgroup))
    for (int level = 0; level < kBlockLevels; ++level) {
      if (!(config->levels & (1u << level))) continue;
      slot = entry(key, kBlockCgroup, bpf_get_current_ancestor_cgroup_id(level), now);
      if (slot >= 0) break;
    }
  if (slot < 0 && config->kinds & (1u << kBlockCgroupV1)) {
    // One hierarchy only, and the controller's choice of it is the same: ids repeat between hierarchies.
    slot = kNotV1;
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
      slot = by_v1(key, config->levels_v1, now, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id));
    if (slot == kNotV1 && bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
      slot = by_v1(key, config->levels_v1, now, bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id));
  }
  if (slot < 0) return kPass;
  __u32 index = slot;
  struct BlockCounters *c = bpf_map_lookup_elem(&block_counters, &index);
  if (c) {
    c->refused++;
    c->last = now;
  }
  return kRefuse;
}

static __always_inline int call4(struct bpf_sock_addr *context) {
  struct BlockKey key = {};
  set_v4(&key, context->user_ip4);
  return call(context, &key);
}

static __always_inline int call6(struct bpf_sock_addr *context) {
  struct BlockKey key = {};
  __u32 *words = (__u32 *)key.address;
  words[0] = context->user_ip6[0];
  words[1] = context->user_ip6[1];
  words[2] = context->user_ip6[2];
  words[3] = context->user_ip6[3];
  return call(context, &key);
}

SEC("cgroup/connect4")
int block_connect4(struct bpf_sock_addr *context) { return call4(context); }

SEC("cgroup/connect6")
int block_connect6(struct bpf_sock_addr *context) { return call6(context); }

SEC("cgroup/sendmsg4")
int block_sendmsg4(struct bpf_sock_addr *context) { return call4(context); }

SEC("cgroup/sendmsg6")
int block_sendmsg6(struct bpf_sock_addr *context) { return call6(context); }

// --- packets ------------------------------------------------------------------------------------------------------------------

static __always_inline int packet(struct __sk_buff *skb, bool out) {
  struct BlockKey key = {};
  // The data begin at the network header.
  if (skb->protocol == bpf_htons(kIpv4)) {
    __u32 address;
    if (bpf_skb_load_bytes(skb, out ? 16 : 12, &address, 4)) return kPass;
    set_v4(&key, address);
  } else if (skb->protocol == bpf_htons(kIpv6)) {
    if (bpf_skb_load_bytes(skb, out ? 24 : 8, key.address, 16)) return kPass;
  } else {
    return kPass;
  }
  struct BlockConfig *config = concerns(&key);
  if (!config) return kPass;
  __u64 now = bpf_ktime_get_boot_ns();
  int slot = -1;
  if (config->kinds & (1u << kBlockNode)) slot = entry(&key, kBlockNode, 0, now);
  if (slot < 0 && netns_in_flight && config->kinds & (1u << kBlockNetns))
    slot = entry(&key, kBlockNetns, bpf_get_netns_cookie(skb), now);
  if (slot < 0 && config->kinds & (1u << kBlockCgroup))
    for (int level = 0; level < kBlockLevels; ++level) {
      if (!(config->levels & (1u << level))) continue;
      slot = entry(&key, kBlockCgroup, bpf_skb_ancestor_cgroup_id(skb, level), now);
      if (slot >= 0) break;
    }
  if (slot < 0) return kPass;
  __u32 index = slot;
  struct BlockCounters *c = bpf_map_lookup_elem(&block_counters, &index);
  if (c) {
    if (out) {
      c->packets_out++;
      c->bytes_out += skb->len;
    } else {
      c->packets_in++;
      c->bytes_in += skb->len;
    }
    c->last = now;
  }
  return kRefuse;
}

SEC("cgroup_skb/egress")
int block_egress(struct __sk_buff *skb) { return packet(skb, true); }

SEC("cgroup_skb/ingress")
int block_ingress(struct __sk_buff *skb) { return packet(skb, false); }
