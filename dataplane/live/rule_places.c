/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/live/rule_places.h"

#include <errno.h>
#include <stdlib.h>

/* Sids that have a place, ascending; made anew for each call: pushes are seldom. */
struct taken {
	uint32_t sid, place;
};

struct table {
	struct shm_head *shm;
	struct taken *taken;
	size_t count;
	uint32_t next; /* where to look for a free place */
};

static int taken_order(const void *pa, const void *pb)
{
	const struct taken *a = pa, *b = pb;

	return (a->sid > b->sid) - (a->sid < b->sid);
}

static int table_init(struct table *t, struct shm_head *shm)
{
	struct shm_rule *rules = shm_rules(shm);

	*t = (struct table){.shm = shm, .next = 1};
	t->taken = malloc(shm->rules * sizeof(*t->taken));
	if (!t->taken)
		return -ENOMEM;
	for (uint32_t i = 1; i < shm->rules; i++)
		if (shm_rule_state(atomic_load(&rules[i].state)) != SHM_RULE_FREE)
			t->taken[t->count++] = (struct taken){atomic_load(&rules[i].sid), i};
	qsort(t->taken, t->count, sizeof(*t->taken), taken_order);
	return 0;
}

/* No worker counts there: the last ruleset that did is gone. */
static void place_clear(const struct shm_head *shm, uint32_t place)
{
	for (unsigned i = 0; i < shm->workers; i++)
		__atomic_store_n(&shm_hits(shm, i)[place], 0, __ATOMIC_RELAXED);
}

/* One that is free is the dataplane's alone. 0: there is none. */
static uint32_t place_new(struct table *t, uint32_t sid)
{
	for (; t->next < t->shm->rules; t->next++) {
		struct shm_rule *rule = &shm_rules(t->shm)[t->next];
		uint32_t word = atomic_load(&rule->state);

		if (shm_rule_state(word) != SHM_RULE_FREE)
			continue;
		place_clear(t->shm, t->next);
		atomic_store(&rule->sid, sid);
		shm_rule_move(rule, word, SHM_RULE_USED);
		return t->next++;
	}
	return 0;
}

static uint32_t place_of(struct table *t, uint32_t sid)
{
	const struct taken key = {.sid = sid};
	const struct taken *had =
		t->count ? bsearch(&key, t->taken, t->count, sizeof(key), taken_order) : NULL;
	struct shm_rule *rule;
	uint32_t word;

	if (!sid)
		return 0;
	if (!had)
		return place_new(t, sid);
	rule = &shm_rules(t->shm)[had->place];
	word = atomic_load(&rule->state);
	/* Control may have its count by now, and another sid the place: it begins anew then. */
	if (atomic_load(&rule->sid) == sid &&
	    (shm_rule_state(word) == SHM_RULE_USED ||
	     (shm_rule_state(word) == SHM_RULE_LEFT && shm_rule_move(rule, word, SHM_RULE_USED))))
		return had->place;
	t->next = had->place < t->next ? had->place : t->next;
	return place_new(t, sid);
}

int rule_places_fill(struct rule_places *p, const struct ruleset_image *image, struct shm_head *shm)
{
	const struct ruleset_rule *rules = RULESET_AT(image, struct ruleset_rule, rules);
	struct table t;
	uint32_t place;

	if (table_init(&t, shm) < 0)
		return -ENOMEM;
	p->without = 0;
	for (uint32_t i = 0; i < p->count; i++) {
		if (p->place[i])
			continue;
		place = place_of(&t, rules[i].sid);
		__atomic_store_n(&p->place[i], place, __ATOMIC_RELAXED);
		p->without += !place;
	}
	free(t.taken);
	return 0;
}

int rule_places_init(struct rule_places *p, const struct ruleset_image *image, struct shm_head *shm)
{
	*p = (struct rule_places){.count = image->rules.count};
	p->place = calloc(p->count + 1, sizeof(*p->place));
	return p->place ? rule_places_fill(p, image, shm) : -ENOMEM;
}

void rule_places_fini(struct rule_places *p)
{
	free(p->place);
	*p = (struct rule_places){0};
}

int rule_places_leave(const struct rule_places *const *held, unsigned count, struct shm_head *shm)
{
	uint8_t *wanted = calloc(shm->rules, 1);

	if (!wanted)
		return -ENOMEM;
	for (unsigned h = 0; h < count; h++)
		for (uint32_t i = 0; i < held[h]->count; i++)
			wanted[held[h]->place[i]] = 1;
	for (uint32_t i = 1; i < shm->rules; i++) {
		struct shm_rule *rule = &shm_rules(shm)[i];
		uint32_t word = atomic_load(&rule->state);

		if (!wanted[i] && shm_rule_state(word) == SHM_RULE_USED)
			shm_rule_move(rule, word, SHM_RULE_LEFT);
	}
	free(wanted);
	return 0;
}
