// The observing programs. One record per socket (socket storage: freed by the kernel with the socket, so memory is bounded by the
// sockets there are) says who made it; its states, packets and end are reported through one ring buffer. Nothing here changes or
// refuses anything: every program returns "go on".
//
// Which program sees what:
//   sock_create, connect4/6, sock_release   the process, at the moment it acts
//   inet_sock_set_state                     TCP established, failed, closed, with the counters of the kernel's own socket
//   cgroup_skb                              datagrams counted; the first bytes of DNS, TLS and HTTP copied
//   iterator over the socket storage        what is open now (asked for by user space, once a window)
//   cgroup_mkdir, exec, exit                identity before it can be gone
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sensor/events.h"

char LICENSE[] SEC("license") = "GPL";  // the helpers that read kernel memory ask for it

enum { AF_INET = 2, AF_INET6 = 10, TCP = 6, UDP = 17, kEgress = 1 };
enum { TCP_ESTABLISHED = 1, TCP_SYN_SENT = 2, TCP_SYN_RECV = 3, TCP_CLOSE = 7, TCP_LISTEN = 10 };

// Set before loading.
const volatile __u64 root_cgroup = 0;  // sockets outside of this subtree are not ours; 0: all are
const volatile int root_level = 0;
const volatile bool want_inbound = false;
const volatile bool want_loopback = false;
const volatile bool want_processes = true;
const volatile bool idle = false;  // hooks attached and doing nothing, to measure what attaching costs

struct Socket {
  struct Flow flow;
  __u8 known;         // flow.owner is filled
  __u8 connecting;    // connect() was called, nothing has come of it yet
  __u8 opaque_out, opaque_in;  // payload is of no known shape: look no more
  __u8 reported;      // open was reported
  __u8 http;
  __u16 looked_out, looked_in;
};

struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);  // an accepted socket begins as a copy of its listener's
  __type(key, int);
  __type(value, struct Socket);
} sockets SEC(".maps");

struct DatagramKey {
  __u64 cookie;
  struct Endpoint remote;
  __u32 protocol;
  __u32 padding;
};

// Datagram flows beyond the first of a socket.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 32768);
  __type(key, struct DatagramKey);
  __type(value, struct Flow);
  __uint(map_flags, BPF_F_NO_PREALLOC);
} datagrams SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 8 << 20);
} events SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, kLossKinds);
  __type(key, __u32);
  __type(value, __u64);
} losses SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct PayloadEvent);
} scratch SEC(".maps");

static __always_inline void lost(__u32 what) {
  __u64 *n = bpf_map_lookup_elem(&losses, &what);
  if (n) ++*n;
}

static __always_inline __u64 now(void) { return bpf_ktime_get_boot_ns(); }

// --- identity ---------------------------------------------------------------------------------------------------------------

// The id of the task's cgroup in the hierarchy of one controller, 0 where that is the unified one.
static __always_inline bool v1_cgroup(struct css_set *set, struct cgroup *unified, int subsystem, struct Owner *owner) {
  struct cgroup_subsys_state *css;
  if (bpf_core_read(&css, sizeof(css), &set->subsys[subsystem]) || !css) return false;
  struct cgroup *group = BPF_CORE_READ(css, cgroup);
  int hierarchy = BPF_CORE_READ(group, root, hierarchy_id);
  if (hierarchy == BPF_CORE_READ(unified, root, hierarchy_id)) return false;
  owner->cgroup_v1 = BPF_CORE_READ(group, kn, id);
  owner->hierarchy_v1 = hierarchy;
  return true;
}

static __always_inline void fill_owner(struct Owner *owner, struct task_struct *task) {
  struct css_set *set = BPF_CORE_READ(task, cgroups);
  struct cgroup *unified = BPF_CORE_READ(set, dfl_cgrp);
  owner->cgroup = BPF_CORE_READ(unified, kn, id);
  owner->cgroup_v1 = 0;
  owner->hierarchy_v1 = 0;
  if (!(bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id) &&
        v1_cgroup(set, unified, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id), owner)) &&
      bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
    v1_cgroup(set, unified, bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id), owner);
  struct task_struct *leader = BPF_CORE_READ(task, group_leader);
  owner->process_start = BPF_CORE_READ(leader, start_boottime);
  owner->pid = BPF_CORE_READ(task, tgid);
  owner->parent = BPF_CORE_READ(leader, real_parent, tgid);
  owner->uid = BPF_CORE_READ(task, cred, uid.val);
  owner->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
  BPF_CORE_READ_STR_INTO(&owner->comm, leader, comm);
}

