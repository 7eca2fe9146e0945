/* SPDX-License-Identifier: MIT */
/* Hooks in which the current task is the socket's user. */
#ifndef CONNTRACKER_USER_HOOKS_BPF_H
#define CONNTRACKER_USER_HOOKS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "constants.bpf.h"
#include "owner.bpf.h"

static __always_inline int is_socket_of_inet(__u32 family)
{
	return family == AF_INET || family == AF_INET6;
}

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

/* A socket has a new tuple whenever it connects, even when it was connected before. */
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

/* Datagrams: the task that sends or receives is the user of the socket, even if another task created it. */
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

/* accept(2) calls this hook in the accepting task when the caller requests the address of the peer. */
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

/* The last chance, for a server that never reads the address of its peer: the task that closes the socket. The FIN follows. */
SEC("cgroup/sock_release")
int on_release(struct bpf_sock *ctx)
{
	if (is_socket_of_inet(ctx->family))
		note_accepted(ctx, ctx, bpf_sk_storage_get(&sockets, ctx, 0, 0));
	return ALLOW;
}

#endif
