/* SPDX-License-Identifier: BSD-3-Clause */
/* Rulesets: the one in force, and those that mails hold which began with them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/live/snapshot_internal.h"

void snapshot_rules_free(struct rules_held *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < r->workers; i++)
		matcher_free(r->matcher[i]);
	ruleset_free(r->ruleset);
	image_close(&r->image);
	rule_places_fini(&r->places);
	free(r);
}

#define HELD_MOST 64 /* rulesets; with more than these no place is left yet */

/* Places are left as soon as no ruleset that anybody may count for has them. */
static void places_settle(struct snapshot *s)
{
	const struct rule_places *held[HELD_MOST];
	unsigned count = 0;
	struct rules_held *r = s->rules;

	if (r && r->places.without)
		rule_places_fill(&r->places, ruleset_image(r->ruleset), s->shm);
	if (r)
		held[count++] = &r->places;
	for (r = s->old; r && count < HELD_MOST; r = r->next)
		held[count++] = &r->places;
	for (struct snapshot_stuck *t = s->stuck; t && count < HELD_MOST; t = t->next)
		if (t->rules)
			held[count++] = &t->rules->places;
	if (count < HELD_MOST)
		rule_places_leave(held, count, s->shm);
}

int snapshot_matchers_new(struct rules_held *r, const struct gate *gate)
{
	int rc = 0;

	for (r->workers = 0; !rc && r->workers < gate->workers; r->workers++) {
		rc = matcher_new(r->ruleset, gate->streams, &r->matcher[r->workers]);
		if (rc)
			continue;
		r->matcher[r->workers]->places = r->places.place;
		gate_matcher_attach(gate, gate->worker[r->workers], r->matcher[r->workers]);
	}
	return rc;
}

static int rules_hold(struct snapshot *s, struct image *image, uint64_t generation,
		      struct rules_held **heldp, char *error, size_t error_size)
{
	struct rules_held *held = calloc(1, sizeof(*held));
	int rc;

	snprintf(error, error_size, "out of memory");
	if (!held)
		return -ENOMEM;
	rc = ruleset_load(image->data, image->size, &held->ruleset, error, error_size);
	if (!rc) {
		held->image = *image;
		held->generation = generation ? generation : ruleset_generation(held->ruleset);
		*image = (struct image){0};
		rc = rule_places_init(&held->places, ruleset_image(held->ruleset), s->shm);
	}
	if (!rc && s->gate)
		rc = snapshot_matchers_new(held, s->gate);
	if (rc) {
		snapshot_rules_free(held);
		return rc;
	}
	*heldp = held;
	return 0;
}

int snapshot_rules_set(struct snapshot *s, struct image *image, uint64_t generation, char *error,
		       size_t error_size)
{
	struct rules_held *held = NULL, *before = s->rules;
	int rc = 0;

	if (image) {
		rc = rules_hold(s, image, generation, &held, error, error_size);
		image_close(image);
	}
	if (!rc && s->gate)
		rc = snapshot_publish(s, s->policy, held, error, error_size);
	if (rc && rc != -ETIMEDOUT) {
		snapshot_rules_free(held);
		places_settle(s);
		return rc;
	}
	s->rules = held;
	if (!s->gate) {
		snapshot_rules_free(before);
	} else if (rc) {
		snapshot_stuck_add(s, (struct snapshot_stuck){.rules = before});
	} else if (before) {
		before->next = s->old;
		s->old = before;
	}
	snapshot_tidy(s);
	return rc;
}

/* Workers have come by since it was replaced: none begins anything with it any more. */
static bool is_held(const struct rules_held *r)
{
	for (unsigned i = 0; i < r->workers; i++)
		if (atomic_load_explicit(&r->matcher[i]->held, memory_order_acquire))
			return true;
	return false;
}

unsigned snapshot_tidy(struct snapshot *s)
{
	struct rules_held **at = &s->old;
	unsigned left = 0;

	while (*at) {
		struct rules_held *r = *at;

		if (is_held(r)) {
			at = &r->next;
			left++;
			continue;
		}
		*at = r->next;
		snapshot_rules_free(r);
	}
	places_settle(s);
	return left;
}