static __always_inline void fill_current(struct Owner *owner) { fill_owner(owner, (struct task_struct *)bpf_get_current_task()); }

// --- endpoints --------------------------------------------------------------------------------------------------------------

static __always_inline void set_v4(struct Endpoint *e, __u32 address) {
  __u32 *words = (__u32 *)e->address;
  words[0] = words[1] = 0;
  words[2] = bpf_htonl(0xffff);
  words[3] = address;
}

static __always_inline void set_v6(struct Endpoint *e, const __u32 *address) {
  __u32 *words = (__u32 *)e->address;
  words[0] = address[0];
  words[1] = address[1];
  words[2] = address[2];
  words[3] = address[3];
}

static __always_inline bool is_mapped(const struct Endpoint *e) {
  const __u32 *words = (const __u32 *)e->address;
  return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

static __always_inline bool is_loopback(const struct Endpoint *e) {
  const __u32 *words = (const __u32 *)e->address;
  if (is_mapped(e)) return e->address[12] == 127;
  return words[0] == 0 && words[1] == 0 && words[2] == 0 && words[3] == bpf_htonl(1);
}

static __always_inline bool same(const struct Endpoint *a, const struct Endpoint *b) {
  const __u64 *x = (const __u64 *)a->address, *y = (const __u64 *)b->address;
  return x[0] == y[0] && x[1] == y[1] && a->port == b->port;
}

// The addresses of a kernel socket, which tracing programs read.
static __always_inline void read_endpoints(struct Flow *flow, struct sock *sk) {
  __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
  if (family == AF_INET6) {
    BPF_CORE_READ_INTO(&flow->local.address, sk, __sk_common.skc_v6_rcv_saddr);
    BPF_CORE_READ_INTO(&flow->remote.address, sk, __sk_common.skc_v6_daddr);
  } else {
    set_v4(&flow->local, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
    set_v4(&flow->remote, BPF_CORE_READ(sk, __sk_common.skc_daddr));
  }
  flow->ipv6 = family == AF_INET6 && !is_mapped(&flow->remote);
  flow->local.port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
  flow->remote.port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

static __always_inline void read_tcp(struct Flow *flow, struct sock *sk) {
  struct tcp_sock *tcp = (struct tcp_sock *)sk;
  flow->bytes_out = BPF_CORE_READ(tcp, bytes_sent) - BPF_CORE_READ(tcp, bytes_retrans);
  // The kernel counts the FIN of the other side as a byte; SOCK_DONE (1) is set when it came.
  flow->bytes_in = BPF_CORE_READ(tcp, bytes_received) - (BPF_CORE_READ(sk, __sk_common.skc_flags) >> 1 & 1);
  flow->packets_out = BPF_CORE_READ(tcp, segs_out);
  flow->packets_in = BPF_CORE_READ(tcp, segs_in);
  flow->retransmissions = BPF_CORE_READ(tcp, total_retrans);
  flow->rtt_us = BPF_CORE_READ(tcp, srtt_us) >> 3;
}

// --- reporting --------------------------------------------------------------------------------------------------------------

static __always_inline bool wanted(const struct Flow *flow) {
  if (flow->inbound && !want_inbound) return false;
  return want_loopback || !is_loopback(&flow->remote);
}

// User space looks at the ring every few milliseconds anyway; waking it for each event would cost more than the event.
static __always_inline __u64 wakeup(void) {
  return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > (1 << 20) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void report(struct Flow *flow, __u8 stage) {
  if (!wanted(flow)) return;
  struct FlowEvent *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
  if (!e) {
    lost(kLostFlows);
    return;
  }
  e->header.kind = kEventFlow;
  e->header.bytes = sizeof(*e);
  e->header.time = now();
  e->flow = *flow;
  e->flow.stage = stage;
  bpf_ringbuf_submit(e, wakeup());
}

// --- sockets ----------------------------------------------------------------------------------------------------------------

// connect() failed before a packet was made: no route, no address, forbidden. Where a state was reached, its end is reported there.
static __always_inline void unsent(struct Socket *s) {
  s->flow.remote = s->flow.asked;
  s->flow.ipv6 = !is_mapped(&s->flow.remote);
  s->flow.last = now();
  s->flow.local.port = 0;
  s->flow.packets_out = 0;
  report(&s->flow, kFlowFailed);
}

SEC("cgroup/sock_create")
int on_create(struct bpf_sock *ctx) {
  if (idle) return 1;
  struct Socket *s = bpf_sk_storage_get(&sockets, ctx, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!s) {
    lost(kLostSockets);
    return 1;
  }
  fill_current(&s->flow.owner);
  s->flow.protocol = ctx->protocol;
  s->flow.cookie = bpf_get_socket_cookie(ctx);
  s->known = 1;
  return 1;
}

static __always_inline int connecting(struct bpf_sock_addr *ctx, bool v6) {
  if (idle) return 1;
  struct bpf_sock *sk = ctx->sk;
  if (!sk) return 1;
  struct Socket *s = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (!s) {
    lost(kLostSockets);
    return 1;
  }
  // The process that connects may be another than the one that made the socket (systemd's, a parent's); it is the one to name.
  if (!s->known || s->flow.owner.pid != (__u32)(bpf_get_current_pid_tgid() >> 32)) fill_current(&s->flow.owner);
  s->known = 1;
  if (s->connecting) unsent(s);  // the one before, on the same socket
  s->flow.protocol = ctx->protocol;
  s->flow.cookie = bpf_get_socket_cookie(ctx);
  if (v6) {
    __u32 words[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]};
    set_v6(&s->flow.asked, words);
  } else {
    set_v4(&s->flow.asked, ctx->user_ip4);
  }
  s->flow.asked.port = bpf_ntohs(ctx->user_port);
  if (s->flow.protocol == TCP) {
    s->flow.start = now();
    s->flow.established = 0;
    s->flow.inbound = 0;
    s->connecting = 1;
    s->reported = 0;
  }
  return 1;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *ctx) { return connecting(ctx, false); }

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *ctx) { return connecting(ctx, true); }

SEC("cgroup/sock_release")
int on_release(struct bpf_sock *ctx) {
  if (idle) return 1;
  struct Socket *s = bpf_sk_storage_get(&sockets, ctx, 0, 0);
  if (!s) return 1;
  if (s->flow.protocol == TCP) {
    if (s->connecting && ctx->state == TCP_CLOSE) unsent(s);
    s->connecting = 0;
    return 1;
  }
  if (s->flow.packets_out || s->flow.packets_in || s->flow.rest_packets) report(&s->flow, kFlowClosed);
  s->flow.packets_out = s->flow.packets_in = s->flow.rest_packets = 0;
  return 1;
}

// The cgroup programs are attached at the root and see nothing else; tracing programs see the whole kernel.
static __always_inline bool in_root(struct cgroup *group) {
  if (!root_cgroup) return true;
  for (int i = 0; i < 24 && group; ++i) {
    if (BPF_CORE_READ(group, kn, id) == root_cgroup) return true;
    struct cgroup_subsys_state *up = BPF_CORE_READ(group, self.parent);
    if (!up) return false;
    group = BPF_CORE_READ(up, cgroup);
  }
  return false;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int before, int after) {
  if (idle || BPF_CORE_READ(sk, sk_protocol) != TCP) return 0;
  if (after != TCP_ESTABLISHED && after != TCP_CLOSE && after != TCP_SYN_SENT) return 0;
  struct Socket *s = bpf_sk_storage_get(&sockets, sk, 0, 0);
  if (!s) {  // older than the programs, and no sweep found it
    if (!in_root(BPF_CORE_READ(sk, sk_cgrp_data.cgroup))) return 0;
    s = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (!s) {
      lost(kLostSockets);
      return 0;
    }
  }
  struct Flow *flow = &s->flow;
  flow->protocol = TCP;
  if (after == TCP_SYN_SENT) {
    s->connecting = 0;
    if (!flow->start) flow->start = now();
    read_endpoints(flow, sk);
    return 0;
  }
  if (after == TCP_ESTABLISHED) {
    flow->established = now();
    if (before == TCP_SYN_RECV) {  // accepted: what was copied from the listener is its owner, the rest begins here
      flow->inbound = 1;
      flow->cookie = bpf_get_socket_cookie(sk);
      flow->start = flow->established;
      s->reported = 0;
      s->opaque_in = s->opaque_out = s->http = 0;
      s->looked_in = s->looked_out = 0;
    }
    read_endpoints(flow, sk);
    read_tcp(flow, sk);
    flow->last = flow->established;
    s->reported = 1;
    report(flow, kFlowOpen);
    return 0;
  }
  if (before == TCP_LISTEN || before == TCP_CLOSE) return 0;
  if (before != TCP_SYN_SENT || !flow->remote.port) read_endpoints(flow, sk);
  if (!flow->local.port) flow->local.port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
  read_tcp(flow, sk);
  flow->last = now();
  flow->error = BPF_CORE_READ(sk, sk_err);
  if (!s->known) {
    flow->cookie = bpf_get_socket_cookie(sk);
    flow->owner.cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup, kn, id);
    flow->owner.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
  }
  report(flow, before == TCP_SYN_SENT || before == TCP_SYN_RECV ? kFlowFailed : kFlowClosed);
  s->reported = 0;
  flow->start = 0;
  return 0;
}

// --- packets ----------------------------------------------------------------------------------------------------------------

struct Packet {
  struct Endpoint from, to;
  __u32 payload_at, payload;  // offset from the IP header, bytes
  __u8 protocol;
  bool v6;
};

// IPv6 extension headers other than fragments are rare on egress: such a packet is counted with its next header as protocol.
static __always_inline bool parse(struct __sk_buff *skb, struct Packet *p) {
  __u32 at;
  __u8 head[40];
  if (bpf_skb_load_bytes(skb, 0, head, 20)) return false;
  if (head[0] >> 4 == 4) {
    set_v4(&p->from, *(__u32 *)(head + 12));
    set_v4(&p->to, *(__u32 *)(head + 16));
    p->protocol = head[9];
    at = (head[0] & 15) * 4;
    p->v6 = false;
  } else {
    if (bpf_skb_load_bytes(skb, 0, head, 40)) return false;
    set_v6(&p->from, (__u32 *)(head + 8));
    set_v6(&p->to, (__u32 *)(head + 24));
    p->protocol = head[6];
    at = 40;
    p->v6 = true;
  }
  __u8 ports[4];
  p->from.port = p->to.port = 0;
  p->payload = 0;
  if (p->protocol == UDP) {
    if (bpf_skb_load_bytes(skb, at, ports, 4)) return false;
    at += 8;
  } else if (p->protocol == TCP) {
    if (bpf_skb_load_bytes(skb, at, ports, 4)) return false;
    __u8 offset;
    if (bpf_skb_load_bytes(skb, at + 12, &offset, 1)) return false;
    at += (offset >> 4) * 4;
  } else {
    ports[0] = ports[1] = ports[2] = ports[3] = 0;
  }
  p->from.port = ports[0] << 8 | ports[1];
  p->to.port = ports[2] << 8 | ports[3];
  p->payload_at = at;
  p->payload = skb->len > at ? skb->len - at : 0;
  return true;
}

// A load of its own at a constant offset: the verifier takes no arithmetic on the pointer, which the compiler likes to do.
#define FIELD(x) (*(volatile typeof(x) *)&(x))

// The socket's own addresses where it has them. Out, this hook comes after the node's address translation (and its destination's, on the
// node itself); in, after that was undone: what the program sees is what both directions have in common.
static __always_inline void own_endpoints(struct bpf_sock *sk, struct Packet *p, bool egress) {
  struct Endpoint *local = egress ? &p->from : &p->to, *remote = egress ? &p->to : &p->from;
  if (sk->src_port) local->port = sk->src_port;
  if (sk->family == AF_INET) {
    if (sk->src_ip4) set_v4(local, sk->src_ip4);
  } else {
    __u32 words[4] = {FIELD(sk->src_ip6[0]), FIELD(sk->src_ip6[1]), FIELD(sk->src_ip6[2]), FIELD(sk->src_ip6[3])};
    if (words[0] | words[1] | words[2] | words[3]) set_v6(local, words);
  }
  if (!sk->dst_port) return;  // not connected
  remote->port = bpf_ntohs(sk->dst_port);
  if (sk->family == AF_INET) {
    set_v4(remote, sk->dst_ip4);
  } else {
    __u32 words[4] = {FIELD(sk->dst_ip6[0]), FIELD(sk->dst_ip6[1]), FIELD(sk->dst_ip6[2]), FIELD(sk->dst_ip6[3])};
    set_v6(remote, words);
  }
}

static __always_inline void copy_payload(struct __sk_buff *skb, struct Socket *s, struct Packet *p, __u8 shape, bool egress) {
  __u32 zero = 0;
  struct PayloadEvent *e = bpf_map_lookup_elem(&scratch, &zero);
  if (!e) return;
  __u32 take = p->payload;
  if (take == 0) return;
  if (take > kPayloadBytes) take = kPayloadBytes;
  take = ((take - 1) & (kPayloadBytes - 1)) + 1;  // says to the verifier what the lines above say to a reader
  barrier_var(take);
  if (take > kPayloadBytes) return;
  if (take < 1) return;
  if (bpf_skb_load_bytes(skb, p->payload_at, e->data, take)) return;
  e->header.kind = kEventPayload;
  e->header.time = now();
  __u32 size = __builtin_offsetof(struct PayloadEvent, data) + take;
  e->header.bytes = size;
  e->owner = s->flow.owner;
  e->local = egress ? p->from : p->to;
  e->remote = egress ? p->to : p->from;
  e->cookie = s->flow.cookie;
  e->length = p->payload;
  e->protocol = p->protocol;
  e->shape = shape;
  e->ingress = !egress;
  e->inbound = s->flow.inbound;
  if (size <= sizeof(*e) && bpf_ringbuf_output(&events, e, size, wakeup())) lost(kLostPayloads);
}

// What the first bytes of a TCP segment's payload look like.
static __always_inline __u8 shape_of(struct __sk_buff *skb, struct Packet *p) {
  __u8 b[8];
  if (p->payload < 8 || bpf_skb_load_bytes(skb, p->payload_at, b, 8)) return 0;
  if (b[0] == 0x16 && b[1] == 3 && b[5] == 1) return kPayloadTls;
  __u32 word = (__u32)b[0] << 24 | (__u32)b[1] << 16 | (__u32)b[2] << 8 | b[3];
  switch (word) {
    case 0x47455420:  // "GET "
    case 0x50555420:  // "PUT "
    case 0x504f5354:  // "POST"
    case 0x48454144:  // "HEAD"
    case 0x44454c45:  // "DELE"
    case 0x4f505449:  // "OPTI"
    case 0x50415443:  // "PATC"
    case 0x434f4e4e:  // "CONN"
    case 0x54524143:  // "TRAC"
    case 0x50524f50:  // "PROP"
      return kPayloadHttp;
  }
  return 0;
}

static __always_inline void count(struct Flow *flow, struct Packet *p, struct __sk_buff *skb, bool egress) {
  __u64 packets = skb->gso_segs ? skb->gso_segs : 1;
  if (egress) {
    __sync_fetch_and_add(&flow->packets_out, packets);
    __sync_fetch_and_add(&flow->bytes_out, p->payload);
  } else {
    __sync_fetch_and_add(&flow->packets_in, packets);
    __sync_fetch_and_add(&flow->bytes_in, p->payload);
  }
  flow->last = now();
}

static __always_inline void begin(struct Flow *flow, struct Packet *p, struct Endpoint *local, struct Endpoint *remote, bool egress) {
  flow->local = *local;
  flow->remote = *remote;
  flow->protocol = p->protocol;
  flow->inbound = !egress;
  flow->ipv6 = p->v6;
  flow->start = now();
}

static __always_inline void datagram(struct __sk_buff *skb, struct Socket *s, struct Packet *p, bool egress) {
  struct Endpoint *local = egress ? &p->from : &p->to, *remote = egress ? &p->to : &p->from;
  if (p->protocol == UDP && remote->port == 53 && p->payload > 12) copy_payload(skb, s, p, kPayloadDns, egress);
  if (!want_loopback && is_loopback(remote)) return;
  struct Flow *flow = &s->flow;
  if (!flow->packets_out && !flow->packets_in) {
    begin(flow, p, local, remote, egress);
    count(flow, p, skb, egress);
    report(flow, kFlowOpen);
    return;
  }
  if (same(&flow->remote, remote) && flow->protocol == p->protocol) {
    count(flow, p, skb, egress);
    return;
  }
  struct DatagramKey key = {};
  key.cookie = flow->cookie;
  key.remote = *remote;
  key.protocol = p->protocol;
  struct Flow *further = bpf_map_lookup_elem(&datagrams, &key);
  if (!further) {
    if (!egress && !want_inbound) return;
    struct Flow fresh = {};
    fresh.owner = flow->owner;
    fresh.cookie = flow->cookie;
    begin(&fresh, p, local, remote, egress);
    if (bpf_map_update_elem(&datagrams, &key, &fresh, BPF_NOEXIST)) {
      lost(kLostFlowEntries);
      __sync_fetch_and_add(&flow->rest_packets, 1);
      __sync_fetch_and_add(&flow->rest_bytes, p->payload);
      return;
    }
    further = bpf_map_lookup_elem(&datagrams, &key);
    if (!further) return;
    count(further, p, skb, egress);
    report(further, kFlowOpen);
    return;
  }
  count(further, p, skb, egress);
}

static __always_inline void segment(struct __sk_buff *skb, struct bpf_sock *sk, struct Socket *s, bool egress) {
  if (egress ? s->opaque_out : s->opaque_in) return;
  struct Packet p = {};
  if (!parse(skb, &p) || p.protocol != TCP || p.payload == 0) return;
  own_endpoints(sk, &p, egress);
  struct Endpoint *remote = egress ? &p.to : &p.from;
  if (!want_loopback && is_loopback(remote)) {
    s->opaque_in = s->opaque_out = 1;
    return;
  }
  if (remote->port == 53) {
    copy_payload(skb, s, &p, kPayloadDns, egress);
    return;
  }
  // Requests go with the connection's direction: out on one that was opened here, in on an accepted one.
  if (egress == (bool)s->flow.inbound) {
    if (egress)
      s->opaque_out = 1;
    else
      s->opaque_in = 1;
    return;
  }
  __u8 shape = shape_of(skb, &p);
  if (shape) copy_payload(skb, s, &p, shape, egress);
  if (shape == kPayloadHttp) {
    s->http = 1;
  } else if (shape || !s->http) {  // one hello a connection; anything else may begin with one unknown segment (a proxy's header)
    __u16 looked = egress ? ++s->looked_out : ++s->looked_in;
    if (shape || looked >= 2) {
      if (egress)
        s->opaque_out = 1;
      else
        s->opaque_in = 1;
    }
  }
}

static __always_inline int packet(struct __sk_buff *skb, bool egress) {
  if (idle) return 1;
  struct bpf_sock *sk = skb->sk;
  if (!sk) return 1;
  sk = bpf_sk_fullsock(sk);
  if (!sk) return 1;
  struct Socket *s = bpf_sk_storage_get(&sockets, sk, 0, 0);
  if (!s) return 1;
  if (sk->protocol == TCP) {
    segment(skb, sk, s, egress);
    return 1;
  }
  struct Packet p = {};
  if (!parse(skb, &p)) return 1;
  if (p.protocol == UDP) own_endpoints(sk, &p, egress);
  datagram(skb, s, &p, egress);
  return 1;
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb) { return packet(skb, true); }

SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *skb) { return packet(skb, false); }

