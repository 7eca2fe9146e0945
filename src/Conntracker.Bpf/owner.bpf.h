/* SPDX-License-Identifier: MIT */
/* Whose a socket is: the current task is noted in the socket's own storage. */
#ifndef CONNTRACKER_OWNER_BPF_H
#define CONNTRACKER_OWNER_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "maps.bpf.h"

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

/* An accepted socket in the hands of a task for the first time: its next packet tells whose it is. */
static __always_inline void note_accepted(void *ctx, struct bpf_sock *sk, struct socket_state *state)
{
	if (state && state->listening && sk->state != BPF_TCP_LISTEN) {
		note_owner(ctx, state);
		begin_flow(state);
	}
}

#endif
