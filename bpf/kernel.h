// The few kernel structures that the programs read, with only the members that they use. The loader relocates every access to the
// running kernel's layout (CO-RE), so that nothing here must match any kernel's offsets and no kernel headers are needed to build.
#pragma once

#include <linux/bpf.h>  // the ABI: program contexts, map types

#define true 1
#define false 0
typedef _Bool bool;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
  __u64 id;
};

struct cgroup_root {
  int hierarchy_id;
};

struct cgroup;

struct cgroup_subsys_state {
  struct cgroup *cgroup;
  struct cgroup_subsys_state *parent;
};

struct cgroup {
  struct cgroup_subsys_state self;
  struct kernfs_node *kn;
  struct cgroup_root *root;
  int level;
};


struct css_set {
  struct cgroup_subsys_state *subsys[12];
  struct cgroup *dfl_cgrp;
};

// Only the enumerator's existence and value on the running kernel matter.
enum cgroup_subsys_id { memory_cgrp_id = 4, pids_cgrp_id = 11 };

struct ns_common {
  unsigned int inum;
};

struct net {
  struct ns_common ns;
};

struct nsproxy {
  struct net *net_ns;
};

typedef struct {
  struct net *net;
} possible_net_t;

typedef struct {
  __u32 val;
} kuid_t;

struct cred {
  kuid_t uid;
};

struct task_struct {
  int pid;
  int tgid;
  struct task_struct *real_parent;
  struct task_struct *group_leader;
  __u64 start_boottime;
  struct css_set *cgroups;
  struct nsproxy *nsproxy;
  const struct cred *cred;
  int exit_code;
  char comm[16];
};

struct in6_addr {
  union {
    __u8 u6_addr8[16];
    __be32 u6_addr32[4];
  } in6_u;
};

typedef struct {
  __s64 counter;
} atomic64_t;

struct sock_common {
  __be32 skc_daddr;
  __be32 skc_rcv_saddr;
  __be16 skc_dport;
  __u16 skc_num;
  unsigned short skc_family;
  volatile unsigned char skc_state;
  possible_net_t skc_net;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
  atomic64_t skc_cookie;
  unsigned long skc_flags;
};

struct sock_cgroup_data {
  struct cgroup *cgroup;
};

struct sock {
  struct sock_common __sk_common;
  struct sock_cgroup_data sk_cgrp_data;
  int sk_err;
  __u16 sk_protocol;
  __u8 sk_shutdown;
};

struct inet_sock {
  struct sock sk;
  __be16 inet_sport;
};

struct tcp_sock {
  struct inet_sock inet_conn;  // enough for the compiler; the pointer is cast, never stepped through
  __u32 segs_out;
  __u32 segs_in;
  __u32 data_segs_out;
  __u64 bytes_sent;
  __u64 bytes_received;
  __u64 bytes_retrans;
  __u32 total_retrans;
  __u32 srtt_us;
};

struct seq_file;

struct bpf_iter_meta {
  struct seq_file *seq;
};

struct file {
  unsigned int f_flags;
};

struct socket {
  struct sock *sk;
};

struct bpf_iter__task_file {
  struct bpf_iter_meta *meta;
  struct task_struct *task;
  __u32 fd;
  struct file *file;
};

struct trace_entry {
  unsigned short type;
};

struct trace_event_raw_cgroup {
  struct trace_entry ent;
  int root;
  int level;
  __u64 id;
  __u32 __data_loc_path;
};

struct trace_event_raw_sched_process_exec {
  struct trace_entry ent;
  __u32 __data_loc_filename;
  int pid;
};

#pragma clang attribute pop
