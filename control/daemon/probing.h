/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tenants that send to very many addresses within a minute, where the kernel counts them
 * (bpf/reach.h; with mode dpdk workers do, and tell by records): told, and worth points. The event
 * loop's thread.
 */
#ifndef POSTERN_CONTROL_PROBING_H
#define POSTERN_CONTROL_PROBING_H

#include <stdint.h>

struct daemon;

struct probing {
	uint32_t *seen; /* by slot: how often it was told of; NULL: mode dpdk */
};

/* What the kernel counted before is nobody's news. 0 or -ENOMEM. */
int probing_init(struct daemon *daemon);
/* At a slot of the roster's, about once a second. */
void probing_look(struct daemon *daemon, uint32_t slot);
void probing_fini(struct daemon *daemon);

#endif
