/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/event_ring.h"

/*
 * Records are contiguous: where one would not fit before the end of the memory,
 * a head with size 0 says "go on at the start".
 */

static uint64_t room(const struct event_ring *r)
{
	uint64_t used = atomic_load_explicit(&r->state->written, memory_order_relaxed) -
			atomic_load_explicit(&r->state->read, memory_order_acquire);

	/* A reader that claims more than was written is no reason to overwrite anything. */
	return used <= r->size ? r->size - used : 0;
}

/* The writer's own: nobody else changes them. */
static void count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_release);
}

void *event_ring_reserve(struct event_ring *r)
{
	uint64_t at;

	/* A record and, before it, what is skipped at the end of the memory. */
	while (room(r) < 2 * EVENT_RECORD_MAX) {
		if (!r->full) {
			count(&r->state->lost, 1);
			return NULL;
		}
		r->full(r->ctx);
	}
	at = atomic_load_explicit(&r->state->written, memory_order_relaxed) & (r->size - 1);
	if (r->size - at < EVENT_RECORD_MAX) {
		((struct event_head *)(void *)(r->bytes + at))->size = 0;
		count(&r->state->written, r->size - at);
		at = 0;
	}
	return r->bytes + at;
}

void event_ring_commit(struct event_ring *r, uint32_t size)
{
	if (!size)
		return;
	count(&r->state->records, 1);
	count(&r->state->written, size);
}

static bool record_ok(const struct event_ring *r, uint64_t offset, uint64_t left, uint32_t size)
{
	return size >= sizeof(struct event_head) && size <= EVENT_RECORD_MAX && size % 8 == 0 &&
	       size <= left && size <= r->size - offset;
}

unsigned event_ring_read(struct event_ring *r, unsigned max,
			 void (*fn)(void *ctx, const struct event_head *e), void *ctx)
{
	uint64_t at = atomic_load_explicit(&r->state->read, memory_order_relaxed);
	uint64_t end = atomic_load_explicit(&r->state->written, memory_order_acquire);
	unsigned n = 0;

	while (at != end && n < max) {
		uint64_t offset = at & (r->size - 1);
		const struct event_head *e = (const void *)(r->bytes + offset);

		if (end - at > r->size || offset % 8 != 0 ||
		    (e->size && !record_ok(r, offset, end - at, e->size)) ||
		    (!e->size && r->size - offset > end - at)) {
			count(&r->state->damaged, 1);
			at = end;
		} else if (e->size == 0) {
			at += r->size - offset;
		} else {
			uint32_t size = e->size;

			fn(ctx, e);
			at += size;
			n++;
		}
		atomic_store_explicit(&r->state->read, at, memory_order_release);
	}
	return n;
}
