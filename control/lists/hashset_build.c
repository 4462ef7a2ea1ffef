/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/hashset_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int make_room(struct hash_list *list, size_t room)
{
	uint64_t *more = reallocarray(list->hashes, room, sizeof(*more));

	if (!more)
		return -ENOMEM;
	list->hashes = more;
	list->room = room;
	return 0;
}

int hash_list_add(struct hash_list *list, uint64_t hash)
{
	if (list->count == list->room && make_room(list, list->room ? list->room * 2 : 64) != 0)
		return -ENOMEM;
	list->hashes[list->count++] = hash;
	return 0;
}

int hash_list_append(struct hash_list *list, const struct hash_list *more)
{
	size_t wanted = list->count + more->count;

	if (wanted > list->room && make_room(list, wanted) != 0)
		return -ENOMEM;
	if (more->count)
		memcpy(list->hashes + list->count, more->hashes,
		       more->count * sizeof(*more->hashes));
	list->count = wanted;
	return 0;
}

int hash_list_insert(struct hash_list *list, uint64_t hash)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->hashes[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < list->count && list->hashes[low] == hash)
		return 0;
	if (hash_list_add(list, hash) != 0)
		return -ENOMEM;
	memmove(&list->hashes[low + 1], &list->hashes[low],
		(list->count - 1 - low) * sizeof(*list->hashes));
	list->hashes[low] = hash;
	return 0;
}

int hash_list_add_set(struct hash_list *list, const struct hashset *set)
{
	size_t wanted = list->count + set->count;

	if (wanted > list->room && make_room(list, wanted) != 0)
		return -ENOMEM;
	for (uint64_t i = 0; i < set->length && list->count < wanted; i++)
		if (set->hashes[i])
			list->hashes[list->count++] = set->hashes[i];
	return 0;
}

void hash_list_subtract(struct hash_list *list, const struct hash_list *other)
{
	size_t kept = 0, at = 0;

	for (size_t i = 0; i < list->count; i++) {
		while (at < other->count && other->hashes[at] < list->hashes[i])
			at++;
		if (at == other->count || other->hashes[at] != list->hashes[i])
			list->hashes[kept++] = list->hashes[i];
	}
	list->count = kept;
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

#define RADIX_FROM  4096 /* fewer are sorted by comparing */
#define RADIX_BITS  11
#define RADIX_TURNS 6 /* of 11 bits: 64 and two more */

static void radix_turn(const uint64_t *from, uint64_t *to, size_t count, unsigned shift)
{
	size_t place[1 << RADIX_BITS] = {0}, at = 0;
	const uint64_t mask = (1 << RADIX_BITS) - 1;

	for (size_t i = 0; i < count; i++)
		place[from[i] >> shift & mask]++;
	for (size_t i = 0; i <= mask; i++) {
		size_t n = place[i];

		place[i] = at;
		at += n;
	}
	for (size_t i = 0; i < count; i++)
		to[place[from[i] >> shift & mask]++] = from[i];
}

/* An even number of turns: what is sorted ends where it began. */
static void hash_sort(uint64_t *hashes, size_t count)
{
	uint64_t *room = count < RADIX_FROM ? NULL : malloc(count * sizeof(*room));

	if (!room) {
		qsort(hashes, count, sizeof(*hashes), hash_compare);
		return;
	}
	for (unsigned turn = 0; turn < RADIX_TURNS; turn += 2) {
		radix_turn(hashes, room, count, turn * RADIX_BITS);
		radix_turn(room, hashes, count, (turn + 1) * RADIX_BITS);
	}
	free(room);
}

static bool is_sorted(const struct hash_list *list)
{
	for (size_t i = 1; i < list->count; i++)
		if (list->hashes[i - 1] >= list->hashes[i])
			return false;
	return true;
}

void hash_list_sort(struct hash_list *list)
{
	size_t kept = 0;

	if (is_sorted(list))
		return;
	hash_sort(list->hashes, list->count);
	for (size_t i = 0; i < list->count; i++)
		if (!kept || list->hashes[kept - 1] != list->hashes[i])
			list->hashes[kept++] = list->hashes[i];
	list->count = kept;
}

/* Where the next hash goes: home, or right after the last. */
static uint64_t place_of(const struct hashset *set, uint64_t hash, uint64_t next)
{
	uint64_t home = hashset_home(set, hash);

	return home > next ? home : next;
}

void hashset_measure(struct hashset *set, const struct hash_list *sorted)
{
	uint64_t next = 0;

	set->capacity = set->length = 0;
	set->count = sorted->count;
	if (!set->count)
		return;
	set->capacity = set->count + (set->count + 2) / 3;
	for (size_t i = 0; i < sorted->count; i++)
		next = place_of(set, sorted->hashes[i], next) + 1;
	/* Room for what runs over the end, and one free entry that ends every search. */
	set->length = (next > set->capacity ? next : set->capacity) + 1;
}

void hashset_place(struct hashset *set, const struct hash_list *sorted)
{
	uint64_t next = 0;

	for (size_t i = 0; i < sorted->count; i++) {
		next = place_of(set, sorted->hashes[i], next);
		set->hashes[next++] = sorted->hashes[i];
	}
}

int hashset_init(struct hashset *set, struct hash_list *list)
{
	set->hashes = NULL;
	hash_list_sort(list);
	hashset_measure(set, list);
	if (!set->count)
		return 0;
	set->hashes = calloc(set->length, sizeof(*set->hashes));
	if (!set->hashes)
		return -ENOMEM;
	hashset_place(set, list);
	return 0;
}

void hashset_fini(struct hashset *set)
{
	free(set->hashes);
	set->hashes = NULL;
	set->capacity = set->length = set->count = 0;
}
