/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How often things happened lately, of more things than could be kept: count-min sketches
 * (Cormode and Muthukrishnan, 2005) with conservative update (Estan and Varghese, 2002) in one
 * memory of all workers. A cell is one word, advanced by compare-and-swap; no locks, no
 * allocation after the start, no system calls; any worker, any time.
 *
 * What is said is never too little. It is too much where a thing shares its cells with others of
 * its tenant in all rows (sketch_place.h has why others' don't matter). With n things of a tenant,
 * each once in the window, and spans of s cells: at n = s/4 one in 500 is counted 1 too high, at
 * n = s one in 6, none by more; at n = 4 s nearly all are, by 1.5 on average and 3 at the most.
 * All tenants' things together, N in rows of w cells, do the same at N = w/4, w and 4 w.
 * tests/unit/count_min_test.c shows it.
 *
 * The same cells may hold counts or buckets, one of both for all their life.
 */
#ifndef POSTERN_COUNT_MIN_H
#define POSTERN_COUNT_MIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "bpf/gcra.h"
#include "dataplane/policy/sketch_place.h"

struct count_min {
	_Atomic uint64_t *cells; /* SKETCH_ROWS times `width` */
	uint64_t width;
	size_t size; /* bytes */
};

/* Before the workers run. `width`: cells of a row, a power of two, 256 at least. 0 or -errno. */
int count_min_init(struct count_min *sketch, uint64_t width);
void count_min_fini(struct count_min *sketch); /* all-zero is fine */

#define COUNT_MIN_MOST UINT16_MAX /* of a thing in half a window; then it stays */

/*
 * Counts. What is counted is kept by halves of the window: it counts for the whole of `window` (ns,
 * the same in every call) and for half of it more at the most. With `limit` (0: none) or more of
 * them before, nothing is counted. Returns how many there are with it; 0: it was not counted.
 *
 * `now` is ns of a clock that all workers have, within half a window.
 */
uint32_t count_min_add(struct count_min *sketch, struct sketch_key key, uint64_t now,
		       uint64_t window, uint32_t limit);
/* How many there are. */
uint32_t count_min_ask(const struct count_min *sketch, struct sketch_key key, uint64_t now,
		       uint64_t window);

/* The same where the place (sketch_place_of() with the sketch's width) is known already, and on its
 * way: what is asked for of a thing here and there is worked out and fetched once. */
uint32_t count_min_add_at(struct count_min *sketch, const struct sketch_place *place, uint64_t now,
			  uint64_t window, uint32_t limit);
bool count_min_take_at(struct count_min *sketch, const struct sketch_place *place,
		       const struct gcra *limit, uint64_t now);

static inline void count_min_prefetch(const struct count_min *sketch,
				      const struct sketch_place *place)
{
	for (unsigned row = 0; row < SKETCH_ROWS; row++)
		__builtin_prefetch((const void *)(uintptr_t)&sketch->cells[place->cell[row]], 1);
}

/*
 * Buckets (bpf/gcra.h): takes one of the thing's. False, and nothing is taken: it is over. The
 * limit should be the same in every call; others just begin to hold.
 */
bool count_min_take(struct count_min *sketch, struct sketch_key key, const struct gcra *limit,
		    uint64_t now);

#endif
