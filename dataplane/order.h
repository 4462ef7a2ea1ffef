/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replays with several workers must come to the results of one. Flows are
 * independent of each other, but what they share (a tenant's buckets, calls) is
 * not: before a worker decides there, it waits until no other worker can still
 * decide anything for an earlier packet. Live gates have no such order and no
 * struct order.
 *
 * The packet with the lowest number never waits, so this can't lock up.
 */
#ifndef POSTERN_ORDER_H
#define POSTERN_ORDER_H

#include <rte_pause.h>
#include <stdatomic.h>
#include <stdint.h>

#define ORDER_WORKERS 64

struct order {
	unsigned workers;
	/* All packets with a number below it have been handed to their workers. */
	_Alignas(64) _Atomic uint64_t frontier;
	struct {
		/* The worker will decide nothing more for packets below. */
		_Alignas(64) _Atomic uint64_t done;
		/* What it decided for packets below has left it. */
		_Atomic uint64_t sent;
	} worker[ORDER_WORKERS];
};

/* The worker's turn for packet `number` has come when this returns. */
static inline void order_wait(struct order *o, unsigned self, uint64_t number)
{
	if (!o)
		return;
	for (unsigned i = 0; i < o->workers; i++) {
		if (i == self)
			continue;
		while (atomic_load_explicit(&o->worker[i].done, memory_order_acquire) < number)
			rte_pause();
	}
}

static inline void order_sent(struct order *o, unsigned self, uint64_t number)
{
	atomic_store_explicit(&o->worker[self].sent, number, memory_order_release);
}

static inline void order_done(struct order *o, unsigned self, uint64_t number)
{
	if (o)
		atomic_store_explicit(&o->worker[self].done, number, memory_order_release);
}

#endif