// --- what is open now -------------------------------------------------------------------------------------------------------

// Walks the open files of every task: finds the sockets of every network namespace, and adopts those that are older than the programs.
SEC("iter/task_file")
int on_sweep(struct bpf_iter__task_file *ctx) {
  struct file *file = ctx->file;
  struct task_struct *task = ctx->task;
  if (!file || !task) return 0;
  struct socket *socket = bpf_sock_from_file(file);
  if (!socket) return 0;
  struct sock *sk = socket->sk;
  if (!sk) return 0;
  __u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
  if (family != AF_INET && family != AF_INET6) return 0;
  struct Socket *s = bpf_sk_storage_get(&sockets, sk, 0, 0);
  if (!s || !s->known) {
    if (!in_root(BPF_CORE_READ(task, cgroups, dfl_cgrp))) return 0;
    s = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
    if (!s) return 0;
    s->known = 1;
    fill_owner(&s->flow.owner, task);
    s->flow.cookie = bpf_get_socket_cookie(sk);
    s->flow.protocol = BPF_CORE_READ(sk, sk_protocol);
  }
  struct Flow *flow = &s->flow;
  __u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
  if (flow->protocol == TCP) {
    if (state == TCP_CLOSE || state == TCP_LISTEN) return 0;
    read_endpoints(flow, sk);
    read_tcp(flow, sk);
    flow->last = now();
  } else if (state == TCP_ESTABLISHED && !flow->packets_out && !flow->packets_in) {
    read_endpoints(flow, sk);  // a connected datagram socket from before
  }
  if (!flow->packets_out && !flow->packets_in && !flow->remote.port) return 0;
  if (!wanted(flow)) return 0;
  flow->stage = kFlowOngoing;
  bpf_seq_write(ctx->meta->seq, flow, sizeof(*flow));  // goes to the reader's own buffer: any number of sockets fits
  return 0;
}

