/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * A ring of event records: one worker writes, control reads, in one process or
 * through memory that two share. What both know lies in `state` and `bytes`, without pointers;
 * struct event_ring is each side's own view of it.
 *
 * The writer never blocks: what has no room is counted and lost, unless it has somebody to call
 * (`full`): a replay loses nothing. The reader's place is in the shared state: one that starts
 * again goes on where the last one stopped.
 */
#ifndef POSTERN_EVENT_RING_H
#define POSTERN_EVENT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_record.h"

#define EVENT_RECORD_MAX   32768u                 /* bytes, head and fields */
#define EVENT_RING_MINIMUM (4 * EVENT_RECORD_MAX) /* bytes */

struct event_ring_state {
	_Alignas(64) _Atomic uint64_t written; /* bytes ever; the writer's, as the next two */
	_Atomic uint64_t lost;                 /* records */
	_Atomic uint64_t records;
	_Alignas(64) _Atomic uint64_t read; /* bytes ever; the reader's, as the next */
	_Atomic uint64_t damaged;           /* times that what was written made no sense */
};

struct event_ring {
	struct event_ring_state *state;
	uint8_t *bytes;
	uint64_t size;           /* of `bytes`: a power of two, EVENT_RING_MINIMUM at least */
	void (*full)(void *ctx); /* writer: returns when something was read; NULL: lose */
	void *ctx;
};

static inline bool event_ring_size_ok(uint64_t size)
{
	return size >= EVENT_RING_MINIMUM && (size & (size - 1)) == 0;
}

/* Room for one record of any size, 8-aligned, or NULL (lost and counted). Writer only. */
void *event_ring_reserve(struct event_ring *r);
/* Publishes what was built there: event_size() bytes. */
void event_ring_commit(struct event_ring *r, uint32_t size);

/*
 * Hands published records to `fn`, oldest first, until `max` of them were read; gives back the
 * room of each as soon as `fn` returns. Reader only. Returns how many. Never reads outside of
 * `bytes`, whatever is in them; what makes no sense is skipped and counted.
 */
unsigned event_ring_read(struct event_ring *r, unsigned max,
			 void (*fn)(void *ctx, const struct event_head *e), void *ctx);

/* All that were published when it was called. */
static inline unsigned
event_ring_drain(struct event_ring *r, void (*fn)(void *ctx, const struct event_head *e), void *ctx)
{
	return event_ring_read(r, UINT32_MAX, fn, ctx);
}

#endif
