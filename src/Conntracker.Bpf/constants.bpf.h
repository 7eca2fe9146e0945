/* SPDX-License-Identifier: MIT */
/* What the kernel has in headers that cannot be included here, and the one answer of every program. */
#ifndef CONNTRACKER_CONSTANTS_BPF_H
#define CONNTRACKER_CONSTANTS_BPF_H

#define ALLOW 1

#define AF_INET 2
#define AF_INET6 10
#define SOCK_RAW 3

#endif
