/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/count_min.h"

#include <errno.h>
#include <rte_pause.h>

#include "dataplane/policy/memory.h"
#include "dataplane/slices.h"

#define WIDTH_LEAST 256

int count_min_init(struct count_min *sketch, uint64_t width)
{
	if (width < WIDTH_LEAST || (width & (width - 1)))
		return -EINVAL;
	sketch->width = width;
	sketch->size = SKETCH_ROWS * width * sizeof(*sketch->cells);
	sketch->cells = memory_reserve(sketch->size, MEMORY_DENSE);
	return sketch->cells ? 0 : -ENOMEM;
}

void count_min_fini(struct count_min *sketch)
{
	memory_release((void *)(uintptr_t)sketch->cells, sketch->size);
	*sketch = (struct count_min){0};
}

static uint64_t cell_read(const struct count_min *sketch, uint64_t cell)
{
	return atomic_load_explicit(&sketch->cells[cell], memory_order_acquire);
}

/* The cells as they are now, and what all of them agree upon: of each slice the least. */
struct look {
	uint16_t number; /* of the slice that time is in: the latest that a worker is in */
	uint64_t word[SKETCH_ROWS];
	uint32_t slice[SLICES];
};

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static struct look look_at(const struct count_min *sketch, const struct sketch_place *place,
			   uint16_t number)
{
	struct look look = {.number = number, .slice = {SLICE_MOST, SLICE_MOST, SLICE_MOST}};

	for (unsigned row = 0; row < SKETCH_ROWS; row++) {
		look.word[row] = cell_read(sketch, place->cell[row]);
		look.number = slice_latest(look.word[row], look.number);
	}
	for (unsigned row = 0; row < SKETCH_ROWS; row++)
		for (unsigned i = 0; i < SLICES; i++)
			look.slice[i] = least(look.slice[i],
					      slice_of(slices_at(look.word[row], look.number), i));
	return look;
}

static uint32_t look_sum(const struct look *look)
{
	return look->slice[0] + look->slice[1] + look->slice[2];
}

/*
 * Raises each row's slice to one more than all of them had. Whoever was faster in a row that was to
 * be raised has raised it for himself, and this one looks again: so of two that count the same
 * thing at once, one counts after the other.
 *
 * There is no end to the tries, as one that gives up isn't counted: who is slower is so because
 * another's count came in, and each row is raised once for each count, so one of them always gets
 * on.
 */
static bool raise_rows(struct count_min *sketch, const struct sketch_place *place,
		       const struct look *look)
{
	const uint32_t next = look->slice[0] + 1;

	for (unsigned row = 0; row < SKETCH_ROWS; row++) {
		uint64_t old = look->word[row], word = slices_at(old, look->number);

		if (slice_of(word, 0) >= next)
			continue;
		if (!atomic_compare_exchange_strong(&sketch->cells[place->cell[row]], &old,
						    slices_with(word, next)))
			return false;
	}
	return true;
}

uint32_t count_min_add(struct count_min *sketch, struct sketch_key key, uint64_t now,
		       uint64_t window, uint32_t limit)
{
	const struct sketch_place place = sketch_place_of(key, sketch->width);

	return count_min_add_at(sketch, &place, now, window, limit);
}

uint32_t count_min_add_at(struct count_min *sketch, const struct sketch_place *place, uint64_t now,
			  uint64_t window, uint32_t limit)
{
	const uint16_t number = slice_number(now, window);

	for (;; rte_pause()) {
		const struct look look = look_at(sketch, place, number);

		if (limit && look_sum(&look) >= limit)
			return 0;
		if (look.slice[0] == SLICE_MOST || raise_rows(sketch, place, &look))
			return look_sum(&look) + 1;
	}
}

uint32_t count_min_ask(const struct count_min *sketch, struct sketch_key key, uint64_t now,
		       uint64_t window)
{
	const struct sketch_place place = sketch_place_of(key, sketch->width);
	const struct look look = look_at(sketch, &place, slice_number(now, window));

	return look_sum(&look);
}

/* Buckets: what a cell holds is the time to which what was taken lasts; the least of the rows'
 * counts. */

static bool raise_times(struct count_min *sketch, const struct sketch_place *place,
			const uint64_t word[SKETCH_ROWS], uint64_t next)
{
	for (unsigned row = 0; row < SKETCH_ROWS; row++) {
		uint64_t old = word[row];

		if (old < next &&
		    !atomic_compare_exchange_strong(&sketch->cells[place->cell[row]], &old, next))
			return false;
	}
	return true;
}

bool count_min_take(struct count_min *sketch, struct sketch_key key, const struct gcra *limit,
		    uint64_t now)
{
	const struct sketch_place place = sketch_place_of(key, sketch->width);

	return count_min_take_at(sketch, &place, limit, now);
}

bool count_min_take_at(struct count_min *sketch, const struct sketch_place *place,
		       const struct gcra *limit, uint64_t now)
{
	for (;; rte_pause()) {
		uint64_t word[SKETCH_ROWS], start = UINT64_MAX;

		for (unsigned row = 0; row < SKETCH_ROWS; row++) {
			word[row] = cell_read(sketch, place->cell[row]);
			start = word[row] < start ? word[row] : start;
		}
		start = start > now ? start : now;
		if (start - now > limit->tolerance)
			return false;
		if (raise_times(sketch, place, word, start + limit->interval))
			return true;
	}
}
