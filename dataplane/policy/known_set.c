/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/known_set.h"

#include <errno.h>

#include "dataplane/policy/memory.h"

#define WIDTH_LEAST 256
#define DAYS        255 /* that a cell tells apart; 0 is none of them */

int known_set_init(struct known_set *set, uint64_t width)
{
	if (width < WIDTH_LEAST || (width & (width - 1)))
		return -EINVAL;
	set->width = width;
	set->cells = memory_reserve(SKETCH_ROWS * width, MEMORY_DENSE);
	return set->cells ? 0 : -ENOMEM;
}

void known_set_fini(struct known_set *set)
{
	memory_release((void *)(uintptr_t)set->cells, SKETCH_ROWS * set->width);
	*set = (struct known_set){0};
}

static uint8_t cell_of(uint64_t day)
{
	return (uint8_t)(day % DAYS + 1);
}

/* At midnight another worker is in tomorrow already, and what it met there was met. */
static bool is_fresh(uint8_t last, uint64_t day, unsigned days)
{
	return last && (unsigned)(cell_of(day + 1) + DAYS - last) % DAYS <= days + 1;
}

bool known_set_has(const struct known_set *set, struct sketch_key key, uint64_t day, unsigned days)
{
	const struct sketch_place place = sketch_place_of(key, set->width);

	return known_set_has_at(set, &place, day, days);
}

bool known_set_has_at(const struct known_set *set, const struct sketch_place *place, uint64_t day,
		      unsigned days)
{
	for (unsigned row = 0; row < SKETCH_ROWS; row++)
		if (!is_fresh(atomic_load_explicit(&set->cells[place->cell[row]],
						   memory_order_relaxed),
			      day, days))
			return false;
	return true;
}

bool known_set_meet(struct known_set *set, struct sketch_key key, uint64_t day, unsigned days)
{
	const struct sketch_place place = sketch_place_of(key, set->width);

	return known_set_meet_at(set, &place, day, days);
}

/* Over nothing later: who stood still over midnight takes nothing back. */
static void cell_meet(_Atomic uint8_t *cell, uint8_t last, uint64_t day)
{
	const uint8_t today = cell_of(day), tomorrow = cell_of(day + 1);

	while (last != today && last != tomorrow &&
	       !atomic_compare_exchange_weak_explicit(cell, &last, today, memory_order_relaxed,
						      memory_order_relaxed))
		;
}

bool known_set_meet_at(struct known_set *set, const struct sketch_place *place, uint64_t day,
		       unsigned days)
{
	bool known = true;

	for (unsigned row = 0; row < SKETCH_ROWS; row++) {
		_Atomic uint8_t *cell = &set->cells[place->cell[row]];
		const uint8_t last = atomic_load_explicit(cell, memory_order_relaxed);

		known &= is_fresh(last, day, days);
		cell_meet(cell, last, day);
	}
	return known;
}
