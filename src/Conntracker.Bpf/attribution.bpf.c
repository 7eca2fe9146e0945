/* SPDX-License-Identifier: MIT */
/*
 * Finds the process of a flow. Two kinds of hooks, joined on the socket:
 *  - hooks in which the current task is the socket's user (create, connect, bind, sendmsg, ...) record it in the storage of the socket;
 *  - hooks that see packets report the first packet of a tuple, with the recorded owner.
 * The storage is freed with its socket, so nothing grows or needs cleaning up. An accepted socket inherits the storage of its
 * listener, until a hook in which the accepting task is current corrects it.
 *
 * Only contexts and helpers of the stable interface are used: no kernel structs, no BTF of the kernel, no kprobes. Every program
 * returns 1 ("allow"), whatever it finds, and writes to no context.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "user_hooks.bpf.h"
#include "packet_hooks.bpf.h"

char _license[] SEC("license") = "Dual MIT/GPL";
