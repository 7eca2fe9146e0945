/* SPDX-License-Identifier: MIT */
/* The maps of the programs: the owner of each socket, the reported tuples, and the ring buffer to user space. */
#ifndef CONNTRACKER_MAPS_BPF_H
#define CONNTRACKER_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "attribution.h"

#define RING_BYTES (4 << 20)
#define SEEN_TUPLES (64 << 10)

struct socket_state {
	struct bpf_spin_lock lock; /* guards the owner: several tasks may use one socket */
	__u16 reported;            /* the flow of a connected socket was reported */
	__u16 listening;           /* it listens; or it was accepted, and still has the owner of the listener */
	struct socket_owner owner;
};

/* A tuple of a socket that is not connected: such a socket has many. */
struct seen_key {
	__u64 cookie;
	__u8 src[16];
	__u8 dst[16];
	__be16 sport;
	__be16 dport;
	__u32 outgoing;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_state);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SEEN_TUPLES);
	__type(key, struct seen_key);
	__type(value, __u64); /* when it was reported */
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} records SEC(".maps");

/* How many records were dropped because the ring buffer was full. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} drops SEC(".maps");

#endif
