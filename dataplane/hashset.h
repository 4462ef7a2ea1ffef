/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is a hash in an immutable set (bpf/policy.h)? Pure reads, any thread, no
 * lock: one cache line in most cases, at three quarters full.
 */
#ifndef POSTERN_HASHSET_H
#define POSTERN_HASHSET_H

#include "bpf/policy.h"

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

#endif
