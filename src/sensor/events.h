#pragma once
// What the kernel programs (bpf/sensor.bpf.c) hand to user space: plain C, included by both. Times are CLOCK_BOOTTIME nanoseconds,
// addresses 16 bytes in network order (IPv4 mapped into ::ffff:0:0/96), ports in host order.
#ifndef __bpf__
#include <cstdint>
typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
#ifndef _ASM_GENERIC_INT_LL64_H
typedef unsigned long long __u64;
#endif
#endif

enum { kCommBytes = 16, kPathBytes = 256, kPayloadBytes = 2048 };

enum EventKind {
  kEventFlow = 1,
  kEventPayload,
  kEventExec,
  kEventExit,
  kEventCgroup,
};

// Whose a socket or a process is. Cgroup ids are kernfs ids (inode numbers) of their hierarchy: `cgroup` of the unified one, `cgroup_v1`
// of the memory or pids controller's own one where it has one, else 0.
struct Owner {
  __u64 cgroup;
  __u64 cgroup_v1;
  __u64 process_start;  // of the thread group, nanoseconds since boot
  __u32 hierarchy_v1;
  __u32 pid;  // thread group, in the initial pid namespace
  __u32 parent;
  __u32 uid;
  __u32 netns;  // inode number
  char comm[kCommBytes];
  __u32 padding;
};

struct Endpoint {
  __u8 address[16];
  __u16 port;
  __u16 padding[3];
};

enum FlowStage {
  kFlowOpen = 1,  // established (TCP), first packet (the rest)
  kFlowOngoing,   // a sweep found it alive
  kFlowClosed,
  kFlowFailed,  // never established
};

// Counters are totals since the start of the flow, `bytes` payload of the transport without what was sent again.
struct Flow {
  struct Owner owner;
  struct Endpoint local, remote;
  struct Endpoint asked;  // what the program gave to connect(); differs from remote behind a rewriting load balancer
  __u64 cookie;           // of the socket
  __u64 start, established, last;
  __u64 bytes_out, bytes_in, packets_out, packets_in;
  __u32 retransmissions;
  __u32 rtt_us;  // smoothed; 0: unknown
  __u32 error;   // errno of the socket, 0: none
  __u8 protocol;
  __u8 inbound;
  __u8 stage;
  __u8 ipv6;
  __u64 rest_packets, rest_bytes;  // of the socket's further destinations that no map entry was left for
};

struct EventHeader {
  __u32 kind;
  __u32 bytes;  // of the whole event
  __u64 time;
};

struct FlowEvent {
  struct EventHeader header;
  struct Flow flow;
};

enum PayloadKind { kPayloadDns = 1, kPayloadTls, kPayloadHttp };

struct PayloadEvent {
  struct EventHeader header;
  struct Owner owner;
  struct Endpoint local, remote;
  __u64 cookie;
  __u32 length;  // of the payload that was there; data holds the smaller of it and kPayloadBytes
  __u8 protocol;
  __u8 shape;    // PayloadKind
  __u8 ingress;  // towards the socket
  __u8 inbound;  // on a connection that the other side opened
  __u8 data[kPayloadBytes];
};

struct ProcessEvent {
  struct EventHeader header;
  struct Owner owner;
  char parent_comm[kCommBytes];
  __u32 exit_code;
  __u32 grandparent;
  char path[kPathBytes];  // exec: the file as it was asked for
};

struct CgroupEvent {
  struct EventHeader header;
  __u64 id;
  __u32 hierarchy;
  __u32 removed;
  char path[kPathBytes];  // from the hierarchy's root
};

// Losses, one slot each; never reset.
enum LossKind {
  kLostFlows,  // no room in the ring
  kLostPayloads,
  kLostProcesses,
  kLostCgroups,
  kLostFlowEntries,  // no room in the map of datagram flows: counted in Flow::rest_*
  kLostSockets,      // no storage for a socket
  kLossKinds,
};
