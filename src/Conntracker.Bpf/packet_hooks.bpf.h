/* SPDX-License-Identifier: MIT */
/* Hooks that see packets: the first packet of a tuple is reported, with the recorded owner. */
#ifndef CONNTRACKER_PACKET_HOOKS_BPF_H
#define CONNTRACKER_PACKET_HOOKS_BPF_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "constants.bpf.h"
#include "maps.bpf.h"
#include "report.bpf.h"
#include "tuple.bpf.h"

/* The addresses and ports of a TCP connection that is about to be opened, before its first packet meets any rule or NAT. */
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

	/* An IPv6 socket that uses IPv4 holds both addresses as ::ffff:0:0/96. */
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

	/* A raw socket also receives copies of packets for other sockets. One that no task has used belongs to the kernel. */
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

#endif
