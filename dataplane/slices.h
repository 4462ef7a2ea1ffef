/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A count over the last time in one word: three slices of 16 bits, each half a window long, the
 * one that time is in first, and 16 bits of that one's number. Old words read as what is left of
 * them. Pure.
 */
#ifndef POSTERN_SLICES_H
#define POSTERN_SLICES_H

#include <stdint.h>

#define SLICES      3
#define SLICE_BITS  16
#define SLICE_MOST  UINT16_MAX
#define SLICE_AHEAD 2 /* a word of so many slices from now on is another worker's clock */

/* The number of the slice that `now` is in. */
static inline uint16_t slice_number(uint64_t now, uint64_t window)
{
	return (uint16_t)(now / (window / (SLICES - 1)));
}

/* The slice that time is in for whoever is in `number`, and for a word that is ahead of it. */
static inline uint16_t slice_latest(uint64_t word, uint16_t number)
{
	const uint16_t ahead = (uint16_t)((uint16_t)word - number);

	return ahead <= SLICE_AHEAD ? (uint16_t)word : number;
}

/* The word as it reads in slice `number`. */
static inline uint64_t slices_at(uint64_t word, uint16_t number)
{
	const uint16_t age = (uint16_t)(number - (uint16_t)word);
	uint64_t counts = word >> SLICE_BITS;

	counts = age < SLICES ? counts << age * SLICE_BITS : 0;
	return (counts << SLICE_BITS) | number;
}

static inline uint32_t slice_of(uint64_t word, unsigned slice)
{
	return word >> (slice + 1) * SLICE_BITS & SLICE_MOST;
}

static inline uint32_t slices_sum(uint64_t word)
{
	return slice_of(word, 0) + slice_of(word, 1) + slice_of(word, 2);
}

/* With that in the slice that time is in. */
static inline uint64_t slices_with(uint64_t word, uint32_t count)
{
	return (word & ~((uint64_t)SLICE_MOST << SLICE_BITS)) | (uint64_t)count << SLICE_BITS;
}

#endif
