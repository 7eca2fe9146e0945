/* SPDX-License-Identifier: MIT */
/*
 * Which process a flow belongs to. Two kinds of hooks, joined on the socket:
 *  - hooks in which the current task is the socket's user (create, connect, bind, sendmsg, ...) note it in the socket's own storage;
 *  - hooks that see packets report the first one of a tuple, with what was noted.
 * The storage is freed with its socket, so there is nothing to grow or to clean up. An accepted socket inherits the storage of its
 * listener, until a hook in which the accepting task is current corrects it.
 *
 * Only contexts and helpers of the stable interface are used: no kernel structs, no BTF of the kernel, no kprobes. Every program
 * returns 1, "go on", whatever it finds, and writes to no context.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "attribution.h"

#define ALLOW 1

#define AF_INET 2
#define AF_INET6 10
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define IP_OFFSET_MASK 0x1fff
#define TCP_FLAGS_AT 13
#define TCP_SYN 0x02
#define TCP_ACK 0x10
#define ICMP_ECHO 8
#define ICMP_TIMESTAMP 13
#define ICMP_ADDRESS 17
#define ICMPV6_ECHO_REQUEST 128

#define RING_BYTES (4 << 20)
#define SEEN_TUPLES (64 << 10)
#define REPORT_AGAIN_NS (30ULL * 1000 * 1000 * 1000)
#define MAX_EXTENSION_HEADERS 4

struct socket_state {
	struct bpf_spin_lock lock; /* guards the owner: several tasks may use one socket */
	__u16 reported;            /* the flow of a connected socket was reported */
	__u16 listening;           /* it listens; or it was accepted, and the owner is still that of the listener */
	struct socket_owner owner;
};

/* The tuple of a socket that is not connected: such a socket has many. */
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

/* Records that found no room in the ring. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} drops SEC(".maps");

static __always_inline void note_owner(void *ctx, struct socket_state *state)
{
	struct socket_owner owner = {};
	__u64 task = bpf_get_current_pid_tgid();

	owner.time = bpf_ktime_get_ns();
	owner.netns = bpf_get_netns_cookie(ctx);
	owner.cgroup = bpf_get_current_cgroup_id();
	owner.pid = task >> 32;
	owner.tid = (__u32)task;
	owner.uid = (__u32)bpf_get_current_uid_gid();
	bpf_get_current_comm(owner.name, sizeof(owner.name));
	bpf_spin_lock(&state->lock);
	state->owner = owner;
	bpf_spin_unlock(&state->lock);
}

/* For hooks that run often: only another task or another user is noted. */
static __always_inline void note_user(void *ctx, struct socket_state *state)
{
	if (state->owner.pid != bpf_get_current_pid_tgid() >> 32 || state->owner.uid != (__u32)bpf_get_current_uid_gid())
		note_owner(ctx, state);
}

static __always_inline struct socket_state *state_of(void *sk)
{
	return bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

/* What the socket does from now on is its owner's, and is reported anew. */
static __always_inline void begin_flow(struct socket_state *state)
{
	state->reported = 0;
	state->listening = 0;
}

static __always_inline int is_socket_of_inet(__u32 family)
{
	return family == AF_INET || family == AF_INET6;
}

static __always_inline void report(struct socket_state *state, struct socket_record *record)
{
	bpf_spin_lock(&state->lock);
	record->owner = state->owner;
	bpf_spin_unlock(&state->lock);
	if (bpf_ringbuf_output(&records, record, sizeof(*record), 0) != 0) {
		__u32 first = 0;
		__u64 *count = bpf_map_lookup_elem(&drops, &first);

		if (count)
			*count += 1;
	}
}

/* --- The current task is the socket's user --- */

SEC("cgroup/sock_create")
int on_create(struct bpf_sock *ctx)
{
	struct socket_state *state;

	if (is_socket_of_inet(ctx->family)) {
		state = state_of(ctx);
		if (state)
			note_owner(ctx, state);
	}

	return ALLOW;
}

static __always_inline int note_bind(struct bpf_sock *ctx)
{
	struct socket_state *state = state_of(ctx);

	if (state)
		note_user(ctx, state);
	return ALLOW;
}

SEC("cgroup/post_bind4")
int on_bind4(struct bpf_sock *ctx)
{
	return note_bind(ctx);
}

SEC("cgroup/post_bind6")
int on_bind6(struct bpf_sock *ctx)
{
	return note_bind(ctx);
}

/* A socket that connects, also for another time, has a new tuple. */
static __always_inline int note_connect(struct bpf_sock_addr *ctx)
{
	struct socket_state *state = ctx->sk ? state_of(ctx->sk) : 0;

	if (state) {
		note_owner(ctx, state);
		begin_flow(state);
	}

	return ALLOW;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *ctx)
{
	return note_connect(ctx);
}

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *ctx)
{
	return note_connect(ctx);
}

