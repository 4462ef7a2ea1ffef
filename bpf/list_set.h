/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Lists of millions: images of keyed hashes (bpf/list.h says of what). control/lists/list_build.h
 * makes them; they lie in files and are mapped, by control and by the dataplane. Nothing in an
 * image changes. Host byte order, one machine.
 *
 * An image is a head, segments, an index and hashes. A segment holds entries of one list (owner and
 * kind) that hold from one time on: an entry's time costs no byte of its own. The segments of a
 * list stand side by side. A segment's hashes are a struct hashset (bpf/hashset.h): 10.7 bytes an
 * entry.
 *
 * There are two images, the base and the delta over it. What is in the delta's segments is on the
 * list beside the base's; of what is in those that remove, what the base says does not count. A
 * delta over another base than this one has been merged already, and is nothing.
 *
 * Two entries are taken for one when their 64 bits are the same: an entry that is on no list is
 * found on one of n entries with a probability of n / 2^64 (10 million: 5e-13).
 */
#ifndef POSTERN_LIST_SET_H
#define POSTERN_LIST_SET_H

#include "bpf/hashset.h"
#include "bpf/list.h"

#define LIST_SET_MAGIC   0x31534c50u /* "PLS1" */
#define LIST_SET_VERSION 1
#define LIST_SET_ALIGN   64

struct list_segment {
	uint32_t owner; /* a tenant's id; 0: everybody's */
	uint16_t kind;  /* enum list_kind */
	uint16_t removes;
	uint64_t from;  /* s since 1970: they hold since then; 0: always */
	uint64_t added; /* s since 1970: when the last of them came */
	uint64_t count; /* of entries; then as in struct hashset: */
	uint64_t capacity;
	uint64_t length;
	uint64_t offset; /* of the hashes, from the image's start */
};

struct list_set_head {
	uint32_t magic, version;
	uint64_t size;     /* bytes, this head included */
	uint64_t key[2];   /* of list_hash(); 0 in a file: it lies beside it, in one of its own */
	uint64_t checksum; /* of what follows, for damage, not for malice */
	uint64_t generation;
	uint64_t over;    /* a delta's: the generation of its base; a base's: 0 */
	uint64_t key_id;  /* list_key_id() */
	uint64_t created; /* s since 1970 */
	uint64_t entries;
	uint32_t segments; /* behind the head */
	uint32_t index;    /* places of the index behind them: a power of two */
};

/* A checked image. All-zero: none. */
struct list_set {
	const struct list_set_head *head;
	const struct list_segment *segment;
	const uint32_t *index; /* 0: free; else 1 + a list's first segment */
};

/* What is asked. `clock`: s since 1970, kept by whoever holds them. */
struct list_sets {
	struct list_set base, delta;
	uint64_t key[2];
	const uint64_t *clock;
	uint64_t period;  /* ns: after so long entries of LIST_SUPPRESSED end; 0: they don't */
	uint64_t settled; /* ns since 1970: what bounced before it is in LIST_SUPPRESSED, or was */
};

enum list_standing {
	LIST_ABSENT,
	LIST_PENDING, /* from a time to come on */
	LIST_LISTED,
};

uint64_t list_key_id(const uint64_t key[2]);
/* Of an image's bytes behind `checksum`. */
uint64_t list_set_checksum(const struct list_set_head *image);

/*
 * Checks all of `size` bytes, 8-aligned, so that who looks in it need not. NULL, or what is wrong
 * with it, in words.
 */
const char *list_set_open(struct list_set *set, const void *data, size_t size);

/* Fills an index of `places`, a power of two above `count`, for segments in their order. */
void list_set_index(uint32_t *index, uint32_t places, const struct list_segment *segments,
		    uint32_t count);

/* The list's first segment, and how many there are of it: 0: no such list. */
const struct list_segment *list_set_segments(const struct list_set *set, uint32_t owner,
					     enum list_kind kind, uint32_t *count);

static inline struct hashset list_segment_set(const struct list_set *set,
					      const struct list_segment *s)
{
	return (struct hashset){
		.hashes = (uint64_t *)((uintptr_t)set->head + (uintptr_t)s->offset),
		.capacity = s->capacity,
		.length = s->length,
		.count = s->count,
	};
}

/* The delta is of this base. */
static inline bool list_sets_fit(const struct list_sets *sets)
{
	return sets->delta.head && sets->base.head &&
	       sets->delta.head->over == sets->base.head->generation;
}

/* Reads ahead what list_sets_find() will look at. */
void list_sets_prefetch(const struct list_sets *sets, uint32_t owner, enum list_kind kind,
			uint64_t hash);

/*
 * Whether it is on the list, by the clock; LIST_PENDING leaves in *from (may be NULL) since when it
 * will be. No allocation, no system call, no lock; any thread.
 */
enum list_standing list_sets_find(const struct list_sets *sets, uint32_t owner, enum list_kind kind,
				  uint64_t hash, uint64_t *from);

/*
 * The same of a list whose entries end (LIST_SUPPRESSED): whether it is on it, for always or since
 * `oldest` (s since 1970) or later.
 */
bool list_sets_has_since(const struct list_sets *sets, uint32_t owner, enum list_kind kind,
			 uint64_t hash, uint64_t oldest);

/*
 * Entries that end after `period` (ns) have the time that they came at, in steps of a quarter of
 * the period, and count for that much longer: a list has few segments. Of what came at `now` (ns
 * since 1970), s since 1970; and the oldest that count.
 */
static inline uint64_t list_since(uint64_t period, uint64_t now)
{
	const uint64_t step = period / 4 > 1000000000 ? period / 4 / 1000000000 : 1;

	return now / 1000000000 / step * step;
}

static inline uint64_t list_oldest(uint64_t period, uint64_t now)
{
	return period && now > period ? list_since(period, now - period) : 0;
}

/* The time of a segment of theirs says since when, not from when on. */
static inline bool list_kind_ends(enum list_kind kind)
{
	return kind == LIST_SUPPRESSED;
}

/* The same of `count` hashes of one list, whose misses are waited for together. */
void list_sets_find_many(const struct list_sets *sets, uint32_t owner, enum list_kind kind,
			 const uint64_t *hashes, size_t count, enum list_standing *standing);

#endif
