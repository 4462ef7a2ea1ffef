/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/policy/tenant_slots.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int tenant_slots_init(struct tenant_slots *s, uint32_t count, uint64_t grace)
{
	*s = (struct tenant_slots){
		.count = count,
		.grace = grace,
		.ids = calloc(count, sizeof(*s->ids)),
		.left = calloc(count, sizeof(*s->left)),
	};
	if (s->ids && s->left)
		return 0;
	tenant_slots_fini(s);
	return -ENOMEM;
}

void tenant_slots_fini(struct tenant_slots *s)
{
	free(s->ids);
	free(s->left);
	*s = (struct tenant_slots){0};
}

/* 0: it has none. */
static uint32_t slot_of_id(const struct tenant_slots *s, uint32_t id)
{
	for (uint32_t i = 1; i < s->count; i++)
		if (s->ids[i] == id)
			return i;
	return 0;
}

void tenant_slots_adopt(struct tenant_slots *s, const struct tenant_slot *array, uint32_t count)
{
	for (uint32_t i = 1; i < count && i < s->count; i++)
		if (array[i].id && !slot_of_id(s, array[i].id))
			s->ids[i] = array[i].id;
}

static bool is_free(const struct tenant_slots *s, uint32_t slot, uint64_t now)
{
	return !s->ids[slot] || (s->left[slot] && now - s->left[slot] >= s->grace);
}

/* The next free slot from *from on, 0: none. A slot given out is passed over from then on. */
static uint32_t next_free(const struct tenant_slots *s, uint64_t now, uint32_t *from)
{
	while (*from < s->count) {
		uint32_t slot = (*from)++;

		if (is_free(s, slot, now))
			return slot;
	}
	return 0;
}

/* Ids by slot, to find thousands of them without looking at every pair. */
struct id_slot {
	uint32_t id, slot;
};

static int by_id(const void *a, const void *b)
{
	uint32_t x = ((const struct id_slot *)a)->id, y = ((const struct id_slot *)b)->id;

	return (x > y) - (x < y);
}

static struct id_slot *known_ids(const struct tenant_slots *s, size_t *count)
{
	struct id_slot *known = calloc(s->count, sizeof(*known));

	*count = 0;
	for (uint32_t i = 1; known && i < s->count; i++)
		if (s->ids[i])
			known[(*count)++] = (struct id_slot){s->ids[i], i};
	if (known)
		qsort(known, *count, sizeof(*known), by_id);
	return known;
}

static void commit(struct tenant_slots *s, const uint32_t *ids, size_t n, uint64_t now,
		   const uint32_t *slot_of, bool *named)
{
	memset(named, 0, s->count * sizeof(*named));
	for (size_t i = 0; i < n; i++) {
		named[slot_of[i]] = true;
		s->ids[slot_of[i]] = ids[i];
		s->left[slot_of[i]] = 0;
	}
	for (uint32_t slot = 1; slot < s->count; slot++) {
		if (named[slot] || !s->ids[slot])
			continue;
		if (is_free(s, slot, now))
			s->ids[slot] = 0;
		else if (!s->left[slot])
			s->left[slot] = now ? now : 1;
	}
}

int tenant_slots_assign(struct tenant_slots *s, const uint32_t *ids, size_t n, uint64_t now,
			uint32_t *slot_of)
{
	uint32_t *slots = calloc(n ? n : 1, sizeof(*slots)), from = 1;
	bool *taken = calloc(s->count, sizeof(*taken));
	size_t known_count;
	struct id_slot *known = known_ids(s, &known_count);
	int err = slots && taken && known ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < n; i++) {
		struct id_slot key = {ids[i], 0}, *found;

		found = bsearch(&key, known, known_count, sizeof(*known), by_id);
		if (found)
			taken[slots[i] = found->slot] = true;
	}
	for (size_t i = 0; !err && i < n; i++) {
		while (!slots[i] && !err) {
			uint32_t slot = next_free(s, now, &from);

			if (!slot)
				err = -ENOSPC;
			else if (!taken[slot])
				slots[i] = slot;
		}
	}
	if (!err) {
		commit(s, ids, n, now, slots, taken);
		memcpy(slot_of, slots, n * sizeof(*slots));
	}
	free(slots);
	free(taken);
	free(known);
	return err;
}

uint32_t tenant_slots_end(const struct tenant_slots *s)
{
	uint32_t end = s->count;

	while (end > 1 && !s->ids[end - 1])
		end--;
	return end;
}
