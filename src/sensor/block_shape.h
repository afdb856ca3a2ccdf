#pragma once
// What the blocking programs (bpf/block.bpf.c) and their controller share: plain C, included by both. Times are CLOCK_BOOTTIME nanoseconds,
// addresses 16 bytes in network order (IPv4 in ::ffff:0:0/96).
#ifndef __bpf__
#include <linux/types.h>
#endif

enum { kBlockSlots = 4096, kBlockLevels = 16 };

// Whom a block concerns: the kind and what `scope` of the key then is.
enum BlockScopeKind {
  kBlockNode = 1,  // everything below the cgroup that the programs are attached to; scope is 0
  kBlockNetns,     // a network namespace, by its cookie
  kBlockCgroup,    // a cgroup of the unified hierarchy and all below it, by its id
  kBlockCgroupV1,  // likewise in the memory or pids controller's own hierarchy
};

// Key of the longest-prefix-match trie: kind and scope count in full (96 bits), then the prefix.
struct BlockKey {
  __u32 bits;
  __u32 kind;
  __u64 scope;
  __u8 address[16];
};

// Until when, and on whose account. The second pair is a shorter prefix that lasts longer than this one, so that one look-up is enough even
// when the longest prefix has expired.
struct BlockValue {
  __u64 until[2];
  __u32 slot[2];
};

// Key of the trie of all prefixes whatever their scope: most packets end here.
struct BlockAddressKey {
  __u32 bits;
  __u8 address[16];
};

struct BlockConfig {
  __u32 kinds;   // bit k: there are entries of kind k
  __u32 levels;  // bit l: of kBlockCgroup at level l of the tree
  __u32 levels_v1;
  __u32 padding;
};

// Of one entry, per CPU.
struct BlockCounters {
  __u64 refused;                 // connect(), sendto() and the like that ended with EPERM
  __u64 packets_out, bytes_out;  // dropped in flight
  __u64 packets_in, bytes_in;
  __u64 last;
};
