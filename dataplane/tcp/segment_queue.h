/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP segments kept for later, in sequence order, linked through their
 * packet_meta. Either segments beyond a gap, which the gate has not forwarded,
 * or first copies of forwarded ones, which a resent segment is compared with.
 * Holds one reference of each mbuf. Worker's thread only.
 */
#ifndef POSTERN_SEGMENT_QUEUE_H
#define POSTERN_SEGMENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rte_mbuf;

struct segment_queue {
	struct rte_mbuf *head;
	struct rte_mbuf *tail;
	uint32_t bytes;
	uint32_t count;
};

/* RFC 793 section 3.3: sequence numbers compare modulo 2^32. */
static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool seq_at_or_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) <= 0;
}

/*
 * Inserts by sequence number. Bytes that the queue has already win: the
 * newcomer's are overwritten with them where they differ, queued segments that it
 * covers whole are dropped for it, and its meta is trimmed to what is new. Returns
 * false, and takes no reference, when nothing of it is. `match` says how it
 * compared (enum segment_match).
 */
bool segment_queue_insert(struct segment_queue *q, struct rte_mbuf *m, unsigned *match);

/* At the end: segments that come in order anyway. */
void segment_queue_append(struct segment_queue *q, struct rte_mbuf *m);

/* Takes the first segment out; the reference becomes the caller's. NULL when empty. */
struct rte_mbuf *segment_queue_pop(struct segment_queue *q);

/* Frees all segments that end at or before `seq`. */
void segment_queue_release(struct segment_queue *q, uint32_t seq);

void segment_queue_clear(struct segment_queue *q);

enum segment_match {
	SEGMENT_SAME = 0,
	SEGMENT_DIFFERS = 1 << 0, /* some byte differs */
	SEGMENT_UNKNOWN = 1 << 1, /* some bytes are not there */
};

/*
 * Compares `len` bytes at `seq` with the queue's and overwrites those that
 * differ: the first copy wins on the wire too. Returns enum segment_match, or-ed.
 */
unsigned segment_queue_compare(const struct segment_queue *q, uint32_t seq, uint8_t *data,
			       uint32_t len);

#endif
