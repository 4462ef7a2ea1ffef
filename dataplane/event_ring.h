/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ring of event records: one worker writes, control reads. The writer never
 * blocks: what has no room is counted and lost, unless the ring was given
 * somebody to call (`full`): a replay loses nothing.
 */
#ifndef POSTERN_EVENT_RING_H
#define POSTERN_EVENT_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event_record.h"

#define EVENT_RECORD_MAX 32768 /* bytes, head and fields */

struct event_ring {
	_Alignas(64) _Atomic uint64_t written; /* bytes ever */
	uint64_t lost;                         /* records */
	uint64_t records;
	void (*full)(void *ctx); /* returns when something was read; NULL: lose */
	void *ctx;
	_Alignas(64) _Atomic uint64_t read;
	uint32_t size; /* a power of two, at least four records of the largest size */
	uint8_t *bytes;
};

/* 0 or -ENOMEM. */
int event_ring_init(struct event_ring *r, uint32_t size);
void event_ring_fini(struct event_ring *r);

/* Room for one record of any size, or NULL (lost and counted). Writer only. */
void *event_ring_reserve(struct event_ring *r);
/* Publishes what was built there: event_size() bytes. */
void event_ring_commit(struct event_ring *r, uint32_t size);

/* Hands all published records to `fn`, oldest first. Reader only. Returns how many. */
unsigned event_ring_drain(struct event_ring *r, void (*fn)(void *ctx, const struct event_head *e),
			  void *ctx);

#endif
