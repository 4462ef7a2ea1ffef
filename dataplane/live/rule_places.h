/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the hits of a ruleset's rules are counted in the shared memory (struct shm_rule,
 * bpf/shm.h), over pushes. Main thread; allocates for the call; the workers count meanwhile.
 */
#ifndef POSTERN_RULE_PLACES_H
#define POSTERN_RULE_PLACES_H

#include "bpf/ruleset.h"
#include "bpf/shm.h"

struct rule_places {
	uint32_t *place; /* by the rule's index in its image; what workers read (match.h) */
	uint32_t count;
	uint32_t without; /* a place of their own: none was left */
};

/* A place for each rule of the image, its sid's or a new one. 0 or -ENOMEM. */
int rule_places_init(struct rule_places *p, const struct ruleset_image *image,
		     struct shm_head *shm);
void rule_places_fini(struct rule_places *p);

/* Of those without one, as many as there are places for by now. -ENOMEM: none yet. */
int rule_places_fill(struct rule_places *p, const struct ruleset_image *image,
		     struct shm_head *shm);

/*
 * Leaves the places that none of these rulesets has: all that a worker may have in its hands.
 * -ENOMEM: not yet.
 */
int rule_places_leave(const struct rule_places *const *held, unsigned count, struct shm_head *shm);

#endif
