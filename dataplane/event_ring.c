/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/event_ring.h"

#include <errno.h>
#include <rte_malloc.h>

/*
 * Records are contiguous: where one would not fit before the end of the memory,
 * a head with size 0 says "go on at the start".
 */

int event_ring_init(struct event_ring *r, uint32_t size)
{
	*r = (struct event_ring){.size = size, .bytes = rte_malloc("events", size, 64)};
	return r->bytes ? 0 : -ENOMEM;
}

void event_ring_fini(struct event_ring *r)
{
	rte_free(r->bytes);
	r->bytes = NULL;
}

static uint64_t room(struct event_ring *r)
{
	return r->size - (atomic_load_explicit(&r->written, memory_order_relaxed) -
			  atomic_load_explicit(&r->read, memory_order_acquire));
}

void *event_ring_reserve(struct event_ring *r)
{
	/* A record and, before it, what is skipped at the end of the memory. */
	while (room(r) < 2 * EVENT_RECORD_MAX) {
		if (!r->full) {
			r->lost++;
			return NULL;
		}
		r->full(r->ctx);
	}
	uint64_t at = atomic_load_explicit(&r->written, memory_order_relaxed) & (r->size - 1);

	if (r->size - at < EVENT_RECORD_MAX) {
		((struct event_head *)(void *)(r->bytes + at))->size = 0;
		atomic_fetch_add_explicit(&r->written, r->size - at, memory_order_release);
		at = 0;
	}
	return r->bytes + at;
}

void event_ring_commit(struct event_ring *r, uint32_t size)
{
	if (!size)
		return;
	r->records++;
	atomic_fetch_add_explicit(&r->written, size, memory_order_release);
}

unsigned event_ring_drain(struct event_ring *r, void (*fn)(void *ctx, const struct event_head *e),
			  void *ctx)
{
	uint64_t at = atomic_load_explicit(&r->read, memory_order_relaxed);
	uint64_t end = atomic_load_explicit(&r->written, memory_order_acquire);
	unsigned n = 0;

	while (at < end) {
		uint64_t offset = at & (r->size - 1);
		const struct event_head *e = (const void *)(r->bytes + offset);

		if (e->size == 0) {
			at += r->size - offset;
		} else {
			fn(ctx, e);
			at += e->size;
			n++;
		}
		atomic_store_explicit(&r->read, at, memory_order_release);
	}
	return n;
}
