/* SPDX-License-Identifier: MIT */
/* The owner of a socket: the current task, recorded in the storage of the socket. */
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

/* For hooks that run often: records the owner only when its process or user has changed. */
static __always_inline void note_user(void *ctx, struct socket_state *state)
{
	if (state->owner.pid != bpf_get_current_pid_tgid() >> 32 || state->owner.uid != (__u32)bpf_get_current_uid_gid())
		note_owner(ctx, state);
}

static __always_inline struct socket_state *state_of(void *sk)
{
	return bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

/* Marks the start of a new flow: the next packet of the socket is reported again. */
static __always_inline void begin_flow(struct socket_state *state)
{
	state->reported = 0;
	state->listening = 0;
}

/* The first use of an accepted socket by a task: that task is its owner, and the next packet is reported again. */
static __always_inline void note_accepted(void *ctx, struct bpf_sock *sk, struct socket_state *state)
{
	if (state && state->listening && sk->state != BPF_TCP_LISTEN) {
		note_owner(ctx, state);
		begin_flow(state);
	}
}

#endif
