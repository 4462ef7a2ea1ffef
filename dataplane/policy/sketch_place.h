/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a tenant's things have their cells in sketches of several rows (count_min.h,
 * known_set.h).
 *
 * A tenant doesn't have a whole row, but a span of a sixteenth of it, which begins in each row
 * somewhere else, by a keyed hash of the tenant. What is asked of a thing is asked of all its rows
 * together, and a thing of one tenant lies in another's span in all four of them with a
 * probability of 1/16^4 = 1.5e-5. So however much one tenant does, one in 65,536 of another's
 * things is concerned, and a span is all that it can fill.
 */
#ifndef POSTERN_SKETCH_PLACE_H
#define POSTERN_SKETCH_PLACE_H

#include <stdint.h>

#include "bpf/mix.h"

#define SKETCH_ROWS  4
#define SKETCH_SPANS 16 /* a tenant's is one of so many parts of a row */

/* Both keyed: who knows the key can choose whose cells they share. */
struct sketch_key {
	uint64_t tenant, thing;
};

struct sketch_place {
	uint64_t cell[SKETCH_ROWS]; /* of all rows, one behind the other */
};

/* The same for one word in each row: where a tenant's span begins, or a thing is in its span. */
struct sketch_rows {
	uint64_t row[SKETCH_ROWS];
};

static inline struct sketch_rows sketch_rows_of(uint64_t word)
{
	struct sketch_rows rows;

	for (uint64_t row = 0; row < SKETCH_ROWS; row++)
		rows.row[row] = mix64(word + (row + 1) * UINT64_C(0x9e3779b97f4a7c15));
	return rows;
}

/* `width`: cells of a row, a power of two, SKETCH_SPANS at least. */
static inline struct sketch_place sketch_place_at(const struct sketch_rows *tenant,
						  const struct sketch_rows *thing, uint64_t width)
{
	struct sketch_place place;

	for (uint64_t row = 0; row < SKETCH_ROWS; row++)
		place.cell[row] = row * width + ((tenant->row[row] +
						  (thing->row[row] & (width / SKETCH_SPANS - 1))) &
						 (width - 1));
	return place;
}

static inline struct sketch_place sketch_place_of(struct sketch_key key, uint64_t width)
{
	const struct sketch_rows tenant = sketch_rows_of(key.tenant);
	const struct sketch_rows thing = sketch_rows_of(key.thing);

	return sketch_place_at(&tenant, &thing, width);
}

#endif
