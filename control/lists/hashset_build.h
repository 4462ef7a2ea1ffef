/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes the set that bpf/hashset.h looks in. Control's thread; allocates. */
#ifndef POSTERN_HASHSET_BUILD_H
#define POSTERN_HASHSET_BUILD_H

#include "bpf/hashset.h"

/* Hashes on their way into a set; all-zero is empty. */
struct hash_list {
	uint64_t *hashes;
	size_t count, room;
};

/* 0 or -ENOMEM. `hash` is not 0 (list_hash() never is). */
int hash_list_add(struct hash_list *list, uint64_t hash);
int hash_list_append(struct hash_list *list, const struct hash_list *more);
/* Into its place in a sorted list, unless it is there. */
int hash_list_insert(struct hash_list *list, uint64_t hash);
void hash_list_fini(struct hash_list *list);
/* Ascending, equal hashes once. */
void hash_list_sort(struct hash_list *list);
/* Both sorted: what is in `other` goes. */
void hash_list_subtract(struct hash_list *list, const struct hash_list *other);
/* Those of a set, which are in order, behind what there is. 0 or -ENOMEM. */
int hash_list_add_set(struct hash_list *list, const struct hashset *set);

/*
 * Sorts `list` and builds `set` from it, equal hashes once; 10.7 bytes an
 * entry. Leaves the set's key alone. 0 or -ENOMEM.
 */
int hashset_init(struct hashset *set, struct hash_list *list);
void hashset_fini(struct hashset *set);

/* In steps, for who has the room: capacity, length and count; then set->hashes of that length, 0s,
 * are filled. */
void hashset_measure(struct hashset *set, const struct hash_list *sorted);
void hashset_place(struct hashset *set, const struct hash_list *sorted);

#endif
