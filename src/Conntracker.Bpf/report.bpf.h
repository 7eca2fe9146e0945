/* SPDX-License-Identifier: MIT */
/* Sends a tuple with the owner of its socket to user space, at most once per REPORT_AGAIN_NS. */
#ifndef CONNTRACKER_REPORT_BPF_H
#define CONNTRACKER_REPORT_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "maps.bpf.h"

#define REPORT_AGAIN_NS (30ULL * 1000 * 1000 * 1000)

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

#endif