// --- identity before it is gone ---------------------------------------------------------------------------------------------

static __always_inline int cgroup_event(struct trace_event_raw_cgroup *ctx, __u32 removed) {
  if (idle) return 0;
  struct CgroupEvent *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
  if (!e) {
    lost(kLostCgroups);
    return 0;
  }
  e->header.kind = kEventCgroup;
  e->header.bytes = sizeof(*e);
  e->header.time = now();
  e->id = ctx->id;
  e->hierarchy = ctx->root;
  e->removed = removed;
  bpf_probe_read_kernel_str(e->path, sizeof(e->path), (void *)ctx + (ctx->__data_loc_path & 0xffff));
  bpf_ringbuf_submit(e, BPF_RB_FORCE_WAKEUP);
  return 0;
}

SEC("tracepoint/cgroup/cgroup_mkdir")
int on_cgroup_made(struct trace_event_raw_cgroup *ctx) { return cgroup_event(ctx, 0); }

SEC("tracepoint/cgroup/cgroup_rmdir")
int on_cgroup_removed(struct trace_event_raw_cgroup *ctx) { return cgroup_event(ctx, 1); }

static __always_inline struct ProcessEvent *process_event(__u32 kind) {
  struct ProcessEvent *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
  if (!e) {
    lost(kLostProcesses);
    return 0;
  }
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  e->header.kind = kind;
  e->header.bytes = sizeof(*e);
  e->header.time = now();
  fill_owner(&e->owner, task);
  struct task_struct *parent = BPF_CORE_READ(task, group_leader, real_parent);
  BPF_CORE_READ_STR_INTO(&e->parent_comm, parent, comm);
  e->grandparent = BPF_CORE_READ(parent, real_parent, tgid);
  e->exit_code = 0;
  e->path[0] = 0;
  return e;
}

SEC("tracepoint/sched/sched_process_exec")
int on_exec(struct trace_event_raw_sched_process_exec *ctx) {
  if (idle || !want_processes) return 0;
  struct ProcessEvent *e = process_event(kEventExec);
  if (!e) return 0;
  bpf_probe_read_kernel_str(e->path, sizeof(e->path), (void *)ctx + (ctx->__data_loc_filename & 0xffff));
  bpf_ringbuf_submit(e, BPF_RB_FORCE_WAKEUP);
  return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int on_exit(void *ctx) {
  if (idle || !want_processes) return 0;
  __u64 id = bpf_get_current_pid_tgid();
  if (id >> 32 != (__u32)id) return 0;  // a thread
  struct ProcessEvent *e = process_event(kEventExit);
  if (!e) return 0;
  e->exit_code = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), exit_code);
  bpf_ringbuf_submit(e, BPF_RB_FORCE_WAKEUP);
  return 0;
}