/* Datagrams: whoever sends or receives uses the socket, whoever made it. */
static __always_inline int note_datagram(struct bpf_sock_addr *ctx)
{
	struct socket_state *state = ctx->sk ? state_of(ctx->sk) : 0;

	if (state)
		note_user(ctx, state);
	return ALLOW;
}

SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *ctx)
{
	return note_datagram(ctx);
}

SEC("cgroup/sendmsg6")
int on_sendmsg6(struct bpf_sock_addr *ctx)
{
	return note_datagram(ctx);
}

SEC("cgroup/recvmsg4")
int on_recvmsg4(struct bpf_sock_addr *ctx)
{
	return note_datagram(ctx);
}

SEC("cgroup/recvmsg6")
int on_recvmsg6(struct bpf_sock_addr *ctx)
{
	return note_datagram(ctx);
}

/* An accepted socket in the hands of a task for the first time: its next packet tells whose it is. */
static __always_inline void note_accepted(void *ctx, struct bpf_sock *sk, struct socket_state *state)
{
	if (state && state->listening && sk->state != BPF_TCP_LISTEN) {
		note_owner(ctx, state);
		begin_flow(state);
	}
}

/* accept(2) asks for the peer's name, on behalf of the caller that wants its address. */
static __always_inline int note_peer_name(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	if (sk)
		note_accepted(ctx, sk, bpf_sk_storage_get(&sockets, sk, 0, 0));
	return ALLOW;
}

SEC("cgroup/getpeername4")
int on_getpeername4(struct bpf_sock_addr *ctx)
{
	return note_peer_name(ctx);
}

SEC("cgroup/getpeername6")
int on_getpeername6(struct bpf_sock_addr *ctx)
{
	return note_peer_name(ctx);
}

/* The last chance, for a server that never asks who its peer is: whoever closes the socket. The packet that says so follows. */
SEC("cgroup/sock_release")
int on_release(struct bpf_sock *ctx)
{
	if (is_socket_of_inet(ctx->family))
		note_accepted(ctx, ctx, bpf_sk_storage_get(&sockets, ctx, 0, 0));
	return ALLOW;
}

/* --- Packets --- */

/* Ends of a TCP connection that is about to be opened, before any rule or NAT saw its first packet. */
SEC("sockops")
int on_tcp(struct bpf_sock_ops *ctx)
{
	struct socket_record record = {};
	struct socket_state *state;
	struct bpf_sock *sk;

	if (ctx->op != BPF_SOCK_OPS_TCP_CONNECT_CB)
		return ALLOW;
	sk = ctx->sk;
	if (!sk)
		return ALLOW;
	state = bpf_sk_storage_get(&sockets, sk, 0, 0);
	if (!state)
		return ALLOW;

	/* A socket of IPv6 that speaks IPv4 holds both addresses as ::ffff:0:0/96. */
	record.family = sk->family;
	if (sk->family == AF_INET6 && sk->dst_ip6[0] == 0 && sk->dst_ip6[1] == 0 && sk->dst_ip6[2] == bpf_htonl(0xffff))
		record.family = AF_INET;
	if (record.family == AF_INET) {
		*(__u32 *)record.src = sk->src_ip4;
		*(__u32 *)record.dst = sk->dst_ip4;
	} else {
		((__u32 *)record.src)[0] = sk->src_ip6[0];
		((__u32 *)record.src)[1] = sk->src_ip6[1];
		((__u32 *)record.src)[2] = sk->src_ip6[2];
		((__u32 *)record.src)[3] = sk->src_ip6[3];
		((__u32 *)record.dst)[0] = sk->dst_ip6[0];
		((__u32 *)record.dst)[1] = sk->dst_ip6[1];
		((__u32 *)record.dst)[2] = sk->dst_ip6[2];
		((__u32 *)record.dst)[3] = sk->dst_ip6[3];
	}

	record.sport = bpf_htons(sk->src_port);
	record.dport = sk->dst_port;
	record.protocol = IPPROTO_TCP;
	record.outgoing = 1;
	state->reported = 1;
	report(state, &record);
	return ALLOW;
}

/* Reads the addresses, and says where the header above IP begins; negative for what has none. */
static __always_inline int read_ipv4(struct __sk_buff *skb, struct socket_record *record)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)) != 0 || (bpf_ntohs(ip.frag_off) & IP_OFFSET_MASK) != 0)
		return -1;
	record->family = AF_INET;
	record->protocol = ip.protocol;
	__builtin_memcpy(record->src, &ip.saddr, sizeof(ip.saddr));
	__builtin_memcpy(record->dst, &ip.daddr, sizeof(ip.daddr));
	return ip.ihl * 4;
}

static __always_inline int is_extension_header(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS;
}

