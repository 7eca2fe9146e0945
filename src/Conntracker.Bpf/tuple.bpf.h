/* SPDX-License-Identifier: MIT */
/* Reads the tuple of a packet or of a connecting socket, in the form of connection tracking. */
#ifndef CONNTRACKER_TUPLE_BPF_H
#define CONNTRACKER_TUPLE_BPF_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "attribution.h"
#include "constants.bpf.h"

#define IP_OFFSET_MASK 0x1fff
#define TCP_FLAGS_AT 13
#define TCP_SYN 0x02
#define TCP_ACK 0x10
#define ICMP_ECHO 8
#define ICMP_TIMESTAMP 13
#define ICMP_ADDRESS 17
#define ICMPV6_ECHO_REQUEST 128
#define MAX_EXTENSION_HEADERS 4

/* Reads the addresses and returns the offset of the header above IP; negative when there is none. */
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

/* Reads the ports, or the ICMP id, type and code in their place; false when the packet does not belong to a flow of the socket. */
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

#endif
