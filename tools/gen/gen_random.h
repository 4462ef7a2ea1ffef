/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The generator's chance: the same numbers from the same seed on every host.
 * Integers only, so no libm decides about a byte. Not for secrets.
 */
#ifndef POSTERN_GEN_RANDOM_H
#define POSTERN_GEN_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood 2014): a counter, mixed. */
struct gen_random {
	uint64_t counter;
};

static inline uint64_t random_next(struct gen_random *random)
{
	uint64_t z = random->counter += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A stream of its own for every flow, whatever order they are made in. */
static inline struct gen_random random_stream(uint64_t seed, uint64_t kind, uint64_t index)
{
	struct gen_random random = {seed};

	random.counter = random_next(&random) ^ kind << 56;
	random.counter = random_next(&random) ^ index;
	return random;
}

/* 0 to bound − 1; bound is at least 1. */
static inline uint32_t random_below(struct gen_random *random, uint32_t bound)
{
	return (uint32_t)((random_next(random) >> 32) * bound >> 32);
}

static inline uint64_t random_between(struct gen_random *random, uint64_t low, uint64_t high)
{
	return low + (uint64_t)((unsigned __int128)random_next(random) * (high - low + 1) >> 64);
}

/* A share is in millionths. */
enum { SHARE_ALL = 1000000 };

static inline bool random_chance(struct gen_random *random, uint32_t share)
{
	return random_below(random, SHARE_ALL) < share;
}

/* A positive size with this mean: most are smaller, some a few times larger (0.15 to 3.8 × mean).
 */
uint64_t random_size(struct gen_random *random, uint64_t mean);

void random_fill(struct gen_random *random, void *out, size_t len);

#endif
