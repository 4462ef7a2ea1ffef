/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Is a hash in an immutable set? Pure reads, any thread, no
 * lock: one cache line in most cases, at three quarters full.
 */
#ifndef POSTERN_HASHSET_H
#define POSTERN_HASHSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A set of 64-bit keyed hashes (bpf/list.h says of what), ascending, each at
 * hash · capacity / 2^64 or as soon after it as there is room. Two different
 * strings are taken for one with a probability of count / 2^64.
 */
struct hashset {
	uint64_t *hashes;  /* 0: free; the last one always is */
	uint64_t capacity; /* 0: the set is empty and `hashes` NULL */
	uint64_t length;   /* of `hashes`: capacity and what overflows at its end */
	uint64_t count;
	uint64_t key[2]; /* of list_hash() */
};

static inline uint64_t hashset_home(const struct hashset *set, uint64_t hash)
{
	return (uint64_t)((unsigned __int128)hash * set->capacity >> 64);
}

static inline bool hashset_has(const struct hashset *set, uint64_t hash)
{
	uint64_t i;

	if (!set->capacity)
		return false;
	for (i = hashset_home(set, hash); set->hashes[i] && set->hashes[i] < hash; i++)
		;
	return set->hashes[i] == hash;
}

/* The line that a search begins in. */
static inline void hashset_prefetch(const struct hashset *set, uint64_t hash)
{
	if (set->capacity)
		__builtin_prefetch(&set->hashes[hashset_home(set, hash)]);
}

#endif
