/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes the set that dataplane/hashset.h looks in. Control's thread; allocates. */
#ifndef POSTERN_HASHSET_BUILD_H
#define POSTERN_HASHSET_BUILD_H

#include "bpf/policy.h"

/* Hashes on their way into a set; all-zero is empty. */
struct hash_list {
	uint64_t *hashes;
	size_t count, room;
};

/* 0 or -ENOMEM. `hash` is not 0 (list_hash() never is). */
int hash_list_add(struct hash_list *list, uint64_t hash);
void hash_list_fini(struct hash_list *list);

/*
 * Sorts `list` and builds `set` from it, equal hashes once; 10.7 bytes an
 * entry. Leaves the set's key alone. 0 or -ENOMEM.
 */
int hashset_init(struct hashset *set, struct hash_list *list);
void hashset_fini(struct hashset *set);

#endif
