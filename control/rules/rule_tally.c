/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rule_tally.h"

#include <stdlib.h>
#include <string.h>

void rule_tally_fini(struct rule_tally *h)
{
	free(h->kept);
	*h = (struct rule_tally){0};
}

static uint64_t hits_at(const struct shm_head *memory, uint32_t place)
{
	uint64_t hits = 0;

	for (unsigned i = 0; i < memory->workers; i++)
		hits += __atomic_load_n(&shm_hits(memory, i)[place], __ATOMIC_RELAXED);
	return hits;
}

/* Where it is or would be. */
static size_t kept_at(const struct rule_tally *h, uint32_t sid)
{
	size_t low = 0, high = h->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (h->kept[middle].sid < sid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int turn_order(const void *pa, const void *pb)
{
	const struct rule_tally_kept *a = pa, *b = pb;

	return (a->turn < b->turn) - (a->turn > b->turn);
}

static int sid_order(const void *pa, const void *pb)
{
	const struct rule_tally_kept *a = pa, *b = pb;

	return (a->sid > b->sid) - (a->sid < b->sid);
}

static void forget_half(struct rule_tally *h)
{
	qsort(h->kept, h->count, sizeof(*h->kept), turn_order);
	h->count = RULE_TALLY_KEPT / 2;
	qsort(h->kept, h->count, sizeof(*h->kept), sid_order);
}

static int kept_room(struct rule_tally *h)
{
	size_t room = h->room ? h->room * 2 : 256;
	struct rule_tally_kept *kept;

	if (h->count == RULE_TALLY_KEPT)
		forget_half(h);
	if (h->count < h->room)
		return 0;
	kept = reallocarray(h->kept, room, sizeof(*kept));
	if (!kept)
		return -1;
	h->kept = kept;
	h->room = room;
	return 0;
}

/* NULL: no memory. */
static struct rule_tally_kept *kept_of(struct rule_tally *h, uint32_t sid)
{
	size_t at = kept_at(h, sid);

	if (at < h->count && h->kept[at].sid == sid)
		return &h->kept[at];
	if (kept_room(h) < 0)
		return NULL;
	at = kept_at(h, sid); /* some may have been forgotten */
	memmove(&h->kept[at + 1], &h->kept[at], (h->count - at) * sizeof(*h->kept));
	h->kept[at] = (struct rule_tally_kept){.sid = sid};
	h->count++;
	return &h->kept[at];
}

/* Room first, then the place, which may be the dataplane's again by now, and last the count. */
static void take(struct rule_tally *h, const struct shm_head *memory, uint32_t place, uint32_t word)
{
	struct shm_rule *rule = &shm_rules(memory)[place];
	uint64_t hits = hits_at(memory, place);
	struct rule_tally_kept *kept = NULL;

	if (hits) {
		kept = kept_of(h, atomic_load(&rule->sid));
		if (!kept)
			return;
	}
	if (!shm_rule_move(rule, word, SHM_RULE_FREE) || !kept)
		return;
	kept->count += hits;
	kept->turn = ++h->turn;
}

void rule_tally_take(struct rule_tally *h, const struct shm_head *memory)
{
	if (!memory)
		return;
	if (h->started != memory->started)
		rule_tally_fini(h);
	h->started = memory->started;
	for (uint32_t i = 1; i < memory->rules; i++) {
		uint32_t word = atomic_load(&shm_rules(memory)[i].state);

		if (shm_rule_state(word) == SHM_RULE_LEFT)
			take(h, memory, i, word);
	}
}

static int hit_order(const void *pa, const void *pb)
{
	const struct rule_hit *a = pa, *b = pb;

	return (a->sid > b->sid) - (a->sid < b->sid);
}

/* Of places first, then of what is gone: sids of both are joined. */
static size_t join(struct rule_hit *hits, size_t count)
{
	size_t kept = 0;

	qsort(hits, count, sizeof(*hits), hit_order);
	for (size_t i = 0; i < count; i++) {
		if (!hits[i].count)
			continue;
		if (kept && hits[kept - 1].sid == hits[i].sid)
			hits[kept - 1].count += hits[i].count;
		else
			hits[kept++] = hits[i];
	}
	return kept;
}

struct rule_hit *rule_tally_list(struct rule_tally *h, const struct shm_head *memory, size_t *count,
				 uint64_t *other)
{
	struct rule_hit *hits;

	*count = 0;
	if (other)
		*other = memory ? hits_at(memory, 0) : 0;
	rule_tally_take(h, memory);
	hits = memory ? calloc(memory->rules + h->count, sizeof(*hits)) : NULL;
	if (!hits)
		return NULL;
	for (uint32_t i = 1; i < memory->rules; i++) {
		struct shm_rule *rule = &shm_rules(memory)[i];

		if (shm_rule_state(atomic_load(&rule->state)) == SHM_RULE_FREE)
			continue;
		hits[(*count)++] = (struct rule_hit){atomic_load(&rule->sid), hits_at(memory, i)};
	}
	for (size_t i = 0; i < h->count; i++)
		hits[(*count)++] = (struct rule_hit){h->kept[i].sid, h->kept[i].count};
	*count = join(hits, *count);
	return hits;
}
