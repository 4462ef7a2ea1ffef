/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * The gate's mapped arrays in a process's memory: what posternd and the dataplane read and
 * write of bpf/maps.h without a system call. Kernel headers only, no libbpf.
 *
 * Opening makes system calls and needs CAP_BPF (or root) once; what it maps may be used by any
 * thread after that, the packet path's included, and stays valid whatever becomes of the pins.
 */
#ifndef POSTERN_GATE_VIEW_H
#define POSTERN_GATE_VIEW_H

#include "bpf/maps.h"

#define GATE_ERROR_SIZE 320

struct gate_view {
#define X(member, map, element, count) element *member;
	GATE_ARRAYS(X)
	GATE_SLOT_ARRAYS(X)
#undef X
	uint32_t slots; /* of tenants: GATE_SLOTS_SMALL or _LARGE */
};

/*
 * Maps the arrays that are pinned in `dir` (GATE_BPFFS in a live gate). 0, or -errno and a line
 * that says which map, what was found and what was wanted: -ENOENT: not pinned, -EPROTO: another
 * version's.
 */
int gate_view_open(struct gate_view *view, const char *dir, char error[GATE_ERROR_SIZE]);
void gate_view_close(struct gate_view *view);

/* The same without a look at the versions, for who writes them: control/kernel/gate_maps.h. */
int gate_view_map(struct gate_view *view, const char *dir, char error[GATE_ERROR_SIZE]);
/* Versions and sizes as this program knows them, against those written. 0 or -EPROTO. */
int gate_shared_check(const struct gate_shared *shared, char error[GATE_ERROR_SIZE]);
/* Writes them. */
void gate_shared_stamp(struct gate_shared *shared);

/* The port's place, or GATE_PORTS. */
uint32_t gate_port_find(const struct gate_shared *shared, uint32_t ifindex);

/* The dataplane polls the queue: `now` ns of CLOCK_MONOTONIC. One store; any thread. */
static inline void gate_heartbeat_write(struct gate_view *view, uint32_t port, uint32_t queue,
					uint64_t now)
{
	__atomic_store_n(&view->heartbeats[gate_queue_index(port, queue)].ns, now,
			 __ATOMIC_RELAXED);
}

#endif
