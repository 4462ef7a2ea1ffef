/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What rules remember of addresses and tenants between transactions: xbits, and the counts of
 * threshold and detection_filter. One for all workers: any of them may call at any time, and what
 * one remembers the others know at once.
 *
 * Bounded and allocated once. An entry is 16 bytes and ends at a time of its own; its place is one
 * of eight, by a keyed hash. A tenant has four of the eight at most: where it wants more, that of
 * its own that ends first goes, so nobody's forgets another's. Where there is no place nothing is
 * remembered, and the caller hears of it.
 *
 * No locks, no allocation, no system call: entries are advanced by compare-and-swap of 16 bytes,
 * and what is counted is in. Times are ns of one clock, which may start anywhere; they are kept in
 * ms.
 */
#ifndef POSTERN_MATCH_MEMORY_H
#define POSTERN_MATCH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct match_memory;

#define MATCH_MEMORY_COUNT_MAX ((1u << 20) - 1)

/* Control thread. `entries`: a power of two, 8 at least. 0 or -errno. `key`: 16 bytes nobody knows,
 * or NULL. */
int match_memory_new(uint32_t entries, const uint8_t *key, struct match_memory **memoryp);
void match_memory_free(struct match_memory *memory); /* NULL is fine */

/* Whose entry and which. All of it is hashed: padding must be 0. */
struct match_memory_key {
	uint64_t what;   /* a bit's name, a rule's sid: the caller's, told apart by it */
	uint32_t kind;   /* the same */
	uint32_t tenant; /* slot, whose share the entry counts for */
	uint8_t addr[2][16];
};

/* It will be asked about soon. */
void match_memory_prefetch(struct match_memory *memory, const struct match_memory_key *key);

/* Is there an entry that has not ended? */
bool match_memory_has(struct match_memory *memory, const struct match_memory_key *key,
		      uint64_t now);
/* When it ends, ns rounded up to ms; 0: there is none. */
uint64_t match_memory_end(struct match_memory *memory, const struct match_memory_key *key,
			  uint64_t now);
/* Until `end`; what there is of it ends then. False: there was no place. */
bool match_memory_set(struct match_memory *memory, const struct match_memory_key *key, uint64_t now,
		      uint64_t end);
void match_memory_clear(struct match_memory *memory, const struct match_memory_key *key,
			uint64_t now);

/*
 * Counts one more since the entry began, which ends `window` ns after its first. Having come to
 * `last` (0: never) it goes on from 0, and ends when it would have. Returns the count, which stops
 * at MATCH_MEMORY_COUNT_MAX; 0: there was no place.
 */
uint32_t match_memory_count(struct match_memory *memory, const struct match_memory_key *key,
			    uint64_t now, uint64_t window, uint32_t last);

/* Entries forgotten or not taken for want of a place, since the start. */
uint64_t match_memory_full(const struct match_memory *memory);

#endif
