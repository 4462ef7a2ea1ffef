/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/list_set.h"

#include <string.h>

#include "bpf/siphash.h"

uint64_t list_key_id(const uint64_t key[2])
{
	static const char text[] = "which key";

	return siphash(key, text, sizeof(text));
}

uint64_t list_set_checksum(const struct list_set_head *image)
{
	static const uint64_t nobody[2] = {0, 0};
	const size_t from = offsetof(struct list_set_head, generation);

	return siphash(nobody, (const uint8_t *)image + from, image->size - from);
}

/* Checking */

static size_t tables_end(const struct list_set_head *h)
{
	return sizeof(*h) + (size_t)h->segments * sizeof(struct list_segment) +
	       (size_t)h->index * sizeof(uint32_t);
}

static bool before(const struct list_segment *a, const struct list_segment *b)
{
	if (a->owner != b->owner)
		return a->owner < b->owner;
	if (a->kind != b->kind)
		return a->kind < b->kind;
	if (a->removes != b->removes)
		return a->removes < b->removes;
	return a->from < b->from;
}

static bool segment_ok(const struct list_set_head *h, const struct list_segment *s)
{
	const uint64_t *hashes;

	if (s->offset % sizeof(uint64_t) || s->offset < tables_end(h) || s->offset > h->size ||
	    s->length > (h->size - s->offset) / sizeof(uint64_t) || !s->count ||
	    s->capacity < s->count || s->capacity >= s->length || s->removes > 1)
		return false;
	/* A search begins below `capacity` and ends at a free place. */
	hashes = (const uint64_t *)((const uint8_t *)h + s->offset);
	return !hashes[s->length - 1];
}

static bool segments_ok(const struct list_set *set)
{
	uint64_t entries = 0;

	for (uint32_t i = 0; i < set->head->segments; i++) {
		if (!segment_ok(set->head, &set->segment[i]) ||
		    (i && !before(&set->segment[i - 1], &set->segment[i])))
			return false;
		entries += set->segment[i].removes ? 0 : set->segment[i].count;
	}
	return entries == set->head->entries;
}

/* A search in it ends: at least one place is free. */
static bool index_ok(const struct list_set *set)
{
	bool has_free = false;

	for (uint32_t i = 0; i < set->head->index; i++) {
		if (set->index[i] > set->head->segments)
			return false;
		has_free |= !set->index[i];
	}
	return has_free;
}

static const char *head_fault(const struct list_set_head *h, size_t size)
{
	if (size < sizeof(*h) || h->magic != LIST_SET_MAGIC)
		return "not a set of lists";
	if (h->version != LIST_SET_VERSION)
		return "a set of lists of another version of Postern";
	if (h->size != size)
		return "the set of lists is cut short";
	if (h->checksum != list_set_checksum(h))
		return "the set of lists is damaged";
	if (!h->index || (h->index & (h->index - 1)) || tables_end(h) > size)
		return "the set of lists contradicts itself";
	return NULL;
}

const char *list_set_open(struct list_set *set, const void *data, size_t size)
{
	const struct list_set_head *h = data;
	const char *fault = head_fault(h, size);
	struct list_set opened;

	if (fault)
		return fault;
	opened.head = h;
	opened.segment = (const void *)(h + 1);
	opened.index = (const void *)(opened.segment + h->segments);
	if (!segments_ok(&opened) || !index_ok(&opened))
		return "the set of lists contradicts itself";
	*set = opened;
	return NULL;
}

/* Looking up */

static uint32_t index_home(uint32_t owner, enum list_kind kind)
{
	return (uint32_t)((((uint64_t)owner << 8 | (uint64_t)kind) *
			   UINT64_C(0x9e3779b97f4a7c15)) >>
			  32);
}

const struct list_segment *list_set_segments(const struct list_set *set, uint32_t owner,
					     enum list_kind kind, uint32_t *count)
{
	uint32_t mask, place, at, end;

	*count = 0;
	if (!set->head)
		return NULL;
	mask = set->head->index - 1;
	for (place = index_home(owner, kind) & mask; (at = set->index[place]);
	     place = (place + 1) & mask) {
		const struct list_segment *s = &set->segment[at - 1];

		if (s->owner != owner || s->kind != kind)
			continue;
		for (end = at; end < set->head->segments && set->segment[end].owner == owner &&
			       set->segment[end].kind == kind;)
			end++;
		*count = end - (at - 1);
		return s;
	}
	return NULL;
}

