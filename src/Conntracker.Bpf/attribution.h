/* SPDX-License-Identifier: MIT */
/* The records that the programs in attribution.bpf.c send to user space. A unit test compares it with the structs in Native/. */
#ifndef CONNTRACKER_ATTRIBUTION_H
#define CONNTRACKER_ATTRIBUTION_H

#include <linux/types.h>

/* The user of a socket. All but the network namespace is zero when the socket is older than the programs. */
struct socket_owner {
	__u64 time;    /* when it was recorded: bpf_ktime_get_ns */
	__u64 netns;   /* cookie of the socket's network namespace; 0 when not known */
	__u64 cgroup;  /* id of the task's cgroup2 */
	__u32 pid;     /* thread group, as the host numbers it; 0 when not known */
	__u32 tid;     /* the thread itself: the name is this thread's */
	__u32 uid;     /* as the host numbers it */
	char name[16]; /* comm */
	__u32 reserved;
};

/* A socket's owner, and the tuple of a packet that it sends or receives. */
struct socket_record {
	struct socket_owner owner;
	__u8 src[16]; /* network order; IPv4 fills the first four bytes */
	__u8 dst[16];
	__be16 sport; /* ICMP: the query's id */
	__be16 dport; /* ICMP: type and code */
	__u8 family;  /* AF_INET, AF_INET6 */
	__u8 protocol;
	__u8 outgoing; /* 1: the socket sends it; 0: the socket receives it */
	__u8 reserved;
};

#endif
