/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Has a tenant sent to this one before? A filter in the manner of Bloom's (1970) whose bits are
 * bytes, each with the day on which it was last of use: what isn't met for `days` is forgotten by
 * itself, and nothing is ever cleared. One memory of all workers, no locks; any worker, any time.
 *
 * What was met within `days` is known, always. What never was is taken for known too with a
 * probability of (1 - e^(-n/s))^4, of n that the tenant has met since, and spans (sketch_place.h)
 * of s cells: 0.2 % at n = s/4, 2.4 % at s/2, 16 % at s; and the same of all tenants' together and
 * whole rows. So who has met more than there is room for has fewer new ones, never more.
 * tests/unit/known_set_test.c shows it. What was last met 255 days ago, or a multiple of that,
 * looks as if it were today; a day less ago, as if another worker, for which it is tomorrow, had
 * met it.
 */
#ifndef POSTERN_KNOWN_SET_H
#define POSTERN_KNOWN_SET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "dataplane/policy/sketch_place.h"

#define KNOWN_DAYS_MAX 200

struct known_set {
	_Atomic uint8_t *cells; /* SKETCH_ROWS times `width` */
	uint64_t width;
};

/* Before the workers run. `width`: cells of a row, a power of two, 256 at least. 0 or -errno. */
int known_set_init(struct known_set *set, uint64_t width);
void known_set_fini(struct known_set *set); /* all-zero is fine */

/* It is met on `day` (since any); true: it was met within `days` before. */
bool known_set_meet(struct known_set *set, struct sketch_key key, uint64_t day, unsigned days);
/* Was it, without being met now? */
bool known_set_has(const struct known_set *set, struct sketch_key key, uint64_t day, unsigned days);

/* The same where the place is known already (count_min.h). */
bool known_set_meet_at(struct known_set *set, const struct sketch_place *place, uint64_t day,
		       unsigned days);
bool known_set_has_at(const struct known_set *set, const struct sketch_place *place, uint64_t day,
		      unsigned days);

static inline void known_set_prefetch(const struct known_set *set, const struct sketch_place *place)
{
	for (unsigned row = 0; row < SKETCH_ROWS; row++)
		__builtin_prefetch((const void *)(uintptr_t)&set->cells[place->cell[row]], 1);
}

#endif