static __always_inline int read_ipv6(struct __sk_buff *skb, struct socket_record *record)
{
	int at = sizeof(struct ipv6hdr);
	struct ipv6hdr ip;
	__u8 head[2]; /* next header, length in units of 8 bytes without the first */

	if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)) != 0)
		return -1;
	record->family = AF_INET6;
	record->protocol = ip.nexthdr;
	__builtin_memcpy(record->src, &ip.saddr, sizeof(ip.saddr));
	__builtin_memcpy(record->dst, &ip.daddr, sizeof(ip.daddr));
	for (int i = 0; i < MAX_EXTENSION_HEADERS && is_extension_header(record->protocol); i++) {
		if (bpf_skb_load_bytes(skb, at, head, sizeof(head)) != 0)
			return -1;
		record->protocol = head[0];
		at += (head[1] + 1) * 8;
	}

	return at;
}

/* Ports, or what connection tracking takes for them; false for what is no packet of a flow of the socket's own. */
static __always_inline int read_ports(struct __sk_buff *skb, int at, struct socket_record *record)
{
	__u8 head[8];

	switch (record->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		if (bpf_skb_load_bytes(skb, at, head, 4) != 0)
			return 0;
		__builtin_memcpy(&record->sport, head, 2);
		__builtin_memcpy(&record->dport, head + 2, 2);
		return 1;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		if (bpf_skb_load_bytes(skb, at, head, 8) != 0)
			return 0;
		__builtin_memcpy(&record->sport, head + 4, 2);
		__builtin_memcpy(&record->dport, head, 2);
		if (record->protocol == IPPROTO_ICMPV6)
			return head[0] == ICMPV6_ECHO_REQUEST;
		return head[0] == ICMP_ECHO || head[0] == ICMP_TIMESTAMP || head[0] == ICMP_ADDRESS;
	default:
		return 1;
	}
}

static __always_inline int is_first_of_tcp(struct __sk_buff *skb, int at, int is_listener)
{
	__u8 flags;

	return !is_listener || (bpf_skb_load_bytes(skb, at + TCP_FLAGS_AT, &flags, 1) == 0 && (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN);
}

static __always_inline int is_first_of_tuple(struct __sk_buff *skb, const struct socket_record *record)
{
	struct seen_key key = {
		.cookie = bpf_get_socket_cookie(skb),
		.sport = record->sport,
		.dport = record->dport,
		.outgoing = record->outgoing,
	};
	__u64 now = bpf_ktime_get_ns();
	__u64 *last;

	__builtin_memcpy(key.src, record->src, sizeof(key.src));
	__builtin_memcpy(key.dst, record->dst, sizeof(key.dst));
	last = bpf_map_lookup_elem(&seen, &key);
	if (last && now - *last < REPORT_AGAIN_NS)
		return 0;
	bpf_map_update_elem(&seen, &key, &now, BPF_ANY);
	return 1;
}

static __always_inline int on_packet(struct __sk_buff *skb, __u8 outgoing)
{
	struct socket_record record = { .outgoing = outgoing };
	struct socket_state *state;
	struct bpf_sock *sk = skb->sk;
	int is_listener, is_connected, at;
	__u8 version;

	if (!sk)
		return ALLOW;
	sk = bpf_sk_fullsock(sk);

	/* A raw socket receives copies of what is meant for others, and what it sends without a user is the kernel's own. */
	if (!sk || (!outgoing && sk->type == SOCK_RAW))
		return ALLOW;
	state = bpf_sk_storage_get(&sockets, sk, 0, sk->type == SOCK_RAW ? 0 : BPF_SK_STORAGE_GET_F_CREATE);
	if (!state)
		return ALLOW;

	is_listener = sk->protocol == IPPROTO_TCP && sk->state == BPF_TCP_LISTEN;
	is_connected = sk->type != SOCK_RAW && sk->dst_port != 0;
	if (is_listener)
		state->listening = 1;
	else if (sk->protocol == IPPROTO_TCP && state->listening)
		return ALLOW;
	else if (is_connected && state->reported)
		return ALLOW;

	if (bpf_skb_load_bytes(skb, 0, &version, 1) != 0)
		return ALLOW;
	at = version >> 4 == 4 ? read_ipv4(skb, &record) : read_ipv6(skb, &record);
	if (at < 0 || !read_ports(skb, at, &record) || !is_first_of_tcp(skb, at, is_listener))
		return ALLOW;
	if (is_connected)
		state->reported = 1;
	else if (!is_listener && !is_first_of_tuple(skb, &record))
		return ALLOW;
	report(state, &record);
	return ALLOW;
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb)
{
	return on_packet(skb, 1);
}

SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *skb)
{
	return on_packet(skb, 0);
}

char _license[] SEC("license") = "Dual MIT/GPL";
