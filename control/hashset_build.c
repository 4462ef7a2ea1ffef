/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/hashset_build.h"

#include <errno.h>
#include <stdlib.h>

int hash_list_add(struct hash_list *list, uint64_t hash)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		uint64_t *more = reallocarray(list->hashes, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		list->hashes = more;
		list->room = room;
	}
	list->hashes[list->count++] = hash;
	return 0;
}

void hash_list_fini(struct hash_list *list)
{
	free(list->hashes);
	*list = (struct hash_list){0};
}

static int hash_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void sort_unique(struct hash_list *list)
{
	size_t kept = 0;

	if (list->count)
		qsort(list->hashes, list->count, sizeof(*list->hashes), hash_compare);
	for (size_t i = 0; i < list->count; i++)
		if (!kept || list->hashes[kept - 1] != list->hashes[i])
			list->hashes[kept++] = list->hashes[i];
	list->count = kept;
}

/* Where the next hash goes: home, or right after the last. */
static uint64_t place_of(const struct hashset *set, uint64_t hash, uint64_t next)
{
	uint64_t home = (uint64_t)((unsigned __int128)hash * set->capacity >> 64);

	return home > next ? home : next;
}

int hashset_init(struct hashset *set, struct hash_list *list)
{
	uint64_t next = 0;

	set->hashes = NULL;
	set->capacity = set->length = 0;
	sort_unique(list);
	set->count = list->count;
	if (!set->count)
		return 0;
	set->capacity = set->count + (set->count + 2) / 3;
	for (size_t i = 0; i < list->count; i++)
		next = place_of(set, list->hashes[i], next) + 1;
	/* Room for what runs over the end, and one free entry that ends every search. */
	set->length = (next > set->capacity ? next : set->capacity) + 1;
	set->hashes = calloc(set->length, sizeof(*set->hashes));
	if (!set->hashes)
		return -ENOMEM;
	next = 0;
	for (size_t i = 0; i < list->count; i++) {
		next = place_of(set, list->hashes[i], next);
		set->hashes[next++] = list->hashes[i];
	}
	return 0;
}

void hashset_fini(struct hashset *set)
{
	free(set->hashes);
	set->hashes = NULL;
	set->capacity = set->length = set->count = 0;
}
