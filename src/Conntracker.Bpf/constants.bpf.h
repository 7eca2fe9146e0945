/* SPDX-License-Identifier: MIT */
/* Constants of kernel headers that cannot be included here, and the only return value of the programs. */
#ifndef CONNTRACKER_CONSTANTS_BPF_H
#define CONNTRACKER_CONSTANTS_BPF_H

#define ALLOW 1

#define AF_INET 2
#define AF_INET6 10
#define SOCK_RAW 3

#endif