void list_set_index(uint32_t *index, uint32_t places, const struct list_segment *segments,
		    uint32_t count)
{
	memset(index, 0, places * sizeof(*index));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t place = index_home(segments[i].owner, (enum list_kind)segments[i].kind);

		if (i && segments[i - 1].owner == segments[i].owner &&
		    segments[i - 1].kind == segments[i].kind)
			continue;
		for (place &= places - 1; index[place]; place = (place + 1) & (places - 1))
			;
		index[place] = i + 1;
	}
}

static void set_prefetch(const struct list_set *set, uint32_t owner, enum list_kind kind,
			 uint64_t hash)
{
	uint32_t count;
	const struct list_segment *s = list_set_segments(set, owner, kind, &count);

	for (uint32_t i = 0; i < count; i++) {
		struct hashset hashes = list_segment_set(set, &s[i]);

		hashset_prefetch(&hashes, hash);
	}
}

void list_sets_prefetch(const struct list_sets *sets, uint32_t owner, enum list_kind kind,
			uint64_t hash)
{
	set_prefetch(&sets->base, owner, kind, hash);
	if (list_sets_fit(sets))
		set_prefetch(&sets->delta, owner, kind, hash);
}

/* The earliest time that a segment has it from; whether one removes it. */
struct seen {
	bool has, removed;
	uint64_t from;
};

static void set_look(const struct list_set *set, uint32_t owner, enum list_kind kind, uint64_t hash,
		     struct seen *seen)
{
	uint32_t count;
	const struct list_segment *s = list_set_segments(set, owner, kind, &count);

	for (uint32_t i = 0; i < count; i++) {
		struct hashset hashes = list_segment_set(set, &s[i]);

		if (!hashset_has(&hashes, hash))
			continue;
		if (s[i].removes) {
			seen->removed = true;
		} else if (!seen->has || s[i].from < seen->from) {
			seen->has = true;
			seen->from = s[i].from;
		}
	}
}

/* What ends is listed or not: nothing of it is to come. */
static enum list_standing find_ending(const struct list_sets *sets, uint32_t owner,
				      enum list_kind kind, uint64_t hash, uint64_t *from)
{
	const uint64_t now = __atomic_load_n(sets->clock, __ATOMIC_RELAXED) * 1000000000;

	if (from)
		*from = 0;
	return list_sets_has_since(sets, owner, kind, hash, list_oldest(sets->period, now))
		       ? LIST_LISTED
		       : LIST_ABSENT;
}

enum list_standing list_sets_find(const struct list_sets *sets, uint32_t owner, enum list_kind kind,
				  uint64_t hash, uint64_t *from)
{
	struct seen seen = {0};

	if (list_kind_ends(kind))
		return find_ending(sets, owner, kind, hash, from);
	if (list_sets_fit(sets))
		set_look(&sets->delta, owner, kind, hash, &seen);
	if (!seen.removed)
		set_look(&sets->base, owner, kind, hash, &seen);
	if (!seen.has)
		return LIST_ABSENT;
	if (from)
		*from = seen.from;
	return seen.from <= __atomic_load_n(sets->clock, __ATOMIC_RELAXED) ? LIST_LISTED
									   : LIST_PENDING;
}

static bool set_has_since(const struct list_set *set, uint32_t owner, enum list_kind kind,
			  uint64_t hash, uint64_t oldest, bool *removed)
{
	uint32_t count;
	const struct list_segment *s = list_set_segments(set, owner, kind, &count);
	bool has = false;

	for (uint32_t i = 0; i < count; i++) {
		struct hashset hashes = list_segment_set(set, &s[i]);

		if ((s[i].removes || !s[i].from || s[i].from >= oldest) &&
		    hashset_has(&hashes, hash)) {
			*removed |= s[i].removes;
			has |= !s[i].removes;
		}
	}
	return has;
}

bool list_sets_has_since(const struct list_sets *sets, uint32_t owner, enum list_kind kind,
			 uint64_t hash, uint64_t oldest)
{
	bool removed = false;

	if (list_sets_fit(sets) && set_has_since(&sets->delta, owner, kind, hash, oldest, &removed))
		return true;
	return !removed && set_has_since(&sets->base, owner, kind, hash, oldest, &removed);
}

void list_sets_find_many(const struct list_sets *sets, uint32_t owner, enum list_kind kind,
			 const uint64_t *hashes, size_t count, enum list_standing *standing)
{
	for (size_t i = 0; i < count; i++)
		list_sets_prefetch(sets, owner, kind, hashes[i]);
	for (size_t i = 0; i < count; i++)
		standing[i] = list_sets_find(sets, owner, kind, hashes[i], NULL);
}
